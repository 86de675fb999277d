"""The front end: from the text of a file to its facts. The only package that knows LibCST.

parse.py         text -> tree                    positions.py   node -> span
statements.py    control flow                    expressions.py calls in evaluation order
patterns.py      the cases of `match`            literals.py    the values of literals
names.py         imports and scopes              walk.py        a tree without its punctuation
blocks.py        the graph that grows            drafts.py      what is carried along
managers.py      managers that swallow exceptions
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from evalguard.finding import Span
from evalguard.frontend.drafts import FileDraft, FunctionDraft
from evalguard.frontend.managers import swallowing_managers
from evalguard.frontend.names import Names
from evalguard.frontend.parse import parse, without_broken_cells
from evalguard.frontend.positions import Positions
from evalguard.frontend.statements import docstring_of, lower_body
from evalguard.ir.facts import MODULE, FileFacts
from evalguard.ir.plain import changed
from evalguard.source import Document, SourceProblem

__all__ = ["lower", "without_broken_cells"]

_RECURSION_LIMIT = 6_000  # LibCST prints a tree by recursion: two or three calls for each term of `a + b + c ...`


def lower(document: Document) -> FileFacts:
    """Lower a file to its facts, or raise SourceProblem if it cannot be parsed."""
    module, text = parse(document)
    try:
        with _deep_recursion():
            positions = Positions(module, text)
            file = FileDraft(document.path, positions, swallowing_managers(module))
            span = positions.whole()
            draft = FunctionDraft(file, MODULE, Names(), span)
            lower_body(draft, module.body)
            draft.finish(
                name=MODULE, span=span, header=Span(1, 1, 1, 1), around=None, docstring=docstring_of(module.body)
            )
    except RecursionError as error:
        raise SourceProblem("cannot be analysed: nested too deeply") from error
    return changed(file.finish(), cells=document.cells)


@contextmanager
def _deep_recursion() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
