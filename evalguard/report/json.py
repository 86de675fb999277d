"""The findings for other programs: schema 1, described in docs/json.md. Only ever added to, never changed."""

from __future__ import annotations

import json

from evalguard.finding import Edit, Finding, Fix, Span, Step
from evalguard.report import Report

SCHEMA = 1


def render(report: Report) -> str:
    """One JSON object, in ASCII: no terminal and no encoding can spoil it."""
    result = {
        "version": SCHEMA,
        "findings": [finding_as_json(finding) for finding in report.findings],
        "summary": {
            "files": len(report.files),
            "analysed": len(report.analysed),
            "skipped": len(report.skipped),
            "findings": len(report.findings),
        },
    }
    return json.dumps(result, indent=2) + "\n"


def finding_as_json(finding: Finding) -> dict[str, object]:
    """A finding as an object of the schema."""
    return {
        "code": finding.code,
        "name": finding.name,
        "message": finding.message,
        "severity": finding.severity.value,
        "path": finding.path,
        **_span(finding.span),
        "cell": finding.cell,
        "function": finding.function,
        "model": finding.model,
        "trace": [_step(step) for step in finding.trace],
        "fix": _fix(finding.fix) if finding.fix else None,
        "no_fix_reason": finding.no_fix_reason,
    }


def _step(step: Step) -> dict[str, object]:
    return {
        "path": step.path,
        "line": step.span.line,
        "column": step.span.column,
        "cell": step.cell,
        "message": step.message,
        "mode": step.mode,
    }


def _fix(fix: Fix) -> dict[str, object]:
    return {
        "title": fix.title,
        "applicability": fix.applicability.value,
        "edits": [_edit(edit) for edit in fix.edits],
    }


def _edit(edit: Edit) -> dict[str, object]:
    return {"path": edit.path, **_span(edit.span), "cell": edit.cell, "content": edit.content}


def _span(span: Span) -> dict[str, object]:
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}
