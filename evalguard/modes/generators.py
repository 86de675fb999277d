"""Generators of the project, run from yield to yield.

    batches = read()     a generator that has not begun
    next(batches)        run to its first yield: suspended there, with its variables
    list(batches)        run to its end

Whoever holds a generator holds it at the same point, so an advance moves it on in every variable.
"""

from __future__ import annotations

from collections.abc import Hashable

from evalguard.ir.ops import Op
from evalguard.ir.plain import changed
from evalguard.modes.arguments import Given
from evalguard.modes.frame import Frame, Outcome
from evalguard.modes.state import State
from evalguard.modes.values import LONGEST, NONE, OVER, Abstract, Generator, Iteration, Seq

MOST_YIELDS = 40  # of a generator that is run to its end


def advance(generator: Generator, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """`next(generator)`: run it to its next yield. At its end it raises, or gives the default."""
    yielded, ended = resume(generator, state, frame, given.op)
    default = given.positional[1] if len(given.positional) > 1 else None
    results = [Outcome(o.state, default or NONE, o.raised or default is None) for o in ended]
    return results + [Outcome(after, value) for after, _, value in yielded]


def resume(
    generator: Generator, state: State, frame: Frame, op: Op
) -> tuple[list[tuple[State, Generator, Abstract]], list[Outcome]]:
    """Run a generator to its next yield or its end; whoever holds it holds it there."""
    yielded, ended = frame.linker.resume(generator, state, frame, op)
    for after, suspended, _ in yielded:
        _move_on(suspended, after)
    for outcome in ended:
        _move_on(changed(generator, at=OVER, variables=()), outcome.state)
    return yielded, ended


def exhaust(generator: Generator, state: State, frame: Frame, op: Op, stops: bool = False) -> list[Outcome]:
    """`list(generator)`: run it to its end; the value is the list of what it has handed out. `stops` if it may be left
    at any value, as by `any`."""
    ended: list[Outcome] = []
    handed: dict[Abstract, None] = {}
    seen: set[Hashable] = set()
    waiting = [(state, generator)]
    while waiting:
        before, current = waiting.pop()
        yielded, over = resume(current, before, frame, op)
        ended += over
        for after, suspended, value in yielded:
            handed[value] = None
            key = (after.fingerprint(), suspended)
            if key in seen:
                continue
            seen.add(key)
            if stops or len(seen) >= MOST_YIELDS:
                ended.append(Outcome(after.copy(), NONE))
            if len(seen) < MOST_YIELDS:
                waiting.append((after, suspended))
    return [Outcome(o.state, o.value if o.raised else Seq("grown", tuple(handed)[:LONGEST]), o.raised) for o in ended]


def _move_on(generator: Generator, state: State) -> None:
    for name, held in list(state.env.items()):
        if isinstance(held, (Generator, Iteration)):
            state.env[name] = _moved_on(held, generator)
    for key, held in list(state.store.items()):
        if isinstance(held, (Generator, Iteration)):
            state.store[key] = _moved_on(held, generator)


def _moved_on(value: Abstract, generator: Generator) -> Abstract:
    match value:
        case Generator(id=identity) if identity == generator.id:
            return generator
        case Iteration(kind=kind, of=inner):
            return Iteration(kind, tuple(_moved_on(held, generator) for held in inner))
        case _:
            return value
