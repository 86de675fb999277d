"""A wrapper that was only built has the mode of the part that was put in eval mode."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from evalguard.modes.frame import Frame, Info
from evalguard.modes.passes import partly_in_eval
from evalguard.modes.state import State
from evalguard.modes.values import ENTRY, Identity, Mode, Origin, OriginKind

WRAPPER: Identity = ("new", "a.py", "main", 3)
PART: Identity = ("attr", WRAPPER, "model")
BUILT = Origin(Mode.TRAIN, OriginKind.BUILT, "a.py", ("a.py", 3, 1, 3, 9), (), "main", "Wrapper()")
SET_EVAL = Origin(Mode.EVAL, OriginKind.SET, "a.py", ("a.py", 4, 1, 4, 9), (), "main", "self.model.eval()")
SET_TRAIN = Origin(Mode.TRAIN, OriginKind.SET, "a.py", ("a.py", 5, 1, 5, 9), (), "main", "self.model.train()")


def _modes_of_wrapper(*of_part: Origin) -> set[Mode]:
    state = State()
    state.modes = {WRAPPER: frozenset({BUILT, ENTRY}), PART: frozenset(of_part)}
    infos = {WRAPPER: Info(module=True, sensitive=True), PART: Info(module=True, sensitive=True)}
    frame = cast(Frame, SimpleNamespace(infos=infos, info=lambda identity: infos.setdefault(identity, Info())))
    return {origin.mode for origin in partly_in_eval(WRAPPER, state.modes[WRAPPER], state, frame)}


def test_a_wrapper_around_a_part_in_eval_mode_is_in_no_train_mode() -> None:
    assert _modes_of_wrapper(SET_EVAL) == {Mode.UNKNOWN}


def test_a_path_on_which_the_part_is_not_made_says_nothing_of_it() -> None:
    assert _modes_of_wrapper(SET_EVAL, ENTRY) == {Mode.UNKNOWN}


def test_a_part_that_may_be_in_train_mode_does_not_count() -> None:
    assert Mode.TRAIN in _modes_of_wrapper(SET_EVAL, SET_TRAIN)
    assert Mode.TRAIN in _modes_of_wrapper(ENTRY)
