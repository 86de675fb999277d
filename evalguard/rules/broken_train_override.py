"""EVG304."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding, Step
from evalguard.project.code import ClassView
from evalguard.project.overrides import Override, broken_overrides
from evalguard.rules.base import Rule

RIGHT = "write `def train(self, mode=True)`, call `super().train(mode)`, and return `self`"


class BrokenTrainOverride(Rule):
    """An overridden `train` or `eval` does not do what every module relies on.

    ## What it does
    Reports, in classes that are proved to be modules, a `train` or `eval` that is a training loop or takes no mode,
    ignores its mode, calls itself without end, does not reach parts that depend on the mode, or does not return `self`;
    an `eval` that the modules around it never call; and a flag that is kept under such a name (`self.train = True`).

    ## Why is this bad?
    `torch.nn.Module` has one switch, `train(mode)`. It sets the flag of its object, calls `train(mode)` of each child,
    and returns the object; `eval()` is nothing but `self.train(False)`. So whoever overrides `train` also changes
    `eval()`, and how the module behaves as a part of another: the parent's `eval()` calls the child's `train(False)`,
    and never its `eval()`.

    A training loop named `train` is therefore started, or fails, when anybody calls `model.eval()`. An override that
    forgets `super().train(mode)`, or its mode, leaves dropout on and batch norm changing its statistics in every
    evaluation, although `eval()` was called. One that forgets `return self` gives None to all who write
    `model = Net().eval()` or `model.train().to(device)`.

    ## Example
    ```python
    from torch import nn

    class Detector(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))

        def train(self, mode=True):
            super().train(mode)
            self.backbone.eval()
    ```

    ## Use instead
    ```python
    from torch import nn

    class Detector(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))

        def train(self, mode=True):
            super().train(mode)
            self.backbone.eval()
            return self
    ```

    ## Fix safety
    `return self`, and the mode handed to the `super().train(mode)` that is there, are safe. A call of `super()` or a
    parameter that is new is unsafe: the override may have kept the parts out on purpose. Nothing is offered for
    training loops and attributes: they want another name.

    ## Known limits
    Silent for an override that does nothing, or always chooses eval mode: that keeps a frozen network as it is. Parts
    that it leaves out are taken to be frozen on purpose where anything in the class says so. Where it goes over the
    parts in a loop, that loop is taken to be right.
    """

    code = "EVG304"
    name = "broken-train-override"

    def check_class(self, view: ClassView) -> Iterator[Finding]:
        """The overrides in the body of the class."""
        for override in broken_overrides(view):
            yield self.finding(
                override.view,
                override.span,
                _said(override, view.facts.name),
                model=view.facts.name,
                trace=_shown(override),
                help_text=_cure(override),
            )


def _shown(override: Override) -> tuple[Step, ...]:
    if override.at is None:
        return ()
    said = {
        "loop": "this is training",
        "recursion": "calls `self.train(False)`, which comes here again",
    }.get(override.flaw, "the same happens when `eval()` calls `self.train(False)`")
    return (
        Step(override.view.path, override.span, "overrides the switch"),
        Step(override.view.path, override.at, said),
    )


def _said(override: Override, owner: str) -> str:
    method = f"`{owner}.{override.name}`"
    asks = (
        "the `train(mode)` of a module around it fails"
        if override.switched
        else "`eval()` calls `self.train(False)`, which fails"
    )
    match override.flaw:
        case "loop":
            return f"{method} is a training loop in the place of the mode switch: `eval()` calls `self.train(False)`"
        case "no mode":
            return f"{method} takes no mode: {asks}"
        case "other argument" if override.name == "train":
            return f"{method} takes `{override.detail}` in the place of the mode: `eval()` calls `self.train(False)`"
        case "other argument":
            return f"{method} wants `{override.detail}`: it hides the switch to eval mode, and `{owner}().eval()` fails"
        case "recursion":
            return f"{method} calls `eval()`, which calls `self.train(False)`, and so on without end"
        case "deaf":
            return f"{method} ignores `{override.detail}`: `eval()` does the same as `train()`"
        case "always train":
            return f"{method} calls `super().train()` without `{override.detail}`: `eval()` puts it in train mode"
        case "parts":
            return f"{method} does not reach {override.detail}, nor does it call `super().{override.name}()`"
        case "none":
            return f"{method} does not return `self`: `model.train()` or `model.eval()` gives None"
        case "attribute":
            return (
                f"`self.{override.name} = {override.detail}` hides `torch.nn.Module.{override.name}`: to call it fails"
            )
        case "unasked":
            return (
                f"{method} is not called by the `eval()` of `{override.detail}` around it, which calls `train(False)`"
            )


def _cure(override: Override) -> str:
    match override.flaw, override.name:
        case "loop", _:
            return "give the loop another name, such as `fit`"
        case "other argument", "eval":
            return "give the method another name, such as `evaluate`"
        case "attribute", _:
            return "give the attribute another name, such as `is_train`"
        case "unasked", _:
            return "override `train(self, mode=True)` instead, and do it there if `mode` is False"
        case _, "eval":
            return "call `super().eval()`, and return `self`"
        case _:
            return RIGHT
