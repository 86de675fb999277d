"""EVG106."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding, Span, Step
from evalguard.project.code import ClassView
from evalguard.project.forced_modes import forced_into_train_mode
from evalguard.project.judge import inferences_in_train_mode
from evalguard.project.view import FunctionView
from evalguard.rules.base import Rule, first_of_each
from evalguard.rules.wording import through


class TrainCallInEvaluation(Rule):
    """`.train()` is called in evaluation code before its forwards.

    ## What it does
    Reports a `train()` call that stands in evaluation code (under `no_grad`, in a function such as `validate`, in a
    loop over `test_loader`) when an inference of the same function then runs in that mode. Also one in the forward of a
    module that ends a pause of a part (`self.encoder.eval()` ... `self.encoder.train()`), for the forward runs in
    evaluations, too.

    ## Why is this bad?
    `train()` starts no training: it puts the module and all its parts in train mode, and there they stay until somebody
    calls `eval()`. Here it undoes the `eval()` before it, or stands where `eval()` was meant. The inferences that
    follow drop units at random, and their batch norms take mean and variance from the evaluation's own batches, small
    ones included, and store them: the model learns the statistics of the test data, although gradients are off.

    ## Example
    ```python
    import torch

    def validate(model, val_loader):
        model.eval()
        with torch.no_grad():
            for inputs in val_loader:
                model.train()
                print(model(inputs).argmax())
    ```

    ## Use instead
    ```python
    import torch

    def validate(model, val_loader):
        model.eval()
        with torch.no_grad():
            for inputs in val_loader:
                print(model(inputs).argmax())
    ```

    ## Fix safety
    Safe: `eval()` in the place of `train()`, or the call taken away, whichever brings no new finding, or `eval()`
    before the inference that the call reaches; `train(self.training)` for a part that a forward had paused.

    ## Known limits
    Silent where the results are dropped (batch-norm recalibration), where the function's name says that it samples
    dropout, and where the function keeps the mode before and gives it back after (`was = net.training`).
    """

    code = "EVG106"
    name = "train-call-in-evaluation"

    def check(self, view: FunctionView) -> Iterator[Finding]:
        """The `train()` calls that an inference of the same evaluation code meets."""
        yield from first_of_each(self._all(view))

    def _all(self, view: FunctionView) -> Iterator[tuple[object, Finding]]:
        for accident in inferences_in_train_mode(view):
            forward, origin = accident.forward, accident.origin
            if not accident.is_set_here or origin.site is None:
                continue
            last = Step(view.path, forward.span, f"`{forward.place}` infers here, in train mode", "train")
            yield (
                origin.site,
                self.finding(
                    view,
                    Span(*origin.site[1:]),
                    f"`{origin.text}` puts `{forward.place}` in train mode before the inference "
                    f"{view.where(view.path, forward.span.line)}{through(view.info(forward.id))}",
                    model=forward.place,
                    trace=view.trace(forward, origin, last),
                    help_text=f"remove `{origin.text}`, or call `{forward.place}.eval()` instead",
                ),
            )

    def check_class(self, view: ClassView) -> Iterator[Finding]:
        """The parts that a forward puts in train mode, whatever mode the module is in."""
        for forced in forced_into_train_mode(view):
            part = f"self.{forced.part}"
            paused = Step(forced.view.path, forced.paused.span, f"`{part}.eval()` switches it for a while", "eval")
            last = Step(forced.view.path, forced.call.span, f"`{part}` is in train mode from here on", "train")
            yield self.finding(
                forced.view,
                forced.call.span,
                f"`{part}.train()` leaves it in train mode after each `{forced.view.facts.name}`, "
                f"also when `{view.facts.name}` is in eval mode",
                model=part,
                trace=(paused, last),
                help_text=f"call `{part}.train(self.training)` instead",
            )
