"""Methods and attributes that every `torch.nn.Module` has, and what they give.

Source: torch/nn/modules/module.py (https://pytorch.org/docs/stable/generated/torch.nn.Module.html).
"""

from __future__ import annotations

from typing import Final

from evalguard.vocabulary.terms import names

EVIDENCE_METHODS: Final = frozenset(
    names("""
        parameters named_parameters state_dict load_state_dict zero_grad named_modules children named_children
        register_forward_hook register_buffer register_parameter requires_grad_ add_module
    """)
)
"""Nothing but a module has them (an optimizer shares `state_dict`, `load_state_dict` and `zero_grad`)."""

EVERY_MODULE_HAS: Final = EVIDENCE_METHODS | {"train", "eval", "training", "forward", "modules"}
"""Attributes that code asks for by `hasattr()` where what it gets may be no module."""

OPTIMIZERS_TOO: Final = frozenset({"state_dict", "load_state_dict", "zero_grad"})

PARAMETER_METHODS: Final = frozenset({"parameters", "named_parameters", "trainable_parameters", "get_parameters"})

SUBMODULE_METHODS: Final = frozenset({"modules", "named_modules"})
CHILD_METHODS: Final = frozenset({"children", "named_children"})

LEAVING_TORCH: Final = {"numpy": "numpy", "item": "number", "tolist": "number"}
"""Methods of a tensor that take its values out of PyTorch, and as what."""

UNTAINTED_METHODS: Final = frozenset({"item", "tolist", "size", "dim", "numel", "__len__"})
"""What they return is no tensor any more: no backward can come through it."""

FORGETTING_METHODS: Final = frozenset({"reset", "clear", "zero"})
"""What they are called on begins anew: a meter, a sum of losses. No backward comes through what it held before."""

MODE_SETTING_METHODS: Final = {"make_generation_fast_": "eval", "prepare_for_inference_": "eval"}
"""Methods that put the module they are called on in a mode. fairseq: the first, which the second calls, calls `self.eval()`
and disables `train()` (https://github.com/facebookresearch/fairseq/blob/main/fairseq/models/fairseq_model.py)."""

MAY_SET_MODE_METHODS: Final = frozenset({"freeze", "unfreeze"})
"""Methods that do so in a framework and not in every class: Lightning's and NeMo's `freeze()` calls `eval()`, fastai's does not
(https://github.com/Lightning-AI/pytorch-lightning/blob/master/src/lightning/pytorch/core/module.py)."""

LISTS_OF_MODULES: Final = frozenset({"torch.nn.ModuleList", "torch.nn.ModuleDict"})
"""They hold modules and have no forward (https://pytorch.org/docs/stable/generated/torch.nn.ModuleList.html)."""

MADE_UP_TENSORS: Final = frozenset(
    f"torch.{name}"
    for name in """
    FloatTensor LongTensor Tensor arange empty eye full linspace normal ones rand randint randn tensor zeros
    """.split()
)
"""Functions that make a tensor of numbers that mean nothing (https://pytorch.org/docs/stable/torch.html#creation-ops)."""

TENSORS_OF_DATA: Final = frozenset(f"torch.{name}" for name in ("FloatTensor", "LongTensor", "Tensor", "tensor"))
"""Of these, those that take over the numbers in their argument, if that is the only one
(https://pytorch.org/docs/stable/tensors.html): `torch.FloatTensor(batch)`."""
