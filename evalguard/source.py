"""From bytes to text: how a file is read, before anything looks at what it says.

Python's own rules hold: the encoding is the byte order mark's, or that of the `coding` comment in the first two lines
(PEP 263), or UTF-8. Newlines stay as they are in the file, since a fix must give back every byte that it does not
touch. A line ends at `\\n`, `\\r\\n` or `\\r` and nowhere else: `str.splitlines` would also break at a form feed.
"""

from __future__ import annotations

import io
import os
import re
import stat
import tokenize
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evalguard.finding import Span

MOST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Cells:
    """Where the code cells of a notebook stand in the text that is made of them: the lines on which they begin, and
    how many columns of an indent that they have in common were left out of it."""

    starts: tuple[int, ...]
    indents: tuple[int, ...]

    def place(self, line: int) -> tuple[int, int]:
        """The cell in which a line of the text stands, and the line of that cell, both from 1."""
        cell = max(bisect_right(self.starts, line), 1)
        return cell, line - self.starts[cell - 1] + 1

    def placed(self, span: Span) -> tuple[int, Span]:
        """The cell in which a span of the text begins, and the span there."""
        cell, line = self.place(span.line)
        indent = self.indents[cell - 1]
        last = span.end_line - span.line + line
        return cell, span._replace(
            line=line, column=span.column + indent, end_line=last, end_column=span.end_column + indent
        )

    def in_text(self, cell: int, span: Span) -> Span:
        """The reverse of `placed`: a span of a cell in the text."""
        first, indent = self.starts[cell - 1] - 1, self.indents[cell - 1]
        return Span(span.line + first, span.column - indent, span.end_line + first, span.end_column - indent)


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one file. `path` is as shown to the user, with `/`; the text has no byte order mark.

    A notebook's text is Python that is made of its code cells (see `notebook.py`): `cells` says where they stand in it,
    `sources` are what the user sees in them. `foreign` is the language of one that is not Python 3; it has no text."""

    path: str
    text: str
    cells: Cells | None = None
    sources: tuple[str, ...] = ()
    foreign: str = ""


class SourceProblem(Exception):
    """A file that cannot be read, decoded or parsed; line and column are 1-based."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def read_document(path: Path, shown: str, decode: Callable[[bytes, str], Document] | None = None) -> Document:
    """Read and decode one file, or raise SourceProblem."""
    return (decode or decode_document)(read_bytes(path), shown)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file or of an open pipe, or SourceProblem. A device is not read, for it may have no end; a pipe
    that nobody writes to is empty, rather than waited for."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            mode = os.fstat(file.fileno()).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
                raise SourceProblem("cannot be read: it is no file")
            if hasattr(os, "set_blocking"):
                os.set_blocking(file.fileno(), True)
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SourceProblem(f"cannot be read: {error.strerror or error}") from error
    if len(data) > MOST_BYTES:
        raise SourceProblem(f"cannot be read: it is larger than {MOST_BYTES >> 20} MiB")
    return data


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def decode_document(data: bytes, shown: str) -> Document:
    """Decode the bytes of one file as Python would, or raise SourceProblem."""
    encoding = encoding_of(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line, column = _position(data, error.start, encoding)
        raise SourceProblem(f"cannot be decoded as {encoding}: {error.reason}", line, column) from error
    except (LookupError, ValueError) as error:
        raise SourceProblem(f"cannot be decoded as {encoding}: {error}") from error
    return document_of(text, shown)


def document_of(text: str, shown: str) -> Document:
    """The document of a text that is decoded already, or SourceProblem where Python would refuse its characters."""
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        before = split_lines(text[: text.index("\0")])
        raise SourceProblem("cannot be parsed: it holds a NUL byte", len(before), len(before[-1]) + 1)
    return Document(shown, text)


def split_lines(text: str) -> list[str]:
    """The lines of a text without their ends; as many as Python counts, and an empty last one after a final newline."""
    return re.split(r"\r\n|\r|\n", text)


def encoding_of(data: bytes) -> str:
    """The encoding of a file's bytes, as Python finds it, or SourceProblem."""
    # Two lines are all that matters, and `detect_encoding` itself would not end a line at a lone `\r`.
    head = b"\n".join(re.split(rb"\r\n|\r|\n", data, maxsplit=2)[:2])
    try:
        return tokenize.detect_encoding(io.BytesIO(head).readline)[0]
    except SyntaxError as error:
        raise SourceProblem(f"cannot be decoded: {error.msg}") from error


def _position(data: bytes, offset: int, encoding: str) -> tuple[int, int]:
    before = re.split(rb"\r\n|\r|\n", data[:offset])
    return len(before), len(before[-1].decode(encoding, errors="replace")) + 1
