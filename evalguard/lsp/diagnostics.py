"""Findings as diagnostics: the steps of a trace are related places, and a code leads to the page of its rule."""

from __future__ import annotations

from collections.abc import Callable

from lsprotocol import types

from evalguard.finding import Finding, Severity, Step
from evalguard.lsp.positions import Text

SOURCE = "evalguard"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
}
_TAGS = {  # what could as well not be there is shown faded
    "EVG301": types.DiagnosticTag.Unnecessary,
    "EVG302": types.DiagnosticTag.Unnecessary,
    "EVG902": types.DiagnosticTag.Unnecessary,
}


def diagnostic(
    finding: Finding, text: Text, elsewhere: Callable[[Step], tuple[str, Text] | None], page: str | None
) -> types.Diagnostic:
    """A finding in a text. `elsewhere` gives the address and text in which a step stands, `page` is the address of
    the rule's documentation."""
    related = []
    for number, step in enumerate(finding.trace, 1):
        found = elsewhere(step)
        if found is not None:
            location = types.Location(found[0], found[1].range(step.span))
            related.append(types.DiagnosticRelatedInformation(location, f"{number}. {step.message}"))
    tag = _TAGS.get(finding.code)
    return types.Diagnostic(
        range=text.range(finding.span),
        message=finding.message if finding.help is None else f"{finding.message}\nhelp: {finding.help}",
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        code_description=None if page is None else types.CodeDescription(page),
        source=SOURCE,
        tags=None if tag is None else [tag],
        related_information=related or None,
    )
