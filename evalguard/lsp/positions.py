"""Spans, which count characters from 1, and the ranges of the protocol, which count from 0 in units of an encoding:
the letter after an emoji stands one further in UTF-16, and three in UTF-8."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol import types

from evalguard.finding import Span
from evalguard.source import split_lines

Encoding = types.PositionEncodingKind | str


@dataclass(frozen=True, slots=True)
class Text:
    """The lines of a text, as far as they are known, and the encoding that the client counts in."""

    lines: tuple[str, ...]
    encoding: Encoding

    def range(self, span: Span) -> types.Range:
        """A span as a range."""
        return types.Range(self.position(span.line, span.column), self.position(span.end_line, span.end_column))

    def position(self, line: int, column: int) -> types.Position:
        """A place as a position, inside the text as far as it is known."""
        if not 1 <= line <= len(self.lines):
            return types.Position(max(line - 1, 0), max(column - 1, 0))
        before = self.lines[line - 1][: column - 1]
        match self.encoding:
            case types.PositionEncodingKind.Utf8:
                units = len(before.encode("utf-8", "surrogatepass"))
            case types.PositionEncodingKind.Utf32:
                units = len(before)
            case _:
                units = len(before.encode("utf-16-le", "surrogatepass")) // 2
        return types.Position(line - 1, units)

    def end(self) -> types.Position:
        """Where the text ends."""
        return self.position(len(self.lines), len(self.lines[-1]) + 1)


def text_of(text: str, encoding: Encoding) -> Text:
    """A text in lines."""
    return Text(tuple(split_lines(text)), encoding)


def contains(outer: types.Range, place: types.Position) -> bool:
    """Whether a place is in a range, its end included."""
    return _order(outer.start) <= _order(place) <= _order(outer.end)


def overlaps(one: types.Range, other: types.Range) -> bool:
    """Whether two ranges have a place in common."""
    return _order(one.start) <= _order(other.end) and _order(other.start) <= _order(one.end)


def _order(position: types.Position) -> tuple[int, int]:
    return position.line, position.character
