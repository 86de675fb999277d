"""What each op does to a path, and which edges a path may take.

    block  --ops-->  states at its end  --edge, if its test may hold-->  the next blocks

An op may divide a path (a call with several ways out, `train(flag)` with an unknown flag), end it (a call that raises),
or suspend it (a `yield`).
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
from evalguard.modes.calls import call
from evalguard.modes.containers import store
from evalguard.modes.definitions import define
from evalguard.modes.evaluate import binary, evaluate, write_name
from evalguard.modes.frame import Frame, fresh, note, source_of
from evalguard.modes.guards import assume, truth
from evalguard.modes.loops import draw, exhausted, next_element
from evalguard.modes.managers import enter_manager, exit_manager
from evalguard.modes.properties import forget_properties, with_properties
from evalguard.modes.state import MOST, State, is_mode_test
from evalguard.modes.values import (
    LONGEST,
    Abstract,
    Expr,
    Known,
    Obj,
    Params,
    Seq,
    bounded,
    identities,
)

ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "**", "@", "|", "&", "^", "<<", ">>", "opaque", "deep", "[]"})


@dataclass(slots=True)
class Ends:
    """How the paths through a block go on: along its edges, or suspended at its yield."""

    onward: list[tuple[int, State]] = field(default_factory=list)
    yielded: list[tuple[State, Abstract]] = field(default_factory=list)


def run_block(number: int, block: Block, state: State, frame: Frame) -> Ends:
    """All paths through one block from one state."""
    frame.block = number
    ends = Ends()
    reads = frame.linker.property_reads(frame.path, frame.function.qualname).get(number, {})
    early = frame.linker.early_reads(frame.path, frame.function.qualname).get(number, {})
    states, raised, before_last, uncaught = [state], list[State](), list[State](), list[State]()
    catches = any(edge.kind is EdgeKind.RAISE for edge in block.edges)  # what the last op raises
    record = frame.linker.record
    visit = record.lines.visit(number, block, frame) if record is not None and record.lines is not None else None
    for position, op in enumerate(block.ops):
        if visit is not None:
            visit.before(op, states)
        if position == len(block.ops) - 1 and catches:
            before_last, uncaught, raised = [path.copy() for path in states], raised, []
        following: list[State] = []
        for path in states:
            if position in early and not early[position] <= path.env.keys():
                path.doubt = True  # read before it is bound: Python raises here
            ready = [path]
            if position in reads:
                ready, failed = with_properties(reads[position], op, path, frame)
                raised += failed
            for before in ready:
                normal, exceptional = transfer(op, before, frame)
                following += normal
                raised += exceptional
        # Each of many calls in a row may end in several ways.
        states = following if len(following) <= MOST else frame.join_some(following)
        raised = raised if len(raised) <= MOST else frame.join_some(raised)
        if position in reads and position < len(block.ops) - 1:
            forget_properties((*states, *raised))
    if visit is not None:
        visit.after(states)
    last = block.ops[-1] if block.ops else None
    if isinstance(last, Yield) and frame.kind == "generator":
        ends.yielded = [(path, evaluate(last.value, path, frame)) for path in states]
        states = []
    for edge in block.edges:
        for after in _along(edge, block, last, states, raised, before_last, frame):
            _turn(edge, block, after, frame)
            ends.onward.append((edge.target, after))
    if reads:
        forget_properties([*(after for _, after in ends.onward), *(path for path, _ in ends.yielded), *raised])
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
            return [path.copy() for path in states] if len(block.edges) > 1 else states
        case EdgeKind.TRUE | EdgeKind.FALSE:
            return [branch for path in states for branch in _branch(edge, block, path, frame)]
        case EdgeKind.NEXT:
            assert isinstance(last, Iterate)
            return [after for path in states for after in next_element(last, path.copy(), frame)]
        case EdgeKind.EXHAUSTED:
            assert isinstance(last, Iterate)
            return [after for path in states for after in exhausted(last, path.copy(), frame)]
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
    return isinstance(test, Expr) and (test.operator == "%" or any(_is_every_nth(operand) for operand in test.operands))


def _is_its_test(edge: Edge, loop: Loop) -> bool:
    """Whether a `while` ends because its own test fails: not by a `break` in `while True`."""
    return edge.kind is EdgeKind.FALSE and edge.span is not None and edge.span.line <= loop.header.end_line


def _turn(edge: Edge, block: Block, state: State, frame: Frame) -> None:
    """What crossing an edge says of loops: begun anew, gone round, left."""
    blocks, loops = frame.blocks, frame.function.loops
    inside, target = set(block.loops), blocks[edge.target].loops
    for index in inside.difference(target):
        left_at_head = loops[index].kind == "while" and loops[index].head == frame.block
        if left_at_head and _is_its_test(edge, loops[index]) and f"<iter {index}>" not in state.env:
            frame.skip_loop(state)
        state.env.pop(f"<iter {index}>", None)
    for index in target:
        if index not in inside or (
            loops[index].head == edge.target and not edge.back and edge.kind is not EdgeKind.RAISE
        ):
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
                    outcome.state.env[f"%{result.number}"] = bounded(outcome.value)
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
            return draw(op, state, frame)
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
        case Define(name=name):
            outcomes = define(op, state, frame)
            for outcome in outcomes:
                write_name(name.id, outcome.value, outcome.state, frame)
            return [outcome.state for outcome in outcomes], []
        case Import(name=name, target=target):
            state = frame.linker.load(target, state, frame)
            write_name(name.id, frame.linker.imported(frame.path, target, state), state, frame)
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
        if taint or value.operator not in (
            "opaque",
            "[]",
        ):  # a slice or an unknown item is equal as long as its parts are
            value = _calculated(op, taint, state, frame)
    store(op.target, value, state, frame)


def _augmented(op: Assign, value: ir.Binary, state: State, frame: Frame) -> Abstract:
    left, right = evaluate(value.left, state, frame), evaluate(value.right, state, frame)
    if isinstance(left, Seq) and value.operator == "+":
        if isinstance(right, Seq) and not frame.blocks[frame.block].loops:
            return Seq(left.kind, (left.items + right.items)[:LONGEST])
        added = right.items if isinstance(right, Seq) else (right,)
        return Seq("grown", (*left.items, *(entry for entry in added if entry not in left.items))[:LONGEST])
    joined = binary(value.operator, left, right)
    if isinstance(joined, (Params, Seq)):
        return joined
    taint = state.taint_of(left) | state.taint_of(right)
    return _calculated(op, taint, state, frame)


def _calculated(op: Assign, taint: frozenset[tuple[object, ...]], state: State, frame: Frame) -> Obj:
    result = fresh(frame, state, op.span, "value")
    if taint:
        state.taints[result.id] = taint
    return result
