"""The state of one path: what variables hold, which mode each module is in, and under which tests.

A block may be reached by several states that differ; they stay apart while what tells them apart is read again
(`comparison.Comparison`), and are joined when it is not: the origins of each place are united. Property simulation
(Das, Lerner, Seigle, "ESP", PLDI 2002) keeps the number small: beyond `MOST` alternatives, those with equal modes are
joined and lose the tests on which they differ; beyond that, all are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from evalguard.finding import Step
from evalguard.flow.liveness import Paths, is_live
from evalguard.ir.plain import Plain, changed
from evalguard.modes.store import Store
from evalguard.modes.values import (
    ENTRY,
    Abstract,
    Expr,
    Generator,
    Identity,
    Map,
    Mode,
    ModeFlag,
    Obj,
    Origin,
    Origins,
    Seq,
    identities,
    is_within,
    parts,
    root_of,
)

Unite: TypeAlias = Callable[[str, "Abstract", "Abstract"], "Abstract"]

MOST = 10  # alternatives at one block
FEW = 6  # outputs on record, up to which nobody looks which are still held
MOST_ORIGINS = 6  # of one place in one mode

EventKey: TypeAlias = tuple[Any, ...]


def in_any_run(key: Hashable) -> str:
    """The key of an event as text that is the same in each run: a set is written in another order with each seed of
    Python's hashes."""
    match key:
        case frozenset():
            return f"{{{', '.join(sorted(map(in_any_run, key)))}}}"
        case tuple():
            return f"({', '.join(map(in_any_run, key))})"
        case _:
            return repr(key)


class Guard(Plain, frozen=True):
    """A test that a path has passed, and how. `paths` are the chains that its text reads, in the function at
    `depth`."""

    test: Abstract
    holds: bool
    paths: Paths
    depth: int


@dataclass(frozen=True, slots=True)
class Trail:
    """The steps of a path, newest first. No `Plain` one: of those a chain is given free by recursion, on the stack."""

    step: Step
    before: Trail | None


class State:
    """One path's knowledge. Changed in place by the transfer; `copy` before control divides."""

    __slots__ = ("backed", "doubt", "env", "grads", "guards", "modes", "store", "taints", "trail", "weeded")

    def __init__(self) -> None:
        self.env: dict[str, Abstract] = {}
        self.store = Store()
        self.modes: dict[Identity, Origins] = {}
        self.taints: dict[Identity, frozenset[EventKey]] = {}
        self.guards: frozenset[Guard] = frozenset()
        self.grads: bool | None = None  # False: off, True: on by a manager, None: as by default
        self.backed: dict[Identity, Origins] = {}  # gone through by a backward since the last step, and its mode then
        self.doubt = False  # on a path that hardly happens
        self.trail: Trail | None = None
        self.weeded = 0  # outputs left when those that nobody holds were last forgotten

    def copy(self) -> State:
        """An independent copy."""
        other = State.__new__(State)
        other.env = self.env.copy()
        other.store = self.store.copy()
        other.modes = self.modes.copy()
        other.taints = self.taints.copy()
        other.guards = self.guards
        other.grads = self.grads
        other.backed = self.backed.copy()
        other.doubt = self.doubt
        other.trail = self.trail
        other.weeded = self.weeded
        return other

    def fingerprint(self) -> Hashable:
        """Equal for states that cannot be told apart, the trail aside."""
        return (
            frozenset(self.env.items()),
            self.store.fingerprint(),
            frozenset(self.modes.items()),
            frozenset(self.taints.items()),
            self.guards,
            self.grads,
            frozenset(self.backed.items()),
            self.doubt,
        )

    def origins(self, identity: Identity) -> Origins:
        """How a place got its mode: its own last switch, or that of the whole it is a part of."""
        while True:
            found = self.modes.get(identity)
            if found is not None:
                return found
            match identity[0]:
                case "attr" | "each":
                    identity = identity[1]
                case "item":
                    found = self.modes.get(("each", identity[1]))
                    if found is not None:
                        return found
                    identity = identity[1]
                case _:
                    return ENTRY_ONLY

    def taint_of(self, value: Abstract) -> frozenset[EventKey]:
        """The forwards that a value may stem from."""
        if not self.taints:
            return NO_TAINT
        if isinstance(value, Obj):
            identity = value.id
            found = self.taints.get(identity, NO_TAINT)
            while identity[0] in ("attr", "item", "each"):
                identity = identity[1]
                found |= self.taints.get(identity, NO_TAINT)
            return found
        found = NO_TAINT
        for part in parts(value):
            found |= self.taint_of(part)
        return found


