"""Pieces of plain text that several forms have in common."""

from __future__ import annotations

from evalguard.finding import Finding, Step
from evalguard.report.terminal import visible


def place_of(finding: Finding) -> str:
    """Where a finding begins: `train.py:10:13`, `explore.ipynb:cell 5:14:9`."""
    return f"{file_and_cell(finding)}:{finding.span.line}:{finding.span.column}"


def file_and_cell(place: Finding | Step) -> str:
    """The file, and in a notebook the cell."""
    return visible(place.path) if place.cell is None else f"{visible(place.path)}:cell {place.cell}"


def lines_of_trace(finding: Finding) -> list[str]:
    """The steps of the way to a finding, numbered."""
    return [
        f"{number} {file_and_cell(step)}:{step.span.line} {visible(step.message)}"
        for number, step in enumerate(finding.trace, start=1)
    ]
