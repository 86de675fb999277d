"""What reading a file gave, as bytes and back (see `packed`)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import DecodeError

from evalguard.finding import Finding
from evalguard.ir.bodies import PackedBody, PackedReading, blocks_of
from evalguard.ir.facts import FileFacts, FunctionFacts
from evalguard.ir.packed import NoGood, packed, unpacked
from evalguard.ir.plain import Plain, changed


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
    reading = unpacked(data, Reading)
    return [*reading.findings, *([] if reading.facts is None else [_left_packed(reading.facts, PackedReading(data))])]


def _left_packed(facts: FileFacts, packed: PackedReading) -> FileFacts:
    """The facts with bodies that can be unpacked, each of which is left packed."""
    functions: dict[str, FunctionFacts] = {}
    for number, (qualname, function) in enumerate(facts.functions.items()):
        try:
            blocks_of(function.body)
        except (DecodeError, ValueError, RecursionError) as error:
            raise NoGood(str(error)) from error
        functions[qualname] = changed(function, body=PackedBody(packed, number))
    return changed(facts, functions=functions)
