"""Classes of Python and of PyTorch of which no module is an instance, whatever it inherits from."""

from __future__ import annotations

from typing import Final

PLAIN_TYPES: Final = frozenset(
    "bool bytearray bytes complex dict float frozenset int list range set slice str tuple type".split()
) | {
    # https://docs.python.org/3/library/functools.html#functools.partial: keeps a function and arguments for it
    "functools.partial",
    "functools.partialmethod",
    # https://docs.python.org/3/library/pathlib.html: a path to weights in the place of a model
    "pathlib.Path",
    "pathlib.PurePath",
    # https://docs.python.org/3/library/types.html: a function in the place of a model
    "types.FunctionType",
    "types.LambdaType",
    "types.MethodType",
    "types.ModuleType",
    # https://pytorch.org/docs/stable/tensors.html: torch.nn.Module is no subclass of it
    "torch.Tensor",
    "torch.optim.Optimizer",
}
