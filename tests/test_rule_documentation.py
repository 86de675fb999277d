"""The documentation of every rule: its sections, and its examples, which are run."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from evalguard.check import check_source, documentations, known_codes
from evalguard.config import Config
from evalguard.devtools.new_rule import TEMPLATE
from evalguard.finding import Severity
from evalguard.own_codes import OWN_CODES
from evalguard.report.rule import json as json_form
from evalguard.report.rule import markdown, text
from evalguard.rule_documentation import DocumentationError, RuleDocumentation, documentation_of
from evalguard.rules import RULES

ALL = documentations()  # an error here names the rule and the section that is missing

every_rule = pytest.mark.parametrize("documentation", ALL, ids=lambda documentation: documentation.code)


def codes(source: str, code: str) -> list[str]:
    report = check_source(source, "snippet.py", Config(select=(code,)))
    assert not report.problems
    return [finding.code for finding in report.findings]


@every_rule
def test_the_example_is_reported(documentation: RuleDocumentation) -> None:
    assert documentation.code in codes(documentation.example_code, documentation.code)


@every_rule
def test_what_to_use_instead_is_silent(documentation: RuleDocumentation) -> None:
    assert codes(documentation.use_instead_code, documentation.code) == []


@every_rule
def test_the_summary_is_one_sentence(documentation: RuleDocumentation) -> None:
    assert documentation.summary.endswith(".")
    assert ". " not in documentation.summary


@every_rule
def test_nothing_is_left_as_the_template_has_it(documentation: RuleDocumentation) -> None:
    texts = [documentation.summary, *(text for _, text in documentation.sections())]
    assert [text for text in texts if text in TEMPLATE] == []


def test_no_two_rules_explain_with_the_same_sentences() -> None:
    sentences = [
        sentence
        for each in ALL
        for sentence in " ".join(each.why_is_this_bad.split()).split(". ")
        if len(sentence.split()) > 12
    ]
    assert sorted(sentences) == sorted(set(sentences))


def test_every_code_is_documented() -> None:
    assert {each.code: each.name for each in ALL} == known_codes()
    assert [each.code for each in ALL] == sorted(known_codes())
    assert {each.code for each in ALL if not each.default} == {
        rule.code for rule in (*RULES, *OWN_CODES) if not rule.default
    }


# Reading a docstring


@dataclass(frozen=True)
class Sample:
    __doc__: str
    code: str = "EVG999"
    name: str = "sample-of-a-rule"
    default: bool = True
    severity: Severity = Severity.WARNING


WHOLE = """A module does
    something.

    ## What it does
    Reports it.

    ## Why is this bad?
    It is [wrong](https://pytorch.org):

    - one reason
    - another `reason`

    ## Example
    ```python
    model.eval
    ```

    ## Use instead
    ```python
    model.eval()

    model(x)
    ```

    ## Fix safety
    Unsafe.

    ## Known limits
    None.
    """


def test_what_is_read() -> None:
    assert documentation_of(Sample(WHOLE)) == RuleDocumentation(
        code="EVG999",
        name="sample-of-a-rule",
        default=True,
        severity=Severity.WARNING,
        summary="A module does something.",
        what_it_does="Reports it.",
        why_is_this_bad="It is [wrong](https://pytorch.org):\n\n- one reason\n- another `reason`",
        example="```python\nmodel.eval\n```",
        use_instead="```python\nmodel.eval()\n\nmodel(x)\n```",
        fix_safety="Unsafe.",
        known_limits="None.",
    )


def test_fix_safety_may_be_left_out() -> None:
    found = documentation_of(Sample(WHOLE.replace("## Fix safety\n    Unsafe.\n\n    ", "")))
    assert found.fix_safety is None
    assert "Fix safety" not in [heading for heading, _ in found.sections()]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("## Known limits\n    None.", "", 'no section "## Known limits"'),
        ("## Why is this bad?", "## Why bad?", 'unknown heading "## Why bad\\?"'),
        ("Reports it.", "", 'nothing stands under "## What it does"'),
        ("A module does\n    something.", "", "does not begin with a sentence"),
        ("```python\n    model.eval\n    ```", "model.eval", 'no block of Python stands under "## Example"'),
        ("## Fix safety\n    Unsafe.", "## Example\n    Again.", "once each and in this order"),
    ],
)
def test_what_is_amiss_is_said(old: str, new: str, message: str) -> None:
    assert old in WHOLE
    with pytest.raises(DocumentationError, match=f"EVG999: .*{message}"):
        documentation_of(Sample(WHOLE.replace(old, new)))


def test_a_class_without_a_docstring_is_an_error() -> None:
    with pytest.raises(DocumentationError, match="EVG999"):
        documentation_of(Sample(""))


# The forms


def test_text_fills_prose_and_keeps_code() -> None:
    assert text.render([documentation_of(Sample(WHOLE))], width=30) == (
        "EVG999 sample-of-a-rule\n"
        "A module does something.\n"
        "On by default. Severity: warning.\n"
        "\nWhat it does\n"
        "  Reports it.\n"
        "\nWhy is this bad?\n"
        "  It is wrong\n"
        "  (https://pytorch.org):\n"
        "\n"
        "  - one reason\n"
        "  - another `reason`\n"
        "\nExample\n"
        "    model.eval\n"
        "\nUse instead\n"
        "    model.eval()\n"
        "\n"
        "    model(x)\n"
        "\nFix safety\n"
        "  Unsafe.\n"
        "\nKnown limits\n"
        "  None.\n"
    )


def test_markdown_is_a_page() -> None:
    page = markdown.render([documentation_of(Sample(WHOLE))])
    assert page.startswith(
        "# EVG999 sample-of-a-rule\n\nA module does something.\n\n*On by default. Severity: warning.*\n\n## What"
    )
    assert "\n## Example\n\n```python\nmodel.eval\n```\n" in page


def test_json_holds_every_field() -> None:
    [rule] = json.loads(json_form.render([documentation_of(Sample(WHOLE))]))["rules"]
    assert rule["code"] == "EVG999"
    assert rule["severity"] == "warning"
    assert rule["example"] == "model.eval\n"
    assert rule["fix_safety"] == "Unsafe."
