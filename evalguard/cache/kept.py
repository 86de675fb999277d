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
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Union

from evalguard import finding as finding_module
from evalguard import report as report_module
from evalguard.cache.codec import Codec, NoGood
from evalguard.cache.database import Database
from evalguard.cache.typed import is_typed
from evalguard.finding import Finding
from evalguard.report import Report
from evalguard.source import Document

if TYPE_CHECKING:
    from evalguard.ir.facts import FileFacts

PACKAGE = Path(__file__).resolve().parent.parent
FACTS, REPORT = "facts", "report"

Read = tuple[Union["FileFacts", Finding], ...]
"""What reading a file gave: its facts, and findings where it cannot be read."""


@cache
def own_state() -> str:
    """A hash of evalguard itself, of LibCST and of Python's version."""
    parser = importlib.util.find_spec("libcst")
    files = sorted(PACKAGE.rglob("*.py"))
    if parser is not None and parser.origin is not None:
        files += sorted(Path(parser.origin).parent.glob("*.py"))
    stats = [(str(file), stat.st_size, stat.st_mtime_ns) for file in files for stat in [os.stat(file)]]
    return _hash([sys.version, stats])


@cache
def report_codec() -> Codec:
    """For reports and what they hold."""
    return Codec(finding_module, report_module)


@cache
def facts_codec() -> Codec:
    """For the facts of files, and findings where there are none."""
    from evalguard import source
    from evalguard.ir import facts, graph, ops, values

    return Codec(finding_module, source, values, ops, graph, facts)


def document_key(document: Document) -> str:
    """The key of what is known of a document."""
    return _hash([own_state(), document.path, document.text, repr(document.cells), document.foreign])


def report_key(documents: Mapping[str, Document], locations: Mapping[str, str], unread: object, choices: object) -> str:
    """The key of the report on documents, at these absolute paths, with these `choices` of the user. `unread` says
    what could not be read, and why."""
    files = [(path, locations[path], document_key(document)) for path, document in documents.items()]
    return _hash([own_state(), files, sorted(locations.items()), repr(unread), repr(choices)])


def kept_facts(database: Database, documents: Iterable[Document]) -> dict[str, Read]:
    """What is known of these documents, by path."""
    from evalguard.ir.facts import FileFacts

    keys = {document_key(document): document.path for document in documents}
    found: dict[str, Read] = {}
    for key, data in database.read(FACTS, keys).items():
        try:
            value = facts_codec().decoded(data)
        except NoGood:
            continue
        if isinstance(value, tuple) and all(isinstance(each, (FileFacts, Finding)) for each in value):
            found[keys[key]] = value
    return found


def keep_facts(database: Database, known: Mapping[str, tuple[Document, Sequence[FileFacts | Finding]]]) -> None:
    """Keep what was read of documents, by path."""
    database.write(
        FACTS, {document_key(document): facts_codec().encoded(tuple(read)) for document, read in known.values()}
    )


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
    found = ((key, _decoded_report(data)) for key, data in database.read(REPORT, keys).items())
    return {key: report for key, report in found if report is not None}


def _decoded_report(data: bytes) -> Report | None:
    try:
        value = report_codec().decoded(data)
    except NoGood:
        return None
    if not isinstance(value, Report) or value.problems or not is_typed(value.findings, tuple[Finding, ...]):
        return None
    names = (value.files, value.analysed, value.skipped)
    pairs = (value.cut_short, value.foreign)
    if not all(is_typed(each, tuple[str, ...]) for each in names):
        return None
    return _plain(value) if all(is_typed(each, tuple[tuple[str, str], ...]) for each in pairs) else None


def keep_reports(database: Database, reports: Mapping[str, Report]) -> None:
    """Keep reports, without the texts, which the next run reads anyway."""
    database.write(REPORT, {key: report_codec().encoded(_plain(report)) for key, report in reports.items()})


def _plain(report: Report) -> Report:
    """The report with nothing but what is kept of it, whatever somebody may have written into the cache."""
    return replace(report, texts={}, cells={}, strips={}, seconds={}, warnings=())


def _hash(value: object) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()
