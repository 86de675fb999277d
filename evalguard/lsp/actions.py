"""Quick fixes: the cure of a finding, which is proven when it is chosen, and a comment that silences it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from lsprotocol import types

from evalguard.finding import Edit, Finding
from evalguard.fixes.suppressions import silencing_edits
from evalguard.lsp.positions import Text
from evalguard.suppress import last_lines

CANNOT_BE_SILENCED = "EVG901"


def actions(uri: str, finding: Finding, cure: str, diagnostic: types.Diagnostic) -> Iterator[types.CodeAction]:
    """What can be done about a finding, without the edits."""
    data = {"uri": uri, "code": finding.code, "span": _numbers(finding), "model": finding.model}
    kind = types.CodeActionKind.QuickFix
    if cure:
        yield types.CodeAction(
            f"{finding.code}: {cure}", kind, [diagnostic], is_preferred=True, data={**data, "does": "mend"}
        )
    if finding.code != CANNOT_BE_SILENCED:
        title = f"Silence {finding.code} on this line with # noqa: {finding.code}"
        yield types.CodeAction(title, kind, [diagnostic], data={**data, "does": "silence"})


def meant(data: Mapping[str, Any], findings: Iterable[Finding]) -> Finding | None:
    """The finding that an action is about, if it is still there."""
    for finding in findings:
        if (finding.code, _numbers(finding), finding.model) == (data["code"], list(data["span"]), data["model"]):
            return finding
    return None


def silencing(finding: Finding, text: str) -> list[Edit]:
    """The edits that silence a finding in a text."""
    line = last_lines(text).get(finding.span.line, finding.span.line)
    return list(silencing_edits((finding.path, finding.cell), text, {line: [finding.code]}))


def workspace_edit(
    edits: Iterable[Edit],
    place: Callable[[Edit], tuple[str, int | None, Text] | None],
    with_versions: bool,
) -> types.WorkspaceEdit | None:
    """Edits for the client. `place` gives the address, the version and the lines of what an edit is for; None where one
    of them is not known any more."""
    by_file: dict[str, list[types.TextEdit]] = {}
    versions: dict[str, int | None] = {}
    for edit in edits:
        found = place(edit)
        if found is None:
            return None
        uri, version, text = found
        versions[uri] = version
        by_file.setdefault(uri, []).append(types.TextEdit(text.range(edit.span), edit.content))
    if not with_versions:
        return types.WorkspaceEdit(changes=by_file)
    return types.WorkspaceEdit(
        document_changes=[
            types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(uri, versions[uri]), list(some))
            for uri, some in by_file.items()
        ]
    )


def _numbers(finding: Finding) -> list[int]:
    span = finding.span
    return [span.line, span.column, span.end_line, span.end_column]
