"""Which paths become one, and what that says of later tests."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalguard.modes.comparison import Comparison
from evalguard.modes.frame import Info
from evalguard.modes.significance import Significance
from evalguard.modes.state import Guard, State, take_in
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


# What is said of later tests and values is the same before and after paths are joined.

TESTS = [Obj(("param", "a.py", "main", name)) for name in "fgh"]
UNKNOWN = Obj(("param", "a.py", "main", "best"))
CHOSEN = Significance(frozenset({"f", "g", "h", "best"}), frozenset(), frozenset(), frozenset())


@dataclass(frozen=True)
class Path:
    """How three tests came out, or None where they were not asked; whether `best` is None, or anything; and whether
    the path hardly happens."""

    tests: tuple[bool | None, bool | None, bool | None]
    is_none: bool
    doubt: bool

    def state(self) -> State:
        state = State()
        state.modes[NET] = frozenset({Origin(Mode.TRAIN, OriginKind.ENTRY)})
        state.env["best"] = NONE if self.is_none else UNKNOWN
        state.doubt = self.doubt
        asked = zip(TESTS, self.tests, strict=True)
        state.guards = frozenset(
            Guard(test, holds, frozenset({str(test.id[-1])}), 0) for test, holds in asked if holds is not None
        )
        return state


def _meant(states: list[State]) -> set[tuple[bool, ...]]:
    """All that the tests and `best` may be in one of these states."""
    found = set()
    for state in states:
        told = {guard.test: guard.holds for guard in state.guards}
        for case in itertools.product([False, True], repeat=4):
            tests = zip(TESTS, case, strict=False)
            if all(told.get(test, holds) is holds for test, holds in tests) and (state.env["best"] != NONE or case[3]):
                found.add(case)
    return found


paths = st.builds(Path, st.tuples(*[st.sampled_from([None, False, True])] * 3), st.booleans(), st.booleans())


@given(st.lists(paths, min_size=1, max_size=9))
def test_joined_paths_say_the_same_as_those_that_they_stand_for(given_paths: list[Path]) -> None:
    before = [path.state() for path in given_paths]
    known: list[State] = []
    comparison = Comparison(CHOSEN, INFOS, lambda asked: False, 0)
    for state in before:
        take_in(known, state.copy(), comparison.alike, lambda name, x, y: UNKNOWN)
    assert _meant(known) == _meant(before)
    sure = [[state for state in states if not state.doubt] for states in (known, before)]
    assert _meant(sure[0]) == _meant(sure[1])


def test_a_test_that_changes_nothing_leaves_one_path() -> None:
    known: list[State] = []
    comparison = Comparison(CHOSEN, INFOS, lambda asked: False, 0)
    for case in itertools.product([False, True], repeat=3):
        state = Path((case[0], case[1], case[2]), False, False).state()
        take_in(known, state, comparison.alike, lambda name, x, y: UNKNOWN)
    assert [state.guards for state in known] == [frozenset()]


def test_paths_in_other_modes_stay_apart() -> None:
    trained, evaluated = Path((True, None, None), False, False).state(), Path((False, None, None), False, False).state()
    evaluated.modes[NET] = frozenset({Origin(Mode.EVAL, OriginKind.SET)})
    known: list[State] = []
    comparison = Comparison(CHOSEN, INFOS, lambda asked: False, 0)
    for state in (trained, evaluated):
        take_in(known, state, comparison.alike, lambda name, x, y: UNKNOWN)
    assert len(known) == 2
