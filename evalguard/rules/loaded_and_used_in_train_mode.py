"""EVG105."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding, Step
from evalguard.modes.values import OriginKind
from evalguard.project.judge import cause, inferences_in_train_mode, is_also_in_eval_mode
from evalguard.project.view import FunctionView
from evalguard.rules.base import Rule, first_of_each, where
from evalguard.rules.wording import through


class LoadedAndUsedInTrainMode(Rule):
    """Weights are loaded for use, and no mode is ever chosen.

    ## What it does
    Reports an inference with a module into which weights were loaded, on a path on which nobody calls `eval()`.

    ## Why is this bad?
    A module is built in train mode, and `load_state_dict` fills in weights and statistics but leaves the mode alone. So
    a trained model predicts with a random part of its activations dropped, and the same input gives different answers.
    Its batch norms do not use the running statistics that were loaded: they normalise by the batch at hand, of which a
    single image is the smallest and worst, and overwrite the loaded statistics with what they see. `no_grad` does not
    help, and no error is raised.

    ## Example
    ```python
    import torch
    from torchvision.models import resnet18

    model = resnet18()
    model.load_state_dict(torch.load("weights.pt"))
    with torch.no_grad():
        print(model(torch.rand(1, 3, 224, 224)).argmax())
    ```

    ## Use instead
    ```python
    import torch
    from torchvision.models import resnet18

    model = resnet18()
    model.load_state_dict(torch.load("weights.pt"))
    model.eval()
    with torch.no_grad():
        print(model(torch.rand(1, 3, 224, 224)).argmax())
    ```

    ## Fix safety
    Safe: `eval()` behind the statement that loads the weights, or that binds the name which a function uses, or before
    the inference if the module trains in between.

    ## Known limits
    Silent where gradients are on and nothing says that the code evaluates: neither a name, nor results that leave
    PyTorch. Numbers (`.item()`) say so only of a net that nobody trains, for a training logs its loss like that.
    """

    code = "EVG105"
    name = "loaded-and-used-in-train-mode"

    def check(self, view: FunctionView) -> Iterator[Finding]:
        """The inferences whose module was loaded and never switched."""
        yield from first_of_each(self._all(view))

    def _all(self, view: FunctionView) -> Iterator[tuple[object, Finding]]:
        for accident in inferences_in_train_mode(view):
            forward, origin = accident.forward, accident.origin
            if origin.kind is not OriginKind.LOADED:
                continue
            lacking = "not every path calls" if is_also_in_eval_mode(view, forward) else "nothing calls"
            last = Step(view.path, forward.span, f"`{forward.place}` infers here, in train mode", "train")
            yield (
                cause(view, forward, origin),
                self.finding(
                    view,
                    forward.span,
                    f"`{forward.place}` is used in train mode: its weights are loaded {where(origin, view)}, "
                    f"and {lacking} `eval()`{through(view.info(forward.id))}",
                    model=forward.place,
                    trace=view.trace(forward, origin, last),
                    help_text=f"call `{forward.place}.eval()` after loading",
                ),
            )
