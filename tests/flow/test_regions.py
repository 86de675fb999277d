"""What a test decides: an `if`, an `if` with `else`, a loop, and a test inside a loop."""

from __future__ import annotations

from evalguard.flow.regions import Regions, as_bits
from evalguard.ir.text import read_function

IF = read_function("""\
function f
  block 0
    --true verbose--> 1
    --false verbose--> 2
  block 1
    --normal--> 2
  block 2
    --normal--> 3
  block 3
  block 4
""")

IF_ELSE = read_function("""\
function f
  block 0
    --true flag--> 1
    --false flag--> 2
  block 1
    --normal--> 3
  block 2
    --normal--> 3
  block 3
    --normal--> 4
  block 4
  block 5
""")

RETURN = read_function("""\
function f
  block 0
    --true flag--> 1
    --false flag--> 2
  block 1
    return None
    --normal--> 3
  block 2
    --normal--> 3
  block 3
  block 4
""")

WHILE = read_function("""\
function f
  loop 0: while head 0
  block 0 in 0
    --true going--> 1
    --false going--> 4
  block 1 in 0
    --true flag--> 2
    --false flag--> 3
  block 2 in 0
    --normal--> 3
  block 3 in 0
    --normal--> 0 back
  block 4
    --normal--> 5
  block 5
  block 6
""")

BREAK = read_function("""\
function f
  loop 0: while head 0
  block 0 in 0
    --true done--> 1
    --false done--> 0 back
  block 1
    --normal--> 2
  block 2
  block 3
""")


def test_an_if_decides_its_body() -> None:
    assert Regions(IF.blocks).decided(0) == as_bits({1})


def test_an_if_with_else_decides_both_bodies() -> None:
    assert Regions(IF_ELSE.blocks).decided(0) == as_bits({1, 2})


def test_an_early_return_decides_the_rest() -> None:
    assert Regions(RETURN.blocks).decided(0) == as_bits({1, 2})


def test_a_test_in_a_loop_decides_its_body_and_not_the_rest_of_the_loop() -> None:
    assert Regions(WHILE.blocks).decided(1) == as_bits({2})


def test_the_test_of_a_loop_decides_its_rounds_and_what_comes_behind() -> None:
    assert Regions(WHILE.blocks).decided(0) == as_bits({1, 2, 3, 4, 5})


def test_where_the_other_outcome_only_goes_round_all_that_follows_is_decided() -> None:
    assert Regions(BREAK.blocks).decided(0) == as_bits({1, 2})


def test_a_block_without_a_test_decides_nothing() -> None:
    assert Regions(IF.blocks).decided(1) == as_bits(())


def test_back_edges_reach_nothing() -> None:
    assert Regions(WHILE.blocks).reachable(3) == as_bits({3})
    assert Regions(WHILE.blocks).reachable(0) == as_bits({0, 1, 2, 3, 4, 5})
