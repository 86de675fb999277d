"""The sources of code cells changed in the JSON of a notebook, in place.

    "source": [                            "source": [
     "net = build()\\n",                     "net = build()\\n",       this literal is not written anew
     "print(net(x))"             ->          "net.eval()\\n",
    ],                                       "print(net(x))"
                                            ],

Nothing else of the file is touched: where the values stand is found by the decoder of the standard library itself, and
what lies between them is copied. A source that is a list stays one, with the blanks between its items, and one that is
a text stays a text; characters beyond ASCII are escaped where the cell, or else the file, does so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import TypeAlias

_Range: TypeAlias = tuple[int, int]

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\n\r]*")
_CHARACTER = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|[^\\]")
_ESCAPED = re.compile(r"(?<!\\)(?:\\\\)*\\u(?!00[0-7])")


class NotWritable(Exception):
    """The JSON has no such source in it as was read from it."""


def with_sources(content: str, known: Sequence[str], changed: Mapping[int, str]) -> str:
    """The JSON with other sources for some of the code cells, which count from 1. `known` are all sources as they were
    read; NotWritable if one that is to be changed is another in the JSON."""
    ranges = list(_source_ranges(content))
    for cell in sorted(changed, reverse=True):
        place = ranges[cell - 1] if cell <= len(ranges) else None
        raw = content[slice(*place)] if place else ""
        if place is None or _decoded(raw) != known[cell - 1]:
            raise NotWritable
        escapes = _escapes(raw, content)
        written = _list(raw, changed[cell], escapes, content) if raw[0] == "[" else _text(raw, changed[cell], escapes)
        content = content[: place[0]] + written + content[place[1] :]
    return content


def _source_ranges(content: str) -> Iterator[_Range | None]:
    """Where the source of each code cell stands; of a cell without one None."""
    notebook = _members(content, _behind_blanks(content, 0))
    sheets = [notebook]
    if "cells" not in notebook and "worksheets" in notebook:  # nbformat 2 and 3
        sheets = [_members(content, start) for start, _ in _items(content, notebook["worksheets"][0])]
    for sheet in sheets:
        for start, _ in _items(content, sheet["cells"][0]) if "cells" in sheet else ():
            cell = _members(content, start)
            if "cell_type" in cell and json.loads(content[slice(*cell["cell_type"])]) == "code":
                yield cell.get("source", cell.get("input"))


def _members(content: str, start: int) -> dict[str, _Range]:
    """Where the values of an object stand; of what is no object, nothing."""
    found: dict[str, _Range] = {}
    if content[start] != "{":
        return found
    place = _behind_blanks(content, start + 1)
    while content[place] != "}":
        key, end = _DECODER.raw_decode(content, place)
        begin = _behind_blanks(content, _behind_blanks(content, end) + 1)  # behind the colon
        end = _DECODER.raw_decode(content, begin)[1]
        found[key] = (begin, end)
        place = _behind_comma(content, end)
    return found


def _items(content: str, start: int) -> list[_Range]:
    """Where the items of an array stand; of what is none, nothing."""
    found: list[_Range] = []
    if content[start] != "[":
        return found
    place = _behind_blanks(content, start + 1)
    while content[place] != "]":
        end = _DECODER.raw_decode(content, place)[1]
        found.append((place, end))
        place = _behind_comma(content, end)
    return found


def _behind_blanks(content: str, place: int) -> int:
    found = _BLANK.match(content, place)
    return found.end() if found else place


def _behind_comma(content: str, place: int) -> int:
    place = _behind_blanks(content, place)
    return _behind_blanks(content, place + 1) if content[place] == "," else place


def _decoded(raw: str) -> str | None:
    value = json.loads(raw)
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return "".join(value)
    return None


def _escapes(raw: str, content: str) -> bool:
    """Whether characters beyond ASCII are escaped: as in the cell; if it has none, as in the file."""
    for text in (raw, content):
        if not text.isascii():
            return False
        if _ESCAPED.search(text):
            return True
    return False  # as Jupyter does


def _text(raw: str, text: str, escapes: bool) -> str:
    """A literal for the text, with the characters of the old one before and behind what has changed."""
    before = json.loads(raw)
    literals = _CHARACTER.findall(raw[1:-1])
    if len(literals) != len(before):
        return json.dumps(text, ensure_ascii=escapes)
    head = _common(before, text)
    tail = _common(before[head:][::-1], text[head:][::-1])
    middle = json.dumps(text[head : len(text) - tail], ensure_ascii=escapes)[1:-1]
    return f'"{"".join(literals[:head])}{middle}{"".join(literals[len(literals) - tail :])}"'


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _list(raw: str, text: str, escapes: bool, content: str) -> str:
    """The array with the lines of the text; literals of lines that it had are kept."""
    ranges = _items(raw, 0)
    old: list[str] = json.loads(raw)
    new = text.splitlines(True) if old == "".join(old).splitlines(True) else re.findall(r"[^\n]*\n|[^\n]+", text)
    opening, closing = raw[1 : ranges[0][0]], raw[ranges[-1][1] : -1]
    gaps = [raw[end:start] for (_, end), (start, _) in pairwise(ranges)]
    gap = gaps[0] if gaps else f",{opening}" if "\n" in opening else _comma(content)
    written: list[str] = []
    for kind, i, i_end, j, j_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal" or (kind == "replace" and i_end - i == j_end - j):
            literals = [
                _text(raw[slice(*place)], line, escapes)
                for place, line in zip(ranges[i:i_end], new[j:j_end], strict=True)
            ]
            between = [gaps[number - 1] if number else gap for number in range(i, i_end)]
        else:
            literals = [json.dumps(line, ensure_ascii=escapes) for line in new[j:j_end]]
            between = [gap] * len(literals)
        for literal, before in zip(literals, between, strict=True):
            written.append(before + literal if written else literal)
    return f"[{opening if written else ''}{''.join(written)}{closing if written else ''}]"


def _comma(content: str) -> str:
    """What parts the items of a list on one line."""
    return ", " if re.search(r'": ', content) else ","
