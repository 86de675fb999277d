"""EVG101."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding, Step
from evalguard.modes.values import OriginKind
from evalguard.project.judge import cause, inferences_in_train_mode
from evalguard.project.view import FunctionView
from evalguard.rules.base import Rule, first_of_each, sets_mode
from evalguard.rules.wording import through


class InferenceInTrainMode(Rule):
    """A forward with gradients off may run in train mode.

    ## What it does
    Reports a use of a module under `torch.no_grad()` or `torch.inference_mode()` that some path reaches with the module
    still in train mode.

    ## Why is this bad?
    `torch.no_grad()` stops the recording of gradients and nothing else: it does not touch the mode. In train mode
    dropout still zeroes a random part of the activations and scales up the rest, so the same input gives another result
    each time. Batch norm still normalises by the mean and variance of the current batch, so a prediction depends on the
    inputs beside it, and the smaller the batch, the more.

    Batch norm also changes the model. Each forward in train mode moves its running statistics, which are saved with the
    weights, towards the batch, with gradients on or off: an inference without a single training step leaves another
    model behind than it found.

    ## Example
    ```python
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 2))

    def accuracy(loader):
        hits = 0
        with torch.no_grad():
            for inputs, labels in loader:
                hits += (model(inputs).argmax(1) == labels).sum().item()
        return hits
    ```

    ## Use instead
    ```python
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 2))

    def accuracy(loader):
        hits = 0
        model.eval()
        with torch.no_grad():
            for inputs, labels in loader:
                hits += (model(inputs).argmax(1) == labels).sum().item()
        model.train()
        return hits
    ```

    ## Fix safety
    `eval()` before the outermost loop or `with` block around the forward that trains nothing is safe: it is offered
    only if the project, analysed with it, has no new finding, such as a training step that would then be reached in
    eval mode. Where one would, the mode is given back behind the block, by `train(was_training)`, or by `train()` where
    this function had chosen it, or the caller gets a `train()` behind its call; that is safe as well. A network that
    the file makes or loads, and a function only uses, is switched where it is made. Unsafe is to name what a function
    returns, so that the mode can be given back before: it may be something that infers later. No fix is offered for
    what may also be a function, which has no `eval()`.

    ## Known limits
    Silent where the result serves a training step (a target network, cached features), for momentum encoders, for a
    policy that acts, for a generator's previews, and for modules without a layer that listens to the mode.
    """

    code = "EVG101"
    name = "inference-in-train-mode"

    def check(self, view: FunctionView) -> Iterator[Finding]:
        """The forwards with gradients off that an origin in train mode reaches."""
        yield from first_of_each(self._all(view))

    def _all(self, view: FunctionView) -> Iterator[tuple[object, Finding]]:
        for accident in inferences_in_train_mode(view):
            forward, origin = accident.forward, accident.origin
            if not forward.grads_off or origin.kind is OriginKind.LOADED or accident.is_set_here:
                continue
            info = view.info(forward.id)
            last = Step(view.path, forward.span, f"`{forward.place}` infers here, in train mode", "train")
            yield (
                cause(view, forward, origin),
                self.finding(
                    view,
                    forward.span,
                    f"`{forward.place}` may be in train mode in this inference: "
                    f"{sets_mode(origin, view)}{through(info)}",
                    model=forward.place,
                    trace=view.trace(forward, origin, last),
                    help_text=f"call `{forward.place}.eval()` before it, "
                    f"and `{forward.place}.train()` before training goes on",
                ),
            )
