"""A file that is too large to follow is said to be so, and does not hang."""

from __future__ import annotations

import pytest

from evalguard.check import check_source
from evalguard.project import engine

TEXT = """
def fit(model, optimizer, batches):
    for batch in batches:
        model(batch).sum().backward()
        optimizer.step()


def test(model, batches):
    model.eval()
    return [model(batch) for batch in batches]
"""


def test_nothing_is_cut_short_by_default() -> None:
    assert check_source(TEXT, "fit.py").cut_short == ()


def test_the_functions_left_out_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MOST_STEPS_OF_FILE", 0)
    assert check_source(TEXT, "fit.py").cut_short == (("fit.py", "fit"), ("fit.py", "test"))


@pytest.mark.parametrize(("first", "found"), [("model.zero_grad()", ["EVG102"]), ("model.eval()", [])])
def test_a_call_that_is_not_followed_leaves_modes_in_doubt_only_if_it_may_set_one(
    monkeypatch: pytest.MonkeyPatch, first: str, found: list[str]
) -> None:
    text = f"""
from torch import nn, optim


def fit(model, optimizer, batches):
    {first}
    for batch in batches:
        model(batch).sum().backward()
        optimizer.step()


def main(batches, test_loader):
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    fit(net, optim.SGD(net.parameters(), lr=0.1), batches)
    for batch in test_loader:
        print(net(batch))
"""
    monkeypatch.setattr(engine, "DEEPEST", 0)
    assert [finding.code for finding in check_source(text, "fit.py").findings] == found
