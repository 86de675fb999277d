"""EVG401."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding
from evalguard.project.code import ClassView
from evalguard.project.drops import functions_always_on
from evalguard.rules.base import Rule
from evalguard.rules.wording import called


class FunctionalDropoutAlwaysOn(Rule):
    """A dropout function is called in a module without `training=self.training`.

    ## What it does
    Reports a call of `F.dropout` and its kin (`F.dropout1d`, `2d`, `3d`, `torch.dropout`, `F.alpha_dropout`, `F.rrelu`,
    PyTorch Geometric's `dropout_edge`, ...) in a method of a module, or in a function that one calls, whose training
    flag is true in both modes: left out where its default is `True`, or written out as `True`.

    ## Why is this bad?
    Dropout zeroes random elements to train a network that leans on no single one of them; for an answer, all of them
    are wanted. `nn.Dropout` knows the mode: `model.eval()` switches it off. A function does not: it drops whenever its
    flag is true, and the flag of `F.dropout` is true unless it is told otherwise. So the network stays random after
    `model.eval()`: the same input gives another output each time, and the scores of every evaluation are too low.
    `torch.no_grad()` does not help either: it switches off gradients, not dropout.

    ## Example
    ```python
    import torch.nn.functional as F
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(8, 8)
            self.head = nn.Linear(8, 2)

        def forward(self, x):
            x = F.dropout(F.relu(self.hidden(x)), 0.5)
            return self.head(x)
    ```

    ## Use instead
    ```python
    import torch.nn.functional as F
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(8, 8)
            self.head = nn.Linear(8, 2)

        def forward(self, x):
            x = F.dropout(F.relu(self.hidden(x)), 0.5, training=self.training)
            return self.head(x)
    ```

    ## Fix safety
    Safe: `training=self.training` is added, or takes the place of a constant. Unsafe in the place of a variable, which
    somebody chose.

    ## Known limits
    Silent where a name says that the dropout is meant to stay on (`mc`, `bayesian`, `augment`, the prenet of Tacotron),
    or a comment beside it does ("always", "on purpose"); where the flag or the probability comes from a parameter whose
    callers are not seen; and in functions that no module of the files calls.
    """

    code = "EVG401"
    name = "functional-dropout-always-on"

    def check_class(self, view: ClassView) -> Iterator[Finding]:
        """The calls in both modes that drop."""
        for drop in functions_always_on(view):
            callee = called(drop.call)
            flag = drop.argument
            if drop.through is not None and drop.given:
                said = f"`{callee}` is called with a constant `{flag}` and drops by `{drop.function.name}`"
            elif drop.through is not None:
                said = f"`{callee}` is called without `{flag}`, whose default lets `{drop.function.name}` drop"
            elif drop.given:
                said = f"`{callee}` is called with a constant `{flag}`"
            else:
                said = f"`{callee}` is called without `{flag}`, whose default is True"
            yield self.finding(
                drop.view,
                drop.span,
                f"{said}: `{view.facts.name}` drops in eval mode too",
                model=view.facts.name,
                help_text=f"pass `{flag}=self.training`",
            )
