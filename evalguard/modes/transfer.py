"""What each op does to a path, and which edges a path may take.

    block  --ops-->  states at its end  --edge, if its test may hold-->  the next blocks

An op may divide a path (a call with several ways out, `train(flag)` with an unknown flag), end it (a call that raises), or
suspend it (a `yield`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from evalguard.flow.liveness import paths_in
from evalguard.ir import values as ir
from evalguard.ir.graph import Block, Edge, EdgeKind, Loop
from evalguard.ir.ops import (
    Assign,
    Call,
    Define,
    Delete,
    Enter,
    Evaluate,
    Exit,
    Import,
    Iterate,
    Op,
    Raise,
    Return,
    Yield,
)
from evalguard.modes.calls import Given, advance, call, call_value, resume, store
from evalguard.modes.evaluate import attribute, binary, evaluate, write_name
from evalguard.modes.frame import Frame, Outcome, fresh, new_identity, note, renew, source_of
from evalguard.modes.guards import assume, truth
from evalguard.modes.state import NO_TAINT, State, is_mode_test
from evalguard.modes.values import (
    NONE,
    Abstract,
    Cls,
    Expr,
    Ext,
    Fn,
    Generator,
    Grad,
    Identity,
    Iteration,
    Known,
    Map,
    Obj,
    Optim,
    Params,
    Seq,
    identities,
)

ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "**", "@", "|", "&", "^", "<<", ">>", "opaque", "deep", "[]"})
LONGEST_UNROLLED = 8  # literal loops are unrolled up to this many elements


@dataclass(slots=True)
class Ends:
    """How the paths through a block go on: along its edges, or suspended at its yield."""

    onward: list[tuple[int, State]] = field(default_factory=list)
    yielded: list[tuple[State, Abstract]] = field(default_factory=list)


def run_block(number: int, block: Block, state: State, frame: Frame) -> Ends:
    """All paths through one block from one state."""
    frame.block = number
    ends = Ends()
    states, raised, before_last, uncaught = [state], list[State](), list[State](), list[State]()
    catches = any(edge.kind is EdgeKind.RAISE for edge in block.edges)  # what the last op raises
    for position, op in enumerate(block.ops):
        if position == len(block.ops) - 1 and catches:
            before_last, uncaught, raised = [path.copy() for path in states], raised, []
        following: list[State] = []
        for path in states:
            normal, exceptional = transfer(op, path, frame)
            following += normal
            raised += exceptional
        states = following
    last = block.ops[-1] if block.ops else None
    if isinstance(last, Yield) and frame.kind == "generator":
        ends.yielded = [(path, evaluate(last.value, path, frame)) for path in states]
        states = []
    for edge in block.edges:
        for after in _along(edge, block, last, states, raised, before_last, frame):
            _turn(edge, block, after, frame)
            ends.onward.append((edge.target, after))
    for path in uncaught if catches else raised:
        ends.onward += [(frame.function.raise_exit, after) for after in _unwound(path, block.ops[-1], frame)]
    return ends


def _unwound(path: State, op: Op, frame: Frame) -> list[State]:
    """An exception leaves the function from inside managers that do not swallow it: undo what their heads did."""
    entered = sorted((int(name[6:-1]) for name in path.env if name.startswith("<with ")), reverse=True)
    paths = [path]
    for number in entered:
        paths = [end.state for before in paths for end in exit_manager(f"<with {number}>", before, frame, op, True)]
    return paths


def _along(
    edge: Edge,
    block: Block,
    last: Op | None,
    states: list[State],
    raised: list[State],
    before_last: list[State],
    frame: Frame,
) -> list[State]:
    """The states that may go along an edge."""
    match edge.kind:
        case EdgeKind.NORMAL:
            if isinstance(last, Exit) and last.exceptional:
                return []
            return [path.copy() for path in states]
        case EdgeKind.TRUE | EdgeKind.FALSE:
            return [branch for path in states for branch in _branch(edge, block, path, frame)]
        case EdgeKind.NEXT:
            assert isinstance(last, Iterate)
            return [after for path in states for after in _next(last, path.copy(), frame)]
        case EdgeKind.EXHAUSTED:
            assert isinstance(last, Iterate)
            return [after for path in states for after in _exhausted(last, path.copy(), frame)]
        case EdgeKind.RAISE:
            if isinstance(last, Raise):
                return [path.copy() for path in (*states, *raised)]
            if isinstance(last, Exit) and last.exceptional:
                return [path.copy() for path in raised]
            implicit = [path.copy() for path in (*before_last, *states)]
            for path in implicit:
                path.doubt = True
            return [*raised, *implicit]
        case EdgeKind.SUPPRESSED:
            return [path.copy() for path in states]


def _branch(edge: Edge, block: Block, path: State, frame: Frame) -> list[State]:
    assert edge.test is not None
    test = evaluate(edge.test, path, frame)
    holds = edge.kind is EdgeKind.TRUE
    known = truth(test, path)
    if known is not None and known is not holds:
        return []
    branch = path.copy()
    if known is None:
        if isinstance(edge.test, ir.Opaque) and not any(identities(test)):
            return [branch]  # which exception it is: another one at each `except`
        paths = _paths_behind(edge.test, frame)
        if not paths & frame.significant and not is_mode_test(test) and not _asks_for_class(test):
            return [branch]
        if not assume(test, holds, branch, paths, frame.depth):
            return []
        if not holds and _is_every_nth(test):
            for index in block.loops:
                branch.env[f"<skipped {index}>"] = Known(True)
        if edge.span is not None:
            text = source_of(edge.test, frame)
            if "…" not in text:
                note(branch, frame, edge.span, f"`{text}` {'holds' if holds else 'does not hold'}")
    return [branch]


def _paths_behind(value: ir.Value, frame: Frame) -> frozenset[str]:
    """The names that a test reads, also through the calls in it: `isinstance(layer, nn.Dropout)`."""
    found = set(paths_in(value))
    for path in list(found):
        made_by = frame.temps.get(int(path[1:].partition(".")[0])) if path.startswith("%") else None
        if isinstance(made_by, Call):
            for argument in made_by.arguments:
                found |= _paths_behind(argument.value, frame)
    return frozenset(found)


def _asks_for_class(test: Abstract) -> bool:
    return isinstance(test, Expr) and (
        test.operator in ("isinstance", "type") or any(_asks_for_class(operand) for operand in test.operands)
    )


def _is_every_nth(test: Abstract) -> bool:
    """Whether a test is `epoch % n == 0` or kin: usually made so that it holds in the last round."""
    return isinstance(test, Expr) and (
        test.operator == "%" or any(_is_every_nth(operand) for operand in test.operands)
    )


def _is_its_test(edge: Edge, loop: Loop) -> bool:
    """Whether a `while` ends because its own test fails: not by a `break` in `while True`."""
    return edge.kind is EdgeKind.FALSE and edge.span is not None and edge.span.line <= loop.header.end_line


def _turn(edge: Edge, block: Block, state: State, frame: Frame) -> None:
    """What crossing an edge says of loops: begun anew, gone round, left."""
    blocks, loops = frame.function.blocks, frame.function.loops
    inside, target = set(block.loops), blocks[edge.target].loops
    for index in inside.difference(target):
        left_at_head = loops[index].kind == "while" and blocks[loops[index].head] is block
        if left_at_head and _is_its_test(edge, loops[index]) and f"<iter {index}>" not in state.env:
            state.doubt = True  # the loop may run zero times, but hardly does
        state.env.pop(f"<iter {index}>", None)
    for index in target:
        if index not in inside:
            state.env.pop(f"<iter {index}>", None)
        elif loops[index].head == edge.target and not edge.back and edge.kind is not EdgeKind.RAISE:
            state.env.pop(f"<iter {index}>", None)
    if edge.back:
        for index in target:
            if loops[index].head == edge.target:
                if loops[index].kind == "while":
                    state.env[f"<iter {index}>"] = Known(True)
                note(state, frame, loops[index].header, "the loop goes round")
# ------------------------------------------------------------------------------------------------ ops


def transfer(op: Op, state: State, frame: Frame) -> tuple[list[State], list[State]]:
    """The states after an op, and those in which it raised by an explicit `raise` of a callee."""
    match op:
        case Assign():
            _assign(op, state, frame)
            return [state], []
        case Call(result=result):
            frame.temps[result.number] = op
            normal: list[State] = []
            raised: list[State] = []
            for outcome in call(op, state, frame):
                if outcome.raised:
                    raised.append(outcome.state)
                else:
                    outcome.state.env[f"%{result.number}"] = outcome.value
                    normal.append(outcome.state)
            return normal, raised
        case Enter(result=result, manager=manager):
            held = evaluate(manager, state, frame)
            entered: list[State] = []
            failed: list[State] = []
            for outcome in enter_manager(held, state, frame, op, f"<with {result.number}>"):
                if outcome.raised:
                    failed.append(outcome.state)
                else:
                    outcome.state.env[f"%{result.number}"] = outcome.value
                    entered.append(outcome.state)
            return entered, failed
        case Exit(enter=enter, exceptional=exceptional):
            ends = exit_manager(f"<with {enter.number}>", state, frame, op, exceptional)
            return [o.state for o in ends if not o.raised], [o.state for o in ends if o.raised]
        case Iterate():
            return _draw(op, state, frame)
        case Return(value=value):
            returned = evaluate(value, state, frame)
            state.env["<return>"] = returned
            for key in state.taint_of(returned):
                if key in frame.linker.events.forwards:
                    frame.linker.events.forwards[key].fate.add("returned")
            return [state], []
        case Yield(result=result):
            state.env[f"%{result.number}"] = fresh(frame, state, op.span)
            return [state], []
        case Define(name=name, qualname=qualname, is_class=is_class):
            defined: Abstract
            if is_class:
                defined = Cls(frame.path, qualname)
            else:
                defined = frame.linker.function_value(frame.path, qualname, state, frame)
            write_name(name.id, defined, state, frame)
            return [state], []
        case Import(name=name, target=target):
            write_name(name.id, frame.linker.imported(frame.path, target), state, frame)
            return [state], []
        case Delete(target=ir.Name(id=name)):
            state.env.pop(name, None)
            return [state], []
        case Raise() | Evaluate() | Delete():
            return [state], []


def _assign(op: Assign, state: State, frame: Frame) -> None:
    value = evaluate(op.value, state, frame)
    if op.augmented and isinstance(op.value, ir.Binary):
        value = _augmented(op, op.value, state, frame)
    elif isinstance(value, Expr) and value.operator in ARITHMETIC:
        taint = state.taint_of(value)
        if value.operator in ("opaque", "[]", "deep") and not taint:
            pass  # a slice or an unknown item: equal as long as its parts are
        if taint or value.operator not in ("opaque", "[]"):
            value = _calculated(op, taint, state, frame)
    store(op.target, value, state, frame)


def _augmented(op: Assign, value: ir.Binary, state: State, frame: Frame) -> Abstract:
    left, right = evaluate(value.left, state, frame), evaluate(value.right, state, frame)
    if isinstance(left, Seq) and value.operator == "+":
        if isinstance(right, Seq) and not frame.function.blocks[frame.block].loops:
            return Seq(left.kind, (left.items + right.items)[:16])
        added = right.items if isinstance(right, Seq) else (right,)
        return Seq("grown", (*left.items, *(entry for entry in added if entry not in left.items))[:16])
    joined = binary(value.operator, left, right, state)
    if isinstance(joined, (Params, Seq)):
        return joined
    taint = state.taint_of(left) | state.taint_of(right)
    return _calculated(op, taint, state, frame)


def _calculated(op: Assign, taint: frozenset[tuple[object, ...]], state: State, frame: Frame) -> Obj:
    result = fresh(frame, state, op.span, "value")
    if taint:
        state.taints[result.id] = taint
    return result


# ------------------------------------------------------------------------------------------------ with


def enter_manager(manager: Abstract, state: State, frame: Frame, op: Op, slot: str) -> list[Outcome]:
    """The head of a `with`: what it does and what it hands out. `slot` remembers what the end has to undo."""
    match manager:
        case Grad(enabled=enabled):
            known = truth(enabled, state)
            previous = state.env.get(f"<grads {_temp_of(op)}>", Known(state.grads))
            results: list[Outcome] = []
            for holds in (True, False) if known is None else (known,):
                branch = state.copy() if known is None else state
                if known is None and not assume(enabled, holds, branch, _paths(op), frame.depth):
                    continue
                branch.env[slot] = Seq("tuple", (Ext("<grads>"), previous))
                branch.grads = holds
                results.append(Outcome(branch, NONE))
            return results
        case Generator():
            yielded, ended = frame.linker.resume(manager, state, frame, op)
            for after, suspended, _ in yielded:
                after.env[slot] = suspended
            entered = [Outcome(after, value) for after, _, value in yielded]
            return entered + [Outcome(o.state, NONE, True) for o in ended] or [Outcome(state, NONE)]
        case Obj(id=identity):
            cls = frame.info(identity).cls
            method = frame.linker.method(cls, "__enter__") if cls is not None else None
            if method is not None and isinstance(op, (Enter, Call)):
                state.env[slot] = manager
                bound = Fn(method.path, method.qualname, manager, method.captured, method.decorated)
                given = Given(_as_call(op), [], [], True)
                return call_value(bound, given, state, frame)
            state.env[slot] = manager
            return [Outcome(state, manager)]
        case _:
            return [Outcome(state, manager)]


def exit_manager(slot: str, state: State, frame: Frame, op: Op, exceptional: bool) -> list[Outcome]:
    """The end of a `with`: undo what its head did. An exception on its way out goes on (`raised`) or is swallowed."""
    held = state.env.pop(slot, None)
    match held:
        case Seq(items=(Ext(name="<grads>"), Known(value=previous))):
            state.grads = previous if previous is None else bool(previous)
            return [Outcome(state, NONE, exceptional)]
        case Generator() if not exceptional:
            yielded, ended = frame.linker.resume(held, state, frame, op)
            return ended or [Outcome(path, NONE) for path, _, _ in yielded] or [Outcome(state, NONE)]
        case Generator():
            return frame.linker.resume_raising(held, state, frame, op)
        case Obj(id=identity):
            ends = [Outcome(state, NONE, exceptional)]
            for number in reversed(range(_entered(identity, state))):
                slot = f"<stack {identity!r} {number}>"
                ends = [after for end in ends for after in exit_manager(slot, end.state, frame, op, end.raised)]
            cls = frame.info(identity).cls
            method = frame.linker.method(cls, "__exit__") if cls is not None else None
            if method is None:
                return [after for end in ends for after in _perhaps_suppressed(end, op, frame)]
            bound = Fn(method.path, method.qualname, held, method.captured, method.decorated)
            return [after for end in ends for after in _exit_method(bound, end, op, frame)]
        case _:
            return _perhaps_suppressed(Outcome(state, NONE, exceptional), op, frame)


def _exit_method(method: Fn, end: Outcome, op: Op, frame: Frame) -> list[Outcome]:
    """Call `__exit__`: an exception is swallowed where it returns a true value."""
    kind: Abstract = Ext("builtins.Exception") if end.raised else NONE
    results: list[Outcome] = []
    for outcome in call_value(method, Given(_as_call(op), [kind, kind, kind], [], True), end.state, frame):
        swallows = truth(outcome.value, outcome.state)
        if outcome.raised or not end.raised:
            results.append(outcome)
            continue
        results += [Outcome(outcome.state.copy(), NONE, raised) for raised in (False, True) if swallows is not raised]
    return results


def _perhaps_suppressed(end: Outcome, op: Op, frame: Frame) -> list[Outcome]:
    """The exception on its way through a library's manager, whose name says whether it swallows exceptions, and which."""
    manager = op.manager if isinstance(op, Exit) else None
    made_by = frame.temps.get(manager.number) if isinstance(manager, ir.Temp) else None
    if not end.raised or not isinstance(made_by, Call):
        return [end]
    name = source_of(made_by.callee, frame).rpartition(".")[2].lower()
    if name not in ("suppress", "raises", "ignore_errors", "ignored"):
        return [end]
    kinds = {source_of(argument.value, frame) for argument in made_by.arguments}
    swallowed = Outcome(end.state.copy(), NONE)
    return [swallowed] if kinds & {"Exception", "BaseException"} else [swallowed, end]


