"""EVG405."""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding
from evalguard.project.code import ClassView
from evalguard.project.norms import fixed_norms
from evalguard.rules.base import Rule
from evalguard.rules.wording import called


class FixedNormMode(Rule):
    """A normalising function is told to use the batch in both modes, and changes statistics of the module.

    ## What it does
    Reports `F.batch_norm(..., training=True)` and `F.instance_norm(..., use_input_stats=True)` (its default) in the
    forward of a module that gives them its running statistics.

    ## Why is this bad?
    Batch norm in train mode does two things: it normalises by the mean and variance of the batch, and moves its running
    statistics towards them. In an evaluation the first makes an answer depend on what else is in the batch, all the
    more so in small ones, and the second *changes the model*, although nothing is trained: `no_grad` does not prevent
    it.

    ## Example
    ```python
    import torch
    import torch.nn.functional as F
    from torch import nn

    class Norm(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", torch.zeros(8))
            self.register_buffer("var", torch.ones(8))

        def forward(self, x):
            return F.batch_norm(x, self.mean, self.var, training=True)
    ```

    ## Use instead
    ```python
    import torch
    import torch.nn.functional as F
    from torch import nn

    class Norm(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", torch.zeros(8))
            self.register_buffer("var", torch.ones(8))

        def forward(self, x):
            return F.batch_norm(x, self.mean, self.var, training=self.training)
    ```

    ## Fix safety
    Safe for a constant or a flag that was left out. Unsafe in the place of a variable.

    ## Known limits
    Silent without running statistics, where they are made on the spot or may be None, and where the weights are given
    to the forward (meta-learning): these are choices. So is `training=False`, the usual way to freeze a batch norm.
    """

    code = "EVG405"
    name = "fixed-norm-mode"

    def check_class(self, view: ClassView) -> Iterator[Finding]:
        """The normalisations that change the module's statistics in both modes."""
        for norm in fixed_norms(view):
            flag = norm.function.flag.keyword
            yield self.finding(
                norm.view,
                norm.call.span,
                f"`{called(norm.call)}` uses the batch in both modes: `{view.facts.name}` changes "
                f"`{norm.statistics}` in eval mode too",
                model=view.facts.name,
                help_text=f"pass `{flag}=self.training`",
            )
