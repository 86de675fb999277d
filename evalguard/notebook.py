"""Jupyter notebooks: the code cells in their order are one text.

    cell 1   import torch            1  import torch
             %matplotlib inline      2  pass
                                     3                     an empty line ends whatever a cell leaves open
    cell 2   net.eval()              4  net.eval()         cell 2, line 1

A cell is counted among the code cells, from 1. The layers above see the lines of the text, as of any other file; only
who speaks to the user asks `Document.cells` for the place. Outputs are never looked at. A notebook in another language
is a document without text; so is one with a kernel of Python 2, unless all of it is Python 3 as well.

The file is read as JSON by ourselves: nbformat would check what we do not need with a schema, at the price of a
dependency on jsonschema and of a multiple of the time, and refuse notebooks that Jupyter opens.
(https://nbformat.readthedocs.io/en/latest/format_description.html)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, TypeVar, cast

from evalguard.finding import Finding, Fix, Span, Step
from evalguard.source import Cells, Document, SourceProblem

if TYPE_CHECKING:
    from evalguard.claims import Claim

T = TypeVar("T")

SUFFIX = ".ipynb"
OLD_PYTHON = "Python 2"
_PYTHON = frozenset({"python", "python3", "ipython", "ipython3", "pyspark", "pyspark3"})  # as sparkmagic calls it
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # JSON can say what no encoding can hold
_POLYGLOT = ("metadata", "vscode", "languageId")  # of a cell in another language than its notebook's


def is_notebook(path: str) -> bool:
    """Whether a file is a notebook, by its name."""
    return path.endswith(SUFFIX)


def decode_notebook(data: bytes, shown: str) -> Document:
    """The document of a notebook's bytes, or SourceProblem."""
    try:
        return notebook_of(data.decode("utf-8-sig"), shown)
    except UnicodeDecodeError as error:
        raise SourceProblem(f"cannot be decoded as utf-8: {error.reason}") from error


def notebook_of(text: str, shown: str) -> Document:
    """The document of a notebook's JSON, or SourceProblem."""
    try:
        content = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise SourceProblem(f"is no notebook: JSON: {error.msg}", error.lineno, error.colno) from error
    except (ValueError, RecursionError) as error:
        raise SourceProblem(f"is no notebook: JSON: {error}") from error
    sources = list(_code_cells(content))
    language = _foreign_language(content)
    if language and language != OLD_PYTHON:
        return Document(shown, "", foreign=language)
    document = document_of_cells(shown, sources)
    return document if not language or _is_parsed_today(document.text) else Document(shown, "", foreign=language)


def _is_parsed_today(text: str) -> bool:
    """Whether code for Python 2 says nothing that only Python 2 reads, as much of it that imports `print_function`."""
    import ast
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that are none
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def placed(finding: Finding, cells: Mapping[str, Cells]) -> Finding:
    """A finding with all its places in the cells in which they stand. `cells` are those of the notebooks, by path."""
    cell, span = _placed(finding.path, finding.span, cells)
    return replace(
        finding,
        cell=cell,
        span=span,
        trace=tuple(_placed_step(step, cells) for step in finding.trace),
        fix=_placed_fix(finding.fix, cells) if finding.fix else None,
    )


def placed_claim(claim: Claim, cells: Mapping[str, Cells]) -> Claim:
    """The same of a claim."""
    cell, span = _placed(claim.path, claim.span, cells)
    ways = tuple(replace(way, steps=tuple(_placed_step(step, cells) for step in way.steps)) for way in claim.ways)
    return replace(claim, cell=cell, span=span, ways=ways)


def in_text(finding: Finding, cells: Mapping[str, Cells]) -> Finding:
    """The reverse of `placed`: a finding with its places in the texts that are made of the cells."""

    def span(path: str, cell: int | None, span: Span) -> Span:
        return span if cell is None or path not in cells else cells[path].in_text(cell, span)

    return replace(
        finding,
        cell=None,
        span=span(finding.path, finding.cell, finding.span),
        trace=tuple(replace(s, cell=None, span=span(s.path, s.cell, s.span)) for s in finding.trace),
    )


def _placed(path: str, span: Span, cells: Mapping[str, Cells]) -> tuple[int | None, Span]:
    return cells[path].placed(span) if path in cells else (None, span)


