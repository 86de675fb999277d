"""Loops: what one more element is, and whether none is left.

    for net in (a, b):                     unrolled: `a`, then `b`, then the end
    for name, net in nets.items():         the same, as long as the items are known and few
    for x in batches():                    a generator of the project: run to its next yield
    for x in loader:                       unknown elements: any number of them, hardly none

How far a loop has come is kept in hidden variables: `<iter 0>` counts its elements, `<drawn 0>` says whether its
generator had another one, `<skipped 0>` that a test for "every nth round" failed.
"""

from __future__ import annotations

from evalguard.ir.ops import Iterate
from evalguard.modes.evaluate import evaluate
from evalguard.modes.frame import Frame, fresh, new_identity, renew
from evalguard.modes.generators import resume
from evalguard.modes.objects import is_list_of_modules, items_of
from evalguard.modes.state import State
from evalguard.modes.values import (
    Abstract,
    Cls,
    Expr,
    Ext,
    Fn,
    Generator,
    Identity,
    Iteration,
    Known,
    Map,
    Mod,
    Obj,
    Optim,
    Params,
    Seq,
    part_of,
)

LONGEST_UNROLLED = 8  # literal loops are unrolled up to this many elements


def draw(op: Iterate, state: State, frame: Frame) -> tuple[list[State], list[State]]:
    """Advance the generator that a loop goes over, if it is one: `<drawn ...>` says whether it had another value."""
    iterable = evaluate(op.iterable, state, frame)
    generator = _generator_in(iterable)
    if generator is None:
        return [state], []
    yielded, ended = resume(generator, state, frame, op)
    for after, _, value in yielded:
        after.env[f"<drawn {op.loop}>"] = Known(True)
        after.env[f"%{op.result.number}"] = _handed_out(iterable, generator, value, op, after, frame)
    for outcome in ended:
        if not outcome.raised:
            outcome.state.env[f"<drawn {op.loop}>"] = Known(False)
    normal = [after for after, _, _ in yielded] + [outcome.state for outcome in ended if not outcome.raised]
    return normal, [outcome.state for outcome in ended if outcome.raised]


def next_element(op: Iterate, state: State, frame: Frame) -> list[State]:
    """One more element."""
    counter = f"<iter {op.loop}>"
    drawn = state.env.pop(f"<drawn {op.loop}>", None)
    if drawn is not None:
        state.env[counter] = Known(True)
        return [state] if drawn == Known(True) else []
    iterable = evaluate(op.iterable, state, frame)
    exact = elements(iterable, state, frame)
    if exact is not None:
        number = _position(state.env.get(counter))
        rounds: list[State] = []
        for position in range(len(exact)) if number is None else range(number, min(number + 1, len(exact))):
            path = state.copy()
            path.env[counter] = Known(position + 1)
            path.env[f"%{op.result.number}"] = exact[position]
            rounds.append(path)
        return rounds
    state.env[counter] = Known(True)
    state.env.pop(f"<skipped {op.loop}>", None)
    paths: list[State] = []
    some = _some_elements(iterable, op, state, frame)
    for number, element in enumerate(some):
        path = state if number == len(some) - 1 else state.copy()
        path.env[f"%{op.result.number}"] = element
        paths.append(path)
    return paths


def exhausted(op: Iterate, state: State, frame: Frame) -> list[State]:
    """No element is left."""
    counter = f"<iter {op.loop}>"
    drawn = state.env.pop(f"<drawn {op.loop}>", None)
    if drawn is not None:
        return [state] if drawn == Known(False) else []
    iterable = evaluate(op.iterable, state, frame)
    exact = elements(iterable, state, frame)
    index = state.env.get(counter)
    if exact is not None:
        number = _position(index)
        return [state] if number is None or number >= len(exact) else []
    if index is None or state.env.pop(f"<skipped {op.loop}>", None) is not None:
        frame.skip_loop(state)
    return [state]


