"""Properties: reading the attribute runs the function.

    self.net(x)        `net` is a property: it is run first, and what it returns is called
    @property
    def net(self):
        return self._net

An operand is evaluated without effects (see `evaluate`), so what an op will read is run before it and kept aside in the
store under an owner that no program has, until the op is done.
"""

from __future__ import annotations

from collections.abc import Iterable

from evalguard.ir import values as ir
from evalguard.ir.ops import Op
from evalguard.ir.plain import changed
from evalguard.modes.evaluate import PROPERTIES_OF, evaluate
from evalguard.modes.frame import Frame, Outcome
from evalguard.modes.state import State
from evalguard.modes.values import Abstract, Obj


def with_properties(
    reads: tuple[ir.Attribute, ...], op: Op, state: State, frame: Frame
) -> tuple[list[State], list[State]]:
    """The paths on which the properties that an op may read are known, and those on which one of them raised."""
    paths, raised = [state], list[State]()
    for read in reads:
        outcomes = [outcome for path in paths for outcome in _run_getter(read, op, path, frame)]
        raised += [outcome.state for outcome in outcomes if outcome.raised]
        paths = [outcome.state for outcome in outcomes if not outcome.raised]
    return paths, raised


def forget_properties(states: Iterable[State]) -> None:
    """The op is done: the next one asks again."""
    for state in states:
        for owner in state.store.of_kind(PROPERTIES_OF):
            state.store.discard_within(owner)


def _run_getter(read: ir.Attribute, op: Op, state: State, frame: Frame) -> list[Outcome]:
    base = evaluate(read.value, state, frame)
    cls = frame.info(base.id).cls if isinstance(base, Obj) else None
    if not isinstance(base, Obj) or cls is None or (base.id, read.name) in state.store:
        return [Outcome(state, base)]
    getter = frame.linker.method(cls, read.name)
    if getter is None or not frame.linker.is_property(getter):
        return [Outcome(state, base)]
    outcomes = frame.linker.call(changed(getter, bound=base), [], [], state.copy(), frame, op)
    for outcome in outcomes:
        if not outcome.raised and _says_something(outcome.value, outcome.state, frame):
            outcome.state.store[((PROPERTIES_OF, base.id), read.name)] = outcome.value
    return outcomes


def _says_something(value: Abstract, state: State, frame: Frame) -> bool:
    """Whether a result is more than a new thing that nobody knows: that is better told by the attribute's own name."""
    if not isinstance(value, Obj) or value.id[0] != "new" or value.id in state.modes:
        return True
    info = frame.info(value.id)
    return bool(info.module or info.cls is not None or info.evidence)
