"""Documents to facts, and facts to bytes where many would lie about: those of a large project take some twenty times as
much memory as the same packed, and are made again in a fraction of the time that reading them took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from evalguard.ir.facts import FileFacts
from evalguard.ir.packed import NoGood
from evalguard.ir.reading import packed_reading, unpacked_reading
from evalguard.run import Lowered, readable, unreadable
from evalguard.source import Document, SourceProblem


@dataclass(frozen=True, slots=True)
class Lowering:
    """What lowering a document came to: at hand, packed, or both."""

    document: Document
    at_hand: Sequence[Lowered] | None
    packed: bytes | None

    def results(self) -> Sequence[Lowered]:
        """The facts of the document, and why there are none; of a notebook both, if some of its cells can be parsed."""
        if self.at_hand is not None:
            return self.at_hand
        try:
            return unpacked_reading(self.packed or b"")
        except NoGood:  # somebody wrote to the cache, or it nests more deeply than can be unpacked
            return lowered(self.document)


def lowered_and_packed(document: Document, pack: bool, drop: bool) -> tuple[Sequence[Lowered] | None, bytes | None]:
    """What is to be at hand of a lowered document, and the same packed: if that is asked for, with nothing at hand if
    what is packed may be dropped."""
    results = lowered(document)
    packed = packed_reading(results) if pack else None
    return None if drop and packed is not None else results, packed


def lowered(document: Document) -> list[Lowered]:
    """The facts of a document; of a notebook without the cells that cannot be parsed, each of which is a finding."""
    problems: tuple[SourceProblem, ...] = ()
    if document.cells is not None:
        from evalguard.frontend import without_broken_cells

        document, problems = without_broken_cells(document)
    findings = [unreadable(document.path, problem) for problem in problems]
    return [*findings, readable(partial(_facts, document), document.path)]


def _facts(document: Document) -> FileFacts:
    from evalguard.frontend import lower  # LibCST is slow to import, and many runs need no parser

    return lower(document)
