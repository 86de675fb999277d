"""One line for each finding, as flake8 prints it by default: `path:line:column: EVG201 message`."""

from __future__ import annotations

from evalguard.finding import Finding
from evalguard.report import Report
from evalguard.report.terminal import visible


def render(report: Report) -> str:
    """The findings, one a line."""
    return "".join(map(_line, report.findings))


def _line(finding: Finding) -> str:
    cell = "" if finding.cell is None else f"cell_{finding.cell}:"  # as nbQA makes flake8 print it
    place = f"{visible(finding.path)}:{cell}{finding.span.line}:{finding.span.column}"
    return f"{place}: {finding.code} {visible(finding.message)}\n"
