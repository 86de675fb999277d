"""Spans are those of the standard library's `ast`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import libcst as cst
import pytest
from standard_library import documents, python_tree

from evalguard.finding import Span
from evalguard.frontend.parse import parse
from evalguard.frontend.positions import Positions
from evalguard.frontend.walk import children
from evalguard.source import Document, document_of, split_lines

SAME_KIND = {"AsyncFor": "For", "AsyncFunctionDef": "FunctionDef", "AsyncWith": "With", "Delete": "Del"}

TRICKY = """\
@decorated(1)
async def f(a, /, b: int = g(1), *c, d=(2), **e) -> 'x':  # comment
    '''doc'''
    async with (a()) as b, (c()): pass
    async for (x) in (y): z((x)) ; w()   # after
    else:
        u = 'ä' + é(1); t = f(
            (3),
        )  # last comment

    # dangling comment
if (a): b()
elif c: d()

else: e()
while (f)(x)(y).z(): pass
class A(B, metaclass=C()):

    x: int = y(0)
    del (a), b[c()]
try:
    (yield_)
except (E) as e: raise (F()) from G()
finally:
    pass
match (subject)(1):
    case [1, A(x=b.c)] if d(): pass
from a import (b,
    c as d,
)
from . import *
import x.y as z
assert (a()), (b())
(a) = b
lambda x=d(): x()
print(*a(), **b(c for c in d()))
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_spans_of_a_tricky_file(newline: str) -> None:
    check(document_of(TRICKY.replace("\n", newline), "tricky.py"))


def test_spans_without_a_last_newline_and_with_a_form_feed() -> None:
    check(document_of("a()\n\x0cb(c)\n\x0c\nif x:\n \x0c\td() # e", "end.py"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "  ",
        "# only a comment",
        "try:\n    f(x)\nexcept E :  # why\n    g(y)\nexcept (F) as e  :\n    h(z)\nelse  :\n    v(w)\n",
        "with a as b , c :\n    f(x)\ndef g ( x , ) :\n    h(y)\n    z = lambda : v(w)\n",
        "\x0cf(x)\n\x0c\ng(y)\n",
        "if x:\n\x0c    f(y)\n    g(z)\nh(w)\n",
        "\\\nf(x)\nif y:\n    g(z)\n\\\n    h(w)\n",
        "f('''a\r\nb\nc''')\r\ng(x)\ny = (\r\n  h(z)\r\n)\r\n",
        "if x:\n    f(x) \n\n \n   # less than the block\n\ng(y)\n",
        "f(x)\r\r\n\rif x:\r\n  g(\rx)\r  h(x) # c\r",
    ],
)
def test_spans_where_the_parser_forgets_whitespace(text: str) -> None:
    check(document_of(text, "whitespace.py"))


@pytest.mark.parametrize("document", documents(25), ids=lambda document: document.path)
def test_spans_of_the_standard_library(document: Document) -> None:
    check(document)


def test_headers_end_at_the_colon_and_texts_are_those_of_the_file() -> None:
    text = "def f(x: List[int]) -> (g): # why\n    for a in (b) : c()\n"
    module, _ = parse(document_of(text, "headers.py"))
    positions = Positions(module, text)
    function = module.body[0]
    assert isinstance(function, cst.FunctionDef)
    assert function.returns is not None
    loop = function.body.body[0]
    assert isinstance(loop, cst.For)
    assert positions.header(function, function.body) == Span(1, 1, 1, 28)
    assert positions.header(loop, loop.body) == Span(2, 5, 2, 19)
    assert positions.text(function.returns.annotation) == "g"
    assert positions.comments == ((1, "# why"),)


def check(document: Document) -> None:
    module, _ = parse(document)
    positions = Positions(module, document.text)
    ours: dict[str, set[Span]] = {}
    for node in nodes(module):
        if isinstance(node, cst.Name | cst.Call | cst.BaseSmallStatement | cst.BaseCompoundStatement):
            ours.setdefault(type(node).__name__, set()).add(positions.span(node))
    theirs: dict[str, set[Span]] = {}
    lines = split_lines(document.text)
    for found in python_nodes(python_tree(document)):
        if isinstance(found, ast.Name | ast.Call | ast.stmt):
            kind = type(found).__name__
            theirs.setdefault(SAME_KIND.get(kind, kind), set()).add(python_span(found, lines))
    names = ours.pop("Name", set())
    assert theirs.pop("Name", set()) <= names
    assert ours == theirs


def nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    if not isinstance(node, cst.FormattedString):
        for child in children(node):
            yield from nodes(child)


def python_nodes(node: ast.AST) -> Iterator[ast.AST]:
    # Before Python 3.12, what stands inside an f-string has no true position.
    yield node
    if not isinstance(node, ast.JoinedStr):
        for child in ast.iter_child_nodes(node):
            yield from python_nodes(child)


def python_span(node: ast.expr | ast.stmt, lines: list[str]) -> Span:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return Span(
        node.lineno,
        characters(lines[node.lineno - 1], node.col_offset) + 1,
        node.end_lineno,
        characters(lines[node.end_lineno - 1], node.end_col_offset) + 1,
    )


def characters(line: str, offset: int) -> int:
    return len(re.sub(r"\r?\n", "", line).encode()[:offset].decode())
