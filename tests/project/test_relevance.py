"""Which classes of a project have nothing to say of modes."""

from __future__ import annotations

from textwrap import dedent

import pytest

from evalguard.frontend import lower
from evalguard.modes.values import Cls
from evalguard.project.relevance import Relevance
from evalguard.project.resolve import Index
from evalguard.source import document_of

SOURCE = dedent("""
    import elsewhere
    from torch import nn

    class Meter:
        def __init__(self):
            self.total = 0

        def update(self, value):
            self.total = self.total + value

    class PrintingMeter(Meter):
        def show(self):
            print(self.total)

    class Evaluator(Meter):
        def run(self, net):
            net.eval()

    class Maker:
        def make(self):
            return nn.Dropout()

    class FromElsewhere(elsewhere.Base):
        pass

    class Net(nn.Module):
        pass
""")


@pytest.mark.parametrize(
    ("name", "idle"),
    [
        ("Meter", True),
        ("PrintingMeter", True),
        ("Evaluator", False),
        ("Maker", False),
        ("FromElsewhere", False),
        ("Net", False),
    ],
)
def test_a_class_is_idle_if_no_method_says_anything_of_modes(name: str, idle: bool) -> None:
    relevance = Relevance(Index([lower(document_of(SOURCE, "a.py"))]))
    assert relevance.is_idle(Cls("a.py", name)) is idle
