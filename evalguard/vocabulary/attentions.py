"""Attention functions that drop by a probability alone: none of them knows the mode.

The `flag` of an entry is the argument with the probability; 0 is the only value by which it drops nothing.
"""

from __future__ import annotations

from evalguard.vocabulary.terms import Alias, Functional, Parameter, Table

DOCS = "https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html"
FLASH = "https://github.com/Dao-AILab/flash-attention/blob/main/flash_attn/flash_attn_interface.py"
FLASH_1 = "https://github.com/Dao-AILab/flash-attention/blob/v1.0.9/flash_attn/flash_attn_interface.py"
XFORMERS = "https://facebookresearch.github.io/xformers/components/ops.html"

BY_PROBABILITY = "drops attention weights by the probability given, in both modes: it knows no training flag"

ATTENTIONS = (
    Functional(
        "torch.nn.functional.scaled_dot_product_attention", Parameter("dropout_p", 4, 0.0), BY_PROBABILITY, DOCS
    ),
    *(
        Functional(f"flash_attn.{name}", Parameter("dropout_p", position, 0.0), BY_PROBABILITY, FLASH)
        for name, position in (
            ("flash_attn_func", 3),
            ("flash_attn_kvpacked_func", 2),
            ("flash_attn_qkvpacked_func", 1),
            ("flash_attn_varlen_func", 7),
            ("flash_attn_varlen_kvpacked_func", 6),
            ("flash_attn_varlen_qkvpacked_func", 3),
        )
    ),
    *(
        Functional(f"flash_attn.{name}", Parameter("dropout_p", position, required=True), BY_PROBABILITY, FLASH_1)
        for name, position in (
            ("flash_attn_unpadded_func", 7),
            ("flash_attn_unpadded_kvpacked_func", 6),
            ("flash_attn_unpadded_qkvpacked_func", 3),
        )
    ),
    Functional("xformers.ops.memory_efficient_attention", Parameter("p", 4, 0.0), BY_PROBABILITY, XFORMERS),
)

ALIASES = (
    Alias(
        "flash_attn.flash_attn_interface",
        "flash_attn",
        "defined there, and exported under the shorter name",
        "https://github.com/Dao-AILab/flash-attention/blob/main/flash_attn/__init__.py",
    ),
    Alias(
        "torch._C._nn.scaled_dot_product_attention",
        "torch.nn.functional.scaled_dot_product_attention",
        "the same function",
        "https://github.com/pytorch/pytorch/blob/main/torch/nn/functional.py",
    ),
)

TABLE = Table(attentions=ATTENTIONS, aliases=ALIASES)
