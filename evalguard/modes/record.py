"""What the engine did, for `evalguard graph`: the functions it entered and left, the calls it followed or did not.

The analysis does not need it: it is written only when somebody has asked for it, beside the events of `events`.

    fit(model)            entered: model is in train mode
      evaluate(model)     call: followed; entered in train mode, left in eval mode
      log(loss)           call: not followed, it only computes with data
      hook(model)         unknown: nobody knows what `hook` is
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from evalguard.finding import Span
from evalguard.ir.facts import MODULE
from evalguard.ir.ops import Call, Enter, Exit, Iterate, Op
from evalguard.ir.values import Const
from evalguard.modes.evaluate import PROPERTIES_OF
from evalguard.modes.frame import Frame, source_of
from evalguard.modes.lines import Lines
from evalguard.modes.places import place_name
from evalguard.modes.state import State
from evalguard.modes.values import (
    PARTS,
    Abstract,
    Chain,
    Fn,
    Identity,
    Known,
    Map,
    Obj,
    Optim,
    Origin,
    Params,
    Seq,
    identities,
    root_of,
)

RESULT = "the result"
DEEPEST = 4  # attributes of attributes that are looked at
MOST_PLACES = 200  # of one state


class Answer(Enum):
    """What became of a call of a project's function."""

    FOLLOWED = "followed"
    SUSPENDED = "suspended"  # a generator was made: it runs when it is advanced
    INERT = "inert"
    TOO_DEEP = "too deep"


@dataclass(slots=True)
class Place:
    """A place, under the names of one function: the objects that it may be, and the origins of their modes."""

    ids: set[Identity] = field(default_factory=set)
    origins: set[Origin] = field(default_factory=set)


Places: TypeAlias = dict[str, Place]


@dataclass(slots=True)
class Other:
    """The modes of an object on entry, None if it is made in the function, and on exit."""

    before: set[Origin] | None
    after: set[Origin] = field(default_factory=set)


@dataclass(slots=True)
class Entered:
    """One entry of a function by one chain of calls, and how it was left. `resumed`: a generator that goes on after a
    yield. `others` are all objects with a mode of their own, for the variables that are neither given nor shared."""

    path: str
    function: str
    chain: Chain
    resumed: bool
    entry: Places
    exit: Places
    others: dict[Identity, Other]
    ends: bool


@dataclass(slots=True)
class Called:
    """A call of a project's function, as written, and what became of it, on all paths."""

    path: str
    caller: str
    span: Span
    kind: str
    text: str
    callee: tuple[str, str]  # path and qualified name
    answers: set[Answer] = field(default_factory=set)


@dataclass(slots=True)
class CalledUnknown:
    """A call of something that nobody knows. `given` are the objects it gets, with their names; `dotted` is its name
    if it was imported."""

    path: str
    caller: str
    span: Span
    text: str
    dotted: str | None
    given: dict[Identity, str]


@dataclass(slots=True)
class Record:
    """All that was written down."""

    entered: dict[Hashable, Entered] = field(default_factory=dict)
    calls: dict[Hashable, Called] = field(default_factory=dict)
    unknowns: dict[Hashable, CalledUnknown] = field(default_factory=dict)
    origins: set[Origin] = field(default_factory=set)  # every call that gave a place its mode
    names: dict[tuple[str, str], dict[Identity, str]] = field(default_factory=dict)  # a function's variables
    lines: Lines | None = None  # the modes on each line, if they are asked for

    def run(self, frame: Frame, starts: Sequence[tuple[int, State]]) -> Watch:
        """Watch a function that is about to be run from these states."""
        return Watch(self, frame, [state.copy() for _, state in starts], any(number for number, _ in starts))

    def call(self, function: Fn, state: State, frame: Frame, op: Op, answer: Answer) -> None:
        """Write down a call of a project's function."""
        names = self.names.setdefault((frame.path, frame.function.qualname), {})
        for name, value in state.env.items():
            if isinstance(value, Obj) and not name.startswith(("%", "<")):
                names.setdefault(value.id, name)
        key = (frame.path, frame.function.qualname, op.span, function.path, function.qualname)
        found = self.calls.get(key)
        if found is None:
            callee = (function.path, function.qualname)
            kind, text = _kind(op, function), _written(op, function, frame)
            found = Called(frame.path, frame.function.qualname, op.span, kind, text, callee)
            self.calls[key] = found
        if answer is Answer.FOLLOWED:  # a generator may be made and advanced at one place
            found.kind = _kind(op, function) or found.kind
        found.answers.add(answer)

    def unknown(
        self, text: str, dotted: str | None, given: Sequence[Abstract], state: State, frame: Frame, op: Op
    ) -> None:
        """Write down a call of something that nobody knows, with the objects it gets."""
        key = (frame.path, frame.function.qualname, op.span, text)
        found = self.unknowns.get(key)
        if found is None:
            found = CalledUnknown(frame.path, frame.function.qualname, op.span, text, dotted, {})
            self.unknowns[key] = found
        for value in given:
            if not isinstance(value, (Optim, Params)):
                for identity in identities(value):
                    found.given[identity] = place_name(identity, state, frame)