def free_slot(identity: Identity, state: State) -> str:
    """Where to remember the next manager that an `ExitStack` enters."""
    return f"<stack {identity!r} {_entered(identity, state)}>"


def _entered(identity: Identity, state: State) -> int:
    prefix = f"<stack {identity!r} "
    return sum(1 for name in state.env if name.startswith(prefix))


def _as_call(op: Op) -> Call:
    if isinstance(op, Call):
        return op
    manager = op.manager if isinstance(op, (Enter, Exit)) else ir.Const(None)
    return Call(ir.Temp(-1), manager, (), op.span, op.statement)


def _temp_of(op: Op) -> int:
    manager = op.manager if isinstance(op, Enter) else None
    return manager.number if isinstance(manager, ir.Temp) else -1


def _paths(op: Op) -> frozenset[str]:
    return frozenset()


# ------------------------------------------------------------------------------------------------ loops


def _draw(op: Iterate, state: State, frame: Frame) -> tuple[list[State], list[State]]:
    """Advance the generator that a loop goes over, if it is one: `<drawn ...>` says whether it had another value."""
    iterable = evaluate(op.iterable, state, frame)
    generator = _generator_in(iterable)
    if generator is None:
        return [state], []
    yielded, ended = resume(generator, state, frame, op)
    for after, _, value in yielded:
        after.env[f"<drawn {op.loop}>"] = Known(True)
        after.env[f"%{op.result.number}"] = _handed_out(iterable, generator, value, op, frame)
    for outcome in ended:
        if not outcome.raised:
            outcome.state.env[f"<drawn {op.loop}>"] = Known(False)
    normal = [after for after, _, _ in yielded] + [outcome.state for outcome in ended if not outcome.raised]
    return normal, [outcome.state for outcome in ended if outcome.raised]


