"""Where lines are after an edit, and what becomes of what was known of them.

lines that are the same above the edit    stay
lines that are the same below it          move by as many as were put in or taken out
all between                               are gone, and what was known of them with them
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from evalguard.claims import Claim, Way
from evalguard.finding import Finding, Span, Step
from evalguard.lsp.jobs import View
from evalguard.source import split_lines


@dataclass(frozen=True, slots=True)
class Shift:
    """An edit of a file: lines up to `above` stay; those from `below` on, of the text before, move by `by`."""

    path: str
    above: int
    below: int
    by: int

    def line(self, line: int) -> int | None:
        """Where a line is now, None if it is gone."""
        if line <= self.above:
            return line
        return line + self.by if line >= self.below else None

    def span(self, path: str, span: Span) -> Span | None:
        """Where a span is now, None if any end of it is gone."""
        if path != self.path:
            return span
        first, last = self.line(span.line), self.line(span.end_line)
        return None if first is None or last is None else span._replace(line=first, end_line=last)

    def finding(self, finding: Finding) -> Finding | None:
        """A finding with all its places where they are now, None if its own is gone; steps that are gone are left
        out."""
        span = self.span(finding.path, finding.span)
        if span is None:
            return None
        return replace(finding, span=span, trace=self._steps(finding.trace), fix=None)

    def claim(self, claim: Claim) -> Claim | None:
        """The same of a claim."""
        span = self.span(claim.path, claim.span)
        if span is None:
            return None
        return replace(claim, span=span, ways=tuple(self._way(way) for way in claim.ways))

    def view(self, view: View) -> View:
        """What is left of all that was known of a file."""
        findings = tuple(found for finding in view.findings if (found := self.finding(finding)) is not None)
        claims = tuple(there for claim in view.claims if (there := self.claim(claim)) is not None)
        return replace(view, findings=findings, claims=claims)

    def _way(self, way: Way) -> Way:
        return replace(way, steps=self._steps(way.steps))

    def _steps(self, steps: Iterable[Step]) -> tuple[Step, ...]:
        placed = ((step, self.span(step.path, step.span)) for step in steps)
        return tuple(replace(step, span=span) for step, span in placed if span is not None)


def shift(path: str, before: str, after: str) -> Shift:
    """The edit that makes one text of the other."""
    old, new = split_lines(before), split_lines(after)
    above = _shared(old, new, min(len(old), len(new)))
    tail = _shared(old[::-1], new[::-1], min(len(old), len(new)) - above)
    return Shift(path, above, len(old) - tail + 1, len(new) - len(old))


def _shared(one: Sequence[str], other: Sequence[str], most: int) -> int:
    for number in range(most):
        if one[number] != other[number]:
            return number
    return most
