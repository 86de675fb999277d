"""A traced run for people: what it says of each finding, then what was in a wrong mode without one.

train.py:39:13: EVG201 training-in-eval-mode confirmed: 40 of 50 training steps, the first after 10 steps
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from evalguard.report.terminal import Style, painter, visible
from evalguard.sightings import Ruling, Traced, Unpredicted, Verdict

_EVENTS = {
    "EVG104": "export",
    "EVG106": "switch",
    "EVG201": "training step",
    "EVG202": "training step",
    "EVG305": "switch",
    "EVG401": "call in eval mode",
    "EVG402": "call in eval mode",
    "EVG405": "call in eval mode",
}
RULINGS: tuple[Ruling, ...] = ("confirmed", "contradicted", "not reached", "not shown")
_STYLES: dict[Ruling, Style] = {
    "confirmed": Style.ERROR,
    "contradicted": Style.HELP,
    "not reached": Style.WARNING,
    "not shown": Style.WARNING,
}


def render(traced: Traced, colour: bool = False) -> str:
    """All verdicts, all unpredicted events, and the summary."""
    return "".join(f"{line}\n" for line in _lines(traced, colour))


def _lines(traced: Traced, colour: bool) -> Iterator[str]:
    paint = painter(colour)
    for verdict in traced.verdicts:
        finding = verdict.finding
        place = f"{visible(finding.path)}:{finding.span.line}:{finding.span.column}:"
        ruling = paint(verdict.ruling, _STYLES[verdict.ruling])
        yield f"{paint(place, Style.PATH)} {finding.code} {finding.name} {ruling}{_details(verdict)}"
    for each in traced.unpredicted:
        yield from _event(each)
    if traced.verdicts or traced.unpredicted:
        yield ""
    yield from _summary(traced)


def _details(verdict: Verdict) -> str:
    event = _EVENTS.get(verdict.finding.code, "forward")
    if verdict.ruling == "confirmed":
        rest = f", the first {_when(verdict.first_step or 0)}"
        return f": {verdict.wrong} of {_count(verdict.seen, event)}{rest}"
    if verdict.ruling == "contradicted":
        return f" by this run: {_count(verdict.seen, event)}, none as it says"
    return f": {visible(verdict.reason)}" if verdict.reason else ""


def _event(each: Unpredicted) -> Iterator[str]:
    sighting = each.sighting
    innermost, *callers = sighting.stack
    events = _count(sighting.count, {"step": "training step"}.get(sighting.kind, sighting.kind))
    yield (
        f"{visible(innermost.path)}:{innermost.span.line}:{innermost.span.column}: not predicted: {each.claim}: "
        f"`{visible(sighting.what)}`, {events}, the first {_when(sighting.first_step)}"
    )
    for frame in callers:
        yield f"    called from {visible(frame.path)}:{frame.span.line}"


def _summary(traced: Traced) -> Iterator[str]:
    yield (
        f"{traced.ended}: {_count(traced.forwards, 'forward')}, {_count(traced.steps, 'training step')}, "
        f"{_count(traced.exports, 'export')} seen."
    )
    for note in traced.notes:
        yield f"note: {note}"
    if traced.verdicts:
        counts = Counter(verdict.ruling for verdict in traced.verdicts)
        told = ", ".join(f"{counts[ruling]} {ruling}" for ruling in RULINGS if counts[ruling])
        yield f"{_count(len(traced.verdicts), 'finding')}: {told}."
    else:
        yield "No findings to confirm."
    if traced.unpredicted:
        yield f"{_count(len(traced.unpredicted), 'place')} in a wrong mode of which no finding speaks."


def _when(step: int) -> str:
    return "before any training step" if step == 0 else f"after {_count(step, 'training step')}"


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    head, _, tail = noun.partition(" ")
    return f"{number} {head}s {tail}" if tail == "in eval mode" else f"{number} {noun.replace('switch', 'switche')}s"
