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

FLAG_TAKERS = frozenset({"train", "set_grad_enabled", "requires_grad_", "inference_mode"})


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
