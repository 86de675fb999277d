"""Which objects keep two paths apart."""

from __future__ import annotations

import pytest

from evalguard.modes.frame import Info
from evalguard.modes.significance import Comparison, Significance
from evalguard.modes.state import State
from evalguard.modes.values import NONE, Abstract, Cls, Identity, Mode, Obj, Origin, OriginKind

METER = Cls("a.py", "Meter")
RUNNER = Cls("a.py", "Runner")
ONE: Identity = ("new", "a.py", "main", 1)
NET: Identity = ("new", "a.py", "main", 2)
INFOS = {NET: Info(module=True)}


def _alike(cls: Cls, held: Abstract | None = None, test: str = "") -> bool:
    """Whether a path that made an object of a class is like one that did not."""
    made, not_made = State(), State()
    for state in (made, not_made):
        state.modes[NET] = frozenset({Origin(Mode.TRAIN, OriginKind.ENTRY)})
    made.env, not_made.env = {"log": Obj(ONE)}, {"log": NONE}
    if held is not None:
        made.store[(ONE, "held")] = held
    chosen = Significance(frozenset({test}), frozenset({test}), frozenset(), frozenset())
    infos = {**INFOS, ONE: Info(cls=cls)}
    return Comparison(chosen, infos, lambda asked: asked == METER, 0).alike(made, not_made)


def test_an_object_that_says_nothing_of_modes_does_not() -> None:
    assert _alike(METER)


def test_an_object_whose_methods_do_does() -> None:
    assert not _alike(RUNNER)


def test_it_does_if_it_holds_a_module() -> None:
    assert not _alike(METER, Obj(NET))


@pytest.mark.parametrize("cls", [METER, RUNNER])
def test_it_does_if_a_test_that_decides_on_modes_asks_for_it(cls: Cls) -> None:
    assert not _alike(cls, test="log")
