"""What a test decides: the blocks that only one of its outcomes leads to.

    if verbose:            decides block 1 only
        print(x)           block 1
    model(x)               block 2, reached either way

Back edges are left out, so that the rest of a loop is not decided by every test in it. Sets of blocks are the bits of
one number: a function of thousands of blocks has millions of pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalguard.ir.graph import Block, EdgeKind

BRANCHES = (EdgeKind.TRUE, EdgeKind.FALSE)


class Regions:
    """Where control may go in one function. A set of blocks is a number: bit `n` stands for block `n`."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._reached = _all_reached(blocks)

    def reachable(self, start: int) -> int:
        """The blocks to which control may go from a block, itself included."""
        return self._reached[start]

    def decided(self, number: int) -> int:
        """The blocks that one outcome of the test at the end of a block leads to and the other does not."""
        targets = [edge.target for edge in self._blocks[number].edges if edge.kind in BRANCHES and not edge.back]
        union, common = 0, -1
        for target in targets:
            union |= self._reached[target]
            common &= self._reached[target]
        return union & ~common if len(targets) > 1 else union


def as_bits(numbers: Iterable[int]) -> int:
    """A set of blocks as a number."""
    bits = 0
    for number in numbers:
        bits |= 1 << number
    return bits


def _all_reached(blocks: Sequence[Block]) -> list[int]:
    """For each block, those to which control may go from it. Most edges lead to later blocks: one round from the last
    block to the first is nearly always enough."""
    reached = [1 << number for number in range(len(blocks))]
    changed = True
    while changed:
        changed = False
        for number in range(len(blocks) - 1, -1, -1):
            before = found = reached[number]
            for edge in blocks[number].edges:
                if not edge.back:
                    found |= reached[edge.target]
            if found != before:
                reached[number] = found
                changed = True
    return reached