@dataclass(slots=True)
class Watch:
    """A function at work, between its entry and its exit."""

    record: Record
    frame: Frame
    starts: list[State]
    resumed: bool

    def left(self, exits: Iterable[State]) -> None:
        """The function was left in these states."""
        frame, ends = self.frame, _sure(exits)
        entry, after = Places(), Places()
        given: dict[str, Abstract] = {}
        for state in _sure(self.starts):
            roots = _roots(state, frame)
            given |= roots
            _add_places(entry, roots, state)
        others: dict[Identity, Other] = {}
        for state in ends:
            known = given | _roots(state, frame)
            named = _add_places(after, known, state)
            _add_places(after, _results(state), state, named)
            for identity, origins in state.modes.items():
                other = others.setdefault(identity, Other(self._before([identity])))
                other.after |= origins
        for name, place in after.items():
            before = self._before(place.ids) if name not in entry else None
            if before is not None:  # a part that has no name on entry may have a mode all the same
                entry[name] = Place(set(place.ids), before)
        self._keep(entry, after, others, bool(ends))

    def _before(self, ids: Iterable[Identity]) -> set[Origin] | None:
        """The modes of objects on entry; None if all of them are made in the function."""
        infos = [(identity, self.frame.infos.get(identity)) for identity in ids]
        found = {other for i, info in infos for other in ((info.alternatives if info is not None else ()) or {i})}
        there = [identity for identity in found if not self._is_made_here(identity)]
        if not there:
            return None
        return {origin for start in _sure(self.starts) for identity in there for origin in start.origins(identity)}

    def _keep(self, entry: Places, after: Places, others: dict[Identity, Other], ends: bool) -> None:
        """Runs by the same calls that find and leave the same modes are one."""
        frame = self.frame
        key = (frame.path, frame.function.qualname, frame.chain, self.resumed, _modes(entry), _modes(after), ends)
        found = self.record.entered.get(key)
        if found is None:
            made = Entered(frame.path, frame.function.qualname, frame.chain, self.resumed, entry, after, others, ends)
            self.record.entered[key] = made
            return
        for identity, other in others.items():
            found.others.setdefault(identity, other).after |= other.after
        for places, new in ((found.entry, entry), (found.exit, after)):
            for name, place in new.items():
                places[name].ids |= place.ids
                places[name].origins |= place.origins

    def _is_made_here(self, identity: Identity) -> bool:
        """Whether the function, or one that it has called, makes the object."""
        root, frame = root_of(identity), self.frame
        if root[0] != "new":
            return False
        made_in, depth = root[-1], len(frame.chain)
        if made_in == frame.chain:
            return bool(root[1:3] == (frame.path, frame.function.qualname))
        return bool(made_in[:depth] == frame.chain)


def _kind(op: Op, function: Fn) -> str:
    """What sort of call it is, in a word; "" for a plain one."""
    name = function.qualname.rpartition(".")[2]
    if isinstance(op, Iterate):
        return "loop"
    if isinstance(op, (Enter, Exit)) or name in ("__enter__", "__exit__"):
        return "with"
    if isinstance(op, Call) and isinstance(op.callee, Const):  # nobody has written this call
        return "decorator"
    return {"__init__": "makes", "__call__": "object"}.get(name, "")


