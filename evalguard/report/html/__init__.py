"""A page for people: every finding with its source, the mode ribbon and the way to it. Wants jinja2 and pygments.

    overview     findings by rule and by file, then all of them
    findings     the functions on the way to each, line by line: steps, bands, code
    sources      those functions in full, with links from each call to its callee and back

The page is one file and asks the network for nothing; its policy (Content-Security-Policy) allows only the style and
the script that are written here. All text of the analysed project goes through the template's escaping, and `visible`
before it, so it can neither be markup nor turn the writing round. Same input, same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, StrictUndefined

from evalguard.report import Report
from evalguard.report.html.panels import Maker, Word, words_of
from evalguard.report.scenes import LETTERS
from evalguard.report.terminal import visible
from evalguard.rule_documentation import RuleDocumentation


@dataclass(frozen=True, slots=True)
class Count:
    """A row of the overview."""

    name: str
    detail: str
    number: int
    href: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code means."""

    code: str
    name: str
    summary: tuple[Word, ...]
    why: tuple[tuple[Word, ...], ...]


def render(report: Report, rules: Sequence[RuleDocumentation] = (), version: str = "") -> str:
    """The page; `rules` are all that may be found, `version` is evalguard's."""
    maker = Maker(report)
    findings = [maker.finding(number, finding) for number, finding in enumerate(report.findings, start=1)]
    files = maker.files()
    style, script = _asset("page.css"), _asset("page.js")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(_asset("page.html")).render(
        style=style,
        script=script,
        policy=_policy(style, script),
        version=version,
        findings=findings,
        files=files,
        by_rule=_by_rule(report, rules),
        by_file=_by_file(report),
        rules=_rules(report, rules),
        affected=len({finding.path for finding in report.findings}),
        looked_at=len(report.files),
        problems=[visible(f"{problem.path}: {problem.message}") for problem in report.problems],
        letters=LETTERS,
    )
    return page + "\n"


def _asset(name: str) -> str:
    return resources.files("evalguard.report.html").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return (
        f"default-src 'none'; style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


# -------------------------------------------------------------------------------------------------- overview


def _by_rule(report: Report, rules: Sequence[RuleDocumentation]) -> list[Count]:
    names = {finding.code: finding.name for finding in report.findings}
    known = {rule.code for rule in rules}
    counted = sorted(Counter(finding.code for finding in report.findings).items(), key=lambda each: (-each[1], each[0]))
    return [Count(code, names[code], number, f"#{code}" if code in known else "") for code, number in counted]


def _by_file(report: Report) -> list[Count]:
    first: dict[str, int] = {}
    for number, finding in enumerate(report.findings, start=1):
        first.setdefault(finding.path, number)
    counted = sorted(Counter(finding.path for finding in report.findings).items(), key=lambda each: (-each[1], each[0]))
    return [Count(visible(path), "", number, f"#f{first[path]}") for path, number in counted]


def _rules(report: Report, rules: Sequence[RuleDocumentation]) -> list[Rule]:
    found = {finding.code for finding in report.findings}
    return [
        Rule(
            rule.code,
            rule.name,
            words_of(rule.summary),
            tuple(words_of(" ".join(part.split())) for part in rule.why_is_this_bad.split("\n\n") if part.strip()),
        )
        for rule in rules
        if rule.code in found
    ]
