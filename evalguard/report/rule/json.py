"""The documentation of rules for programs, as docs/json.md describes it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from evalguard.report.json import SCHEMA
from evalguard.rule_documentation import RuleDocumentation


def render(documentations: Sequence[RuleDocumentation]) -> str:
    """One object with a list of rules, in ASCII."""
    return json.dumps({"version": SCHEMA, "rules": [_rule(each) for each in documentations]}, indent=2) + "\n"


def _rule(documentation: RuleDocumentation) -> dict[str, object]:
    return {
        "code": documentation.code,
        "name": documentation.name,
        "default": documentation.default,
        "severity": documentation.severity.value,
        "summary": documentation.summary,
        "what_it_does": documentation.what_it_does,
        "why_is_this_bad": documentation.why_is_this_bad,
        "example": documentation.example_code,
        "use_instead": documentation.use_instead_code,
        "fix_safety": documentation.fix_safety,
        "known_limits": documentation.known_limits,
    }
