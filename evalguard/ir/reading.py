"""What reading a file gave, as bytes and back (see `packed`)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.json import Decoder

from evalguard.finding import Finding
from evalguard.ir.facts import FileFacts
from evalguard.ir.packed import packed, unpacked
from evalguard.ir.plain import Plain


class Reading(Plain, frozen=True):
    """Findings where a file cannot be read, and the facts of the rest."""

    findings: tuple[Finding, ...]
    facts: FileFacts | None


def packed_reading(read: Sequence[object]) -> bytes | None:
    """What reading a file gave, findings first, as bytes; None if there is more in it than findings and the facts, or
    it cannot be packed."""
    findings = [each for each in read if isinstance(each, Finding)]
    facts = [each for each in read if isinstance(each, FileFacts)]
    if len(findings) + len(facts) < len(read) or len(facts) > 1:
        return None
    return packed(Reading(tuple(findings), facts[0] if facts else None))


def unpacked_reading(data: bytes) -> list[FileFacts | Finding]:
    """The reverse of `packed_reading`. Raises NoGood for what that did not make."""
    reading = unpacked(data, _DECODER)
    return [*reading.findings, *([] if reading.facts is None else [reading.facts])]


_DECODER = Decoder(Reading)
