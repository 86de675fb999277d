"""EVG402."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding
from evalguard.project.code import ClassView
from evalguard.project.drops import attentions_always_on
from evalguard.rules.base import Rule
from evalguard.rules.wording import called


class AttentionDropoutAlwaysOn(Rule):
    """An attention function is given its dropout in both modes.

    ## What it does
    Reports a call of `scaled_dot_product_attention(dropout_p=...)`, of the functions of flash-attention or of xformers'
    `memory_efficient_attention`, directly or through a function of the project, in a method of a module, whose
    probability does not depend on `self.training` and is not 0.

    ## Why is this bad?
    These functions know no mode: they drop attention weights by the probability that they are given, each time.
    `model.eval()` switches off the `nn.Dropout` layers and nothing here, so that validation, generation and exported
    models attend at random: the same prompt gives different texts at temperature 0, and losses look too high.

    ## Example
    ```python
    import torch.nn.functional as F
    from torch import nn

    class Attention(nn.Module):
        def __init__(self, dropout):
            super().__init__()
            self.dropout = dropout

        def forward(self, query, key, value):
            return F.scaled_dot_product_attention(query, key, value, dropout_p=self.dropout)
    ```

    ## Use instead
    ```python
    import torch.nn.functional as F
    from torch import nn

    class Attention(nn.Module):
        def __init__(self, dropout):
            super().__init__()
            self.dropout = dropout

        def forward(self, query, key, value):
            dropout_p = self.dropout if self.training else 0.0
            return F.scaled_dot_product_attention(query, key, value, dropout_p=dropout_p)
    ```

    ## Fix safety
    Safe: `p if self.training else 0.0` leaves the training as it was.

    ## Known limits
    Silent where the probability is a parameter whose callers are not seen, or comes out of a call that cannot be
    followed. A probability that the constructor is given counts, although its default may be 0.
    """

    code = "EVG402"
    name = "attention-dropout-always-on"

    def check_class(self, view: ClassView) -> Iterator[Finding]:
        """The attentions that drop in both modes."""
        for drop in attentions_always_on(view):
            callee = called(drop.call)
            inner = f" for `{drop.function.name}`" if drop.through is not None else ""
            yield self.finding(
                drop.view,
                drop.span,
                f"`{callee}` is given the same `{drop.argument}`{inner} in both modes: "
                f"`{view.facts.name}` drops attention weights in eval mode too",
                model=view.facts.name,
                help_text=f"pass `{drop.argument}` only in train mode: `... if self.training else 0.0`",
            )
