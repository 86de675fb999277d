"""In which mode each place is on each line, for the mode ribbon. Like all of `record`, written only when asked for.

    def fit(model, loader):      places written in it: model, loader
        model.eval()             before: unknown, after: eval
        for x in loader:         before: eval

Places are the names and chains that the function itself writes, so that a reader finds them again; parts of them that
have a mode of their own come with them. Snapshots are taken where the ops of a block come to another line, and united
over all visits of all runs: each is a state that the analysis holds possible, and what it adds can only grow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from evalguard.flow.liveness import parts_of, values_of
from evalguard.ir import values as ir
from evalguard.ir.facts import MODULE, FunctionFacts
from evalguard.ir.graph import Block
from evalguard.ir.ops import Assign, Call, Exit, Op
from evalguard.modes.evaluate import BUILTINS, attribute, item, read_name
from evalguard.modes.frame import Frame
from evalguard.modes.state import ENTRY_ONLY, State
from evalguard.modes.values import (
    PARTS,
    Abstract,
    Chain,
    Cls,
    Ext,
    Fn,
    Identity,
    Known,
    Map,
    Mod,
    Obj,
    OriginKind,
    Origins,
    Seq,
)
from evalguard.vocabulary.words import MODULE_WORDS, words

DEEPEST = 4  # attributes and items of one place
MOST_PLACES = 60  # of one function
MOST_PARTS = 60  # of its places, on one line

Key: TypeAlias = tuple[str, str]  # path and qualified name of a function


@dataclass(slots=True)
class Seen:
    """The modes of a place on one line, on paths that count and on those that hardly happen, when the line is reached
    and when it is left."""

    before: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)
    rarely_before: set[str] = field(default_factory=set)
    rarely_after: set[str] = field(default_factory=set)

    def copy(self) -> Seen:
        """An independent copy."""
        return Seen(set(self.before), set(self.after), set(self.rarely_before), set(self.rarely_after))


@dataclass(slots=True)
class Place:
    """A place of one function: the objects that it may be, the origins of their modes, and its lines. `whole` is the
    place whose mode it has where it has none of its own; `written` if the function writes it so."""

    whole: str | None
    written: bool
    ids: set[Identity] = field(default_factory=set)
    kinds: set[OriginKind] = field(default_factory=set)
    lines: dict[int, Seen] = field(default_factory=dict)


@dataclass(slots=True)
class Written:
    """A variable that a function writes or reads, with the attributes and items of it: a tree of places. `only_called`
    for what stands nowhere but before brackets: mostly methods, unless they are `called_a_module`."""

    name: str
    called_a_module: bool
    only_called: bool = True
    steps: dict[ir.Value, Written] = field(default_factory=dict)

    @property
    def is_method(self) -> bool:
        """Whether it is one, as far as can be seen."""
        return self.only_called and not self.called_a_module and not self.steps


@dataclass(frozen=True, slots=True)
class Plan:
    """What is fixed for a function: its places, and for each block the lines on which a path may come to it from
    elsewhere on the same line, or go on there."""

    variables: tuple[tuple[str, Written], ...]
    comes_from: dict[int, frozenset[int]]
    goes_to: dict[int, frozenset[int]]


@dataclass(slots=True)
class Lines:
    """All that was written down, by function and by place as written there."""

    places: dict[Key, dict[str, Place]] = field(default_factory=dict)
    plans: dict[Key, Plan] = field(default_factory=dict)
    told: dict[Origins, tuple[frozenset[OriginKind], frozenset[str]]] = field(default_factory=dict)
    holders: dict[tuple[Key, Chain, Identity], tuple[Identity, str] | None] = field(default_factory=dict)

    def visit(self, number: int, block: Block, frame: Frame) -> Visit:
        """One visit of a block by the engine."""
        key = (frame.path, frame.function.qualname)
        plan = self.plans.get(key)
        if plan is None:
            plan = self.plans[key] = _plan(frame)
        return Visit(self, plan, number, block, frame)

    def look(self, states: Sequence[State], reached: int | None, left: int | None, plan: Plan, frame: Frame) -> None:
        """Write down the modes in these states, in which one line is reached and another is left."""
        key = (frame.path, frame.function.qualname)
        places = self.places.setdefault(key, {})
        for state in states:
            found = dict(_places(plan, state, frame))
            parts = dict(self._parts(key, found, state, frame))
            for name in (*found, *parts):
                if name not in places:
                    places[name] = self._begun(name, name in parts, found, places, frame)
            for name, place in places.items():
                if place.whole in found and name not in found and name not in parts:
                    parts[name] = found[place.whole]  # here it has no mode of its own
            for name, identity in (*found.items(), *parts.items()):
                place = places[name]
                kinds, modes = self._told(state.origins(identity))
                if identity != found.get(place.whole or ""):
                    place.ids.add(identity)
                place.kinds |= kinds
                if reached is not None:
                    seen = place.lines.setdefault(reached, Seen())
                    (seen.rarely_before if state.doubt else seen.before).update(modes)
                if left is not None:
                    seen = place.lines.setdefault(left, Seen())
                    (seen.rarely_after if state.doubt else seen.after).update(modes)

    def _told(self, origins: Origins) -> tuple[frozenset[OriginKind], frozenset[str]]:
        told = self.told.get(origins)
        if told is None:
            kinds, modes = {origin.kind for origin in origins}, {origin.mode.value for origin in origins}
            told = self.told[origins] = frozenset(kinds), frozenset(modes)
        return told

    def _begun(
        self,
        name: str,
        is_part: bool,
        found: dict[str, Identity],
        places: dict[str, Place],
        frame: Frame,
    ) -> Place:
        """A place that is new. A part was in the mode of its whole until now."""
        whole = next(_wholes(name, found), None)
        if whole is None or whole not in places or not (is_part or frame.info(found[whole]).module):
            return Place(None, not is_part)
        return Place(whole, not is_part, lines={line: seen.copy() for line, seen in places[whole].lines.items()})

    def _parts(
        self, key: Key, found: dict[str, Identity], state: State, frame: Frame
    ) -> Iterator[tuple[str, Identity]]:
        """Parts of the places that have a mode of their own, and no name of their own in the function."""
        names = {identity: name for name, identity in reversed(found.items())}
        count = 0
        for identity in state.modes:
            if identity in names:
                continue
            name = self._name_of_part(key, identity, names, state, frame)
            if name is not None and name not in found:
                yield name, identity
                count += 1
                if count >= MOST_PARTS:
                    return

    def _name_of_part(
        self, key: Key, identity: Identity, names: dict[Identity, str], state: State, frame: Frame
    ) -> str | None:
        ends: list[str] = []
        while identity not in names:
            step = self._step_up(key, identity, state, frame)
            if step is None or len(ends) >= DEEPEST:
                return None
            identity, end = step
            ends.append(end)
        return names[identity] + "".join(reversed(ends))

    def _step_up(self, key: Key, identity: Identity, state: State, frame: Frame) -> tuple[Identity, str] | None:
        """The object that holds another, and how its name goes on."""
        if identity[0] == "attr" and isinstance(identity[2], str):
            return identity[1], f".{identity[2]}"
        if identity[0] == "item" and isinstance(identity[2], (str, int)):
            return identity[1], f"[{_quoted(identity[2])}]"
        if identity[0] in PARTS:
            return None
        cached = (key, frame.chain, identity)
        if cached not in self.holders:
            self.holders[cached] = next(
                (
                    (owner, f".{name}")
                    for (owner, name), value in state.store.items()
                    if isinstance(name, str) and not name.startswith("<") and value == Obj(identity)
                    if owner[0] not in ("scope", "class")
                ),
                None,
            )
        return self.holders[cached]


@dataclass(slots=True)
class Visit:
    """A block at work: told of the states before each op and after the last."""

    lines: Lines
    plan: Plan
    number: int
    block: Block
    frame: Frame
    line: int | None = None
    has_begun: bool = False

    def before(self, op: Op, states: Sequence[State]) -> None:
        """The states in which an op begins."""
        line = _line_of(op)
        if line is None:  # what the end of a `with` does comes after the line on which it is left
            if self.line is not None:
                self.lines.look(states, None, self.line, self.plan, self.frame)
                self.line = None
            self.has_begun = True
        elif line != self.line:
            self._come_to(line, states)

    def after(self, states: Sequence[State]) -> None:
        """The states at the end of the block."""
        test = next((edge.span.line for edge in self.block.edges if edge.span is not None), None)
        if test is not None and test != self.line:
            self._come_to(test, states)
        if self.line is not None and self.line not in self.plan.goes_to[self.number]:
            self.lines.look(states, None, self.line, self.plan, self.frame)

    def _come_to(self, line: int, states: Sequence[State]) -> None:
        is_there = not self.has_begun and line in self.plan.comes_from[self.number]
        if not is_there:
            self.lines.look(states, line, self.line, self.plan, self.frame)
        self.line, self.has_begun = line, True


def lines_with_ops(function: FunctionFacts) -> set[int]:
    """The lines of a function on which something happens."""
    found = {line for block in function.blocks for op in block.ops if (line := _line_of(op)) is not None}
    return found | {edge.span.line for block in function.blocks for edge in block.edges if edge.span is not None}


def _line_of(op: Op) -> int | None:
    """The line on which a reader sees an op; the end of a `with` is nowhere."""
    return None if isinstance(op, Exit) else op.span.line


# -------------------------------------------------------------------------------------------------- places


def _places(plan: Plan, state: State, frame: Frame) -> Iterator[tuple[str, Identity]]:
    """The places of a function that hold an object which may have a mode, in this state."""
    for name, written in plan.variables:
        value = read_name(name, state, frame)
        if isinstance(value, Obj) and value.id[:3] == ("global", frame.path, frame.function.qualname):
            continue  # not bound yet
        if isinstance(value, Obj) and value.id[0] == "local":  # not bound yet, or never read again
            value = frame.last_held.get(name, value)
            if not isinstance(value, Obj) or value.id not in state.modes:
                continue
        else:
            frame.last_held[name] = value
        yield from _with_steps(name, written, value, state, frame)


def _with_steps(
    name: str, written: Written, value: Abstract, state: State, frame: Frame
) -> Iterator[tuple[str, Identity]]:
    if isinstance(value, Obj):
        if _may_have_a_mode(value.id, written, state, frame):
            yield name, value.id
    elif not isinstance(value, (Map, Seq)):
        return
    for step, inner in written.steps.items():
        match step:
            case ir.Attribute(name=attribute_name) if inner.is_method and _is_unknown(value, attribute_name, state):
                continue
            case ir.Attribute(name=attribute_name):
                held = attribute(value, attribute_name, state, frame)
            case ir.Item(index=ir.Const(value=key)):
                held = item(value, Known(key), state)
            case _:
                continue
        if held == value:  # `model.module`, `net.data`: another way to say the same
            continue
        if frame.function.name == "__init__" and value == frame.receiver and _is_unassigned(held, value):
            continue  # it is to come
        yield from _with_steps(inner.name, inner, held, state, frame)


def _is_unknown(whole: Abstract, name: str, state: State) -> bool:
    """Whether no mode is known of an attribute."""
    if not isinstance(whole, Obj):
        return True
    held = state.store.get((whole.id, name))
    is_known = held.id in state.modes if isinstance(held, Obj) else ("attr", whole.id, name) in state.modes
    return not is_known


def _is_unassigned(held: Abstract, whole: Abstract) -> bool:
    return isinstance(held, Obj) and isinstance(whole, Obj) and held.id[0] == "attr" and held.id[1] == whole.id


def _may_have_a_mode(identity: Identity, written: Written, state: State, frame: Frame) -> bool:
    """Whether an object is worth a look: results of unknown calls are mostly tensors, and a part is as its whole until
    it has a mode of its own."""
    if identity in state.modes:
        return True
    if identity[0] in PARTS:
        if state.origins(identity) is not ENTRY_ONLY and _is_part_of_module(identity, state, frame):
            return False
        return not written.only_called or written.called_a_module
    if identity[0] not in ("new", "temp", "local"):
        return True
    info = frame.infos.get(identity)
    return info is not None and (info.module is True or info.cls is not None or bool(info.evidence))


def _is_part_of_module(identity: Identity, state: State, frame: Frame) -> bool:
    """Whether what the mode of a part comes from is a module, and has a band therefore."""
    while identity[0] in PARTS and identity not in state.modes:
        identity = identity[1]
    info = frame.infos.get(identity)
    return identity[0] not in ("each", "some", "few") and info is not None and info.module is True


def _wholes(name: str, found: Collection[str]) -> Iterator[str]:
    """The places that a name of a part begins with, the longest first."""
    return iter(
        sorted((whole for whole in found if name.startswith((f"{whole}.", f"{whole}["))), key=len, reverse=True)
    )


def _quoted(key: str | int) -> str:
    return f'"{key}"' if isinstance(key, str) and '"' not in key else repr(key)


# -------------------------------------------------------------------------------------------------- plans


def _plan(frame: Frame) -> Plan:
    """All that is fixed for a function."""
    function = frame.function
    variables: dict[str, Written] = {}
    for parameter in function.parameters:
        variables.setdefault(parameter.name, _written(parameter.name))
    for block in function.blocks:
        for op in block.ops:
            for value in _written_in(op):
                _add(value, variables, isinstance(op, Call) and value is op.callee)
    for name in [name for name in variables if _is_fixed(name, frame)]:
        del variables[name]
    first = [_first_lines(function, number) for number in range(len(function.blocks))]
    last = [_last_line(block) for block in function.blocks]
    comes: dict[int, frozenset[int]] = {}
    goes: dict[int, frozenset[int]] = {}
    for number, block in enumerate(function.blocks):
        onward = [first[edge.target] for edge in block.edges]
        goes[number] = frozenset(
            {line for line in (last[number],) if line is not None and onward and all(o == {line} for o in onward)}
        )
        comes[number] = frozenset()
    before: dict[int, set[int | None]] = {}
    for number in range(len(function.blocks)):
        for target in _next_with_lines(function, number):
            before.setdefault(target, set()).add(last[number])
    for target, lines in before.items():
        if len(lines) == 1:
            comes[target] = frozenset(line for line in lines if line is not None)
    return Plan(tuple(list(variables.items())[:MOST_PLACES]), comes, goes)


def _is_fixed(name: str, frame: Frame) -> bool:
    """Whether a name means a function, a class, an import or a builtin."""
    if name in frame.function.locals and frame.function.qualname != MODULE:
        return False
    found = frame.linker.lookup_global(frame.path, name, State())
    return isinstance(found, (Fn, Cls, Ext, Mod)) or (found is None and name in BUILTINS)


def _written_in(op: Op) -> Iterable[ir.Value]:
    yield from values_of(op)
    if isinstance(op, Assign):
        yield op.target


def _add(value: ir.Value, variables: dict[str, Written], called: bool = False) -> None:
    """Add the places in a value to the tree of those that are known; `called` if the value is what a call calls."""
    chain = _chain_of(value)
    if chain is None:
        for part in parts_of(value):
            _add(part, variables)
        return
    root, steps = chain
    if "@" in root:
        return  # of a comprehension: nobody sees it elsewhere
    current = variables.setdefault(root, _written(root))
    for step in steps[:DEEPEST]:
        bare: ir.Value
        if isinstance(step, ir.Attribute):
            end, bare = f".{step.name}", ir.Attribute(ir.Name(""), step.name)
        elif (
            isinstance(step, ir.Item) and isinstance(step.index, ir.Const) and isinstance(step.index.value, (str, int))
        ):
            end, bare = f"[{_quoted(step.index.value)}]", ir.Item(ir.Name(""), step.index)
        else:
            return
        if bare not in current.steps:
            current.steps[bare] = _written(current.name + end)
        current = current.steps[bare]
        if not (called and step is steps[-1] and isinstance(step, ir.Attribute)):
            current.only_called = False


def _written(name: str) -> Written:
    return Written(name, not MODULE_WORDS.isdisjoint(words(name.rpartition(".")[2])[-1:]))


def _chain_of(value: ir.Value) -> tuple[str, list[ir.Value]] | None:
    """The variable that a chain of attributes and items begins with, and its steps in their order."""
    steps: list[ir.Value] = []
    while isinstance(value, (ir.Attribute, ir.Item)):
        steps.append(value)
        value = value.value
    return (value.id, steps[::-1]) if isinstance(value, ir.Name) else None


def _last_line(block: Block) -> int | None:
    test = next((edge.span.line for edge in block.edges if edge.span is not None), None)
    return test or next((line for op in reversed(block.ops) if (line := _line_of(op)) is not None), None)


def _first_line(block: Block) -> int | None:
    found = next((line for op in block.ops if (line := _line_of(op)) is not None), None)
    return found or next((edge.span.line for edge in block.edges if edge.span is not None), None)


def _first_lines(function: FunctionFacts, number: int) -> set[int | None]:
    """The lines to which a path may come first from the entry of a block on; None for the way out."""
    found: set[int | None] = set()
    waiting, seen = [number], set[int]()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        line = _first_line(function.blocks[current])
        if line is not None or not function.blocks[current].edges:
            found.add(line)
        else:
            waiting.extend(edge.target for edge in function.blocks[current].edges)
    return found


def _next_with_lines(function: FunctionFacts, number: int) -> set[int]:
    """The blocks with a line of their own to which a path comes first from the end of this one."""
    if _last_line(function.blocks[number]) is None:
        return set()
    found: set[int] = set()
    waiting, seen = [edge.target for edge in function.blocks[number].edges], set[int]()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        if _first_line(function.blocks[current]) is not None:
            found.add(current)
        else:
            waiting.extend(edge.target for edge in function.blocks[current].edges)
    return found