ENTRY_ONLY: Origins = frozenset({ENTRY})
NO_TAINT: frozenset[EventKey] = frozenset()


class Weeding:
    """Forgets what nobody reads again in one run of a function, at that depth of calls. `live` are the access paths
    that are read from each block on."""

    def __init__(self, live: Sequence[Paths], depth: int) -> None:
        self._live = live
        self._depth = depth
        self._variables: dict[int, frozenset[str]] = {}
        self._kept: dict[tuple[int, frozenset[Guard]], frozenset[Guard]] = {}
        self._is_read: dict[tuple[int, str], bool] = {}

    def weed(self, state: State, block: int) -> None:
        """Forget dead variables, tests on them, and outputs that nobody holds."""
        variables = self._variables.get(block)
        if variables is None:
            variables = self._variables[block] = frozenset([path.partition(".")[0] for path in self._live[block]])
        for name in [name for name in state.env if name not in variables and name[0] != "<"]:
            del state.env[name]
        if len(state.taints) > FEW + state.weeded:
            roots = held_roots(state)
            state.taints = {identity: taint for identity, taint in state.taints.items() if root_of(identity) in roots}
            state.weeded = len(state.taints)
        if state.guards:
            state.guards = self._live_guards(block, state.guards)

    def _live_guards(self, block: int, guards: frozenset[Guard]) -> frozenset[Guard]:
        kept = self._kept.get((block, guards))
        if kept is None:
            alive = [g for g in guards if g.depth != self._depth or any(self._reads(block, path) for path in g.paths)]
            kept = self._kept[block, guards] = guards if len(alive) == len(guards) else frozenset(alive)
        return kept

    def _reads(self, block: int, path: str) -> bool:
        known = self._is_read.get((block, path))
        if known is None:
            known = self._is_read[block, path] = is_live(path, self._live[block])
        return known


def join(a: State, b: State, unite: Unite) -> State:
    """Both paths at once. Where a variable differs, `unite(name, x, y)` says what it holds then."""
    joined = a.copy()
    made: dict[Identity, Origins] = {}
    stems: dict[Identity, frozenset[EventKey]] = {}

    def united(name: Hashable, x: Abstract, y: Abstract) -> Abstract:
        return _united(str(name), x, y, a, b, unite, made, stems)

    for name, value in b.env.items():
        held_already = joined.env.get(name)
        if held_already is None:
            joined.env[name] = value
        elif held_already is not value and held_already != value:
            joined.env[name] = united(name, held_already, value)
    for name in a.env.keys() ^ b.env.keys():
        if name.startswith("<skipped"):  # as with doubt: only if both are
            del joined.env[name]
    joined.store.take_over(b.store, united)
    sure = None if a.doubt == b.doubt else b if a.doubt else a  # what hardly happens on the other is not to become sure
    if a.modes != b.modes:
        for place in a.modes.keys() | b.modes.keys():
            if place not in made:
                of_a, of_b = a.origins(place), b.origins(place)
                if sure is not None and modes_of(of_a) == modes_of(of_b):
                    joined.modes[place] = sure.origins(place)
                else:
                    joined.modes[place] = unite_origins(of_a, of_b)
    holding = [(side, held(side)) for side in (a, b) if not made.keys().isdisjoint(side.modes)]
    for place, origins in made.items():
        for side, known in holding:  # what a side that does not hold it knows of it is of an earlier round of a loop
            if place in side.modes and place in known:
                origins = unite_origins(origins, side.modes[place])
        joined.modes[place] = origins
    _join_taints(a, b, joined, stems)
    if sure is not None:
        joined.backed = sure.backed.copy()
    else:
        for identity, origins in b.backed.items():
            joined.backed[identity] = unite_origins(joined.backed.get(identity, frozenset()), origins)
    if a.guards != b.guards:
        joined.guards = a.guards & b.guards
    if a.grads != b.grads:
        joined.grads = None
    joined.doubt = a.doubt and b.doubt
    if sure is b:
        joined.trail = b.trail
    return joined


