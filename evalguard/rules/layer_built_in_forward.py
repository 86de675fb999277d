"""EVG403."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding
from evalguard.project.built_in_forward import built_in_forward
from evalguard.project.code import ClassView
from evalguard.rules.base import Rule


class LayerBuiltInForward(Rule):
    """A layer is made inside `forward`: a new one at each call, in train mode and untrained.

    ## What it does
    Reports a layer that `forward`, or a method or function that it calls, makes and uses at once, if it depends on the
    mode (`nn.Dropout`, `nn.BatchNorm2d`) or has weights (`nn.Linear`).

    ## Why is this bad?
    A module is made in train mode, and `model.eval()` only reaches those that exist when it is called. A dropout made
    in `forward` came to the world after that: it drops in every evaluation. A batch norm made there normalises by the
    batch that it is given, and forgets its statistics at once. And no optimizer has ever seen the weights of a layer
    that is made anew for each batch: they are random each time.

    ## Example
    ```python
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(8, 2)

        def forward(self, x):
            return self.head(nn.Dropout(0.5)(x))
    ```

    ## Use instead
    ```python
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.dropout = nn.Dropout(0.5)
            self.head = nn.Linear(8, 2)

        def forward(self, x):
            return self.head(self.dropout(x))
    ```

    ## Fix safety
    Safe for dropouts and `nn.RReLU`, which have no weights: where one is used at once the function in its place, else
    one that is made in `__init__`, or the mode of the module around it. Unsafe for a layer with weights, which moves to
    `__init__` if all that it is made of is known there: it is trained from then on, and stands in the state dict.

    ## Known limits
    Silent where only train mode reaches the layer (`if self.training:`), where it is made once, under a test, and kept;
    where its mode is set, also by its own constructor, or its weights are written; for classes of the project that only
    have weights; for functions that make a layer and return it; and for normalisations without a mode, such as
    `nn.LayerNorm`, which need no training.
    """

    code = "EVG403"
    name = "layer-built-in-forward"

    def check_class(self, view: ClassView) -> Iterator[Finding]:
        """The layers that a call of the module makes and uses."""
        for built in built_in_forward(view):
            layer = built.made.name
            what = "always in train mode" if built.made.listens else "and its weights are never trained"
            yield self.finding(
                built.view,
                built.call.span,
                f"`{layer}` is made anew in each forward of `{view.facts.name}`: {what}",
                model=view.facts.name,
                help_text=f"make the `{layer}` once, in `__init__`, and keep it under an attribute",
            )
