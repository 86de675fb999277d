"""EVG305."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding, Step
from evalguard.project.code import ClassView, CodeView
from evalguard.project.thawed import Thawed, thawed_parts
from evalguard.project.thawed_here import thawed_here
from evalguard.rules.base import Rule


class FrozenLayerThawed(Rule):
    """A part is put in eval mode to freeze it, and a later `train()` of the whole thaws it.

    ## What it does
    Reports a part that a module's constructor, or a method of its named so, freezes by `eval()`: gradients taken from
    its parameters, a name, or a comment say that this is meant. Also one that comes in eval mode from `from_pretrained`
    and has its gradients taken. Reported if the project calls `train()` of the whole, and nothing puts the part back.
    The same of a function that freezes a part of a model, and then trains the model or has another function do so.

    ## Why is this bad?
    To freeze a part takes two things: `requires_grad = False`, so that the optimizer leaves its weights alone, and eval
    mode, so that its dropout is off and its batch norm uses its stored statistics. The first lasts. The second does
    not: `model.train()` at the head of each epoch goes through all parts of the model, whatever anyone said to one of
    them before. From the first epoch on the frozen part drops at random, and its batch norms follow the new data, so
    that the part changes although no gradient ever reaches it. In the evaluation it is yet another network than the one
    that the rest was trained with.

    ## Example
    ```python
    import torchvision
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = torchvision.models.resnet18(weights="DEFAULT")
            self.backbone.requires_grad_(False)
            self.backbone.eval()
            self.head = nn.Linear(1000, 2)

    def fit(model: Classifier, loader, optimizer):
        model.train()
        for inputs, labels in loader:
            nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
    ```

    ## Use instead
    ```python
    import torchvision
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = torchvision.models.resnet18(weights="DEFAULT")
            self.backbone.requires_grad_(False)
            self.head = nn.Linear(1000, 2)

        def train(self, mode=True):
            super().train(mode)
            self.backbone.eval()
            return self

    def fit(model: Classifier, loader, optimizer):
        model.train()
        for inputs, labels in loader:
            nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
    ```

    ## Fix safety
    Unsafe: `eval()` behind each `train()` of the whole, or an override of `train` in the class, keeps the part frozen,
    which changes what was trained until now.

    ## Known limits
    Which `train()` reaches the part is told by the classes, and where they are not known by names: `model.train()` is
    taken to reach all modules but losses, teachers and their like. Silent in a LightningModule without a `train()` of
    its own, for Lightning keeps the modes of parts since 2.2; and for parts that a script freezes by their
    requires_grad alone.
    """

    code = "EVG305"
    name = "frozen-layer-thawed"

    def check_class(self, view: ClassView) -> Iterator[Finding]:
        """The parts that the class freezes in vain."""
        cure = (
            f"override `train(self, mode=True)` in `{view.facts.name}`: call `super().train(mode)`, "
            "then `eval()` of the frozen part, and return `self`"
        )
        for part in thawed_parts(view):
            yield self._found(part, f"all of `{view.facts.name}`", cure)

    def check_code(self, view: CodeView) -> Iterator[Finding]:
        """The parts that the function freezes in vain."""
        for part in thawed_here(view):
            yield self._found(part, "it", f"call `{part.name}.eval()` after each `train()`, or override `train`")

    def _found(self, part: Thawed, what_returns: str, cure: str) -> Finding:
        first = part.sites[0]
        is_near = first.view.path == part.view.path
        where = f"on line {first.span.line}" if is_near else f"in {first.view.path}:{first.span.line}"
        is_place = "`" not in part.name
        what = f"`{part.name}`" if is_place else part.name
        return self.finding(
            part.view,
            part.span,
            f"`{part.text}` freezes {what} in vain: `{first.text}` {where} puts {what_returns} back in train mode",
            model=part.name if is_place else None,
            trace=(
                Step(part.view.path, part.span, f"`{part.text}` gives eval mode, to freeze it", "eval"),
                *(
                    Step(site.view.path, site.span, f"`{site.text}` reaches it too, and sets train mode", "train")
                    for site in part.sites
                ),
            ),
            help_text=cure,
        )
