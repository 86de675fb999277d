"""The text form of graphs: written by hand, and printed and read back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from evalguard.finding import Span
from evalguard.ir.facts import Parameter
from evalguard.ir.graph import Block, Edge, EdgeKind, Loop
from evalguard.ir.ops import Assign, Call, Iterate, Return
from evalguard.ir.text import print_function, print_op, print_value, read_function, read_value
from evalguard.ir.values import (
    Attribute,
    Binary,
    Closure,
    Compare,
    Const,
    Item,
    Mapping,
    Name,
    Not,
    Opaque,
    Sequence,
    Star,
    Temp,
    Value,
)

BY_HAND = """\
function validate
  parameter net
  parameter limit: 'int' = 3
  loop 0: for %1 head 1
  block 0
    %1 = call net.loader('val')  @2:14-2:31 in 2:5-3:15
    --normal--> 1
  block 1 in 0
    %2 = next %1 loop 0
    --next--> 2
    --exhausted--> 3
  block 2 in 0
    %3 = call net(%2, train=False, *rest, **options)
    --true %3 > limit @3:12-3:21--> 3
    --false %3 > limit @3:12-3:21--> 1 back
  block 3
    return None
    --normal--> 4
  block 4
  block 5
"""


def test_a_graph_written_by_hand() -> None:
    facts = read_function(BY_HAND)
    assert facts.qualname == facts.name == "validate"
    assert (facts.parent, facts.exit, facts.raise_exit) == ("<module>", 4, 5)
    assert facts.parameters == (
        Parameter("net", "positional"),
        Parameter("limit", "positional", Const(3), "int"),
    )
    assert facts.loops == (Loop("for", 1, Temp(1), point(4), point(4)),)
    call = facts.blocks[0].ops[0]
    assert isinstance(call, Call)
    assert (call.span, call.statement) == (Span(2, 14, 2, 31), Span(2, 5, 3, 15))
    assert facts.blocks[1] == Block(
        (Iterate(Temp(2), Temp(1), 0, point(9), point(9)),),
        (Edge(2, EdgeKind.NEXT), Edge(3, EdgeKind.EXHAUSTED)),
        (0,),
    )
    assert facts.blocks[2].edges[1].back
    assert facts.blocks[3].ops == (Return(Const(None), point(17), point(17)),)
    assert read_function(print_function(facts)) == facts


def point(line: int) -> Span:
    return Span(line, 1, line, 1)


@pytest.mark.parametrize(
    "value",
    [
        "-1",
        "(3).real",
        "(-1.5)[0]",
        "1e999",
        "b'x'",
        "None",
        "%1.net['a'][-1]",
        "x@12:8",
        "&main.<lambda:3:4>",
        "(&f#2).name",
        "?(a, ?())",
        "()",
        "(a,)",
        "[*a, b]",
        "{,}",
        "{a, b}",
        "{}",
        "{'k': (a, b), **c}",
        "(a and b) or (not c)",
        "a - -1",
        "a % 3",
        "a @ b",
        "a & b",
        "not (a not in b)",
        "`call`.call",
    ],
)
def test_values_read_as_they_are_printed(value: str) -> None:
    assert print_value(read_value(value)) == value


@pytest.mark.parametrize("value", ["a b", "(a", "a +", "%x", "f(x)", "'open", ""])
def test_what_is_no_value_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"expected|too much|cannot be read"):
        read_value(value)


def test_a_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match=r"line 3"):
        read_function("function f\n  block 0\n    return (\n  block 1\n  block 2\n")


@pytest.mark.parametrize("name", ["call", "exit", "next", "enter", "augment", "evaluate"])
def test_names_that_are_words_of_the_form(name: str) -> None:
    op = Assign(Name(name), Attribute(Name(name), name), point(1), point(1))
    text = f"function f\n  block 0\n    {print_op(op)}  @1:1-1:1\n    --normal--> 1\n  block 1\n  block 2\n"
    assert read_function(text).blocks[0].ops == (op,)


NAMES = some.sampled_from(["a", "net", "x@1:2", "call", "ñ", "in_", "not_"])
CONSTANTS = some.one_of(
    some.none(), some.booleans(), some.integers(), some.floats(allow_nan=False), some.text(), some.binary()
)
LEAVES: some.SearchStrategy[Value] = some.one_of(
    some.builds(Const, CONSTANTS),
    some.builds(Name, NAMES),
    some.builds(Temp, some.integers(0, 99)),
    some.builds(Closure, some.sampled_from(["f", "f#2.g", "A.<lambda:1:2>#3", "<lambda:1:2>"])),
)


def larger(parts: some.SearchStrategy[Value]) -> some.SearchStrategy[Value]:
    lists = some.lists(parts, max_size=3).map(tuple)
    return some.one_of(
        some.builds(Attribute, parts, some.sampled_from(["b", "call", "real"])),
        some.builds(Item, parts, parts),
        some.builds(Sequence, some.sampled_from(["tuple", "list", "set"]), lists),
        some.builds(Star, parts),
        some.builds(Mapping, some.lists(some.tuples(some.one_of(some.none(), parts), parts), max_size=2).map(tuple)),
        some.builds(Compare, some.sampled_from(["==", "<", "in", "not in", "is", "is not"]), parts, parts),
        some.builds(Not, parts),
        some.builds(Binary, some.sampled_from(["+", "-", "*", "**", "%", "@", "and", "or", "&"]), parts, parts),
        some.builds(Opaque, lists),
    )


@settings(database=None, derandomize=True, max_examples=300, deadline=None)
@given(some.recursive(LEAVES, larger, max_leaves=8))
def test_every_value_reads_back(value: Value) -> None:
    assert read_value(print_value(value)) == value
