"""Which access paths are still read after a point: a backward analysis.

A path is the text of a maximal chain, `args.eval_only` or `phase`. Reading `args` as a whole keeps all that begins with
it alive. What nobody reads again need not keep two alternatives apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from evalguard.flow.solver import solve_backward
from evalguard.ir.facts import FunctionFacts
from evalguard.ir.graph import Block
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

Paths = frozenset[str]


def reads_nothing(call: Call) -> Iterable[str]:
    """A callee that reads no more than it is given."""
    return ()


def live_paths(function: FunctionFacts, read_by_callee: Callable[[Call], Iterable[str]] = reads_nothing) -> list[Paths]:
    """For each block, the paths that may be read from its entry on. Temps appear as `%3`. `read_by_callee` says which
    paths a call reads beside its arguments: `self.fast`, in a method of the same object."""

    found = _Numbered()
    read = [_reads(block, function, found, read_by_callee) for block in function.blocks]
    written = [found.within(path for op in block.ops if (path := written_by(op))) for block in function.blocks]

    def transfer(number: int, live: int) -> int:
        return read[number] | live & ~written[number]

    solved = solve_backward(function.blocks, 0, transfer, lambda a, b: a | b)
    paths = {bits: found.paths_of(bits) for bits in set(solved)}
    return [paths[bits] for bits in solved]


class _Numbered:
    """The paths of a function, numbered: a set of them is a number, of which each bit stands for a path."""

    def __init__(self) -> None:
        self._bits: dict[str, int] = {}
        self._within: dict[str, int] = {}  # of each path, itself and what begins with it

    def bit(self, path: str) -> int:
        found = self._bits.get(path)
        if found is None:
            found = self._bits[path] = 1 << len(self._bits)
            head = path
            while head:
                self._within[head] = self._within.get(head, 0) | found
                head = head.rpartition(".")[0]
        return found

    def within(self, paths: Iterable[str]) -> int:
        bits = 0
        for path in paths:
            bits |= self._within.get(path, 0)
        return bits

    def paths_of(self, bits: int) -> Paths:
        return frozenset([path for path, bit in self._bits.items() if bits & bit])


def _reads(
    block: Block, function: FunctionFacts, found: _Numbered, read_by_callee: Callable[[Call], Iterable[str]]
) -> int:
    """What a block reads before it writes to it."""
    reads = 0
    for edge in block.edges:
        if edge.test is not None:
            for path in paths_in(edge.test):
                reads |= found.bit(path)
    for op in reversed(block.ops):
        written = written_by(op)
        if written is not None:
            reads &= ~found.within([written])
        for value in values_of(op):
            for path in paths_in(value):
                reads |= found.bit(path)
        if isinstance(op, Call):
            for path in read_by_callee(op):
                reads |= found.bit(path)
            if op.callee == Name("locals"):  # `self.__dict__.update(locals())`
                for name in function.locals:
                    reads |= found.bit(name)
    return reads


def is_live(path: str, live: Paths) -> bool:
    """Whether the path, a part of it, or the whole that it belongs to is read again."""
    if path in live:
        return True
    head = path
    while "." in head:
        head = head.rpartition(".")[0]
        if head in live:
            return True
    return any(other.startswith(path + ".") for other in live)


def paths_in(value: Value) -> Iterator[str]:
    """The maximal chains of names and attributes that a value reads."""
    chain = path_of(value)
    if chain is not None:
        yield chain
        return
    for part in parts_of(value):
        yield from paths_in(part)


def path_of(value: Value) -> str | None:
    """`a.b.c` as text, or None for what is no plain chain."""
    match value:
        case Name(id=name):
            return name
        case Temp(number=number):
            return f"%{number}"
        case Attribute(value=inner, name=name):
            head = path_of(inner)
            return None if head is None else f"{head}.{name}"
        case _:
            return None


def parts_of(value: Value) -> Iterable[Value]:
    """The direct operands of a value."""
    match value:
        case Name() | Temp() | Const() | Closure():  # first, for most are
            return ()
        case Attribute(value=inner) | Star(value=inner) | Not(value=inner):
            return (inner,)
        case Item(value=inner, index=index):
            return (inner, index)
        case Sequence(items=items) | Opaque(parts=items):
            return items
        case Mapping(items=pairs):
            return tuple(part for pair in pairs for part in pair if part is not None)
        case Compare(left=left, right=right) | Binary(left=left, right=right):
            return (left, right)
        case _:
            return ()


def written_by(op: Op) -> str | None:
    """The variable or temp that an op binds anew, as a path."""
    match op:
        case Assign(target=target) | Delete(target=target):
            return path_of(target) if isinstance(target, (Name, Temp)) else None
        case Call(result=result) | Enter(result=result) | Iterate(result=result) | Yield(result=result):
            return path_of(result)
        case Define(name=name) | Import(name=name):
            return name.id
        case _:
            return None


def values_of(op: Op) -> Iterator[Value]:
    """Every value that an op reads."""
    match op:
        case Assign(target=target, value=value):
            yield value
            if isinstance(target, (Attribute, Item)):
                yield from parts_of(target)
        case Call(callee=callee, arguments=arguments):
            yield callee
            for argument in arguments:
                yield argument.value
        case Enter(manager=value) | Iterate(iterable=value) | Return(value=value) | Yield(value=value):
            yield value
        case Exit(manager=value, enter=enter):
            yield value
            yield enter
        case Evaluate(value=value):
            yield value
        case Raise(value=raised):
            if raised is not None:
                yield raised
        case Delete(target=target):
            if isinstance(target, (Attribute, Item)):
                yield from parts_of(target)
        case Define() | Import():
            return
