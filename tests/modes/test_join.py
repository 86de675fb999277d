"""What two paths know of an object that stands for either of two."""

from __future__ import annotations

from evalguard.modes.state import State, join
from evalguard.modes.values import Abstract, Identity, Mode, Obj, Origin, OriginKind

GIVEN: Identity = ("param", "fit.py", "fit", "model")
LOADED: Identity = ("new", "fit.py", "fit", 7)
EITHER: Identity = ("joined", GIVEN, LOADED)


def _set(mode: Mode, line: int) -> Origin:
    return Origin(mode, OriginKind.SET, "fit.py", ("fit.py", line, 1, line, 9), (), "fit", f"model.{mode.value}()")


TRAIN, EVAL = _set(Mode.TRAIN, 20), _set(Mode.EVAL, 10)


def _either(name: str, x: Abstract, y: Abstract) -> Abstract:
    return Obj(EITHER)


def _state(held: Identity, modes: dict[Identity, frozenset[Origin]]) -> State:
    state = State()
    state.env = {"model": Obj(held)}
    state.modes = modes
    return state


def test_an_object_that_stands_for_either_has_the_modes_of_both() -> None:
    a = _state(GIVEN, {GIVEN: frozenset({TRAIN})})
    b = _state(LOADED, {LOADED: frozenset({EVAL})})
    assert join(a, b, _either).modes[EITHER] == {TRAIN, EVAL}


def test_what_is_left_of_it_from_an_earlier_round_is_forgotten() -> None:
    stale = frozenset({EVAL})
    a = _state(GIVEN, {GIVEN: frozenset({TRAIN}), EITHER: stale})
    b = _state(LOADED, {LOADED: frozenset({TRAIN}), EITHER: stale})
    assert join(a, b, _either).modes[EITHER] == {TRAIN}


def test_a_path_that_holds_it_already_knows_its_modes() -> None:
    a = _state(EITHER, {EITHER: frozenset({EVAL})})
    b = _state(LOADED, {LOADED: frozenset({TRAIN}), EITHER: frozenset({EVAL})})
    b.modes[EITHER] = frozenset({_set(Mode.EVAL, 99)})
    assert join(a, b, _either).modes[EITHER] == {EVAL, TRAIN}
