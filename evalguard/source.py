"""From bytes to text: how a file is read, before anything looks at what it says.

Python's own rules hold: the encoding is the byte order mark's, or that of the `coding` comment in the first two lines
(PEP 263), or UTF-8. Newlines stay as they are in the file, since a fix must give back every byte that it does not
touch. A line ends at `\\n`, `\\r\\n` or `\\r` and nowhere else: `str.splitlines` would also break at a form feed.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one file. `path` is as shown to the user, with `/`; the text has no byte order mark."""

    path: str
    text: str


class SourceProblem(Exception):
    """A file that cannot be read, decoded or parsed; line and column are 1-based."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def read_document(path: Path, shown: str) -> Document:
    """Read and decode one file, or raise SourceProblem."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceProblem(f"cannot be read: {error.strerror or error}") from error
    return decode_document(data, shown)


def decode_document(data: bytes, shown: str) -> Document:
    """Decode the bytes of one file as Python would, or raise SourceProblem."""
    encoding = _encoding(data)
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


def _encoding(data: bytes) -> str:
    # Two lines are all that matters, and `detect_encoding` itself would not end a line at a lone `\r`.
    head = b"\n".join(re.split(rb"\r\n|\r|\n", data, maxsplit=2)[:2])
    try:
        return tokenize.detect_encoding(io.BytesIO(head).readline)[0]
    except SyntaxError as error:
        raise SourceProblem(f"cannot be decoded: {error.msg}") from error


def _position(data: bytes, offset: int, encoding: str) -> tuple[int, int]:
    before = re.split(rb"\r\n|\r|\n", data[:offset])
    return len(before), len(before[-1].decode(encoding, errors="replace")) + 1
