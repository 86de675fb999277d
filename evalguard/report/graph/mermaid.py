"""The picture of a project as a Mermaid flowchart: a box for each function, an arrow for each call, with its lines.

See https://mermaid.js.org/syntax/flowchart.html; GitHub and many editors draw it. A label is one quoted text, in which
characters of Mermaid's own are written as entities.
"""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.callgraph import CallGraph
from evalguard.report.graph.boxes import Boxes, boxes_of

ENTITIES = {character: f"#{ord(character)};" for character in '"#<>&`\\'}


def render(graph: CallGraph) -> str:
    """The flowchart."""
    return "".join(f"{line}\n" for line in _lines(boxes_of(graph)))


def _lines(boxes: Boxes) -> Iterator[str]:
    yield "flowchart TD"
    for number, (path, inside) in enumerate(boxes.files.items()):
        yield f'    subgraph file{number}["{_text(path)}"]'
        for box in inside:
            yield f'        {box.id}["{"<br/>".join(map(_text, box.lines))}"]{":::reported" if box.reported else ""}'
        yield "    end"
    for box in boxes.unknown:
        yield f'    {box.id}(["{"<br/>".join(map(_text, box.lines))}"]):::unknown'
    for arrow in boxes.arrows:
        yield f'    {arrow.start} {"-.->" if arrow.dashed else "-->"}|"{_text(arrow.label)}"| {arrow.end}'
    yield "    classDef reported stroke:#c00,stroke-width:3px"
    yield "    classDef unknown stroke-dasharray:4"


def _text(text: str) -> str:
    return "".join(ENTITIES.get(character, character if character.isprintable() else " ") for character in text)
