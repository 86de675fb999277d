"""The blocks of functions, which are unpacked when somebody asks for them.

In a large project most functions are looked at once, for the names in them, and few are run: their blocks would take
twenty times as much memory as the packed file that they come from, and are made from it in microseconds.

    facts.blocks       unpacked: the file, and of it this function
    facts.blocks       still at hand
    ...                so many others, that all are given free
    facts.blocks       unpacked again: equal to the first, but not the same objects
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from msgspec import Raw

from evalguard.ir.graph import Block
from evalguard.ir.packed import decoder_of, unpacked
from evalguard.ir.plain import Plain

T = TypeVar("T")
Blocks: TypeAlias = tuple[Block, ...]

MOST_AT_HAND = 4_000_000  # bytes of the bodies that are unpacked, and of those of which the blocks are made


class PackedBody:
    """The body of one of the functions of a packed reading, by its place among them."""

    __slots__ = ("number", "packed")

    def __init__(self, packed: PackedReading, number: int) -> None:
        self.packed = packed
        self.number = number


class PackedReading:
    """What `packed_reading` made of a file."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def bodies(self) -> list[Raw]:
        """Of its functions, in order. Raises NoGood for what `packed_reading` did not make."""
        return [function.body for function in unpacked(self.data, _Reading).facts.functions.values()]


class _Function(Plain, frozen=True):
    """As far as is needed of `FunctionFacts`; the other two of `FileFacts` and of `Reading`."""

    qualname: Raw
    body: Raw


class _File(Plain, frozen=True):
    path: Raw
    functions: dict[str, _Function]


class _Reading(Plain, frozen=True):
    findings: Raw
    facts: _File


if TYPE_CHECKING:
    Body: TypeAlias = Blocks | PackedBody | Raw
else:
    Body = Raw  # what a decoder makes of it


class _AtHand(Generic[T]):
    """What was made of some objects. Each is held with what was made of it: so long nothing else has its `id`."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[object, T]] = {}
        self._size = 0

    def of(self, made_from: object) -> T | None:
        """What was made of it, if that is at hand."""
        held = self._held.get(id(made_from))
        return None if held is None else held[1]

    def keep(self, made_from: object, made: T, size: int) -> T:
        """Hold so many bytes; all others are given free if they are too many."""
        self._size += size
        if self._size > MOST_AT_HAND:
            self._held = {}
            self._size = size
        self._held[id(made_from)] = (made_from, made)
        return made


_BODIES: _AtHand[list[Raw]] = _AtHand()
_BLOCKS: _AtHand[Blocks] = _AtHand()


def blocks_of(body: Body) -> Blocks:
    """The blocks that a body is, or is unpacked to."""
    if isinstance(body, tuple):
        return body
    if isinstance(body, Raw):
        return unpacked_blocks(body)
    blocks = _BLOCKS.of(body)
    return _unpacked(body) if blocks is None else blocks


def unpacked_blocks(body: Raw) -> Blocks:
    """The blocks of a body. Raises msgspec's DecodeError for bytes that make none."""
    return decoder_of(Blocks).decode(body)


def _unpacked(body: PackedBody) -> Blocks:
    bodies = _BODIES.of(body.packed)
    if bodies is None:
        bodies = body.packed.bodies()
        _BODIES.keep(body.packed, bodies, sum(memoryview(each).nbytes for each in bodies))
    raw = bodies[body.number]
    return _BLOCKS.keep(body, unpacked_blocks(raw), memoryview(raw).nbytes)
