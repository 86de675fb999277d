"""The line format of flake8."""

from __future__ import annotations

import re

from sample import REPORT

from evalguard.finding import Finding, Span
from evalguard.report import Report, flake8


def test_each_line_reads_as_flake8_prints_it() -> None:
    lines = flake8.render(REPORT).splitlines()
    assert len(lines) == len(REPORT.findings)
    for line in lines:
        assert re.fullmatch(r"[\w./]+\.py:\d+:\d+: EVG\d{3} .+", line)


def test_a_name_cannot_break_the_line() -> None:
    finding = Finding("EVG201", "name", "two\nlines", "new\nline.py", Span(1, 1, 1, 2))
    assert flake8.render(Report(findings=(finding,))) == "new\\nline.py:1:1: EVG201 two\\nlines\n"
