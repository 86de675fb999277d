"""How bytes become text."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalguard.source import Document, SourceProblem, decode_document, document_of, read_document, split_lines


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"x = 1\n", "x = 1\n"),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
        ("name = 'é'\n".encode(), "name = 'é'\n"),
        (b"# -*- coding: latin-1 -*-\nname = '\xe9'\n", "# -*- coding: latin-1 -*-\nname = 'é'\n"),
        (b"#!/bin/sh\n# vim: set fileencoding=cp1252 :\n'\x80'", "#!/bin/sh\n# vim: set fileencoding=cp1252 :\n'€'"),
        (b"# comment\rx = '\xc3\xa9'  # coding: nothing\r", "# comment\rx = 'é'  # coding: nothing\r"),
        (b"x = 1\r\ny = 2\rz = 3\n\x0c\nw = 4", "x = 1\r\ny = 2\rz = 3\n\x0c\nw = 4"),
        (b"", ""),
    ],
    ids=["plain", "mark", "utf-8", "latin-1", "second line", "lone carriage returns", "newlines are kept", "empty"],
)  # fmt: skip
def test_decoded_as_python_would(data: bytes, text: str) -> None:
    assert decode_document(data, "a.py") == Document("a.py", text)


@pytest.mark.parametrize(
    ("data", "message", "line", "column"),
    [
        (b"x = 1\ny = 2\nz = '\xff'\n", "cannot be decoded as utf-8: invalid start byte", 3, 6),
        (b"x = '\xff'\n", "cannot be decoded: invalid or missing encoding declaration", 1, 1),
        (b"# coding: klingon\n", "cannot be decoded: unknown encoding: klingon", 1, 1),
        (b"# coding: hex\nx = 1\n", "cannot be decoded as hex:", 1, 1),
        (b"\xef\xbb\xbf# coding: latin-1\n", "cannot be decoded: encoding problem: utf-8", 1, 1),
        (b"x = 1\r\ny\0 = 2", "cannot be parsed: it holds a NUL byte", 2, 2),
        (b"P\0K\0", "cannot be parsed: it holds a NUL byte", 1, 2),
    ],
)
def test_what_python_refuses_is_a_problem_with_a_place(data: bytes, message: str, line: int, column: int) -> None:
    with pytest.raises(SourceProblem) as caught:
        decode_document(data, "a.py")
    assert caught.value.message.startswith(message)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(SourceProblem, match="cannot be read: No such file or directory"):
        read_document(tmp_path / "absent.py", "absent.py")


def test_a_text_loses_its_byte_order_mark() -> None:
    assert document_of("\ufeffx", "a.py").text == "x"


def test_lines_end_where_python_ends_them() -> None:
    assert split_lines("a\r\nb\rc\nd\x0ce\u2028f\x1cg\n") == ["a", "b", "c", "d\x0ce\u2028f\x1cg", ""]
