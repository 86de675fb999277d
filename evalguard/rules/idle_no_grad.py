"""EVG302."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding
from evalguard.project.code import CodeView
from evalguard.project.idle_switches import idle_gradient_switches
from evalguard.rules.base import Rule


class IdleNoGrad(Rule):
    """`torch.no_grad()` is a statement of its own, or stands in `with` without a call.

    ## What it does
    Reports `torch.no_grad()`, `torch.inference_mode()` and `torch.enable_grad()` as statements of their own, called or
    not, and `with torch.no_grad:` without a call.

    ## Why is this bad?
    `torch.no_grad()` makes a context manager, and it is `with` that enters it. As a statement of its own it is made and
    thrown away: gradients are recorded as before, so the evaluation after it keeps the inputs of all layers for a
    backward that never comes. It takes twice the memory or more, and often ends in an out-of-memory error; and a loss
    that is summed up keeps the graphs of all batches alive.

    `with torch.no_grad:` hands `with` the class and not a manager, and fails as soon as it is reached.

    Either way `no_grad` has nothing to do with the mode: it switches off gradients, and leaves dropout and batch norm
    as they are. An evaluation wants `model.eval()` as well.

    ## Example
    ```python
    import torch

    def predict(model, inputs):
        model.eval()
        torch.no_grad()
        return model(inputs)
    ```

    ## Use instead
    ```python
    import torch

    def predict(model, inputs):
        model.eval()
        with torch.no_grad():
            return model(inputs)
    ```

    ## Fix safety
    `with torch.no_grad:` gets its brackets, which is safe: without them it fails. For a statement of its own, the cure
    is only shown, since nobody but you knows how far it was to reach.

    ## Known limits
    Silent for `torch.set_grad_enabled(False)`, which switches when it is called, and for `@torch.no_grad` without
    brackets, which decorates since PyTorch 2.1 (before that it fails when the function is defined).
    """

    code = "EVG302"
    name = "idle-no-grad"

    def check_code(self, view: CodeView) -> Iterator[Finding]:
        """The managers of gradients that nobody enters."""
        for idle in idle_gradient_switches(view):
            said = {
                "thrown away": f"`{idle.text}` as a statement does nothing: its manager is made and never entered",
                "named": f"`{idle.text}` as a statement does nothing: it is neither called nor entered",
                "entered": f"`with {idle.text}:` fails: the class is no context manager, its call makes one",
            }[idle.kind]
            called = idle.text if idle.text.endswith("()") else f"{idle.text}()"
            yield self.finding(view, idle.span, said, help_text=f"write `with {called}:` around the code")