def _next(op: Iterate, state: State, frame: Frame) -> list[State]:
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


def _exhausted(op: Iterate, state: State, frame: Frame) -> list[State]:
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
        state.doubt = True  # the loop may run zero times, but hardly does
    return [state]


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


def _handed_out(iterable: Abstract, generator: Generator, value: Abstract, op: Iterate, frame: Frame) -> Abstract:
    """The element of the loop when the generator in its iterable has handed out a value."""
    match iterable:
        case Generator():
            return value if iterable == generator else Expr("element", (iterable,))
        case Iteration(kind="enumerate", of=(inner,)):
            number = Obj(("local", frame.path, frame.function.qualname, f"index {op.loop}"))
            return Seq("tuple", (number, _handed_out(inner, generator, value, op, frame)))
        case Iteration(kind="zip", of=inner):
            return Seq("tuple", tuple(_handed_out(held, generator, value, op, frame) for held in inner))
        case _:
            return _each(iterable, frame)


def elements(value: Abstract, state: State, frame: Frame) -> tuple[Abstract, ...] | None:
    """The elements that a loop over a value gives, if they are known and few."""
    match value:
        case Seq(kind=kind, items=items) if kind != "grown":
            return items if len(items) <= LONGEST_UNROLLED else None
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
                Seq("tuple", tuple(c[i] if c is not None else _each(v, frame) for c, v in zip(columns, inner)))
                for i in range(length)
            )
        case _:
            return None


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
            number = Obj(("local", frame.path, frame.function.qualname, f"index {op.loop}"))
            return tuple(Seq("tuple", (number, element)) for element in _some_elements(inner, op, state, frame))
        case Iteration(kind="zip", of=inner):
            return (Seq("tuple", tuple(_each(column, frame) for column in inner)),)
        case Iteration(kind="values" | "items" | "keys", of=(Map(items=pairs),)):
            return tuple(held for _, held in pairs)[:6]
        case Obj(id=identity):
            held = tuple(
                entry for (owner, name), entry in state.store.items() if owner == identity and isinstance(name, tuple)
            )
            if held:
                return held[:6]
            element = Obj(identity if identity[0] == "each" and identity[1][0] == "each" else ("each", identity))
            _renew_element(element, state)
            return (element,)
        case Iteration(of=(inner, *_)):
            return (_each(inner, frame),)
        case Expr() | Known() | Fn() | Ext() | Optim() | Cls():
            element = fresh(frame, state, op.span, "element")
            taint = state.taint_of(value)
            if taint:
                state.taints[element.id] = taint
            return (element,)
        case _:
            return (fresh(frame, state, op.span, "element"),)


def _renew_element(element: Obj, state: State) -> None:
    """Another element under the same name: tests and outputs are those of the last one, modes hold for all of them."""
    kept = {place: origins for place, origins in state.modes.items()}
    held = {key: value for key, value in state.store.items()}
    renew(state, element.id)
    state.modes, state.store = kept, held


def _each(value: Abstract, frame: Frame) -> Abstract:
    match value:
        case Obj(id=identity):
            return Obj(("each", identity))
        case Params():
            return value
        case Seq(items=(only,)):
            return only
        case _:
            return Expr("element", (value,))


__all__ = ["NO_TAINT", "Ends", "advance", "attribute", "enter_manager", "exit_manager", "run_block", "transfer"]
