"""The findings as GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format

GitLab compares the fingerprints of a merge request with those of its target, and takes two problems with the same one
for one: see `fingerprint.py`.
"""

from __future__ import annotations

import json

from evalguard.finding import Finding, Severity
from evalguard.fingerprint import Key, keys_of
from evalguard.report import Report
from evalguard.report.wording import place_of

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor"}


def render(report: Report) -> str:
    """A list of problems, in ASCII."""
    keys = keys_of(report.findings, report.text_around)
    problems = [_problem(finding, key) for finding, key in zip(report.findings, keys, strict=True)]
    return json.dumps(problems, indent=2) + "\n"


def _problem(finding: Finding, key: Key) -> dict[str, object]:
    in_file = finding.cell is None  # GitLab knows of lines, not of cells
    return {
        "description": finding.message if in_file else f"{place_of(finding)}: {finding.message}",
        "check_name": f"{finding.code} {finding.name}",
        "fingerprint": key.digest(),
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": finding.path,
            "lines": {
                "begin": finding.span.line if in_file else 1,
                "end": max(finding.span.end_line, finding.span.line) if in_file else 1,
            },
        },
    }