def _join_taints(a: State, b: State, joined: State, stems: Mapping[Identity, frozenset[EventKey]]) -> None:
    """What each output stems from on either path. Of an object that stands for several only a path that holds it knows:
    `loss = 0` begins the next sum under the same name."""
    if a.taints == b.taints and not stems:
        return
    for identity, taint in b.taints.items():
        joined.taints[identity] = joined.taints.get(identity, NO_TAINT) | taint
    unsure = {i for i in joined.taints if i[0] == "joined" and a.taints.get(i) != b.taints.get(i)} | stems.keys()
    if not unsure:
        return
    holding = [(side, held(side)) for side in (a, b)]
    for identity in unsure:
        taint = stems.get(identity, NO_TAINT)
        for side, known in holding:
            if identity in known:
                taint |= side.taints.get(identity, NO_TAINT)
        if taint:
            joined.taints[identity] = taint
        else:
            joined.taints.pop(identity, None)


def _united(
    name: str,
    x: Abstract,
    y: Abstract,
    a: State,
    b: State,
    unite: Unite,
    made: dict[Identity, Origins],
    stems: dict[Identity, frozenset[EventKey]],
) -> Abstract:
    """What holds both, tuples of one length and dicts of the same keys item by item; of an object that stands for
    either, its modes go into `made`, and the forwards that it may stem from into `stems`."""

    def item(at: object, one: Abstract, other: Abstract) -> Abstract:
        return one if one == other else _united(f"{name}[{at}]", one, other, a, b, unite, made, stems)

    match x, y:
        case Seq(kind="tuple"), Seq(kind="tuple") if len(x.items) == len(y.items):
            return Seq("tuple", tuple(item(i, *both) for i, both in enumerate(zip(x.items, y.items, strict=True))))
        case Map(), Map() if [key for key, _ in x.items] == [key for key, _ in y.items]:
            pairs = zip(x.items, y.items, strict=True)
            return Map(tuple((key, item(i, one, other)) for i, ((key, one), (_, other)) in enumerate(pairs)))
    value = unite(name, x, y)
    if isinstance(value, Obj):
        taint = a.taint_of(x) | b.taint_of(y)
        if taint:
            stems[value.id] = stems.get(value.id, NO_TAINT) | taint
        if isinstance(x, Obj) and isinstance(y, Obj) and (x.id in a.modes or y.id in b.modes):
            known = made.get(value.id, frozenset())
            made[value.id] = unite_origins(known, unite_origins(a.origins(x.id), b.origins(y.id)))
    return value


def unite_origins(a: Origins, b: Origins) -> Origins:
    """The union, cut to the first few of each mode so that chains stay short."""
    if a is b:
        return a
    both = a | b
    if len(both) > 1:
        spent = {changed(origin, inferred=False) for origin in both if origin.inferred}
        both = both - spent
    if len(both) <= MOST_ORIGINS:
        return both
    kept: list[Origin] = []
    for mode in Mode:
        kept += sorted((origin for origin in both if origin.mode is mode), key=_order)[:MOST_ORIGINS]
    return frozenset(kept)


def has_same_modes(a: State, b: State) -> bool:
    """Whether every module is in the same modes in both states."""
    if a.grads != b.grads:
        return False
    if a.modes is b.modes or a.modes == b.modes:
        return True
    return a.modes.keys() == b.modes.keys() and all(
        origins is b.modes[place] or modes_of(origins) == modes_of(b.modes[place]) for place, origins in a.modes.items()
    )


