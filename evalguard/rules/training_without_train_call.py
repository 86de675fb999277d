"""EVG202."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding, Severity, Step
from evalguard.modes.values import Mode, OriginKind
from evalguard.project.view import FunctionView
from evalguard.rules.base import Rule, first_of_each


class TrainingWithoutTrainCall(Rule):
    """A training step that no `.train()` dominates, although nothing put the module in eval.

    ## What it does
    Off by default. Reports a training step that some path reaches without a `train()` call on the module.

    ## Why is this bad?
    A module is in train mode when it is built, so the code works as long as nobody evaluates the module first. On the
    day that somebody does, by a validation that leaves `eval()` behind or with a model from `from_pretrained`, which
    comes in eval mode, the same loop trains silently without dropout and with batch norm's statistics standing still.
    With a `train()` of its own at its head, a training loop does not depend on what came before it.

    ## Example
    ```python
    def fit(model, optimizer, loader):
        for batch in loader:
            optimizer.zero_grad()
            model(batch).sum().backward()
            optimizer.step()
    ```

    ## Use instead
    ```python
    def fit(model, optimizer, loader):
        model.train()
        for batch in loader:
            optimizer.zero_grad()
            model(batch).sum().backward()
            optimizer.step()
    ```

    ## Known limits
    A question of style: most such code is right.
    """

    code = "EVG202"
    name = "training-without-train-call"
    default = False
    severity = Severity.WARNING

    def check(self, view: FunctionView) -> Iterator[Finding]:
        """The steps without an explicit `train()` before them."""
        yield from first_of_each(self._all(view))

    def _all(self, view: FunctionView) -> Iterator[tuple[object, Finding]]:
        for step in view.steps:
            if step.doubt or view.is_unit_test or view.info(step.id).sensitive is False:
                continue
            implicit = [o for o in step.origins if o.kind is not OriginKind.SET and o.mode is not Mode.EVAL]
            if not implicit:
                continue
            last = Step(view.path, step.span, f"the step trains `{step.place}`")
            yield (
                (step.id, step.span),
                self.finding(
                    view,
                    step.span,
                    f"no `train()` call on `{step.place}` comes before this training step",
                    model=step.place,
                    trace=(last,),
                    help_text=f"call `{step.place}.train()` at the head of the loop that trains",
                ),
            )
