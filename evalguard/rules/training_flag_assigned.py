"""EVG303."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding
from evalguard.project.code import CodeView
from evalguard.project.training_flag import flags_set
from evalguard.rules.base import Rule


class TrainingFlagAssigned(Rule):
    """`model.training` is set by hand, of which the parts of the model do not hear.

    ## What it does
    Reports an assignment to the attribute `training` of a module that may have parts, and one that a method makes to
    its own object, unless that method is `train` or `eval`.

    ## Why is this bad?
    Each module has a flag `training` of its own, and each layer asks its own only. `model.eval()` goes through all
    parts of the model and clears the flag of every one. `model.training = False` clears a single flag, that of the
    outermost module, which seldom asks for it: every `Dropout` inside still drops, and every `BatchNorm` still
    normalises by the batch and changes its statistics. It looks like eval mode, also to whoever prints
    `model.training`, and is none.

    ## Example
    ```python
    import torch
    import torchvision

    model = torchvision.models.resnet18(weights="DEFAULT")
    model.training = False
    with torch.no_grad():
        print(model(torch.rand(1, 3, 224, 224)))
    ```

    ## Use instead
    ```python
    import torch
    import torchvision

    model = torchvision.models.resnet18(weights="DEFAULT")
    model.eval()
    with torch.no_grad():
        print(model(torch.rand(1, 3, 224, 224)))
    ```

    ## Fix safety
    Safe: `model.eval()` for `model.training = False`, `model.train(flag)` for `model.training = flag`; in a loop
    that trains, with `train()` at its head if that is needed.

    ## Known limits
    Silent in a loop over modules and in a function that also goes over the parts or calls `train()` or `eval()`; where
    a saved flag is given back; for a single layer, a module without parts, and objects of which nothing says that they
    are modules; in a class that asks for its own flag and makes no part that is known to listen.
    """

    code = "EVG303"
    name = "training-flag-assigned"

    def check_code(self, view: CodeView) -> Iterator[Finding]:
        """The flags that are set by hand."""
        for flag in flags_set(view):
            yield self.finding(
                view,
                flag.span,
                f"`{flag.place}.training` is set by hand: the modules inside `{flag.place}` do not hear of it",
                model=flag.place,
                help_text=f"call `{flag.place}.train(mode)` or `{flag.place}.eval()`, which reach all of them",
            )
