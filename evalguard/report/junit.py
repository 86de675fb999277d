"""The findings as failed tests, in the XML that CI systems read from test runners.

There is no one standard; what Jenkins, GitLab and Azure all read is kept to: one failure in a test, one test for each
finding, and a single test that passes where nothing is found, since a report without any is an error to some.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from evalguard.finding import Finding
from evalguard.report import Report
from evalguard.report.terminal import visible
from evalguard.report.wording import file_and_cell, lines_of_trace, place_of


def render(report: Report) -> str:
    """One suite of tests, in ASCII: no encoding can spoil it."""
    text = "".join(f"{line}\n" for line in _lines(report))
    return text.encode("ascii", errors="xmlcharrefreplace").decode("ascii")


def _lines(report: Report) -> Iterator[str]:
    failures = len(report.findings)
    counts = f'tests="{max(failures, 1)}" failures="{failures}" errors="0"'
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield f'<testsuites name="evalguard" {counts}>'
    yield f'  <testsuite name="evalguard" {counts} skipped="0">'
    for finding in report.findings:
        yield from _failure(finding)
    if not failures:
        yield '    <testcase name="no problems found" classname="evalguard"/>'
    yield "  </testsuite>"
    yield "</testsuites>"


def _failure(finding: Finding) -> Iterator[str]:
    span = finding.span
    name = quoteattr(f"{finding.code} {finding.name} at {span.line}:{span.column}")
    where = f"classname={quoteattr(file_and_cell(finding))} file={quoteattr(visible(finding.path))}"
    line = f' line="{span.line}"' if finding.cell is None else ""
    advice = [] if finding.help is None else [f"help: {visible(finding.help)}"]
    text = "\n".join([f"{place_of(finding)}: {visible(finding.message)}", *lines_of_trace(finding), *advice])
    yield f"    <testcase name={name} {where}{line}>"
    message = quoteattr(visible(finding.message))
    yield f"      <failure type={quoteattr(finding.code)} message={message}>{escape(text)}</failure>"
    yield "    </testcase>"
