"""Source lines in pieces, each with the kind of word it is: a theme gives the kinds their colours. Wants pygments."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

PLAIN, KEYWORD, STRING, COMMENT, NUMBER, DEFINED, BUILTIN = "", "k", "s", "c", "m", "d", "b"


class Piece(NamedTuple):
    """Some characters of a line, and the kind of word they are."""

    kind: str
    text: str


def highlighted(text: str) -> list[list[Piece]]:
    """The lines of a Python text, as many as `source.split_lines` finds; together the pieces are all of its text."""
    from pygments.lexers.python import PythonLexer

    lines: list[list[Piece]] = [[]]
    for token, value in PythonLexer(stripnl=False, ensurenl=False).get_tokens(text):
        kind = _kind(str(token))
        for number, part in enumerate(value.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append(Piece(kind, part))
    return lines


def cut(pieces: Sequence[Piece], places: Sequence[int]) -> list[tuple[int, Piece]]:
    """The pieces, divided also at these columns, each with the column at which it begins, from 0."""
    found: list[tuple[int, Piece]] = []
    column = 0
    for piece in pieces:
        end = column + len(piece.text)
        edges = [column, *sorted(place for place in set(places) if column < place < end), end]
        for start, stop in pairwise(edges):
            found.append((start, Piece(piece.kind, piece.text[start - column : stop - column])))
        column = end
    return found


def _kind(token: str) -> str:
    for start, kind in _KINDS:
        if token.startswith(start):
            return kind
    return PLAIN


_KINDS = (
    ("Token.Comment", COMMENT),
    ("Token.Literal.String", STRING),
    ("Token.Literal.Number", NUMBER),
    ("Token.Keyword", KEYWORD),
    ("Token.Operator.Word", KEYWORD),
    ("Token.Name.Function", DEFINED),
    ("Token.Name.Class", DEFINED),
    ("Token.Name.Decorator", DEFINED),
    ("Token.Name.Builtin", BUILTIN),
)
