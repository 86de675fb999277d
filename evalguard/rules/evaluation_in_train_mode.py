"""EVG102."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding, Step
from evalguard.modes.values import OriginKind
from evalguard.project.judge import cause, inferences_in_train_mode
from evalguard.project.view import FunctionView
from evalguard.rules.base import Rule, first_of_each, sets_mode
from evalguard.rules.wording import through


class EvaluationInTrainMode(Rule):
    """A forward in a test or validation loop or function may run in train mode.

    ## What it does
    Reports a use of a module in evaluation code (a function such as `validate` or `predict`, a loop over `test_loader`)
    whose result reaches no backward, and that some path reaches with the module still in train mode. What becomes an
    array (`.numpy()`) in a function that trains nothing, or behind the loop that trains, is an evaluation as well.
    Where gradients are off, EVG101 reports instead.

    ## Why is this bad?
    The metric describes another model than the one that will be used. With dropout on, a random part of the network is
    missing in each forward, so the number is noisy and mostly too low. Batch norm judges each batch by its own mean and
    variance, so the number changes with the batch size and with the order of the data; small batches, such as the last
    one of a loader, give poor estimates and the worst results.

    And the evaluation changes what it measures: batch norm in train mode updates its running statistics at every
    forward, without any backward, so the test data leak into the model. Nothing raises an error.

    ## Example
    ```python
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))

    def test(test_loader):
        hits = 0
        for inputs, labels in test_loader:
            hits += (model(inputs).argmax(1) == labels).sum().item()
        return hits
    ```

    ## Use instead
    ```python
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))

    def test(test_loader):
        hits = 0
        model.eval()
        for inputs, labels in test_loader:
            hits += (model(inputs).argmax(1) == labels).sum().item()
        model.train()
        return hits
    ```

    ## Fix safety
    As for EVG101: `eval()` before the loop, with the mode given back behind it where the caller trains on, is safe. One
    forward that serves training and validation gets `train(phase == "train")`, by the test that guards the backward,
    which is safe too.

    ## Known limits
    Names decide what evaluation code is. A name that also says training (`train_and_test`) says nothing.
    """

    code = "EVG102"
    name = "evaluation-in-train-mode"

    def check(self, view: FunctionView) -> Iterator[Finding]:
        """The forwards of evaluation code that an origin in train mode reaches."""
        yield from first_of_each(self._all(view))

    def _all(self, view: FunctionView) -> Iterator[tuple[object, Finding]]:
        for accident in inferences_in_train_mode(view):
            forward, origin = accident.forward, accident.origin
            if forward.grads_off or origin.kind is OriginKind.LOADED or accident.is_set_here:
                continue
            last = Step(view.path, forward.span, f"`{forward.place}` is evaluated here, in train mode", "train")
            yield (
                cause(view, forward, origin),
                self.finding(
                    view,
                    forward.span,
                    f"`{forward.place}` may be in train mode in this evaluation{_said(forward.reason)}: "
                    f"{sets_mode(origin, view)}{through(view.info(forward.id))}",
                    model=forward.place,
                    trace=view.trace(forward, origin, last),
                    help_text=f"call `{forward.place}.eval()` before it, "
                    f"and `{forward.place}.train()` before training goes on",
                ),
            )


def _said(reason: str | None) -> str:
    return f" ({reason})" if reason is not None else ", whose result leaves PyTorch"