def elements(value: Abstract, state: State, frame: Frame) -> tuple[Abstract, ...] | None:
    """The elements that a loop over a value gives, if they are known and few."""
    match value:
        case Seq(kind=kind, items=items) if kind != "grown":
            return items if len(items) <= LONGEST_UNROLLED else None
        case Obj(id=identity) if is_list_of_modules(frame.info(identity), frame):
            return items_of(identity, state)
        case Map(items=pairs):
            return tuple(key for key, _ in pairs) if len(pairs) <= LONGEST_UNROLLED else None
        case Iteration(kind="values", of=(Map(items=pairs),)):
            return tuple(held for _, held in pairs) if len(pairs) <= LONGEST_UNROLLED else None
        case Iteration(kind="items", of=(Map(items=pairs),)):
            return tuple(Seq("tuple", pair) for pair in pairs) if len(pairs) <= LONGEST_UNROLLED else None
        case Iteration(kind="keys", of=(inner,)):
            return elements(inner, state, frame)
        case Iteration(kind="enumerate", of=(inner,)):
            found = elements(inner, state, frame)
            return None if found is None else tuple(Seq("tuple", (Known(i), e)) for i, e in enumerate(found))
        case Iteration(kind="zip", of=inner):
            columns = [elements(column, state, frame) for column in inner]
            if not any(columns):
                return None
            known = [column for column in columns if column is not None]
            length = min(len(column) for column in known)
            return tuple(
                Seq(
                    "tuple",
                    tuple(c[i] if c is not None else _each(v) for c, v in zip(columns, inner, strict=False)),
                )
                for i in range(length)
            )
        case _:
            return None


def _position(counter: Abstract | None) -> int | None:
    """How many elements of known ones a loop has had; None where paths at several elements were joined."""
    match counter:
        case None:
            return 0
        case Known(value=bool()):
            return None
        case Known(value=int() as number):
            return number
        case _:
            return None


def _generator_in(iterable: Abstract) -> Generator | None:
    """The generator that a loop advances, also inside `enumerate` or `zip`."""
    match iterable:
        case Generator():
            return iterable
        case Iteration(kind="enumerate" | "zip", of=inner):
            return next((found for held in inner if (found := _generator_in(held)) is not None), None)
        case _:
            return None


def _handed_out(
    iterable: Abstract, generator: Generator, value: Abstract, op: Iterate, state: State, frame: Frame
) -> Abstract:
    """The element of the loop when the generator in its iterable has handed out a value."""
    match iterable:
        case Generator():
            return value if iterable == generator else Expr("element", (iterable,))
        case Iteration(kind="enumerate", of=(inner,)):
            number = renew(state, _index(op, frame))
            return Seq("tuple", (number, _handed_out(inner, generator, value, op, state, frame)))
        case Iteration(kind="zip", of=inner):
            return Seq("tuple", tuple(_handed_out(held, generator, value, op, state, frame) for held in inner))
        case _:
            return _each(iterable)


def _index(op: Iterate, frame: Frame) -> Identity:
    """The number that `enumerate` gives: another one in each round, of which no test has been made yet."""
    return ("local", frame.path, frame.function.qualname, f"index {op.loop}")


def _some_elements(value: Abstract, op: Iterate, state: State, frame: Frame) -> tuple[Abstract, ...]:
    """What an element may be, where the elements are not known one by one."""
    match value:
        case Seq(items=items) if len(items) > 1 and all(isinstance(item, Obj) for item in items):
            return (frame.linker.one_of(items, new_identity(frame, op.span, "element")),)  # the loop covers all of them
        case Seq(items=items) | Iteration(kind="of", of=items) if items:
            return items[:6]
        case Params():
            return (value,)
        case Iteration(kind="enumerate", of=(inner,)):
            number = renew(state, _index(op, frame))
            return tuple(Seq("tuple", (number, element)) for element in _some_elements(inner, op, state, frame))
        case Iteration(kind="zip", of=inner):
            return (Seq("tuple", tuple(_each(column) for column in inner)),)
        case Iteration(kind="values" | "items" | "keys", of=(Map(items=pairs),)):
            return tuple(held for _, held in pairs)[:6]
        case Obj(id=identity):
            held = tuple(entry for name, entry in state.store.shelf(identity).items() if isinstance(name, tuple))
            if held:
                return held[:6]
            element = Obj(identity if identity[0] == "each" and identity[1][0] == "each" else part_of(identity, "each"))
            _renew_element(element, state)
            return (element,)
        case Iteration(of=(inner, *_)):
            return (_each(inner),)
        case Expr() | Known() | Fn() | Ext() | Mod() | Optim() | Cls():
            element = fresh(frame, state, op.span, "element")
            taint = state.taint_of(value)
            if taint:
                state.taints[element.id] = taint
            return (element,)
        case _:
            return (fresh(frame, state, op.span, "element"),)


def _renew_element(element: Obj, state: State) -> None:
    """Another element under the same name: tests and outputs are those of the last one, modes hold for all of them."""
    kept, held = state.modes.copy(), state.store.copy()
    renew(state, element.id)
    state.modes, state.store = kept, held


def _each(value: Abstract) -> Abstract:
    match value:
        case Obj(id=identity):
            return Obj(part_of(identity, "each"))
        case Params():
            return value
        case Seq(items=(only,)):
            return only
        case _:
            return Expr("element", (value,))
