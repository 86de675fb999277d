"""One of several, nobody knows which: an unknown entry of a table of classes, functions or networks.

    NETS = {"plain": Plain, "noisy": Noisy}
    net = NETS[name](10)      a path for each entry; on it, `name` is the entry's key
    nets[name].eval()         the same

So what is done to `nets[name]` and what a test of `name` decides stay together. The paths of a larger table are one
path afterwards, on which the result may be any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from evalguard.flow.liveness import paths_in
from evalguard.modes.arguments import Given
from evalguard.modes.frame import Frame, Outcome
from evalguard.modes.guards import assume, compare
from evalguard.modes.objects import is_proved
from evalguard.modes.state import State
from evalguard.modes.values import Abstract, Cls, Expr, Ext, Fn, Map, Obj, Partial, Seq

FEW = 4  # entries for which paths stay apart
MOST = 8  # entries that are looked at

Choice: TypeAlias = tuple[Abstract, State]


def choices(value: Abstract, given: Given, state: State, frame: Frame) -> list[Choice]:
    """What an unknown entry of a table may be, each with its path. Empty for tables of mere data."""
    entries: list[tuple[Abstract, Abstract | None]]
    match value:
        case Expr(operator="[]", operands=(Map(items=pairs), key)):
            entries = [(held, compare("==", key, known)) for known, held in pairs]
        case Expr(operator="[]", operands=(Seq(items=items), _)):
            entries = [(held, None) for held in items]
        case _:
            return []
    if not any(_acts(entry, state, frame) for entry, _ in entries):
        return []
    found: list[Choice] = []
    paths = frozenset(paths_in(given.op.callee))
    for entry, test in entries:
        path = state.copy()
        if test is None or assume(test, True, path, paths, frame.depth):
            found.append((entry, path))
    return found[:MOST]


def each_of(
    chosen: list[Choice], given: Given, frame: Frame, work: Callable[[Abstract, Given, State], list[Outcome]]
) -> list[Outcome]:
    """The outcomes of the same work with each of several; what each makes is another object."""
    outcomes: list[Outcome] = []
    for number, (entry, path) in enumerate(chosen):
        own = Given(given.op, given.positional, given.keywords, given.complete, f"choice {number}")
        outcomes += work(entry, own, path)
    return outcomes if len(chosen) <= FEW else frame.linker.joined(outcomes, frame)


def _acts(entry: Abstract, state: State, frame: Frame) -> bool:
    match entry:
        case Fn() | Cls() | Partial() | Ext():
            return True
        case Obj(id=identity):
            return identity in state.modes or is_proved(identity, frame)
        case _:
            return False
