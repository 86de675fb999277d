"""Tests on a path: what is folded, what a passed test says of others, and what `module.training` tells."""

from __future__ import annotations

import pytest

from evalguard.modes.guards import assume, compare, negate, truth
from evalguard.modes.state import State
from evalguard.modes.values import (
    ENTRY,
    NONE,
    Abstract,
    Expr,
    Fn,
    Known,
    Map,
    Mode,
    ModeFlag,
    Obj,
    Origin,
    OriginKind,
    Seq,
)

PHASE = Obj(("param", "f.py", "f", "phase"))
OTHER = Obj(("param", "f.py", "f", "other"))
MODEL = ("param", "f.py", "f", "model")
TRAIN, EVAL = Known("train"), Known("eval")
SET_TRAIN = Origin(Mode.TRAIN, OriginKind.SET)
SET_EVAL = Origin(Mode.EVAL, OriginKind.SET)


def passed(*tests: tuple[Abstract, bool]) -> State:
    """A path that has passed these tests so."""
    state = State()
    for test, holds in tests:
        assert assume(test, holds, state, frozenset({"phase"}), 0)
    return state


@pytest.mark.parametrize(
    ("operator", "left", "right", "expected"),
    [
        ("==", Known(1), Known(1), Known(True)),
        ("!=", Known(1), Known(1), Known(False)),
        ("<", Known(1), Known(2), Known(True)),
        ("is", NONE, NONE, Known(True)),
        ("is not", Fn("f.py", "f"), NONE, Known(True)),
        ("in", TRAIN, Seq("list", (TRAIN, EVAL)), Known(True)),
        ("not in", TRAIN, Seq("list", (EVAL,)), Known(True)),
        ("==", Seq("tuple", ()), Seq("tuple", ()), Known(True)),
    ],
)
def test_comparisons_of_what_is_known_are_computed(
    operator: str, left: Abstract, right: Abstract, expected: Known
) -> None:
    assert compare(operator, left, right) == expected


def test_comparisons_of_what_cannot_be_compared_stay() -> None:
    assert compare("<", Known("a"), Known(1)) == Expr("<", (Known("a"), Known(1)))


def test_a_comparison_has_one_form() -> None:
    equal = Expr("==", (PHASE, TRAIN))
    assert compare("==", PHASE, TRAIN) == compare("==", TRAIN, PHASE) == equal
    assert compare("!=", PHASE, TRAIN) == Expr("not", (equal,))
    assert compare("==", equal, Known(True)) == equal
    assert compare("is", equal, Known(False)) == Expr("not", (equal,))


def test_a_double_negation_is_none() -> None:
    assert negate(negate(PHASE)) == PHASE
    flag = ModeFlag(MODEL, frozenset({SET_TRAIN}))
    assert negate(negate(flag)) == flag


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Known(0), False),
        (Known("x"), True),
        (Seq("list", ()), False),
        (Seq("grown", ()), None),  # nobody knows how often the loop has run
        (Seq("grown", (PHASE,)), True),
        (Map(()), None),
        (Fn("f.py", "f"), True),
        (PHASE, None),
        (Expr("and", (Known(False), PHASE)), False),
        (Expr("and", (Known(True), PHASE)), None),
        (Expr("or", (PHASE, Known(True))), True),
        (ModeFlag(MODEL, frozenset({SET_TRAIN})), True),
        (ModeFlag(MODEL, frozenset({SET_TRAIN}), negated=True), False),
        (ModeFlag(MODEL, frozenset({SET_TRAIN, SET_EVAL})), None),
    ],
)
def test_truth_without_any_test_passed(value: Abstract, expected: bool | None) -> None:
    assert truth(value, State()) is expected


@pytest.mark.parametrize(
    ("test", "holds", "asked", "expected"),
    [
        (compare("==", PHASE, TRAIN), True, compare("==", PHASE, TRAIN), True),
        (compare("==", PHASE, TRAIN), False, compare("!=", PHASE, TRAIN), True),
        (compare("==", PHASE, TRAIN), True, compare("==", PHASE, EVAL), False),
        (compare("==", PHASE, TRAIN), False, compare("==", PHASE, EVAL), None),
        (compare("==", PHASE, TRAIN), True, compare("==", OTHER, TRAIN), None),
        (compare("==", PHASE, TRAIN), True, compare("in", PHASE, Seq("list", (TRAIN, EVAL))), True),
        (compare("in", PHASE, Seq("list", (EVAL,))), True, compare("==", PHASE, TRAIN), False),
        (compare("is", PHASE, NONE), True, PHASE, False),
        (PHASE, True, compare("is", PHASE, NONE), False),
        (PHASE, False, compare("==", PHASE, Known(False)), True),
        (compare("<", PHASE, Known(3)), True, compare(">=", PHASE, Known(3)), False),
    ],
)
def test_what_a_passed_test_says_of_another(
    test: Abstract, holds: bool, asked: Abstract, expected: bool | None
) -> None:
    assert truth(asked, passed((test, holds))) is expected


def test_a_path_cannot_pass_a_test_both_ways() -> None:
    state = passed((compare("==", PHASE, TRAIN), True))
    assert not assume(compare("==", PHASE, EVAL), True, state, frozenset(), 0)
    assert assume(compare("==", PHASE, EVAL), False, state, frozenset(), 0)


def test_all_parts_of_and_hold_and_none_of_or_that_fails() -> None:
    both = passed((Expr("and", (PHASE, OTHER)), True))
    assert truth(PHASE, both) is truth(OTHER, both) is True
    neither = passed((Expr("or", (PHASE, OTHER)), False))
    assert truth(PHASE, neither) is truth(OTHER, neither) is False
    either = passed((Expr("or", (PHASE, OTHER)), True))
    assert truth(PHASE, either) is None


def test_asking_for_the_mode_tells_the_mode() -> None:
    state = State()
    state.modes[MODEL] = frozenset({SET_TRAIN, SET_EVAL})
    flag = ModeFlag(MODEL, state.origins(MODEL))
    assert assume(flag, False, state, frozenset(), 0)
    assert state.origins(MODEL) == {SET_EVAL}
    assert not state.doubt


def test_a_saved_flag_of_the_same_moment_is_refined_too() -> None:
    state = State()
    state.modes[MODEL] = frozenset({SET_TRAIN, SET_EVAL})
    flag = ModeFlag(MODEL, state.origins(MODEL))
    state.env["was_training"] = flag
    assert assume(flag, True, state, frozenset(), 0)
    assert state.env["was_training"] == ModeFlag(MODEL, frozenset({SET_TRAIN}))


def test_a_mode_that_only_the_caller_could_have_set_is_doubted() -> None:
    state = State()
    flag = ModeFlag(MODEL, frozenset({ENTRY}))
    assert assume(flag, False, state, frozenset(), 0)
    assert {origin.mode for origin in state.origins(MODEL)} == {Mode.EVAL}
    assert state.doubt


def test_a_flag_that_is_sure_cannot_come_out_otherwise() -> None:
    flag = ModeFlag(MODEL, frozenset({SET_TRAIN}))
    assert not assume(flag, False, State(), frozenset(), 0)
