"""What a finding is known by from one run to the next, although lines move.

A finding's line number changes with every line that is added above it, and its message may name lines as well. So it
is known by its code, its file, the function around it, the module that it speaks of, and the statement in which it
begins, written without line breaks, indents and comments: moving a function, indenting a block or wrapping a long call
keeps it. Findings that agree in all of these are counted, in the order in which they stand.

    >>> key = Key("EVG201", "train.py", "fit", "model", "optimizer . step ( )", 1)
    >>> len(key.digest())
    64
"""

from __future__ import annotations

import hashlib
import io
import json
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from functools import cache

from evalguard.finding import Finding
from evalguard.source import split_lines


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a finding is known by. `occurrence` counts, from 1, those that are alike in all the rest."""

    code: str
    path: str
    function: str
    model: str
    statement: str
    occurrence: int

    def digest(self) -> str:
        """The key as 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps(astuple(self)).encode("ascii")).hexdigest()


def keys_of(
    findings: Iterable[Finding],
    text_around: Callable[[Finding], str | None],
    path_of: Callable[[str], str] = lambda path: path,
) -> list[Key]:
    """The key of each finding; `text_around` is the text in which it has its lines, `path_of` the name that its file
    is known by."""
    statements = cache(_statements)
    seen: Counter[tuple[str, ...]] = Counter()
    keys = []
    for finding in findings:
        text = text_around(finding)
        statement = "" if text is None else statements(text).get(finding.span.line, "")
        same = (finding.code, path_of(finding.path), finding.function, finding.model or "", statement)
        seen[same] += 1
        keys.append(Key(*same, seen[same]))
    return keys


def _statements(text: str) -> dict[int, str]:
    """Every line to the statement on it, or the head of a compound one, as tokens with a blank between them; where
    Python cannot tell tokens, the words of the line."""
    lines = split_lines(text)
    found = {number: " ".join(line.split()) for number, line in enumerate(lines, start=1)}
    words: list[str] = []
    first = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
            if token.type in _LAYOUT:
                continue
            if token.type == tokenize.NEWLINE:
                found.update(dict.fromkeys(range(first, token.start[0] + 1), _joined(words)))
                words, first = [], 0
                continue
            first = first or token.start[0]
            words.append(token.string)
    except (tokenize.TokenError, SyntaxError):
        pass  # an IPython magic, or syntax newer than the running Python
    return found


def _joined(words: list[str]) -> str:
    """The tokens, without a comma that a formatter puts before a closing bracket on a line of its own."""
    kept = [word for word, after in zip(words, [*words[1:], ""], strict=True) if word != "," or after not in _CLOSING]
    return " ".join(kept)


_CLOSING = (")", "]", "}")
_LAYOUT = frozenset(
    {tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}
)
