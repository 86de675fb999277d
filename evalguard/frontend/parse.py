"""From text to LibCST's tree, with every refusal of the parser turned into a SourceProblem.

The native parser recurses on the machine's stack: what nests some thousand levels deep would end the process. It is
refused before the parser sees it (`nesting.py`).
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import replace

import libcst as cst

from evalguard.frontend.nesting import refuse_too_much
from evalguard.source import Document, SourceProblem, document_of

_ASYNC_AS_A_NAME = re.compile(r"\basync(?=[ \t]*=[^=])")  # an argument of PyTorch's own `cuda()`, until Python 3.7


def parse(document: Document) -> tuple[cst.Module, str]:
    """The tree of a file and its text, in which names that became keywords are others. Raises SourceProblem."""
    refuse_too_much(document.text)
    try:
        return cst.parse_module(document.text), document.text
    except cst.ParserSyntaxError as error:
        older = _parsed_as_older(document.text)
        if older is not None:
            return older
        _ask_python(document.text)
        problem, line, column = _readable(error)
        raise SourceProblem(f"cannot be parsed: {problem}", line, column) from error
    except (cst.CSTValidationError, cst.CSTLogicError, ValueError) as error:
        _ask_python(document.text)
        raise SourceProblem(f"cannot be parsed: {error}") from error


def _parsed_as_older(text: str) -> tuple[cst.Module, str] | None:
    """The same for a text that was written for a Python in which `async` was a name, as in `x.cuda(async=True)`: under
    another name of its length, so that every place in the file stays."""
    renamed = _ASYNC_AS_A_NAME.sub("asyn_", text)
    if renamed == text:
        return None
    try:
        return cst.parse_module(renamed), renamed
    except (cst.ParserSyntaxError, cst.CSTValidationError, cst.CSTLogicError, ValueError):
        return None


def without_broken_cells(document: Document) -> tuple[Document, tuple[SourceProblem, ...]]:
    """A notebook's document with an empty stretch for each cell that cannot be parsed, and what is wrong with those.
    Any other document as it is."""
    if document.cells is None:
        return document, ()
    lines = document.text.split("\n")
    ends = (*document.cells.starts[1:], len(lines))
    problems: list[SourceProblem] = []
    for start, end in zip(document.cells.starts, ends, strict=False):
        problem = _problem_in("\n".join(lines[start - 1 : end - 1]))
        if problem is not None:
            problems.append(SourceProblem(problem.message, start + problem.line - 1, problem.column))
            lines[start - 1 : end - 1] = [""] * (end - start)
    return replace(document, text="\n".join(lines)), tuple(problems)


def _problem_in(cell: str) -> SourceProblem | None:
    try:
        parse(document_of(cell, ""))
    except SourceProblem as problem:
        return problem
    return None


def _ask_python(text: str) -> None:
    """Raise SourceProblem with Python's own message, which is clearer than LibCST's, if Python refuses the file too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        raise SourceProblem(f"cannot be parsed: {error.msg}", max(line, 1), max(column, 1)) from error
    except (RecursionError, MemoryError, ValueError) as error:
        raise SourceProblem("cannot be parsed: nested too deeply") from error


def _readable(error: cst.ParserSyntaxError) -> tuple[str, int, int]:
    # The native parser names the place in its message only, before a long list of the tokens that it would take.
    match = re.search(r"error at (\d+):(\d+)", error.message)
    if match is not None:
        return "LibCST does not know this syntax", int(match[1]), int(match[2])
    return error.message.strip().partition("\n")[0], error.raw_line, error.raw_column + 1