@lru_cache(maxsize=100_000)
def modes_of(origins: Origins) -> frozenset[Mode]:
    """The modes in which a place of these origins may be. Remembered: sets know their hash, and few of them come up
    again and again."""
    return frozenset([origin.mode for origin in origins])


def take_in(known: list[State], new: State, alike: Callable[[State, State], bool], unite: Unite) -> State | None:
    """Add a state to a block's alternatives, joining it with the one from which nothing keeps it apart; what must be
    worked through, or None. `alike` says that nothing keeps two states apart. Beyond `MOST` the nearest is joined: at
    the same point of loops and generators, as doubtful (else the modes of a doubtful path would become sure), if
    possible in the same modes."""
    if not known:
        known.append(new)
        return new
    for index, old in enumerate(known):
        if alike(old, new):
            joined = _replace(known, index, join(old, new, unite))
            return None if joined is None else _drawn_together(known, index, joined, alike, unite)
    if len(known) < MOST:
        known.append(new)
        return new
    control = _control(new)
    near = [index for index, old in enumerate(known) if old.doubt == new.doubt and _control(old) == control]
    if not near and len(known) < MOST * MOST:
        known.append(new)
        return new
    index = max(near or [0], key=lambda at: has_same_modes(known[at], new))
    return _replace(known, index, join(known[index], new, unite))


def _drawn_together(
    known: list[State], index: int, joined: State, alike: Callable[[State, State], bool], unite: Unite
) -> State | None:
    """Join a state that has become more general with the others that it is alike to now; as in `take_in`."""
    for other, old in enumerate(known):
        if other != index and alike(old, joined):
            del known[index]
            other -= index < other
            further = _replace(known, other, join(old, joined, unite))
            return None if further is None else _drawn_together(known, other, further, alike, unite)
    return joined


def joined_where_alike(states: list[State], alike: Callable[[State, State], bool], unite: Unite) -> list[State]:
    """The alternatives, those joined that nothing keeps apart, and so many more that few are left (see `take_in`)."""
    known: list[State] = []
    for state in states:
        take_in(known, state, alike, unite)
    return known


def _control(state: State) -> Hashable:
    """At which element of known loops and at which yield of generators a path is."""
    return frozenset(
        [(name, value) for name, value in state.env.items() if name.startswith("<iter") or isinstance(value, Generator)]
    )


def _replace(known: list[State], index: int, joined: State) -> State | None:
    if _says_the_same(joined, known[index]):
        return None
    known[index] = joined
    return joined


def _says_the_same(a: State, b: State) -> bool:
    return (
        a.doubt == b.doubt
        and a.grads == b.grads
        and a.guards == b.guards
        and a.modes == b.modes
        and a.env == b.env
        and a.store == b.store
        and a.backed == b.backed
        and _have_same_taints(a, b)
    )


def _have_same_taints(a: State, b: State) -> bool:
    """Whether all that is held in two states that hold the same stems from the same forwards: of what is not, nobody
    can ask."""
    if a.taints == b.taints:
        return True
    differing = [i for i in a.taints.keys() | b.taints.keys() if a.taints.get(i) != b.taints.get(i)]
    return held_roots(a).isdisjoint(map(root_of, differing))


def _order(origin: Origin) -> tuple[Any, ...]:
    return (origin.site or (), origin.chain, origin.kind.value, origin.inferred)


def mentions(value: Abstract, identity: Identity) -> bool:
    """Whether a test reads an object or a part of it."""
    return any(is_within(found, identity) for found in identities(value))


def is_mode_test(value: Abstract) -> bool:
    """Whether a test asks for a module's own mode."""
    return isinstance(value, ModeFlag) or (isinstance(value, Expr) and any(map(is_mode_test, value.operands)))


def held(state: State) -> set[Identity]:
    """The objects that variables and attributes hold."""
    found = state.store.held()
    for value in state.env.values():
        found.update(identities(value))
    return found


def held_roots(state: State) -> set[Identity]:
    """The objects that variables and attributes hold, themselves or in part."""
    return {root_of(identity) for identity in held(state)}
