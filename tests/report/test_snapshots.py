"""Every renderer over the same report, against the snapshots under fixtures/reports/."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sample import REPORT

from evalguard.report import Report, flake8, github, gitlab, json, junit, sarif, statistics, text

SNAPSHOTS = Path(__file__).resolve().parents[2] / "fixtures" / "reports"


@pytest.mark.parametrize(
    ("name", "render"),
    [
        ("sample.txt", text.render),
        ("sample.flake8", flake8.render),
        ("sample.json", json.render),
        ("sample.statistics", statistics.render),
        ("sample.github", github.render),
        ("sample.gitlab.json", gitlab.render),
        ("sample.junit.xml", junit.render),
        ("sample.sarif", sarif.render),
        ("coloured.txt", lambda report: text.render(report, colour=True)),
        ("empty.txt", lambda report: text.render(Report(files=report.files))),
        ("empty.flake8", lambda report: flake8.render(Report(files=report.files))),
        ("empty.json", lambda report: json.render(Report(files=report.files, analysed=("train.py",)))),
        ("empty.junit.xml", lambda report: junit.render(Report(files=report.files))),
        ("empty.sarif", lambda report: sarif.render(Report(files=report.files))),
        ("empty.statistics", lambda report: statistics.render(Report(files=report.files))),
    ],
)
def test_snapshot(name: str, render: Callable[[Report], str], snapshot: Callable[[Path, str], None]) -> None:
    snapshot(SNAPSHOTS / name, render(REPORT))
