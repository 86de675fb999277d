"""EVG306."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding, Step
from evalguard.project.code import ClassView
from evalguard.project.training_flag import early_reads, fixed_flags
from evalguard.rules.base import Rule
from evalguard.rules.wording import called


class StaleTrainingFlag(Rule):
    """`self.training` is read in `__init__`, or a copy of the mode is asked which nothing keeps up to date.

    ## What it does
    Reports a read of `self.training` in the constructor of a module, and a dropout in its forward whose flag is an
    attribute such as `self.is_training` that the constructor sets and nothing in the project ever changes.

    ## Why is this bad?
    A module's constructor ends in train mode, whoever made it and whatever for: `self.training` is always True there,
    and `train()` and `eval()` come later. So a decision by it in the constructor is no decision, and a copy of it stays
    True for ever. `model.eval()` changes `self.training` of every module, but knows of no copy. A dropout that asks the
    copy drops in every evaluation too, at random, although everyone called `eval()` as they should.

    ## Example
    ```python
    import torch.nn.functional as F
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(8, 2)
            self.drops = self.training

        def forward(self, x):
            return self.head(F.dropout(x, 0.5, training=self.drops))
    ```

    ## Use instead
    ```python
    import torch.nn.functional as F
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(8, 2)

        def forward(self, x):
            return self.head(F.dropout(x, 0.5, training=self.training))
    ```

    ## Fix safety
    Unsafe: the call asks `self.training` in the place of the attribute, which somebody may have set on purpose; a copy
    is replaced by what it copies, and taken away, although another file may read it. What the constructor decides by
    the flag has no fix.

    ## Known limits
    Silent where the constructor, that of a base class or a method that they call sets the mode, where the copy is
    assigned anywhere else in the project, and where the flag that decides has another name than one of training.
    """

    code = "EVG306"
    name = "stale-training-flag"

    def check_class(self, view: ClassView) -> Iterator[Finding]:
        """The flags that are read too early, or stay as they are."""
        for read in early_reads(view):
            copy = f", so `self.{read.kept}` stays True in eval mode" if read.kept is not None else ""
            yield self.finding(
                read.view,
                read.span,
                f"`self.training` is read in the constructor, where it is always True{copy}",
                model=view.facts.name,
                help_text="read `self.training` in `forward`",
            )
        for fixed in fixed_flags(view):
            flag = f"self.{fixed.attribute}"
            yield self.finding(
                fixed.view,
                fixed.call.span,
                f"`{called(fixed.call)}` asks `{flag}`, which no `train()` or `eval()` of `{view.facts.name}` sets",
                model=view.facts.name,
                trace=(
                    Step(fixed.given_in.path, fixed.given_at, f"`{flag}` is set here, and nowhere else"),
                    Step(fixed.view.path, fixed.call.span, "and asked here, in both modes"),
                ),
                help_text="ask `self.training`",
            )
