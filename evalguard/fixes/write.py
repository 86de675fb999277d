"""How a mended file is written: whole or not at all, and with every byte that no edit touched.

The new bytes go to a temporary file in the same folder, which is flushed to the disk and then takes the file's name: a
crash, Ctrl-C or a full disk leaves the old file as it was. Encoding and byte order mark are those of the bytes on the
disk, a symbolic link is followed to its file, and permissions are kept.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from evalguard.source import SourceProblem, decode_document, encoding_of


class Refused(Exception):
    """A file that is not written, and why."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """New bytes for a file, and those which it must still hold."""

    path: Path
    before: bytes
    after: bytes


def prepare(path: str, before: str, after: str) -> Prepared:
    """A change of a file from one text to another, or Refused: no byte is written yet."""
    file = Path(os.path.realpath(path))
    try:
        data = file.read_bytes()
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror or error}") from error
    try:
        encoding = encoding_of(data)
        if decode_document(data, path).text != before:
            raise Refused("has changed since it was read")
    except SourceProblem as problem:
        raise Refused("has changed since it was read") from problem
    if not os.access(file, os.W_OK) or not file.stat().st_mode & 0o222:
        raise Refused("is read-only")
    if not os.access(file.parent, os.W_OK):
        raise Refused("stands in a folder in which nothing can be written")
    mark = "\ufeff" if encoding != "utf-8-sig" and data.decode(encoding).startswith("\ufeff") else ""
    try:
        return Prepared(file, data, (mark + after).encode(encoding))
    except UnicodeEncodeError as error:
        raise Refused(f"its encoding, {encoding}, has no such character as the fix needs") from error


def write(prepared: Prepared) -> None:
    """Write a prepared change, or Refused: the file is then as it was."""
    file = prepared.path
    temporary: Path | None = None
    try:
        mode = file.stat().st_mode
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=".tmp")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(prepared.after)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode & 0o7777)
        if file.read_bytes() != prepared.before:
            raise Refused("has changed since it was read")
        temporary.replace(file)
        temporary = None
    except OSError as error:
        raise Refused(f"cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
