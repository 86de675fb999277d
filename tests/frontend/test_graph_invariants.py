"""What holds of every graph, checked on real code: the files of the standard library."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from standard_library import documents

from evalguard.finding import Span
from evalguard.frontend import lower
from evalguard.ir.facts import MODULE, FunctionFacts
from evalguard.ir.graph import Block, Edge, EdgeKind
from evalguard.ir.ops import (
    Assign,
    Call,
    Define,
    Delete,
    Enter,
    Evaluate,
    Exit,
    Import,
    Iterate,
    Op,
    Raise,
    Return,
    Yield,
)
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
from evalguard.source import Document

NORMAL, TRUE, FALSE, NEXT, EXHAUSTED, RAISE, SUPPRESSED = EdgeKind
WAYS_OUT = [
    [NORMAL],
    [NORMAL, RAISE],
    [TRUE, FALSE],
    [NEXT, EXHAUSTED],
    [NEXT, EXHAUSTED, RAISE],
    [RAISE],
    [RAISE, SUPPRESSED],
]
LAST = (Iterate, Yield, Raise, Return)


@pytest.mark.parametrize("document", documents(60), ids=lambda document: document.path)
def test_invariants(document: Document) -> None:
    facts = lower(document)
    for function in facts.functions.values():
        where = f"{document.path}: {function.qualname}"
        assert_blocks_are_in_order(function, where)
        for number, block in enumerate(function.blocks):
            assert_block_is_well_formed(function, number, block, f"{where}, block {number}")
        assert_loops_are_well_formed(function, where)
        assert_temps_are_defined_before_use(function, where)
        assert function.parent in facts.functions or function.qualname == MODULE, where
        assert function.owner is None or function.owner in facts.classes, where
        for value in (each for block in function.blocks for op in block.ops for each in values_read(op)):
            for part in parts(value):
                assert not isinstance(part, Closure) or part.function in facts.functions, where


def assert_blocks_are_in_order(function: FunctionFacts, where: str) -> None:
    count = len(function.blocks)
    assert (function.exit, function.raise_exit) == (count - 2, count - 1), where
    reached = {0}
    waiting = [0]
    while waiting:
        for edge in function.blocks[waiting.pop()].edges:
            assert 0 <= edge.target < count, where
            if edge.target not in reached:
                reached.add(edge.target)
                waiting.append(edge.target)
    assert reached | {function.exit, function.raise_exit} == set(range(count)), where


def assert_block_is_well_formed(function: FunctionFacts, number: int, block: Block, where: str) -> None:
    if number in (function.exit, function.raise_exit):
        assert not block.ops, where
        assert not block.edges, where
        return
    kinds = [edge.kind for edge in block.edges]
    assert kinds in WAYS_OUT, where
    last = block.ops[-1] if block.ops else None
    assert not any(isinstance(op, LAST) for op in block.ops[:-1]), where
    assert isinstance(last, Iterate) == (kinds[0] is NEXT), where
    assert isinstance(last, Raise) == (kinds == [RAISE]), where
    assert (isinstance(last, Exit) and last.exceptional) == (kinds == [RAISE, SUPPRESSED]), where
    if isinstance(last, Return):
        assert [edge.target for edge in block.edges] == [function.exit], where
    if isinstance(last, Yield):
        assert function.is_generator, where
    if kinds == [TRUE, FALSE]:
        true, false = block.edges
        assert (true.test, true.span) == (false.test, false.span), where
        assert not isinstance(true.test, Const | Not | None), where
        assert not (isinstance(true.test, Binary) and true.test.operator in ("and", "or")), where
    else:
        assert all(edge.test is None and edge.span is None for edge in block.edges), where
    if not block.ops and kinds == [NORMAL]:
        assert number == 0 or number in [loop.head for loop in function.loops], f"{where} is empty"
    for op in block.ops:
        assert contains(op.statement, op.span), f"{where}: {op}"


def assert_loops_are_well_formed(function: FunctionFacts, where: str) -> None:
    for index, loop in enumerate(function.loops):
        head = function.blocks[loop.head]
        assert head.loops[-1] == index, where
        assert contains(loop.span, loop.header), where
    heads = {loop.head: index for index, loop in enumerate(function.loops)}
    for number, block in enumerate(function.blocks):
        assert all(loop < len(function.loops) for loop in block.loops), where
        for edge in block.edges:
            goes_back = edge.target in heads and heads[edge.target] in block.loops
            assert edge.back == goes_back, f"{where}: {number} to {edge.target}"
        for op in block.ops:
            if isinstance(op, Iterate):
                assert function.loops[op.loop].head == number, where
                assert block.loops[-1] == op.loop, where


def assert_temps_are_defined_before_use(function: FunctionFacts, where: str) -> None:
    defined: dict[int, frozenset[int]] = {0: frozenset()}
    waiting = [0]
    while waiting:
        number = waiting.pop()
        block = function.blocks[number]
        for edge in block.edges:
            after = defined[number] | set(temps_written(ops_done(block, edge)))
            known = defined.get(edge.target)
            joined = frozenset(after) if known is None else known & after
            if joined != known:
                defined[edge.target] = joined
                waiting.append(edge.target)
    for number, block in enumerate(function.blocks):
        known_here = set(defined.get(number, ()))
        for op in block.ops:
            used = {part.number for value in values_read(op) for part in parts(value) if isinstance(part, Temp)}
            assert used <= known_here, f"{where}, block {number}: {op}"
            known_here |= set(temps_written([op]))
        for edge in block.edges:
            used = {part.number for part in parts(edge.test) if isinstance(part, Temp)} if edge.test else set()
            assert used <= known_here, f"{where}, block {number}: {edge}"


def ops_done(block: Block, edge: Edge) -> tuple[Op, ...]:
    return block.ops[:-1] if edge.kind in (RAISE, EXHAUSTED) else block.ops


def temps_written(ops: tuple[Op, ...] | list[Op]) -> Iterator[int]:
    for op in ops:
        match op:
            case Assign(target=Temp(number)):
                yield number
            case Call() | Enter() | Iterate() | Yield():
                yield op.result.number


def values_read(op: Op) -> list[Value]:
    match op:
        case Assign():
            return [op.value] if isinstance(op.target, Temp | Name) else [op.target, op.value]
        case Call():
            return [op.callee, *(argument.value for argument in op.arguments)]
        case Enter():
            return [op.manager]
        case Exit():
            return [op.enter, op.manager]
        case Iterate():
            return [op.iterable]
        case Return() | Yield() | Evaluate():
            return [op.value]
        case Raise():
            return [] if op.value is None else [op.value]
        case Delete():
            return [op.target]
        case Define() | Import():
            return []


def parts(value: Value) -> Iterator[Value]:
    yield value
    match value:
        case Attribute() | Star() | Not():
            yield from parts(value.value)
        case Item():
            yield from parts(value.value)
            yield from parts(value.index)
        case Compare() | Binary():
            yield from parts(value.left)
            yield from parts(value.right)
        case Sequence():
            for item in value.items:
                yield from parts(item)
        case Mapping():
            for key, item in value.items:
                yield from parts(item)
                if key is not None:
                    yield from parts(key)
        case Opaque():
            for part in value.parts:
                yield from parts(part)


def contains(outer: Span, inner: Span) -> bool:
    starts_inside = (outer.line, outer.column) <= (inner.line, inner.column)
    return starts_inside and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