def _written(op: Op, function: Fn, frame: Frame) -> str:
    """What is called, as the code says it."""
    match op:
        case Call(callee=callee) if not isinstance(callee, Const):
            return source_of(callee, frame)
        case Enter(manager=value) | Exit(manager=value) | Iterate(iterable=value):
            return source_of(value, frame)
        case _:
            return function.qualname


def _modes(places: Places) -> Hashable:
    return frozenset((name, frozenset(origin.mode for origin in place.origins)) for name, place in places.items())


def _sure(states: Iterable[State]) -> list[State]:
    """The paths that count: those that hardly happen are left out, unless there are no others."""
    found = list(states)
    return [state for state in found if not state.doubt] or found


def _roots(state: State, frame: Frame) -> dict[str, Abstract]:
    """The variables from which a function reaches objects: its parameters first, then what it shares with others."""
    function = frame.function
    own = ("scope", frame.path, function.qualname)
    roots: dict[str, Abstract] = {}
    for parameter in function.parameters:
        value = state.env.get(parameter.name) or state.store.get((own, parameter.name))
        if value is not None:
            roots[parameter.name] = value
    shared = [
        (owner[2], str(name), value)
        for owner, shelf in state.store.shelves()
        if _is_seen(owner, frame)
        for name, value in shelf.items()
    ]
    for _, name, value in sorted(shared, key=lambda entry: (-len(entry[0]), entry[1])):  # the nearest scope first
        roots.setdefault(name, value)
    return roots


def _is_seen(owner: Identity, frame: Frame) -> bool:
    """Whether it is the scope of a function around this one, or of its file."""
    if owner[0] != "scope" or owner[1] != frame.path:
        return False
    return owner[2] == MODULE or f"{frame.function.qualname}.".startswith(f"{owner[2]}.")


def _add_places(
    into: Places, roots: dict[str, Abstract], state: State, known: Collection[Identity] = ()
) -> set[Identity]:
    """All objects that can be reached from the roots, each under the first name that is found, and its modes. Gives
    back which, and those that were known already."""
    parts = _parts(state)
    seen = set(known)
    waiting = deque((name, value, 0) for name, value in roots.items())
    while waiting and len(seen) < MOST_PLACES:
        name, value, depth = waiting.popleft()
        match value:
            case Obj(id=identity) if identity not in seen:
                seen.add(identity)
                place = into.setdefault(name, Place())
                place.ids.add(identity)
                place.origins |= state.origins(identity)
                if depth < DEEPEST:
                    waiting.extend((name + end, part, depth + 1) for end, part in parts.get(identity, ()))
            case Seq(kind=kind, items=items):
                ends = (f"[{at}]" if kind in ("tuple", "list") else "[…]" for at in range(len(items)))
                waiting.extend((name + end, item, depth + 1) for end, item in zip(ends, items, strict=True))
            case Map(items=pairs):
                waiting.extend((f"{name}[{_key(key)}]", held, depth + 1) for key, held in pairs)
            case _:
                pass
    return seen


def _parts(state: State) -> dict[Identity, list[tuple[str, Abstract]]]:
    """What each object holds: attributes and items that were stored, and parts that have a mode of their own."""
    parts: dict[Identity, list[tuple[str, Abstract]]] = {}
    for (owner, name), value in state.store.items():
        if owner[0] not in ("scope", PROPERTIES_OF) and not str(name).startswith("<"):
            parts.setdefault(owner, []).append((_end("item" if isinstance(name, tuple) else "attr", name), value))
    for identity in state.modes:
        while identity[0] in PARTS:
            held = (_end(identity[0], identity[-1]), Obj(identity))
            identity = identity[1]
            known = parts.setdefault(identity, [])
            if held not in known:
                known.append(held)
    return {owner: sorted(held, key=lambda entry: (entry[0], repr(entry[1]))) for owner, held in parts.items()}


def _end(kind: str, name: object) -> str:
    """How a part's name goes on after that of the whole."""
    match kind, name:
        case "attr", str():
            return f".{name}"
        case "item", ("item", key) | key:
            return f"[{key!r}]" if isinstance(key, (str, int)) else "[…]"
        case _:
            return "[…]"


def _key(key: Abstract) -> str:
    return repr(key.value) if isinstance(key, Known) else "…"


def _results(state: State) -> dict[str, Abstract]:
    value = state.env.get("<return>")
    return {RESULT: value} if value is not None else {}
