"""One of several, nobody knows which: an unknown entry of a table of classes, functions or networks, `a or b`.

    NETS = {"plain": Plain, "noisy": Noisy}
    net = NETS[name](10)      a path for each entry that can be called so; on it, `name` is the entry's key
    nets[name].eval()         one object that may be any of them: what is done to it is done to all
    (average or net)(x)       the same

The paths of a larger table are one path afterwards, on which the result may be any of theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from evalguard.flow.liveness import paths_in
from evalguard.modes.arguments import Given
from evalguard.modes.frame import Frame, Outcome
from evalguard.modes.guards import assume, compare, negate
from evalguard.modes.objects import is_proved
from evalguard.modes.state import State, unite_origins
from evalguard.modes.values import Abstract, Cls, Expr, Ext, Fn, Identity, Map, Obj, Origins, Partial, Seq

FEW = 4  # entries for which paths stay apart
MOST = 6  # entries that are looked at

Choice: TypeAlias = tuple[Abstract, State]


def choices(value: Abstract, given: Given, state: State, frame: Frame) -> list[Choice]:
    """What an unknown entry of a table, or one of two, may be, each with its path. Empty for mere data."""
    entries: list[tuple[Abstract, Abstract | None]]
    match value:
        case Expr(operator="[]", operands=(Map(items=pairs), key)):
            entries = [(held, compare("==", key, known)) for known, held in pairs]
        case Expr(operator="[]", operands=(Seq(items=items), _)):
            entries = [(held, None) for held in items]
        case Expr(operator="or", operands=(left, right)):
            entries = [(left, left), (right, negate(left))]
        case _:
            return []
    networks = {held.id for held, _ in entries if isinstance(held, Obj) and _is_network(held, state, frame)}
    if networks:
        return [(_any_of(networks, state, frame), state)]
    found: list[Choice] = []
    paths = frozenset(paths_in(given.op.callee))
    for entry, test in entries:
        if not isinstance(entry, (Fn, Cls, Partial, Ext)) or not frame.linker.accepts(entry, given.shape()):
            continue
        path = state.copy()
        if test is None or assume(test, True, path, paths, frame.depth):
            found.append((entry, path))
    return found[:MOST]


def each_of(
    chosen: list[Choice], given: Given, frame: Frame, work: Callable[[Abstract, Given, State], list[Outcome]]
) -> list[Outcome]:
    """The outcomes of the same work with each of several; what each makes is another object."""
    numbered = enumerate(chosen)
    works = [partial(work, entry, replace(given, tag=f"choice {number}"), path) for number, (entry, path) in numbered]
    outcomes = frame.linker.alternatively(works)
    return outcomes if len(chosen) <= FEW else frame.linker.joined(outcomes, frame)


def _is_network(value: Obj, state: State, frame: Frame) -> bool:
    return value.id in state.modes or is_proved(value.id, frame)


def _any_of(networks: set[Identity], state: State, frame: Frame) -> Obj:
    ordered = sorted(networks, key=repr)
    if len(ordered) == 1:
        return Obj(ordered[0])
    joined = frame.linker.one_of([Obj(identity) for identity in ordered], ("joined", *ordered))
    if joined.id not in state.modes:
        origins: Origins = frozenset()
        for identity in ordered:
            origins = unite_origins(origins, state.origins(identity))
        state.modes[joined.id] = origins
    return joined
