"""EVG301."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding
from evalguard.project.code import CodeView
from evalguard.project.idle_switches import uncalled_switches
from evalguard.rules.base import Rule


class UncalledModeSwitch(Rule):
    """`model.eval` or `model.train` is named without a call, or assigned to.

    ## What it does
    Reports a statement that is nothing but `model.eval` or `model.train`, and an assignment such as `model.eval =
    True`, if the object is a module: by its class, by what is done with it, or by its name in a file about PyTorch.

    ## Why is this bad?
    `eval` is a method, and only the brackets run it. `model.eval` alone looks the method up and lets it go: Python does
    not complain, and the model stays in train mode. So every validation batch is normalised by its own statistics
    instead of those of the training, dropout zeroes random elements, and batch norm mixes the validation data into the
    statistics that the model keeps: the scores are wrong, and the model is changed by being measured.

    An assignment does not switch either, and it hides the method: the next `model.eval()` of the same object fails, for
    `True` cannot be called.

    ## Example
    ```python
    import torch

    def validate(model, loader):
        model.eval
        with torch.no_grad():
            return [model(inputs) for inputs, _ in loader]
    ```

    ## Use instead
    ```python
    import torch

    def validate(model, loader):
        model.eval()
        with torch.no_grad():
            return [model(inputs) for inputs, _ in loader]
    ```

    ## Fix safety
    Safe: `()` is added, and `model.eval = True` becomes `model.eval()`; the mode is what the code asked for. Where the
    training around it would now be reached in eval mode, `train()` is put at the head of its loop.
    What is assigned in another way is left to you.

    ## Known limits
    Silent where the method is taken on purpose (`switch = model.train`, an argument, a comparison), where something
    other than a bool is assigned to it (the usual way to keep a frozen part from its parent's `train()`), and for
    objects of which nothing says that they are modules.
    """

    code = "EVG301"
    name = "uncalled-mode-switch"

    def check_code(self, view: CodeView) -> Iterator[Finding]:
        """The switches that are not called."""
        for idle in uncalled_switches(view):
            place, _, method = idle.text.rpartition(".")
            said = (
                f"`{idle.text}` is named, not called: `{place}` stays in the mode that it is in"
                if idle.kind == "named"
                else f"an assignment to `{idle.text}` switches nothing and hides the method: "
                f"the next `{place}.{method}()` fails"
            )
            yield self.finding(view, idle.span, said, model=place, help_text=f"call `{place}.{method}()`")
