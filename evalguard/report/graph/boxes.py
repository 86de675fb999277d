"""Boxes and arrows, for the forms that draw: a box for each function and unknown callee, an arrow for each pair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evalguard.callgraph import BODY, CallGraph, FunctionNode, Key
from evalguard.report.graph.wording import changes, shortened, title

MOST_PLACES = 6  # in one box
MOST_LINES = 4  # on one arrow


@dataclass(frozen=True, slots=True)
class Box:
    """A function: its title and a line for each place. `reported` if there is a finding in it."""

    id: str
    lines: tuple[str, ...]
    reported: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """All calls of one function by another; the label names their lines. `dashed` if the callee was not followed."""

    start: str
    end: str
    label: str
    dashed: bool


@dataclass(frozen=True, slots=True)
class Boxes:
    """The boxes of each file, those of unknown callees, and the arrows."""

    files: dict[str, list[Box]]
    unknown: list[Box]
    arrows: list[Arrow]


def boxes_of(graph: CallGraph) -> Boxes:
    """What there is to draw: the functions that see a module, and those that call them."""
    telling = graph.telling()
    shown = [node for node in graph.functions if node.key in telling]
    ids = {node.key: f"f{number}" for number, node in enumerate(shown)}
    files: dict[str, list[Box]] = {}
    unknown: dict[str, Box] = {}
    arrows: list[Arrow] = []
    for node in shown:
        box = Box(ids[node.key], tuple(_lines(node)), bool(node.findings))
        files.setdefault(node.path, []).append(box)
        for callee, lines in _calls(node).items():
            if callee in ids:
                arrows.append(Arrow(box.id, ids[callee], shortened(map(str, lines), MOST_LINES), False))
        for text, lines in _unknowns(node).items():
            stranger = unknown.setdefault(text, Box(f"u{len(unknown)}", (text, "unknown")))
            arrows.append(Arrow(box.id, stranger.id, shortened(map(str, lines), MOST_LINES), True))
    return Boxes(files, list(unknown.values()), arrows)


def _lines(node: FunctionNode) -> Iterator[str]:
    yield title(node) if node.qualname == BODY else f"{node.line} {title(node)}"
    places = [f"{place}: {change}" for place, change in changes(node.runs, "→").items()]
    yield from places[:MOST_PLACES]
    if len(places) > MOST_PLACES:
        yield f"and {len(places) - MOST_PLACES} more places"
    yield from (f"{finding.code} on line {finding.span.line}" for finding in node.findings)


def _calls(node: FunctionNode) -> dict[Key, list[int]]:
    found: dict[Key, list[int]] = {}
    for call in node.calls:
        if call.unfollowed is None:
            found.setdefault(call.callee, []).append(call.site.line)
    return {callee: sorted(set(lines)) for callee, lines in found.items()}


def _unknowns(node: FunctionNode) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for call in node.unknowns:
        found.setdefault(call.text, []).append(call.line)
    return {text: sorted(set(lines)) for text, lines in found.items()}
