"""The control-flow graph of one function.

Blocks are numbered; block 0 is the entry. An edge carries the test under which it is taken, so that a path knows its
conditions. A worked sample:

    if phase == "train":            block 0: (no op)          --true  phase == "train"--> 1
        model.train()               block 1: %0 = call model.train()            --normal--> 2
    model(x)                        block 2: %1 = call model(x)                 --normal--> exit
                                    block 0                   --false phase == "train"--> 2
"""

from __future__ import annotations

from enum import Enum

from evalguard.finding import Span
from evalguard.ir.ops import Op
from evalguard.ir.plain import Plain
from evalguard.ir.values import Value


class EdgeKind(Enum):
    """Why control goes along an edge."""

    NORMAL = "normal"
    TRUE = "true"  # the edge's test holds
    FALSE = "false"  # the edge's test does not hold
    NEXT = "next"  # the loop has another element
    EXHAUSTED = "exhausted"  # the loop has none left
    RAISE = "raise"  # the block's last op raised, before or after its effect
    SUPPRESSED = "suppressed"  # the manager of the block's last Exit may swallow the exception


class Edge(Plain, frozen=True):
    """`back` marks the edges that go round a loop. `test` is set for TRUE and FALSE edges: never `and`, `or`, `not`."""

    target: int
    kind: EdgeKind = EdgeKind.NORMAL
    test: Value | None = None
    span: Span | None = None  # of the test
    back: bool = False


class Block(Plain, frozen=True):
    """Ops without a branch between them. `loops` are the enclosing loops, outermost first, as indices."""

    ops: tuple[Op, ...]
    edges: tuple[Edge, ...]
    loops: tuple[int, ...] = ()


class Loop(Plain, frozen=True):
    """A `for` (with its iterable), `while` or comprehension. `head` is the block to which the back edges go."""

    kind: str
    head: int
    iterable: Value | None
    span: Span  # the whole statement, its else-branch included
    header: Span  # `for x in xs:` or `while test:`
