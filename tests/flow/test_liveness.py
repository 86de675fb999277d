"""Which paths are read again: through branches and loops, and not beyond an assignment."""

from __future__ import annotations

import pytest

from evalguard.flow.liveness import is_live, live_paths, paths_in
from evalguard.ir.text import read_function, read_value

BRANCH = """\
function f
  parameter model
  parameter args
  block 0
    a = 1
    --true args.eval_only--> 1
    --false args.eval_only--> 2
  block 1
    %1 = call model.eval()
    a = model
    --normal--> 2
  block 2
    return a
    --normal--> 3
  block 3
  block 4
"""

LOOP = """\
function f
  parameter xs
  parameter model
  loop 0: for xs head 1
  block 0
    last = None
    --normal--> 1
  block 1 in 0
    %1 = next xs loop 0
    --next--> 2
    --exhausted--> 3
  block 2 in 0
    x = %1
    %2 = call model(x, last)
    last = %2
    --normal--> 1 back
  block 3
    return None
    --normal--> 4
  block 4
  block 5
"""


def test_what_is_read_behind_a_test_is_alive_before_it() -> None:
    live = live_paths(read_function(BRANCH))
    assert live[2] == {"a"}
    assert live[3] == frozenset()


def test_an_assignment_kills() -> None:
    live = live_paths(read_function(BRANCH))
    assert live[1] == {"model.eval", "model"}, "`a` is bound anew in block 1"
    assert live[0] == {"args.eval_only", "model.eval", "model"}, "and in block 0"


def test_what_the_next_round_reads_is_alive_at_the_end_of_this_one() -> None:
    live = live_paths(read_function(LOOP))
    assert live[1] == {"xs", "model", "last"}
    assert live[2] == {"%1", "xs", "model", "last"}
    assert live[0] == {"xs", "model"}
    assert live[3] == frozenset()


def test_assigning_a_name_kills_its_attributes_and_an_attribute_kills_nothing() -> None:
    text = """\
function f
  block 0
    {op}
    --normal--> 1
  block 1
    return ?(net.head, net)
    --normal--> 2
  block 2
  block 3
"""
    assert live_paths(read_function(text.format(op="net = model")))[0] == {"model"}
    assert live_paths(read_function(text.format(op="net.head = model")))[0] == {"model", "net", "net.head"}


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ("args.eval_only", {"args.eval_only"}),
        ("nets[phase].head", {"nets", "phase"}),
        ("(phase == 'train') and flag", {"phase", "flag"}),
        ("%3 + 1", {"%3"}),
        ("'text'", set()),
    ],
)
def test_the_paths_in_a_value_are_its_longest_chains(value: str, paths: set[str]) -> None:
    assert set(paths_in(read_value(value))) == paths


@pytest.mark.parametrize(
    ("path", "live", "expected"),
    [
        ("args", {"args"}, True),
        ("args.phase", {"args"}, True),  # whoever reads the whole may read the part
        ("args", {"args.phase"}, True),
        ("args.phase", {"args.epochs"}, False),
        ("arg", {"args"}, False),
    ],
)
def test_a_path_is_alive_with_its_whole_and_its_parts(path: str, live: set[str], expected: bool) -> None:
    assert is_live(path, frozenset(live)) is expected
