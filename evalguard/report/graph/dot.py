"""The picture of a project for Graphviz: `evalguard graph --format dot src | dot -Tsvg -o graph.svg`.

See https://graphviz.org/doc/info/lang.html; in a quoted text, `\\l` ends a line that is set to the left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalguard.callgraph import CallGraph
from evalguard.report.graph.boxes import Box, Boxes, boxes_of


def render(graph: CallGraph) -> str:
    """The digraph."""
    return "".join(f"{line}\n" for line in _lines(boxes_of(graph)))


def _lines(boxes: Boxes) -> Iterator[str]:
    yield "digraph evalguard {"
    yield '    node [shape=box, fontname="monospace", fontsize=10];'
    yield '    edge [fontname="monospace", fontsize=9];'
    for number, (path, inside) in enumerate(boxes.files.items()):
        yield f"    subgraph cluster_{number} {{"
        yield f"        label={_quoted([path])};"
        yield from (f"        {_box(box)}" for box in inside)
        yield "    }"
    yield from (f"    {_box(box, ', style=dashed')}" for box in boxes.unknown)
    for arrow in boxes.arrows:
        style = ", style=dashed" if arrow.dashed else ""
        yield f"    {arrow.start} -> {arrow.end} [label={_quoted([arrow.label])}{style}];"
    yield "}"


def _box(box: Box, style: str = "") -> str:
    return f"{box.id} [label={_quoted(box.lines, left=True)}{', color=red, penwidth=2' if box.reported else style}];"


def _quoted(lines: Sequence[str], left: bool = False) -> str:
    shown = ["".join(c if c.isprintable() else " " for c in line) for line in lines]
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"') for line in shown]
    return '"' + ("".join(f"{line}\\l" for line in escaped) if left else "\\n".join(escaped)) + '"'
