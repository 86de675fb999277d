"""Which tests and values are worth keeping paths apart for.

A test matters if what it decides touches modes: a `train()`, an `eval()`, a backward, a step, a `with no_grad()`, a
call of a function that does. `if verbose: print(loss)` does not, so the paths through it become one again at once. This
is what keeps the number of alternatives small in functions with many tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from evalguard.flow.liveness import paths_in
from evalguard.flow.regions import Regions, as_bits
from evalguard.ir.facts import FunctionFacts
from evalguard.ir.graph import EdgeKind
from evalguard.ir.ops import Assign, Call, Enter, Op, Raise, Return
from evalguard.ir.plain import Plain
from evalguard.ir.values import Attribute, Name, Temp, Value
from evalguard.modes.frame import Info
from evalguard.modes.state import Guard, State, has_same_modes
from evalguard.modes.values import (
    Abstract,
    Cls,
    Expr,
    Identity,
    Iteration,
    Known,
    Map,
    Obj,
    Seq,
)

BOUND_METHODS = frozenset("train eval forward step backward zero_grad generate parameters".split())
"""Methods of a module that are followed when a variable holds them."""

FLAG_TAKERS = frozenset({"train", "set_grad_enabled", "requires_grad_", "inference_mode"})

DEEPEST_DATA = 2  # objects of objects are looked into for a module; beyond it they are taken to hold one


class Significance(Plain, frozen=True):
    """The access paths of a function whose values decide what happens to modes, and their last names; those of them
    that decide which mode a module is in while the function goes on; and the last names of those whose values decide
    whether a module runs."""

    paths: frozenset[str]
    names: frozenset[str]
    switching: frozenset[str]
    running: frozenset[str]


def significance(
    facts: FunctionFacts,
    touches_modes: Callable[[Op], bool],
    switches: Callable[[Op], bool],
    module_run_by: Callable[[Op], str | None],
) -> Significance:
    """The significant paths of a function. `touches_modes` and `switches` say whether an op does, and `module_run_by`
    which module an op may run."""
    made_by: dict[int, Op] = {
        op.result.number: op for block in facts.blocks for op in block.ops if isinstance(op, (Call, Enter))
    }
    assigned: dict[str, list[Value]] = {}
    for block in facts.blocks:
        for op in block.ops:
            if isinstance(op, Assign) and isinstance(op.target, (Name, Temp)):
                key = op.target.id if isinstance(op.target, Name) else f"%{op.target.number}"
                assigned.setdefault(key, []).append(op.value)
    blocks = list(enumerate(facts.blocks))
    touching = as_bits(number for number, block in blocks if any(touches_modes(op) for op in block.ops))
    leaving = as_bits(number for number, block in blocks if any(isinstance(op, (Return, Raise)) for op in block.ops))
    switching = as_bits(number for number, block in blocks if any(map(switches, block.ops)))
    runs = {
        number: modules for number, block in blocks if (modules := Counter(filter(None, map(module_run_by, block.ops))))
    }
    regions = Regions(facts.blocks)
    found: set[str] = set()
    choosing_mode: set[str] = set()
    choosing_module: set[str] = set()
    for number, block in blocks:
        tests = [edge.test for edge in block.edges if edge.test is not None]
        if not tests:
            continue
        decided = regions.decided(number)
        read = [path for test in tests for path in paths_in(test)]
        ways = [edge.target for edge in block.edges if edge.test is not None]
        if decided & switching and all(regions.reachable(way) >> facts.exit & 1 for way in ways):
            choosing_mode.update(read)
        if _runs_on_one_side(decided, runs):
            choosing_module.update(read)
        leaves = decided & leaving and touching & ~decided
        if decided & touching or leaves or any(edge.back for edge in block.edges if edge.kind is EdgeKind.TRUE):
            for test in tests:
                found |= _behind(test, made_by, assigned, set())
    for block in facts.blocks:
        for op in block.ops:
            found |= _flags(op, made_by, assigned)
    return Significance(frozenset(found), _last_names(found), frozenset(choosing_mode), _last_names(choosing_module))


def _runs_on_one_side(decided: int, runs: Mapping[int, Counter[str]]) -> bool:
    """Whether a test decides that a module runs, and not merely how: then its call stands on both sides."""
    return 1 in sum((modules for number, modules in runs.items() if decided >> number & 1), Counter[str]()).values()


def _last_names(paths: set[str]) -> frozenset[str]:
    return frozenset(path.rpartition(".")[2] for path in paths)


def _flags(op: Op, made_by: dict[int, Op], assigned: dict[str, list[Value]]) -> set[str]:
    """`train(flag)` and kin: the flag decides a mode."""
    if not isinstance(op, Call) or not isinstance(op.callee, (Attribute, Name)):
        return set()
    name = op.callee.name if isinstance(op.callee, Attribute) else op.callee.id
    if name not in FLAG_TAKERS:
        return set()
    return {path for argument in op.arguments for path in _behind(argument.value, made_by, assigned, set())}


def _behind(value: Value, made_by: dict[int, Op], assigned: dict[str, list[Value]], seen: set[str]) -> set[str]:
    """The paths that a value reads, through temps and through variables that only name a test."""
    found: set[str] = set()
    for path in paths_in(value):
        if path in seen:
            continue
        seen.add(path)
        found.add(path)
        head = path.partition(".")[0]
        op = made_by.get(int(head[1:])) if head.startswith("%") else None
        if isinstance(op, Call):
            for argument in op.arguments:
                found |= _behind(argument.value, made_by, assigned, seen)
            found |= _behind(op.callee, made_by, assigned, seen)
        for source in assigned.get(path, ()):
            found |= _behind(source, made_by, assigned, seen)
    return found


class _Objects(Plain, frozen=True):
    """What is known of the objects; `is_idle` says whether those of a class are mere data if they hold no module."""

    infos: dict[Identity, Info]
    is_idle: Callable[[Cls], bool]


class Comparison:
    """Compares states of one run of a function, at that depth of calls."""

    def __init__(
        self, chosen: Significance, infos: dict[Identity, Info], is_idle: Callable[[Cls], bool], depth: int
    ) -> None:
        self._chosen = chosen
        self._objects = _Objects(infos, is_idle)
        self._depth = depth
        self._kept: dict[frozenset[Guard], frozenset[tuple[Abstract, bool]]] = {}

    def alike(self, a: State, b: State) -> bool:
        """Whether nothing keeps two states apart: neither modes nor gradients, nor the significant tests and values."""
        return (
            has_same_modes(a, b)
            and self._same_guards(a, b)
            and _same_variables(a, b, self._chosen, self._objects)
            and _same_store(a, b, self._chosen, self._objects)
        )

    def _same_guards(self, a: State, b: State) -> bool:
        return a.guards is b.guards or self._kept_guards(a.guards) == self._kept_guards(b.guards)

    def _kept_guards(self, guards: frozenset[Guard]) -> frozenset[tuple[Abstract, bool]]:
        """The tests that keep paths apart, and how they came out; few sets of them come up again and again."""
        kept = self._kept.get(guards)
        if kept is None:
            chosen, depth = self._chosen.paths, self._depth
            kept = self._kept[guards] = frozenset(
                [(guard.test, guard.holds) for guard in guards if guard.depth != depth or guard.paths & chosen]
            )
        return kept


def roughly_alike(a: State, b: State) -> bool:
    """The same for code that only builds modules: the modes, and where loops and generators stand."""
    return has_same_modes(a, b) and all(
        a.env.get(name) == b.env.get(name) for name in a.env.keys() | b.env.keys() if name[0] == "<"
    )


def _same_variables(a: State, b: State, chosen: Significance, objects: _Objects) -> bool:
    for name in a.env.keys() | b.env.keys():
        x, y = a.env.get(name), b.env.get(name)
        if x is y or x == y:
            continue
        is_chosen = name[0] == "<" or name in chosen.paths
        if _keeps_apart(x, is_chosen, a, objects) or _keeps_apart(y, is_chosen, b, objects):
            return False
    return True


def _same_store(a: State, b: State, chosen: Significance, objects: _Objects) -> bool:
    for one, other in a.store.different_shelves(b.store):
        for name in one.keys() | other.keys():
            x, y = one.get(name), other.get(name)
            if x is y or x == y:
                continue
            is_chosen = name in chosen.names
            if _keeps_apart(x, is_chosen, a, objects) or _keeps_apart(y, is_chosen, b, objects):
                return False
    return True


def _keeps_apart(value: Abstract | None, is_chosen: bool, state: State, objects: _Objects) -> bool:
    return value is not None and _matters(value, is_chosen, state, objects)


def _matters(value: Abstract, is_chosen: bool, state: State, objects: _Objects, depth: int = DEEPEST_DATA) -> bool:
    """Whether a value keeps states apart: it decides a test, or is no mere data."""
    match value:
        case Known():
            return is_chosen
        case Obj(id=identity):
            if identity in state.modes or (identity[0] == "attr" and identity[2] in BOUND_METHODS):
                return True
            info = objects.infos.get(identity)
            if info is None or info.never_minds:
                return False
            if info.module or info.evidence:
                return True
            if info.cls is None:
                return False
            held = state.store.shelf(identity).values()
            return (
                depth == 0
                or not objects.is_idle(info.cls)
                or any(_matters(item, False, state, objects, depth - 1) for item in held)
            )
        case Seq(items=items) | Iteration(of=items) | Expr(operands=items):
            return is_chosen or any(_matters(item, False, state, objects, depth) for item in items)
        case Map(items=pairs):
            return any(_matters(item, False, state, objects, depth) for _, item in pairs)
        case _:
            return True
