"""The forward fixpoint: one state a block, alternatives kept apart, and a limit."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from evalguard.flow.liveness import written_by
from evalguard.flow.solver import TooManySteps, solve_forward
from evalguard.ir.facts import FunctionFacts
from evalguard.ir.text import read_function

Names = frozenset[str]

LOOP = read_function("""\
function f
  parameter xs
  loop 0: for xs head 1
  block 0
    a = 1
    --normal--> 1
  block 1 in 0
    %1 = next xs loop 0
    --next--> 2
    --exhausted--> 3
  block 2 in 0
    b = a
    --normal--> 1 back
  block 3
    return b
    --normal--> 4
  block 4
  block 5
""")

DIAMOND = read_function("""\
function f
  parameter flag
  block 0
    --true flag--> 1
    --false flag--> 2
  block 1
    a = 1
    --normal--> 3
  block 2
    b = 2
    --normal--> 3
  block 3
    --normal--> 4
  block 4
  block 5
""")


CONTINUE = read_function("""\
function f
  parameter xs
  parameter flag
  loop 0: for xs head 1
  block 0
    --normal--> 1
  block 1 in 0
    %1 = next xs loop 0
    --next--> 2
    --exhausted--> 5
  block 2 in 0
    --true flag--> 3
    --false flag--> 4
  block 3 in 0
    a = 1
    --normal--> 1 back
  block 4 in 0
    b = 2
    --normal--> 1 back
  block 5
    --normal--> 6
  block 6
  block 7
""")


class Assigned:
    """Which variables a path has assigned; counts how often each block is worked through."""

    def __init__(self, function: FunctionFacts) -> None:
        self.blocks = function.blocks
        self.worked = [0] * len(function.blocks)

    def step(self, number: int, state: Names) -> Iterable[tuple[int, Names]]:
        self.worked[number] += 1
        block = self.blocks[number]
        written = {name for op in block.ops if (name := written_by(op)) is not None}
        return [(edge.target, frozenset(state | written)) for edge in block.edges]


def joined(block: int, known: list[Names], state: Names) -> Names | None:
    """One state a block: the union of all that arrive."""
    if not known:
        known.append(state)
        return state
    union = known[0] | state
    if union == known[0]:
        return None
    known[0] = union
    return union


def apart(block: int, known: list[Names], state: Names) -> Names | None:
    """All states that differ."""
    if state in known:
        return None
    known.append(state)
    return state


def test_what_a_loop_assigns_arrives_at_its_head_and_behind_it() -> None:
    found = solve_forward([(0, frozenset())], Assigned(LOOP).step, joined)
    assert found.at(0) == [frozenset()]
    assert found.at(1) == found.at(3) == [frozenset({"a", "%1", "b"})]


def test_alternatives_stay_apart_as_long_as_the_analysis_wants() -> None:
    found = solve_forward([(0, frozenset())], Assigned(LOOP).step, apart)
    assert found.at(3) == [frozenset({"a", "%1"}), frozenset({"a", "%1", "b"})]


def test_branches_are_joined_before_what_follows_is_worked_through() -> None:
    analysis = Assigned(DIAMOND)
    found = solve_forward([(0, frozenset())], analysis.step, joined)
    assert found.at(3) == [frozenset({"a", "b"})]
    assert analysis.worked == [1, 1, 1, 1, 1, 0]


def test_the_next_round_of_a_loop_waits_until_all_of_its_body_is_done() -> None:
    analysis = Assigned(CONTINUE)
    found = solve_forward([(0, frozenset())], analysis.step, joined, loops={1: 4})
    assert found.at(5) == [frozenset({"%1", "a", "b"})]
    assert analysis.worked[1] == 2  # not once more for each way through the body
    hasty = Assigned(CONTINUE)
    assert solve_forward([(0, frozenset())], hasty.step, joined).of == found.of
    assert hasty.worked[1] == 3


def test_a_block_that_is_never_reached_has_no_state() -> None:
    assert solve_forward([(0, frozenset())], Assigned(LOOP).step, joined).at(5) == []


def test_it_may_start_anywhere_and_at_several_places() -> None:
    found = solve_forward([(1, frozenset({"x"})), (2, frozenset({"y"}))], Assigned(DIAMOND).step, joined)
    assert found.at(0) == []
    assert found.at(4) == [frozenset({"x", "y", "a", "b"})]


def test_a_fixpoint_that_is_not_reached_is_said_so() -> None:
    def count(block: int, state: int) -> list[tuple[int, int]]:
        return [(block, state + 1)]

    def always(block: int, known: list[int], state: int) -> int:
        known.append(state)
        return state

    with pytest.raises(TooManySteps):
        solve_forward([(0, 0)], count, always, limit=50)


def test_states_of_a_higher_rank_wait_until_none_of_a_lower_one_is_left() -> None:
    worked: list[int] = []

    def down(block: int, state: int) -> list[tuple[int, int]]:
        worked.append(state)
        return [(block + 1, state + 10)] if block < 2 else []

    def always(block: int, known: list[int], state: int) -> int:
        known.append(state)
        return state

    solve_forward([(0, 1), (0, 2)], down, always, rank=lambda state: state % 10)
    assert worked == [1, 11, 21, 2, 12, 22]
