"""Schema 1 of the JSON form: the keys, their order and their types never change."""

from __future__ import annotations

import json as standard_json
from pathlib import Path

from sample import REPORT

from evalguard.finding import Finding, Span
from evalguard.report import Report, json

FINDING = [
    *("code", "name", "message", "severity", "path", "line", "column", "end_line", "end_column"),
    *("cell", "function", "model", "trace", "fix", "no_fix_reason"),
]
STEP = ["path", "line", "column", "cell", "message", "mode"]
FIX = ["title", "applicability", "edits"]
EDIT = ["path", "line", "column", "end_line", "end_column", "cell", "content"]
SUMMARY = ["files", "analysed", "skipped", "findings"]


def test_the_keys_of_schema_1() -> None:
    result = standard_json.loads(json.render(REPORT))
    assert list(result) == ["version", "findings", "summary"]
    assert result["version"] == 1
    assert list(result["summary"]) == SUMMARY
    assert all(list(finding) == FINDING for finding in result["findings"])
    assert all(list(step) == STEP for finding in result["findings"] for step in finding["trace"])
    fixes = [finding["fix"] for finding in result["findings"] if finding["fix"]]
    assert fixes
    assert all(list(fix) == FIX and all(list(edit) == EDIT for edit in fix["edits"]) for fix in fixes)


def test_the_summary_counts() -> None:
    result = standard_json.loads(json.render(REPORT))
    assert result["summary"] == {"files": 4, "analysed": 2, "skipped": 1, "findings": 3}


def test_any_name_survives() -> None:
    name = "né\udc80\n\x1b.py"
    report = Report(findings=(Finding("EVG201", "name", "message", name, Span(1, 1, 1, 2)),))
    rendered = json.render(report)
    assert rendered.isascii()
    assert standard_json.loads(rendered)["findings"][0]["path"] == name


def test_every_key_is_documented() -> None:
    document = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    for key in {*FINDING, *STEP, *FIX, *EDIT, *SUMMARY, "version", "findings", "summary"}:
        assert f"`{key}`" in document
