"""EVG201."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding, Step
from evalguard.modes.values import OriginKind
from evalguard.project.judge import leaked_eval
from evalguard.project.view import FunctionView
from evalguard.rules.base import Rule, first_of_each, where
from evalguard.rules.wording import through


class TrainingInEvalMode(Rule):
    """A training step is reached with the module in eval mode.

    ## What it does
    Reports an optimizer's step that some path reaches while the module it trains is still in eval mode: left so by a
    validation (in this function, in a helper, or in the last round of the loop), or given so by `from_pretrained`.

    ## Why is this bad?
    In eval mode dropout lets everything through, and batch norm normalises by its stored statistics and no longer
    updates them. Gradients flow all the same and the loss falls, so nothing looks wrong. But the model trains without
    the regularisation that it was given, and its statistics stay those of an earlier time while its weights move on.

    The classic case trains one epoch properly and all others so, because `train()` stands before the loop and a
    validation inside it calls `eval()`. `eval()` is no bracket around the validation: the mode lasts until the next
    `train()`.

    ## Example
    ```python
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 2))
    optimizer = torch.optim.Adam(model.parameters())
    model.train()
    for epoch in range(10):
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            for inputs, labels in val_loader:
                print(nn.functional.cross_entropy(model(inputs), labels))
    ```

    ## Use instead
    ```python
    import torch
    from torch import nn

    model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 2))
    optimizer = torch.optim.Adam(model.parameters())
    for epoch in range(10):
        model.train()
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            for inputs, labels in val_loader:
                print(nn.functional.cross_entropy(model(inputs), labels))
    ```

    ## Fix safety
    `train()` before the loop that trains, behind the evaluation that leaked, or at the head of the loop: the first of
    them that leaves nothing behind; in the caller, where the function that steps has no name for the module; and of the
    whole, if the whole was switched. Safe, save where the file puts a part of the module in eval mode by itself:
    `train()` of the whole would thaw that part, so the fix is unsafe there.

    ## Known limits
    Silent where `eval()` stands at the head of the code that trains and nothing infers in between (a linear probe,
    frozen batch norm), and where the optimizer holds tensors and not the module (an attack, a style transfer).
    """

    code = "EVG201"
    name = "training-in-eval-mode"

    def check(self, view: FunctionView) -> Iterator[Finding]:
        """The steps that an accidental `eval()` reaches."""
        yield from first_of_each(self._all(view))

    def _all(self, view: FunctionView) -> Iterator[tuple[object, Finding]]:
        leaks = [(step, origin) for step in view.steps if (origin := leaked_eval(view, step)) is not None]
        for step, origin in leaks:
            beside = [other for other, _ in leaks if other.span == step.span and other.id != step.id]
            if origin.site is None or any(view.is_only_part(step.id, other.id) for other in beside):
                continue  # a part of a module of which this says it all
            began = (
                f"`{origin.text}` {where(origin, view)} gives it in eval mode"
                if origin.kind is OriginKind.BUILT
                else f"left so by `{origin.text}` {where(origin, view)}"
            )
            last = Step(view.path, step.span, f"the step trains `{step.place}`, in eval mode", "eval")
            yield (
                (step.id, origin.site),
                self.finding(
                    view,
                    step.span,
                    f"`{step.place}` may be in eval mode in this training step: "
                    f"{began}{through(view.info(step.id), trained=True)}",
                    model=step.place,
                    trace=view.trace(step, origin, last),
                    help_text=f"call `{step.place}.train()` at the head of the loop that trains, "
                    "or after the evaluation",
                ),
            )
