"""The documentation of rules as Markdown; one rule is a page."""

from __future__ import annotations

from collections.abc import Sequence

from evalguard.rule_documentation import RuleDocumentation


def render(documentations: Sequence[RuleDocumentation]) -> str:
    """One rule after the other."""
    return "\n".join(map(page, documentations))


def page(documentation: RuleDocumentation) -> str:
    """One rule."""
    state = "On" if documentation.default else "Off"
    head = (
        f"# {documentation.code} {documentation.name}\n\n"
        f"{documentation.summary}\n\n"
        f"*{state} by default. Severity: {documentation.severity.value}.*\n"
    )
    return head + "".join(f"\n## {heading}\n\n{text}\n" for heading, text in documentation.sections())
