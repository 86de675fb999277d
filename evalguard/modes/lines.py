"""In which mode each place is on each line, for the mode ribbon. Like all of `record`, written only when asked for.

    def fit(model, loader):      places written in it: model, loader
        model.eval()             before: unknown, after: eval
        for x in loader:         before: eval

Places are the names and chains that the function itself writes, so that a reader finds them again; parts of them that
have a mode of their own come with them. Snapshots are taken where the ops of a block come to another line, and united
over all visits of all runs: each is a state that the analysis holds possible, and what it adds can only grow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from evalguard.ir import values as ir
from evalguard.ir.graph import Block
from evalguard.ir.ops import Op
from evalguard.modes.evaluate import attribute, item, read_name
from evalguard.modes.frame import Frame
from evalguard.modes.state import ENTRY_ONLY, State
from evalguard.modes.values import (
    PARTS,
    Abstract,
    Chain,
    Identity,
    Known,
    Map,
    Obj,
    OriginKind,
    Origins,
    Seq,
)
from evalguard.modes.written import DEEPEST, Plan, Written, line_of, plan_of, quoted

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
            plan = self.plans[key] = plan_of(frame)
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
            return identity[1], f"[{quoted(identity[2])}]"
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
        line = line_of(op)
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
