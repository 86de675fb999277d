"""The graph of one function while it is built.

The builder has a current block, to which ops are appended, and a stack of frames: what stands around the current
statement and must be told when control leaves it.

    frame        return, break, continue go through it            an exception goes
    loop         break and continue end at it                     past it
    handlers     nothing                                          to the tests of the except clauses
    finally      its body is lowered once more, in place          to a copy of its body that raises again
    with         an Exit                                          to an exceptional Exit

The entry for exceptions is a block made when the first exception is seen to go there: a frame whose entry is still None
when it is closed needs no such code. Only an explicit raise is seen everywhere; that any call may raise is seen inside
handlers, finally and managers that swallow exceptions (`suppresses`).

After a jump the current block is a new one without a way in: dead code is lowered like any other, since it still binds
names, and `finish` drops it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from evalguard.finding import Span
from evalguard.ir.graph import Block, Edge, EdgeKind, Loop
from evalguard.ir.ops import Assign, Call, Delete, Enter, Evaluate, Exit, Import, Iterate, Op, Raise, Return, Yield
from evalguard.ir.plain import changed
from evalguard.ir.values import Const, Temp, Value


@dataclass(slots=True)
class Draft:
    """A block in the making."""

    loops: tuple[int, ...]
    ops: list[Op] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class LoopFrame:
    """A loop: where `continue` and `break` go."""

    head: int
    after: int


@dataclass(slots=True, eq=False)
class GuardFrame:
    """A `with` item, the body of a `try`, or all of a `try` that has a `finally`.

    `unwind` emits what runs when control leaves through it. With `sees_calls`, each op that may raise has an edge to
    the frame's entry; `sees_all` extends this to plain reads as long as nothing else has raised, so that the handlers
    of `try: net = net.module` are not taken for dead.
    """

    loops: tuple[int, ...]
    unwind: Callable[[], None] | None = None
    sees_calls: bool = False
    sees_all: bool = False
    entry: int | None = None


MOST_OPS = 200  # in one block: what is not used any more is forgotten, and the work counted, between blocks


@dataclass(frozen=True, slots=True)
class Graph:
    """What `finish` returns."""

    blocks: tuple[Block, ...]
    exit: int
    raise_exit: int
    loops: tuple[Loop, ...]


class GraphBuilder:
    """Appends ops to the current block, and opens and links blocks."""

    def __init__(self) -> None:
        self._drafts = [Draft(()), Draft(()), Draft(())]
        self._current = 0
        self._exit = 1
        self._raise_exit = 2
        self._loops: list[Loop] = []
        self._frames: list[LoopFrame | GuardFrame] = []
        self._temps = 0

    def temp(self) -> Temp:
        """A new temporary."""
        self._temps += 1
        return Temp(self._temps)

    # Blocks

    @property
    def enclosing_loops(self) -> tuple[int, ...]:
        """The loops around the current block."""
        return self._drafts[self._current].loops

    def block(self, loops: tuple[int, ...] | None = None) -> int:
        """A new block, in the loops of the current one unless told otherwise."""
        self._drafts.append(Draft(self.enclosing_loops if loops is None else loops))
        return len(self._drafts) - 1

    def start(self, block: int) -> None:
        """Go on in another block."""
        self._current = block

    def link(self, edge: Edge) -> None:
        """Add a way out of the current block."""
        self._drafts[self._current].edges.append(edge)

    def goto(self, block: int, back: bool = False) -> None:
        """End the current block with a jump; what follows is dead until `start`."""
        self.link(Edge(block, back=back))
        self.start(self.block())

    def enter_block(self, block: int) -> None:
        """Fall through into a block and go on there."""
        self.link(Edge(block))
        self.start(block)

    def branch(self, test: Value, span: Span, on_true: int, on_false: int) -> None:
        """End the current block with a test."""
        self.link(Edge(on_true, EdgeKind.TRUE, test, span))
        self.link(Edge(on_false, EdgeKind.FALSE, test, span))
        self.start(self.block())

    # Ops

    def emit(self, op: Op) -> None:
        """Append an op that goes on to the next one, unless an exception of it is seen."""
        self._drafts[self._current].ops.append(op)
        if self._exception_is_seen(op):
            following = self.block()
            self.link(Edge(following))
            self.link(Edge(self._raise_target(), EdgeKind.RAISE))
            self.start(following)
        elif len(self._drafts[self._current].ops) >= MOST_OPS:
            self.enter_block(self.block())

    def emit_yield(self, op: Yield) -> None:
        """Append a Yield, which ends its block."""
        self._drafts[self._current].ops.append(op)
        following = self.block()
        self.link(Edge(following))
        if self._calls_are_seen():
            self.link(Edge(self._raise_target(), EdgeKind.RAISE))
        self.start(following)

    def emit_iterate(self, op: Iterate, on_next: int, on_exhausted: int) -> None:
        """Append the Iterate of a loop's head."""
        self._drafts[self._current].ops.append(op)
        self.link(Edge(on_next, EdgeKind.NEXT))
        self.link(Edge(on_exhausted, EdgeKind.EXHAUSTED))
        if self._calls_are_seen():
            self.link(Edge(self._raise_target(), EdgeKind.RAISE))
        self.start(on_next)

    def emit_raise(self, op: Raise) -> None:
        """Append a Raise and leave towards whoever catches it."""
        self._drafts[self._current].ops.append(op)
        self.link(Edge(self._raise_target(), EdgeKind.RAISE))
        self.start(self.block())

    def emit_exceptional_exit(self, op: Exit, after: int) -> None:
        """Append the Exit that an exception meets: it is swallowed, or goes on."""
        self._drafts[self._current].ops.append(op)
        self.link(Edge(self._raise_target(), EdgeKind.RAISE))
        self.link(Edge(after, EdgeKind.SUPPRESSED))
        self.start(self.block())

    def emit_return(self, op: Return) -> None:
        """Leave the function through every frame."""
        self._unwind(0)
        self._drafts[self._current].ops.append(op)
        self.goto(self._exit)

    def capture(self, value: Value, span: Span, statement: Span) -> Value:
        """The value as it is now: a Temp, unless nothing can change it."""
        if isinstance(value, Temp | Const):
            return value
        temp = self.temp()
        self.emit(Assign(temp, value, span, statement))
        return temp

    def fall_off(self) -> None:
        """Reach the exit without a Return, and end there."""
        self.goto(self._exit)

    # Loops

    def open_loop(self, kind: str, iterable: Value | None, span: Span, header: Span) -> int:
        """Register a loop and go on in its head, a new block."""
        index = len(self._loops)
        head = self.block((*self.enclosing_loops, index))
        self._loops.append(Loop(kind, head, iterable, span, header))
        self.enter_block(head)
        return index

    def head_of(self, loop: int) -> int:
        """The block to which the back edges of a loop go."""
        return self._loops[loop].head

    # Frames

    def push(self, frame: LoopFrame | GuardFrame) -> None:
        """Enter a frame."""
        self._frames.append(frame)

    def pop(self) -> None:
        """Leave the innermost frame, on the ordinary way."""
        self._frames.pop()

    def leave_loop(self, again: bool) -> None:
        """`continue` or `break`: go through all frames inside the innermost loop."""
        for depth in range(len(self._frames) - 1, -1, -1):
            frame = self._frames[depth]
            if isinstance(frame, LoopFrame):
                self._unwind(depth + 1)
                self.goto(frame.head if again else frame.after, back=again)
                return
        self.start(self.block())

    @property
    def has_frames(self) -> bool:
        """Whether leaving the function may run code on the way."""
        return any(isinstance(frame, GuardFrame) and frame.unwind for frame in self._frames)

    def _unwind(self, depth: int) -> None:
        frames = self._frames
        for index in range(len(frames) - 1, depth - 1, -1):
            frame = frames[index]
            if isinstance(frame, GuardFrame) and frame.unwind is not None:
                self._frames = frames[:index]
                if self.enclosing_loops != frame.loops:
                    self.enter_block(self.block(frame.loops))
                frame.unwind()
        self._frames = frames

    def _raise_target(self) -> int:
        frame = self._innermost_guard()
        if frame is None:
            return self._raise_exit
        if frame.entry is None:
            frame.entry = self.block(frame.loops)
        return frame.entry

    def _innermost_guard(self) -> GuardFrame | None:
        for frame in reversed(self._frames):
            if isinstance(frame, GuardFrame):
                return frame
        return None

    def _calls_are_seen(self) -> bool:
        return any(isinstance(frame, GuardFrame) and frame.sees_calls for frame in self._frames)

    def _exception_is_seen(self, op: Op) -> bool:
        if not self._frames:
            return False
        match op:
            case Call() | Enter() | Import():
                return self._calls_are_seen()
            case Assign(value=Const()):
                return False
            case Assign() | Evaluate() | Delete():
                frame = self._innermost_guard()
                return frame is not None and frame.sees_all and frame.entry is None
            case _:
                return False

    # The end

    def finish(self) -> Graph:
        """The graph without dead blocks and without empty ones on the way, in reading order."""
        self._skip_empty_blocks()
        self._join_chains()
        order = self._reading_order()
        number = {block: position for position, block in enumerate(order)}
        kept_loops = [index for index, loop in enumerate(self._loops) if loop.head in number]
        loop_number = {loop: position for position, loop in enumerate(kept_loops)}
        return Graph(
            tuple(self._finished_block(self._drafts[block], number, loop_number) for block in order),
            number[self._exit],
            number[self._raise_exit],
            tuple(changed(self._loops[index], head=number[self._loops[index].head]) for index in kept_loops),
        )

    def _skip_empty_blocks(self) -> None:
        heads = {loop.head for loop in self._loops}
        for draft in self._drafts:
            draft.edges = [self._past_empty_blocks(edge, heads) for edge in draft.edges]

    def _past_empty_blocks(self, edge: Edge, heads: set[int]) -> Edge:
        target, back, seen = edge.target, edge.back, {edge.target}
        while target not in heads:
            draft = self._drafts[target]
            if draft.ops or len(draft.edges) != 1 or draft.edges[0].kind is not EdgeKind.NORMAL:
                break
            target, back = draft.edges[0].target, back or draft.edges[0].back
            if target in seen:
                break
            seen.add(target)
        return edge if target == edge.target else changed(edge, target=target, back=back)

    def _join_chains(self) -> None:
        reachable = self._reachable()
        ways_in = [0] * len(self._drafts)
        for block in reachable:
            for edge in self._drafts[block].edges:
                ways_in[edge.target] += 1
        fixed = {0, self._exit, self._raise_exit, *(loop.head for loop in self._loops)}
        for block in reachable:
            draft = self._drafts[block]
            while len(draft.edges) == 1 and draft.edges[0].kind is EdgeKind.NORMAL:
                target = draft.edges[0].target
                following = self._drafts[target]
                if target in fixed or target == block or ways_in[target] != 1 or following.loops != draft.loops:
                    break
                if draft.ops and isinstance(draft.ops[-1], Yield):
                    break
                if len(draft.ops) + len(following.ops) > MOST_OPS:
                    break
                draft.ops.extend(following.ops)
                draft.edges = following.edges
                following.ops, following.edges = [], []
                ways_in[target] = 0

    def _reachable(self) -> list[int]:
        seen = {0}
        order = [0]
        for block in order:
            for edge in self._drafts[block].edges:
                if edge.target not in seen:
                    seen.add(edge.target)
                    order.append(edge.target)
        return order

    def _reading_order(self) -> list[int]:
        # Reverse postorder; the last edges are walked first, so that a branch taken stands before one not taken.
        postorder: list[int] = []
        seen = {0}
        stack: list[tuple[int, list[int]]] = [(0, [edge.target for edge in self._drafts[0].edges])]
        while stack:
            block, waiting = stack[-1]
            if not waiting:
                postorder.append(block)
                stack.pop()
                continue
            target = waiting.pop()
            if target not in seen:
                seen.add(target)
                stack.append((target, [edge.target for edge in self._drafts[target].edges]))
        exits = (self._exit, self._raise_exit)
        return [*(block for block in reversed(postorder) if block not in exits), *exits]

    def _finished_block(self, draft: Draft, number: dict[int, int], loop_number: dict[int, int]) -> Block:
        return Block(
            tuple(changed(op, loop=loop_number[op.loop]) if isinstance(op, Iterate) else op for op in draft.ops),
            tuple(changed(edge, target=number[edge.target]) for edge in draft.edges),
            tuple(loop_number[loop] for loop in draft.loops),
        )
