"""EVG104."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding, Step
from evalguard.project.exporting import ExportAccident, exports_in_train_mode
from evalguard.project.view import FunctionView
from evalguard.rules.base import Rule, first_of_each, sets_mode
from evalguard.rules.wording import through


class ExportInTrainMode(Rule):
    """A module may be traced, exported or saved as a script while it is in train mode.

    ## What it does
    Reports a call that records a module in the mode in which it finds it (`torch.jit.trace`, `torch.export.export`,
    `torch.onnx.export(dynamo=True)`, `torch2trt`), and the saving of a scripted module, when some path reaches it with
    the module still in train mode.

    ## Why is this bad?
    What a dropout or a batch norm does is decided while the program is recorded. Recorded in train mode, it drops units
    at random for ever, and normalises each input by the batch in which it arrives instead of by the running statistics
    that training has gathered: in production that is often a batch of one, whose statistics say nothing.

    Nobody can switch it off later: `eval()` has no effect on what was traced, and raises on what was exported. A
    scripted module does listen to `eval()`, but it is saved with its mode, and whoever loads it, often in C++, rarely
    calls `eval()`.

    ## Example
    ```python
    import torch
    from torchvision.models import resnet18

    model = resnet18()
    model.load_state_dict(torch.load("weights.pt"))
    traced = torch.jit.trace(model, torch.rand(1, 3, 224, 224))
    traced.save("resnet.pt")
    ```

    ## Use instead
    ```python
    import torch
    from torchvision.models import resnet18

    model = resnet18()
    model.load_state_dict(torch.load("weights.pt"))
    model.eval()
    traced = torch.jit.trace(model, torch.rand(1, 3, 224, 224))
    traced.save("resnet.pt")
    ```

    ## Fix safety
    Safe: `eval()` where the weights are loaded, or right before the export, of the very object that is exported; the
    mode is given back behind it where training goes on.

    ## Known limits
    Silent for exporters that switch to eval mode themselves, as `torch.onnx.export` does without `dynamo=True` (before
    PyTorch 2.9) and without `training=`, and for those that raise in train mode (`torch.jit.freeze`, `fuse_modules`).
    Silent where `train()` is called for the export alone: in the function that exports, on a module that nothing
    trains. A scripted module that is saved is not reported where the project itself loads scripted modules.
    """

    code = "EVG104"
    name = "export-in-train-mode"

    def check(self, view: FunctionView) -> Iterator[Finding]:
        """The exports that an origin in train mode reaches."""
        yield from first_of_each(self._all(view))

    def _all(self, view: FunctionView) -> Iterator[tuple[object, Finding]]:
        for accident in exports_in_train_mode(view):
            export, origin = accident.export, accident.origin
            done = "saved" if accident.is_file else "exported"
            last = Step(view.path, export.span, f"`{export.place}` is {done} here, in train mode", "train")
            yield (
                (export.id, origin.site),
                self.finding(
                    view,
                    export.span,
                    f"`{export.place}` may be in train mode when {_says(accident)}: {sets_mode(origin, view)}"
                    f"{through(view.info(export.id))}",
                    model=export.place,
                    trace=view.trace(export, origin, last),
                    help_text=f"call `{export.place}.eval()` before it, and `train()` again before training goes on",
                ),
            )


def _says(accident: ExportAccident) -> str:
    if accident.is_file:
        return "it is saved, and the file keeps the mode"
    return f"`{accident.export.exporter}` records it"
