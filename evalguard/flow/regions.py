"""What a test decides: the blocks that only one of its outcomes leads to.

    if verbose:            decides block 1 only
        print(x)           block 1
    model(x)               block 2, reached either way

Back edges are left out, so that the rest of a loop is not decided by every test in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from evalguard.ir.graph import Block, EdgeKind

BRANCHES = (EdgeKind.TRUE, EdgeKind.FALSE)


def decided_blocks(blocks: Sequence[Block], number: int) -> frozenset[int]:
    """The blocks that one outcome of the test at the end of a block leads to and the other does not."""
    targets = [edge.target for edge in blocks[number].edges if edge.kind in BRANCHES and not edge.back]
    reached = [reachable(blocks, target) for target in targets]
    if len(reached) < 2:
        return reached[0] if reached else frozenset()
    union = frozenset[int]().union(*reached)
    common = reached[0].intersection(*reached[1:])
    return union - common


def reachable(blocks: Sequence[Block], start: int) -> frozenset[int]:
    """The blocks to which control may go from a block, itself included."""
    seen = {start}
    waiting = [start]
    while waiting:
        for edge in blocks[waiting.pop()].edges:
            if not edge.back and edge.target not in seen:
                seen.add(edge.target)
                waiting.append(edge.target)
    return frozenset(seen)
