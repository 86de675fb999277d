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
