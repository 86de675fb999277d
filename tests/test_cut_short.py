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


@pytest.mark.parametrize("deepest", [0, 1, 2, 14])  # at 0 nothing is followed, at 2 `show` is from `train` alone
def test_a_method_has_the_modes_of_its_callers_if_these_are_cut_short(
    deepest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
import torch
from torch import nn


def show(loss):
    print(loss)


class Solver:
    def __init__(self):
        self.model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)

    def train(self, batches):
        self.model.train()
        self._run(batches)
        self.model.eval()
        with torch.no_grad():
            return self.model(batches[0])

    def _run(self, batches):
        for batch in batches:
            loss = self.model(batch).sum()
            show(loss)
            loss.backward()
            self.optimizer.step()


def main(batches):
    Solver().train(batches)
"""
    monkeypatch.setattr(engine, "DEEPEST", deepest)
    assert [finding.code for finding in check_source(text, "solver.py").findings] == []


def test_methods_that_take_much_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
import torch
from torch import nn


class Model:
    def setup(self, options):
        self.net = nn.Sequential(nn.Linear(4, 4), nn.Dropout())
        self.net.train()
        for option in options:
            if option.name:
                print(option.name)
            for value in option.values:
                print(value)

    def predict(self, x):
        with torch.no_grad():
            return self.net(x).argmax(1)
"""
    monkeypatch.setattr(engine, "MOST_STEPS_OF_FILE", 20)
    assert [finding.code for finding in check_source(text, "model.py").findings] == ["EVG101"]
