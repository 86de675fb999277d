"""The findings as commands to GitHub Actions, which shows them beside the code:

    ::error file=train.py,line=10,endLine=10,col=13,endColumn=29,title=EVG201 training-in-eval-mode::...

The characters that would end a property or the command are written as GitHub reads them back:
https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
"""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Finding
from evalguard.report import Report
from evalguard.report.terminal import visible
from evalguard.report.wording import lines_of_trace, place_of


def render(report: Report) -> str:
    """One command for each finding, on a line of its own."""
    return "".join(map(_command, report.findings))


def _command(finding: Finding) -> str:
    properties = ",".join(f"{name}={_property(value)}" for name, value in _properties(finding))
    return f"::{finding.severity.value} {properties}::{_data(_text(finding))}\n"


def _properties(finding: Finding) -> Iterator[tuple[str, str]]:
    span = finding.span
    yield "file", visible(finding.path)
    if finding.cell is None:  # the lines of a cell are not those of the notebook's file
        yield "line", str(span.line)
        yield "endLine", str(max(span.end_line, span.line))
        if span.end_line <= span.line:  # GitHub takes columns on one line only
            yield "col", str(span.column)
            yield "endColumn", str(span.end_column)
    yield "title", f"{finding.code} {finding.name}"


def _text(finding: Finding) -> str:
    place = "" if finding.cell is None else f"{place_of(finding)}: "
    advice = [] if finding.help is None else [f"help: {visible(finding.help)}"]
    return "\n".join([f"{place}{visible(finding.message)}", *lines_of_trace(finding), *advice])


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
