"""Fixes in notebooks: from the text that is made of the code cells to the cells themselves.

    the text                     cell 2, as the user sees it
    4  net.eval()        <-      1      net.eval()          indented as a whole, which IPython allows
    5  print(net(x))     <-      2      print(net(x))

Candidates are made on the text, where all cells are one script; edits are those of a cell. A fix is kept only if the
cells, read again with it, give the text as the fix would have it: what stands in a line of a magic, say, is not the
Python that it was read as.
"""

from __future__ import annotations

from dataclasses import replace

from evalguard.finding import Edit, Fix, Span
from evalguard.fixes.edits import Part, apply
from evalguard.notebook import document_of_cells
from evalguard.source import Document, split_lines


def parts_of(document: Document) -> dict[Part, str]:
    """The texts that edits change: of a file its own, of a notebook those of its code cells, by their numbers."""
    if document.cells is None:
        return {(document.path, None): document.text}
    return {(document.path, number): source for number, source in enumerate(document.sources, 1)}


def fix_of_cells(fix: Fix, document: Document) -> Fix | None:
    """A fix of a notebook's text as one of its cells; None where it cannot be done there."""
    edits = [_edit_of_cell(edit, document) for edit in fix.edits]
    made = tuple(edit for edit in edits if edit is not None)
    if len(made) < len(edits):
        return None
    changed = apply(parts_of(document), made)
    sources = [changed.get((document.path, number), source) for number, source in enumerate(document.sources, 1)]
    wanted = apply({(document.path, None): document.text}, fix.edits).get((document.path, None), document.text)
    return replace(fix, edits=made) if document_of_cells(document.path, sources).text == wanted else None


def _edit_of_cell(edit: Edit, document: Document) -> Edit | None:
    cells = document.cells
    if cells is None or edit.path != document.path:
        return None
    number, line = cells.place(edit.span.line)
    source = document.sources[number - 1]
    lines = split_lines(source)
    end_line = line + edit.span.end_line - edit.span.line
    if end_line > len(lines) + 1:
        return None  # it reaches into the next cell
    width = cells.indents[number - 1]
    indent = next((text for text in lines if text.strip()), "")[:width]
    newline = "\r\n" if "\r\n" in source else "\n"
    content = edit.content.replace("\n", newline + indent)
    start, end = (line, edit.span.column + width), (end_line, edit.span.end_column + width)
    if end_line > len(lines):  # the empty line behind the cell, which the cell itself has not
        end = (len(lines), len(lines[-1]) + 1)
        if line > len(lines):
            start, content = end, f"{newline}{indent}{content.removesuffix(newline + indent)}"
        elif not content and line > 1:
            start = (line - 1, len(lines[line - 2]) + 1)
        else:
            return None
    return replace(edit, span=Span(*start, *end), content=content, cell=number)
