"""EVG103."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding, Severity, Step
from evalguard.project.judge import frozen_parts_in_train_mode, helpers_in_train_mode
from evalguard.project.view import FunctionView
from evalguard.rules.base import Rule, first_of_each, sets_mode
from evalguard.rules.wording import through


class FrozenHelperInTrainMode(Rule):
    """A teacher, reward or feature network that is only ever inferred runs in train mode inside training.

    ## What it does
    Reports a forward of a second network, in code that trains another one, when no optimizer holds the network, its
    result serves the loss, and it may be in train mode. Also a part of a module that is trained, such as a backbone,
    if the module's `forward` only ever runs it under `no_grad()`, and nothing speaks of its mode.

    ## Why is this bad?
    The network is there to give fixed targets. In train mode it does not: with dropout the same image gets another
    target at every visit, and with batch norm its target depends on the rest of the batch, the more so the smaller the
    batch is.

    Freezing the parameters does not prevent it. `requires_grad_(False)` and `no_grad` stop gradients, but the running
    mean and variance of a batch norm are no parameters: every forward in train mode overwrites them. Over an epoch the
    "frozen" network drifts towards the student's data.

    ## Example
    ```python
    import torch
    from torchvision.models import resnet18, resnet50

    teacher, student = resnet50(), resnet18()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    for images in loader:
        with torch.no_grad():
            target = teacher(images)
        loss = torch.nn.functional.mse_loss(student(images), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ```

    ## Use instead
    ```python
    import torch
    from torchvision.models import resnet18, resnet50

    teacher, student = resnet50(), resnet18()
    teacher.eval()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    for images in loader:
        with torch.no_grad():
            target = teacher(images)
        loss = torch.nn.functional.mse_loss(student(images), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ```

    ## Fix safety
    Safe: `eval()` behind the statement that makes or loads the network, or else before the loop. It is offered only if
    no `train()` of the whole reaches the network again. Unsafe is an override of `train` that keeps a part of what is
    trained in eval mode, since it changes what was trained until now.

    ## Known limits
    Silent for momentum encoders, target networks and averages of another network, whose batch statistics are often
    wanted.
    """

    code = "EVG103"
    name = "frozen-helper-in-train-mode"
    severity = Severity.WARNING

    def check(self, view: FunctionView) -> Iterator[Finding]:
        """The helpers' forwards in train mode, and those of helpers inside of what is trained."""
        yield from first_of_each(self._all(view))
        yield from self._parts(view)

    def _parts(self, view: FunctionView) -> Iterator[Finding]:
        for found in frozen_parts_in_train_mode(view):
            part, origin, name = found.part, found.origin, f"self.{found.part.part}"
            last = Step(part.view.path, part.call.span, f"`{name}` runs without gradients, in train mode")
            yield self.finding(
                part.view,
                part.call.span,
                f"`{name}` is never trained and may be in train mode while `{found.step.place}` is trained: "
                f"{sets_mode(origin, view)}",
                model=name,
                trace=view.trace(found.step, origin, last),
                help_text=f"override `train(self, mode=True)` in its class: call `super().train(mode)`, "
                f"then `{name}.eval()`, and return `self`",
            )

    def _all(self, view: FunctionView) -> Iterator[tuple[object, Finding]]:
        for accident in helpers_in_train_mode(view):
            forward, origin = accident.forward, accident.origin
            last = Step(
                view.path,
                forward.span,
                f"`{forward.place}` serves the training of another network, in train mode",
                "train",
            )
            yield (
                (forward.id, origin.site),
                self.finding(
                    view,
                    forward.span,
                    f"`{forward.place}` is never trained here and may be in train mode: {sets_mode(origin, view)}"
                    f"{through(view.info(forward.id))}",
                    model=forward.place,
                    trace=view.trace(forward, origin, last),
                    help_text=f"call `{forward.place}.eval()` once, before the training loop",
                ),
            )
