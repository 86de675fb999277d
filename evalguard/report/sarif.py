"""The findings in SARIF 2.1.0, which code scanning services and editors read.

The way to a finding is a code flow, a fix its replacements, and a rule's documentation its help. Cells of notebooks
are beyond SARIF, whose regions lie in files: such a finding is on line 1, with its place as a logical location and in
the message, and a fix of a cell is left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from itertools import groupby
from urllib.parse import quote

from evalguard.finding import Applicability, Edit, Finding, Fix, Span, Step
from evalguard.fingerprint import Key, keys_of
from evalguard.report import Problem, Report
from evalguard.report.wording import place_of
from evalguard.rule_documentation import RuleDocumentation

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "evalguardFinding/v1"  # not GitHub's own `primaryLocationLineHash`, which it computes itself

_Json = dict[str, object]


def render(report: Report, rules: Sequence[RuleDocumentation] = (), version: str = "") -> str:
    """One run, in ASCII. `rules` are all that may be found, `version` is evalguard's."""
    places = {rule.code: place for place, rule in enumerate(rules)}
    keys = keys_of(report.findings, report.text_around)
    run = {
        "tool": {"driver": _driver(rules, version)},
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, key, places) for finding, key in zip(report.findings, keys, strict=True)],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _driver(rules: Sequence[RuleDocumentation], version: str) -> _Json:
    return {"name": "evalguard", **({"version": version} if version else {}), "rules": [_rule(rule) for rule in rules]}


def _rule(rule: RuleDocumentation) -> _Json:
    markdown = "\n\n".join(f"## {heading}\n\n{text}" for heading, text in rule.sections())
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": " ".join(rule.what_it_does.split())},
        "help": {"text": f"{rule.summary}\n\n{markdown}", "markdown": f"{rule.summary}\n\n{markdown}"},
        "defaultConfiguration": {"enabled": rule.default, "level": rule.severity.value},
        "properties": {"tags": [rule.name], "problem.severity": rule.severity.value},
    }


def _invocation(report: Report) -> _Json:
    return {
        "executionSuccessful": not report.problems,
        "toolExecutionNotifications": [_notification(problem) for problem in report.problems],
    }


def _notification(problem: Problem) -> _Json:
    where = {"locations": [{"physicalLocation": _file(problem.path)}]} if problem.path else {}
    return {"level": "error", "message": {"text": f"internal error: {problem.message}"}, **where}


def _result(finding: Finding, key: Key, places: dict[str, int]) -> _Json:
    result: _Json = {
        "ruleId": finding.code,
        **({"ruleIndex": places[finding.code]} if finding.code in places else {}),
        "level": finding.severity.value,
        "message": {"text": _message(finding)},
        "locations": [_location(finding)],
        "partialFingerprints": {FINGERPRINT: key.digest()},
        "properties": {"name": finding.name, "model": finding.model},
    }
    if finding.trace:
        steps = [_step(step, order, finding.model) for order, step in enumerate(finding.trace, start=1)]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    if finding.fix and _is_for_machines(finding.fix):
        result["fixes"] = [_fix(finding.fix)]
    return result


def _message(finding: Finding) -> str:
    place = "" if finding.cell is None else f"{place_of(finding)}: "
    advice = "" if finding.help is None else f"\nhelp: {finding.help}"
    return f"{place}{finding.message}{advice}"


def _location(place: Finding | Step) -> _Json:
    region = _region(place.span) if place.cell is None else {"startLine": 1}
    logical: list[_Json] = []
    if isinstance(place, Finding) and place.function:
        logical.append({"fullyQualifiedName": place.function, "kind": "function"})
    if place.cell is not None:
        logical.append({"name": f"cell {place.cell}, line {place.span.line}", "kind": "element"})
    location: _Json = {"physicalLocation": {**_file(place.path), "region": region}}
    return {**location, "logicalLocations": logical} if logical else location


def _step(step: Step, order: int, model: str | None) -> _Json:
    place = "" if step.cell is None else f"cell {step.cell}, line {step.span.line}: "
    flow: _Json = {
        "location": {**_location(step), "message": {"text": f"{place}{step.message}"}},
        "executionOrder": order,
    }
    return {**flow, "state": {f"mode of {model or 'the module'}": {"text": step.mode}}} if step.mode else flow


def _is_for_machines(fix: Fix) -> bool:
    return fix.applicability is not Applicability.DISPLAY and all(edit.cell is None for edit in fix.edits)


def _fix(fix: Fix) -> _Json:
    edits = sorted(fix.edits, key=lambda edit: (edit.path, edit.span))
    changes = [_changes(path, group) for path, group in groupby(edits, key=lambda edit: edit.path)]
    return {
        "description": {"text": fix.title},
        "artifactChanges": changes,
        "properties": {"applicability": fix.applicability.value},
    }


def _changes(path: str, edits: Iterable[Edit]) -> _Json:
    replacements = [{"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.content}} for edit in edits]
    return {**_file(path), "replacements": replacements}


def _file(path: str) -> dict[str, object]:
    encoded = quote(os.fsencode(path))
    if encoded.startswith("/"):
        return {"artifactLocation": {"uri": f"file://{encoded}"}}
    if path[1:2] == ":":  # a drive
        return {"artifactLocation": {"uri": f"file:///{encoded}"}}
    return {"artifactLocation": {"uri": encoded}}


def _region(span: Span) -> _Json:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