def _placed_step(step: Step, cells: Mapping[str, Cells]) -> Step:
    cell, span = _placed(step.path, step.span, cells)
    return replace(step, cell=cell, span=span)


def _placed_fix(fix: Fix, cells: Mapping[str, Cells]) -> Fix:
    edits = []
    for edit in fix.edits:
        cell, span = _placed(edit.path, edit.span, cells)
        edits.append(replace(edit, cell=cell, span=span))
    return replace(fix, edits=tuple(edits))


class CellLine(int):
    """A line of a notebook's text that is shown by its cell: `5:14`. It counts and sorts as the line that it is."""

    shown: str

    def __new__(cls, line: int, cells: Cells) -> CellLine:
        """A line of a text of cells."""
        made = super().__new__(cls, line)
        made.shown = ":".join(map(str, cells.place(line)))
        return made

    def __str__(self) -> str:
        return self.shown

    def __format__(self, spec: str) -> str:
        return format(self.shown, spec)


def with_cell_lines(data: T, cells: Mapping[str, Cells], path: str = "") -> T:
    """Plain data in which each `line`, of the file that the nearest `path` around it names, is shown by its cell."""
    if isinstance(data, Span):
        return cast(T, data._replace(line=CellLine(data.line, cells[path])) if path in cells else data)
    if isinstance(data, tuple):
        return cast(T, tuple(with_cell_lines(part, cells, path) for part in data))
    if not is_dataclass(data) or isinstance(data, type):
        return data
    path = getattr(data, "path", path)
    parts = {field.name: with_cell_lines(getattr(data, field.name), cells, path) for field in fields(data)}
    if path in cells and "line" in parts:
        parts["line"] = CellLine(parts["line"], cells[path])
    return replace(data, **parts)


def document_of_cells(shown: str, sources: Sequence[str]) -> Document:
    """The document that is made of the sources of code cells."""
    from evalguard.ipython import dedented, python_of  # most runs see no notebook

    parts: list[str] = []
    starts: list[int] = []
    indents: list[int] = []
    line = 1
    for source in sources:
        cell, indent = dedented(source)
        python = python_of(cell)
        starts.append(line)
        indents.append(indent)
        parts.append(f"{python}\n\n")
        line += python.count("\n") + 2
    return Document(shown, "".join(parts), Cells(tuple(starts), tuple(indents)), tuple(sources))


def _code_cells(content: object) -> Iterator[str]:
    """The text of every code cell, one that is not Python an empty one, so that it counts."""
    if not isinstance(content, dict):
        raise SourceProblem("is no notebook: it is JSON, but no object")
    sheets = [content]
    if "cells" not in content and isinstance(content.get("worksheets"), list):  # nbformat 2 and 3
        sheets = [sheet for sheet in content["worksheets"] if isinstance(sheet, dict)]
    elif "cells" not in content:
        raise SourceProblem("is no notebook: it has no list of cells")
    for sheet in sheets:
        cells = sheet.get("cells", [])
        if not isinstance(cells, list):
            raise SourceProblem("is no notebook: it has no list of cells")
        for cell in cells:
            if isinstance(cell, dict) and cell.get("cell_type") == "code":
                yield _source(cell)


def _source(cell: dict[str, object]) -> str:
    source = cell.get("source", cell.get("input", ""))  # `input` until nbformat 3
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str) or not _is_python(_text_at(cell, "language") or _text_at(cell, *_POLYGLOT)):
        return ""
    return _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", source.removeprefix("\ufeff"))


def _foreign_language(content: dict[str, object]) -> str:
    """The language of a notebook that is not made for Python 3, else ""; one that does not say is Python."""
    language = _text_at(content, "metadata", "language_info", "name") or _text_at(
        content, "metadata", "kernelspec", "language"
    )
    if not _is_python(language):
        return language
    # The kernel's name comes first: PyCharm's template gives notebooks of Python 3 the version 2.7.6.
    kernel = _text_at(content, "metadata", "kernelspec", "name")
    version = _text_at(content, "metadata", "language_info", "version")
    is_old = kernel.startswith("python2") or (version.startswith("2.") and not kernel.startswith("python3"))
    return OLD_PYTHON if is_old else ""


def _is_python(language: str) -> bool:
    return not language or language.lower() in _PYTHON


def _text_at(content: object, *keys: str) -> str:
    """The text under a path of keys, "" where there is none."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, str) else ""
