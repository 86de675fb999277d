"""The modes that are claimed, as hints behind the code: `model(x)` ⟨eval⟩."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from lsprotocol import types

from evalguard.claims import Claim
from evalguard.finding import Span
from evalguard.lsp.positions import Text, contains

_SHOWN = {"unknown": "?"}  # as the caller left it


def hints(
    claims: Iterable[Claim], text: Text, within: types.Range, explain: Callable[[Sequence[Claim]], str]
) -> list[types.InlayHint]:
    """The hints in a range of a text. Nothing is said where nothing is known."""
    by_span: dict[Span, list[Claim]] = {}
    for claim in claims:
        by_span.setdefault(claim.span, []).append(claim)
    found = []
    for span, some in sorted(by_span.items()):
        place, label = text.position(span.end_line, span.end_column), _label(some)
        if label and contains(within, place):
            tooltip = types.MarkupContent(types.MarkupKind.Markdown, explain(some))
            found.append(types.InlayHint(place, f"⟨{label}⟩", tooltip=tooltip, padding_left=True))
    return found


def _label(claims: Sequence[Claim]) -> str:
    """What is said of one place of the code; by name where several modules there differ."""
    labels = {claim.place: _modes(claim) for claim in claims if set(claim.modes) - {"unknown"}}
    if len(set(labels.values())) <= 1:
        return next(iter(labels.values()), "")
    return ", ".join(f"{place}: {modes}" for place, modes in sorted(labels.items()))


def _modes(claim: Claim) -> str:
    return "|".join(_SHOWN.get(mode, mode) for mode in claim.modes)
