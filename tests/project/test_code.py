"""What a rule may ask of functions and classes as they are written."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from evalguard.check import check_paths
from evalguard.frontend import lower
from evalguard.ir.ops import Call
from evalguard.ir.values import Attribute, Const, Name
from evalguard.modes.values import Cls
from evalguard.project import code
from evalguard.project.code import ClassView, Code, CodeView
from evalguard.project.resolve import Index
from evalguard.source import document_of

BASE = """
from torch import nn

class Base(nn.Module):
    scale = 2

    def __init__(self):
        super().__init__()
        self.act = lambda x: square(x)

    def forward(self, x):
        return self.mix(x)

def square(x):
    return x * x
"""
NET = """
import lib
from base import Base
from helpers import blend

class Net(Base):
    def __init__(self):
        super().__init__()
        self.rate = 0.5

    @property
    def doubled(self):
        return self.rate * 2

    def mix(self, x):
        def inner(y):
            return blend(y)
        return inner(self.act(x)) * self.doubled

    def unused(self):
        return 1

class Foreign(lib.Thing):
    def forward(self, x):
        return x
"""
HELPERS = """
def blend(x):
    return x
"""


def code_of(**texts: str) -> Code:
    return Code(Index([lower(document_of(dedent(text), f"{name}.py")) for name, text in texts.items()]))


def net() -> ClassView:
    return code_of(base=BASE, net=NET, helpers=HELPERS).class_(Cls("net.py", "Net"))


def function(text: str, name: str) -> CodeView:
    return code_of(a=text).function("a.py", name)


def test_a_base_in_another_file_proves_a_module() -> None:
    assert net().is_module


def test_a_forward_below_an_unknown_base_proves_nothing() -> None:
    assert not net().code.class_(Cls("net.py", "Foreign")).is_module


def test_what_a_forward_reaches() -> None:
    reached = {(each.view.path, each.view.qualname.partition("<")[0]) for each in net().reached_by_forward()}
    assert reached == {
        ("base.py", "Base.forward"),
        ("net.py", "Net.mix"),
        ("net.py", "Net.mix.inner"),
        ("net.py", "Net.doubled"),
        ("helpers.py", "blend"),
        ("base.py", "Base.__init__."),
        ("base.py", "square"),
    }


def test_the_way_to_what_a_forward_reaches() -> None:
    (blend,) = [each for each in net().reached_by_forward() if each.view.qualname == "blend"]
    assert [(view.qualname, call.callee) for view, call in blend.way] == [
        ("Base.forward", Attribute(Name("self"), "mix")),
        ("Net.mix", Name("inner")),
        ("Net.mix.inner", Name("blend")),
    ]


def test_what_is_assigned_to_an_attribute() -> None:
    assert [value for _, value in net().given("rate")] == [Const(0.5)]
    assert [value for _, value in net().given("scale")] == [Const(2)]
    assert net().given("unknown") == []


def test_a_local_variable_hides_an_import() -> None:
    text = """
    from torch.nn.functional import dropout

    def hidden(x, dropout):
        return dropout(x)

    def meant(x):
        return dropout(x)

    def imported(x):
        import torch.nn.functional as F
        return F.dropout(x)
    """
    assert [
        view.dotted(op.callee)
        for view in (function(text, name) for name in ("hidden", "meant", "imported"))
        for op in view.ops()
        if isinstance(op, Call)
    ] == [None, "torch.nn.functional.dropout", "torch.nn.functional.dropout"]


def test_views_that_are_made_anew_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [Path(__file__).parents[2] / "fixtures" / "rules" / code for code in ("EVG301", "EVG302", "EVG304")]
    found = check_paths(map(str, rules)).findings
    assert len(found) > 20
    monkeypatch.setattr(code, "MOST_VIEWS", 0)
    assert check_paths(map(str, rules)).findings == found
