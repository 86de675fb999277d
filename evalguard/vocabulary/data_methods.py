"""Methods of data: of strings, containers, files, paths, arrays and tensors. Where nothing is known of a receiver, a call
of one of these is taken for such a method, and not for one of the project's that happens to have the same name.

The names are those of the types themselves; the tensors' are a list, for torch is not imported.
"""

from __future__ import annotations

import io
import pathlib
import re
import sys

_TYPES: tuple[type, ...] = (
    str,
    bytes,
    list,
    dict,
    set,
    tuple,
    int,
    float,
    pathlib.Path,
    io.TextIOWrapper,
    re.Pattern,
    re.Match,
)

_TENSOR_METHODS = frozenset(
    """
    abs add addmm all allclose amax amin any argmax argmin argsort astype backward bfloat16 bmm bool byte cat ceil char
    chunk clamp clamp_ clip clone contiguous cos cpu cross cuda cumsum data detach detach_ device diag diff dim div
    div_ dot double dtype element_size eq equal exp expand expand_as fill_ flatten flip float floor gather ge grad gt half
    histc int inverse isfinite isnan item itemsize kthvalue le log log_softmax logical_and logical_not long lt masked_fill
    masked_fill_ masked_select matmul max mean median min mm mul mul_ narrow ndim ndimension ne neg nelement nonzero norm
    normal_ numel numpy permute pin_memory pow prod ravel reciprocal relu repeat repeat_interleave requires_grad
    requires_grad_ reshape resize roll round rsqrt scatter scatter_ select shape short sigmoid sign sin size softmax sort
    split sqrt squeeze squeeze_ std stride sub sum swapaxes t T tan tanh tile to tobytes tolist topk tril triu trunc type
    type_as unbind unfold unique unsqueeze unsqueeze_ values var view view_as where zero_
    """.split()
)  # https://docs.pytorch.org/docs/stable/tensors.html, https://numpy.org/doc/stable/reference/arrays.ndarray.html

_ALSO_OTHERS = frozenset({"backward", "update"})
"""Names of these that the classes of trainers and agents have too."""

DATA_METHODS = (
    frozenset(name for kind in _TYPES for name in dir(kind) if not name.startswith("_")) | _TENSOR_METHODS
) - _ALSO_OTHERS

PASSING_ON = frozenset(
    "asyncio concurrent contextlib contextvars copy functools importlib inspect itertools multiprocessing operator pickle queue shelve threading types typing unittest weakref".split()
)
"""Modules of the standard library whose functions may hand out what they are given, or call it."""

DATA_LIBRARIES = (frozenset(sys.stdlib_module_names) - PASSING_ON) | frozenset(
    "PIL click colorama cv2 h5py imageio matplotlib numpy omegaconf pandas pyarrow requests rich scipy simplejson skimage tqdm yaml".split()
)
"""Libraries of which nothing holds a network: what their functions make has methods of its own."""

DATA_FUNCTIONS = frozenset(
    """
    abs all any ascii bin bool bytearray bytes chr dict divmod float format frozenset hash hex id input int len max min
    object oct open ord print range repr round set sorted str sum
    """.split()
)
"""Built-in functions that make data."""
