"""The findings that are known already, kept in a file, so that only new ones fail.

    {"version": 1, "findings": [{"code": "EVG201", "path": "train.py", "function": "fit", ...}]}

An entry is a finding's key (see `fingerprint.py`), with its path from the folder of the baseline's file on, so that it
fits wherever the command is run. An entry that no finding has any more is stale.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from evalguard.fingerprint import Key, keys_of
from evalguard.report import Report

VERSION = 1
DEFAULT_FILE = "evalguard-baseline.json"


class BaselineError(Exception):
    """A file that is no baseline, or cannot be read; the message names it."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A report with the findings that the baseline does not have, and the entries that no finding has: of files that
    were looked at, or that are gone."""

    report: Report
    stale: tuple[Key, ...]


def written(report: Report, file: str) -> str:
    """The text of a baseline with the findings of the report, to be kept in that file."""
    keys = sorted(_keys(report, file))
    return json.dumps({"version": VERSION, "findings": [asdict(key) for key in keys]}, indent=2) + "\n"


def read(file: str) -> frozenset[Key]:
    """The entries of a baseline's file."""
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise BaselineError(f"{file}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise BaselineError(f"{file}: not valid JSON: {error}") from error
    if not isinstance(content, Mapping) or not isinstance(content.get("findings"), list):
        raise BaselineError(f"{file}: not a baseline of evalguard")
    if content.get("version") != VERSION:
        raise BaselineError(f"{file}: a baseline of version {content.get('version')}; this evalguard reads {VERSION}")
    return frozenset(_entry(each, file) for each in content["findings"])


def compare(report: Report, entries: Iterable[Key], file: str) -> Compared:
    """What is new in the report, and what is stale in the baseline of that file."""
    known = frozenset(entries)
    keys = _keys(report, file)
    new = [finding for finding, key in zip(report.findings, keys, strict=True) if key not in known]
    looked_at = {_path_from(path, file) for path in report.files}
    folder = Path(file).parent
    unmatched = sorted(known.difference(keys))
    stale = tuple(key for key in unmatched if key.path in looked_at or not os.path.lexists(folder / key.path))
    chosen = set(new)
    return Compared(report.only(chosen.__contains__), stale)


def _keys(report: Report, file: str) -> list[Key]:
    return keys_of(report.findings, report.text_around, lambda path: _path_from(path, file))


def _path_from(path: str, file: str) -> str:
    """The path, as seen from the folder of the baseline's file."""
    try:
        return os.path.relpath(path, os.path.dirname(os.path.abspath(file))).replace(os.sep, "/")
    except ValueError:  # another drive
        return path


def _entry(value: object, file: str) -> Key:
    match value:
        case {
            "code": str(code),
            "path": str(path),
            "function": str(function),
            "model": str(model),
            "statement": str(statement),
            "occurrence": int(occurrence),
        }:
            return Key(code, path, function, model, statement, occurrence)
        case _:
            raise BaselineError(f"{file}: not an entry of a baseline: {json.dumps(value)}")
