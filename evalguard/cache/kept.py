"""What is kept, under which key: a hash of all that it depends on.

The facts of a file depend on its path, its text and on evalguard itself. The report of a run depends on all files, on
the configuration and on evalguard itself. evalguard itself is the place, the size and the time of last change of its
own files and of LibCST's: whoever works on it does not change its version with each line.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from functools import cache
from pathlib import Path

from evalguard.cache.database import Database
from evalguard.finding import Finding
from evalguard.ir.packed import NoGood, packed, unpacked
from evalguard.ir.plain import Plain
from evalguard.report import Report
from evalguard.source import Document

PACKAGE = Path(__file__).resolve().parent.parent
FACTS, REPORT = "facts", "report"


class Kept(Plain, frozen=True):
    """What is kept of a report: no texts, for the next run reads them anyway, and nothing that only people ask for."""

    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    analysed: tuple[str, ...]
    skipped: tuple[str, ...]
    cut_short: tuple[tuple[str, str], ...]
    foreign: tuple[tuple[str, str], ...]


@cache
def own_state() -> str:
    """A hash of evalguard itself, of LibCST and of Python's version."""
    parser = importlib.util.find_spec("libcst")
    files = sorted(PACKAGE.rglob("*.py"))
    if parser is not None and parser.origin is not None:
        files += sorted(Path(parser.origin).parent.glob("*.py"))
    stats = [(str(file), stat.st_size, stat.st_mtime_ns) for file in files for stat in [os.stat(file)]]
    return _hash([sys.version, stats])


def document_key(document: Document) -> str:
    """The key of what is known of a document."""
    return _hash([own_state(), document.path, document.text, repr(document.cells), document.foreign])


def report_key(documents: Mapping[str, Document], locations: Mapping[str, str], unread: object, choices: object) -> str:
    """The key of the report on documents, at these absolute paths, with these `choices` of the user. `unread` says
    what could not be read, and why."""
    files = [(path, locations[path], document_key(document)) for path, document in documents.items()]
    return _hash([own_state(), files, sorted(locations.items()), repr(unread), repr(choices)])


def kept_facts(database: Database, documents: Iterable[Document]) -> dict[str, bytes]:
    """What reading these documents gave, packed, by path. It may be damaged."""
    keys = {document_key(document): document.path for document in documents}
    return {keys[key]: data for key, data in database.read(FACTS, keys).items()}


def keep_facts(database: Database, read: Iterable[tuple[Document, bytes]]) -> None:
    """Keep what reading documents gave, packed."""
    database.write(FACTS, {document_key(document): data for document, data in read})


def group_keys(
    groups: Iterable[Sequence[Document]], locations: Mapping[str, str], as_code: Set[str], config: object
) -> list[str]:
    """The keys of what is found in groups of documents that imports connect. `locations` are those of all files of the
    run, for they decide what an import means; the documents `as_code` are not run."""
    everywhere = _hash([own_state(), sorted(locations.items()), repr(config)])
    return [
        _hash([everywhere, [(each.path, document_key(each), each.path in as_code) for each in group]])
        for group in groups
    ]


def kept_report(database: Database, key: str) -> Report | None:
    """The report that is kept under the key."""
    return kept_reports(database, [key]).get(key)


def kept_reports(database: Database, keys: Iterable[str]) -> dict[str, Report]:
    """The reports that are kept under the keys, those that are damaged left out."""
    found: dict[str, Report] = {}
    for key, data in database.read(REPORT, keys).items():
        with suppress(NoGood):
            kept = unpacked(data, Kept)
            found[key] = Report(**{name: getattr(kept, name) for name in Kept.__struct_fields__})
    return found


def keep_reports(database: Database, reports: Mapping[str, Report]) -> None:
    """Keep reports, those left out that cannot be packed."""
    made = {
        key: packed(Kept(*[getattr(report, name) for name in Kept.__struct_fields__]))
        for key, report in reports.items()
    }
    database.write(REPORT, {key: data for key, data in made.items() if data is not None})


def _hash(value: object) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()
