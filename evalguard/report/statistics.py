"""How many findings each rule has, the most frequent first."""

from __future__ import annotations

from collections import Counter

from evalguard.report import Report


def render(report: Report) -> str:
    """A line for each rule with findings: their number, the code, the name."""
    counts = Counter((finding.code, finding.name) for finding in report.findings)
    width = len(str(max(counts.values(), default=0)))
    return "".join(
        f"{count:>{width}}  {code}  {name}\n"
        for (code, name), count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    )
