"""Edits of a text: applied, compared, and what they do to the lines."""

from __future__ import annotations

import difflib
import os
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from evalguard.finding import Edit
from evalguard.fixes.script import line_starts, offsets

Part: TypeAlias = "tuple[str, int | None]"
"""What has a text of its own in which an edit has its span: a file, or a code cell of a notebook."""


def apply(texts: Mapping[Part, str], edits: Iterable[Edit]) -> dict[Part, str]:
    """The texts that edits change, as they are then. Edits that overlap may not be applied together."""
    edits_of: dict[Part, list[Edit]] = {}
    for edit in dict.fromkeys(edits):
        edits_of.setdefault((edit.path, edit.cell), []).append(edit)
    return {part: "".join(text for _, text in _pieces(texts[part], some)) for part, some in edits_of.items()}


def _pieces(text: str, edits: Iterable[Edit]) -> Iterator[tuple[int | Edit, str]]:
    """The pieces of a mended text, each with its place in the text before, or with the edit that makes it."""
    done = 0
    for edit in sorted(set(edits), key=lambda edit: (edit.span, edit.content)):
        start, end = offsets(text, edit.span)
        yield done, text[done:start]
        yield edit, edit.content
        done = end
    yield done, text[done:]


def overlap(some: Sequence[Edit], others: Sequence[Edit]) -> bool:
    """Whether an edit of the one stands where one of the other does: at the same point, too, unless it is the same."""
    return any(_collide(one, other) for one in some for other in others if one != other)


def _collide(one: Edit, other: Edit) -> bool:
    if (one.path, one.cell) != (other.path, other.cell):
        return False
    first, second = sorted((one.span, other.span))
    end, start = (first.end_line, first.end_column), (second.line, second.column)
    return start < end or start == (first.line, first.column)


def unified_diff(before: str, after: str, path: str) -> str:
    """The difference of two texts, for `patch` and for people; `path` is written as ruff does, without prefixes."""
    shown = _quoted(path)
    lines = difflib.unified_diff(_kept_lines(before), _kept_lines(after), shown, shown)
    return "".join(line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _quoted(path: str) -> str:
    """A path as git writes and `patch` reads it: in quotes, with escapes, where it could break the line or steer a
    terminal."""
    if path.isprintable() and '"' not in path and "\\" not in path:
        return path
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in os.fsencode(path))
    return f'"{"".join(plain)}"'


def original_lines(text: str, edits: Iterable[Edit]) -> dict[int, int]:
    """The lines of the mended text to the lines of the text that they are, changed or not; new ones are left out."""
    lines: dict[int, int] = {}
    starts = line_starts(text)
    for number, source, offset in _line_pieces(text, edits):
        if not isinstance(source, Edit):
            lines.setdefault(number, bisect_right(starts, source + offset))
    return lines


def touched_lines(text: str, edits: Iterable[Edit]) -> dict[int, Edit]:
    """The lines of the mended text that edits have made or changed."""
    return {number: source for number, source, _ in _line_pieces(text, edits) if isinstance(source, Edit)}


def _line_pieces(text: str, edits: Iterable[Edit]) -> Iterator[tuple[int, int | Edit, int]]:
    """The pieces of the lines of a mended text: the line's number, where the piece is from, and how far behind it."""
    number = 1
    for source, piece in _pieces(text, edits):
        offset = 0
        for line in re.findall(r".*?(?:\r\n|\r|\n|$)", piece, re.DOTALL):
            if line:
                yield number, source, offset
                offset += len(line)
            if line.endswith(("\r", "\n")):
                number += 1


def _kept_lines(text: str) -> list[str]:
    return [line for line in re.split(r"(?<=\n)", text) if line]
