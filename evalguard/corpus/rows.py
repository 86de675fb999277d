"""The results: one line of JSON for each entry, in files that are only ever added to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from evalguard.corpus.entries import Entry, normal

Row: TypeAlias = Mapping[str, Any]  # described in docs/how-to/corpus.md

DONE = "done"
NOT_FETCHED = "not fetched"  # the only end that another run may change


class RowsError(Exception):
    """A file of results that cannot be used; the text is for people."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a file holds: its rows, and how many of its bytes are whole lines."""

    rows: tuple[Row, ...] = ()
    whole: int = 0


def key_of(row: Row) -> tuple[str, str]:
    """The key of the row's entry."""
    name, version = str(row["name"]), str(row["version"])
    return (normal(name) if version else name, version)


def read_rows(file: str | os.PathLike[str]) -> Rows:
    """The rows of a file. A last line without an end is what an interrupted run left: it is passed over."""
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise RowsError(f"cannot be read: {error.strerror or error}") from error
    whole = content.rfind(b"\n") + 1
    rows = []
    for number, line in enumerate(content[:whole].splitlines(), 1):
        row = _row(line)
        if row is None:
            raise RowsError(f"line {number} is no row of `evalguard corpus`")
        rows.append(row)
    return Rows(tuple(rows), whole)


def _row(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and {"name", "version", "ended"} <= row.keys() else None


def merged(rows: Iterable[Row]) -> list[Row]:
    """One row for each entry, the last, by name."""
    by_key = {key_of(row): row for row in rows}
    return [by_key[key] for key in sorted(by_key)]


def still_to_do(entries: Iterable[Entry], rows: Iterable[Row]) -> list[Entry]:
    """The entries that have no row yet, or one that says that the archive was not to be had."""
    done = {key_of(row) for row in merged(rows) if row["ended"] != NOT_FETCHED}
    return [entry for entry in entries if entry.key not in done]


def as_line(row: Row) -> str:
    """A row as it is written, in ASCII."""
    return json.dumps(row) + "\n"
