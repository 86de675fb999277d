"""EVG404."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding
from evalguard.project.code import ClassView
from evalguard.project.hidden_modules import hidden_modules
from evalguard.rules.base import Rule


class UnregisteredSubmodule(Rule):
    """Modules stand in a plain list, tuple or dict, where the module around them does not find them.

    ## What it does
    Reports an attribute of a module to which its constructor gives a plain list, tuple or dict of modules that it
    makes, if they depend on the mode or have weights.

    ## Why is this bad?
    A module knows the modules that are assigned to its attributes directly, and no others: it does not look into lists.
    So `model.eval()` leaves the dropouts in a list in train mode, and they drop in every evaluation. Nor does
    `model.parameters()` show their weights to the optimizer, `model.to(device)` move them, or `state_dict()` save them.

    ## Example
    ```python
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.dropouts = [nn.Dropout(0.1 * i) for i in range(1, 6)]
            self.head = nn.Linear(8, 2)

        def forward(self, x):
            return sum(self.head(dropout(x)) for dropout in self.dropouts) / 5
    ```

    ## Use instead
    ```python
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.dropouts = nn.ModuleList(nn.Dropout(0.1 * i) for i in range(1, 6))
            self.head = nn.Linear(8, 2)

        def forward(self, x):
            return sum(self.head(dropout(x)) for dropout in self.dropouts) / 5
    ```

    ## Fix safety
    Unsafe: in an `nn.ModuleList` or `nn.ModuleDict` the parts get keys in the state dict, so that older checkpoints no
    longer fit, and their weights are trained from now on. Not offered where such a container refuses what is in it,
    such as lists in lists, or keys that may not be text.

    ## Known limits
    Silent for modules that were given to the constructor, for a list of a single one (the usual way to hide a teacher),
    where the modules are registered elsewhere too or given to a function that may do so, where a `train()` or
    `parameters()` of the class takes care of them, and where a comment says that they are hidden on purpose.
    """

    code = "EVG404"
    name = "unregistered-submodule"

    def check_class(self, view: ClassView) -> Iterator[Finding]:
        """The plain collections of modules that the class keeps."""
        for hidden in hidden_modules(view):
            names = ", ".join(dict.fromkeys(made.name for made in hidden.made))
            container = "ModuleDict" if hidden.kind == "dict" else "ModuleList"
            listens = any(made.listens for made in hidden.made)
            missed = "`eval()`, `parameters()` and `to()`" if listens else "`parameters()`, `to()` and `state_dict()`"
            yield self.finding(
                hidden.view,
                hidden.span,
                f"`self.{hidden.attribute}` is a plain {hidden.kind} of modules ({names}): "
                f"{missed} of `{view.facts.name}` do not reach them",
                model=f"self.{hidden.attribute}",
                help_text=f"keep them in an `nn.{container}`",
            )
