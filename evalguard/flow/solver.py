"""Worklists to a fixpoint, forward and backward.

Forward, a block holds not one state but a few alternatives, kept apart as long as the analysis wants them apart (a path
that passed `phase == "train"` beside one that did not). The analysis says what a block does to one alternative and
how a new alternative is taken in among those already known; the loop below is written once.

    block 1 knows {A}         step(0, s) -> [(1, A'), (2, B)]
    take_in(1, A')  ->  A' is new: queue (1, A');  A' says nothing new: drop it;  A and A' are one: queue their join

It ends because `take_in` may only let through finitely many alternatives (the analysis' business), and the smallest
waiting block goes first, which for blocks in source order visits loops inside out (Kildall, POPL 1973). What goes
round a loop waits until all of its body is done: else each of the paths through the body would begin another round,
and rounds are what costs (Bourdoncle, "Efficient chaotic iteration strategies with widenings", FMPA 1993).
Alternatives of a higher rank wait until none of a lower one is left: where steps are limited, the paths that are hardly
ever taken go without.

Backward, one state a block suffices for what we ask (liveness), so the classic form is used.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from evalguard.ir.graph import Block

S = TypeVar("S")

Step = Callable[[int, S], Iterable[tuple[int, S]]]
"""What a block does to one alternative: block, state -> the blocks that follow, each with its state."""

TakeIn = Callable[[int, list[S], S], S | None]
"""Take a state in among a block's alternatives (the list is changed): what must be worked through again, or None."""


class TooManySteps(Exception):
    """The fixpoint was not reached within the limit given: the caller must say that it gave up."""


class Alternatives(Generic[S]):
    """The states at the entry of each block, after `solve_forward`."""

    def __init__(self) -> None:
        self.of: dict[int, list[S]] = {}

    def at(self, block: int) -> list[S]:
        """The alternatives at the entry of a block; empty for a block that is never reached."""
        return self.of.get(block, [])


def solve_forward(
    starts: Iterable[tuple[int, S]],
    step: Step[S],
    take_in: TakeIn[S],
    cost: Callable[[S], int] = lambda state: 1,
    limit: int = 20_000,
    rank: Callable[[S], int] = lambda state: 0,
    loops: Mapping[int, int] | None = None,
) -> Alternatives[S]:
    """Run forward from the given blocks and states to a fixpoint. Raises TooManySteps when the steps together cost more
    than `limit`; `cost` is what a step from a state does, and states of the lowest `rank` go first. `loops` gives the
    last block of each loop by its first."""
    found: Alternatives[S] = Alternatives()
    waiting: list[tuple[int, int, int, int, S]] = []  # rank, turn, serial number, block, state
    last_of_loop = loops or {}
    serial = 0

    def arrive(block: int, state: S, source: int) -> None:
        nonlocal serial
        news = take_in(block, found.of.setdefault(block, []), state)
        if news is not None:
            serial += 1
            turn = 2 * block if block > source else 2 * max(source, last_of_loop.get(block, source)) + 1
            heapq.heappush(waiting, (rank(news), turn, serial, block, news))

    for block, state in starts:
        arrive(block, state, -1)
    spent = 0
    while waiting:
        _, _, _, block, state = heapq.heappop(waiting)
        if not any(known is state for known in found.of[block]):
            continue  # joined with a later arrival, which waits in its stead
        spent += cost(state)
        if spent > limit:
            raise TooManySteps(limit)
        for target, after in step(block, state):
            arrive(target, after, block)
    return found


def solve_backward(
    blocks: Sequence[Block],
    bottom: S,
    transfer: Callable[[int, S], S],
    join: Callable[[S, S], S],
) -> list[S]:
    """The state at the entry of each block, given what holds at its end: `transfer(block, state at its end)`."""
    predecessors: list[set[int]] = [set() for _ in blocks]
    for number, block in enumerate(blocks):
        for edge in block.edges:
            predecessors[edge.target].add(number)
    entry = [bottom for _ in blocks]
    waiting = set(range(len(blocks)))
    done = [False] * len(blocks)
    while waiting:
        number = max(waiting)
        waiting.discard(number)
        end = bottom
        for edge in blocks[number].edges:
            end = join(end, entry[edge.target])
        before = transfer(number, end)
        if done[number] and before == entry[number]:
            continue
        done[number] = True
        entry[number] = before
        waiting |= predecessors[number]
    return entry
