"""The documentation of every rule: its headings, and its examples, which are run."""

from __future__ import annotations

import inspect
import re

import pytest

from evalguard.check import check_source
from evalguard.config import Config
from evalguard.rules import RULES, Rule

HEADINGS = ["What it does", "Why is this bad?", "Example", "Use instead", "Known limits"]


def block(rule: Rule, heading: str) -> str:
    found = re.search(rf"## {re.escape(heading)}\n```python\n(.*?)```", inspect.cleandoc(rule.__doc__ or ""), re.DOTALL)
    assert found is not None, f"{rule.code} has no code under {heading!r}"
    return found[1]


def codes(text: str, rule: Rule) -> list[str]:
    report = check_source(text, "snippet.py", Config(select=(rule.code,)))
    assert not report.problems
    return [finding.code for finding in report.findings]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_headings(rule: Rule) -> None:
    assert re.findall(r"^## (.*)$", inspect.cleandoc(rule.__doc__ or ""), re.MULTILINE) == HEADINGS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_example_is_reported(rule: Rule) -> None:
    assert rule.code in codes(block(rule, "Example"), rule)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_what_to_use_instead_is_silent(rule: Rule) -> None:
    assert codes(block(rule, "Use instead"), rule) == []
