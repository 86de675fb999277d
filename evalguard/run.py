"""One run: with what it works, what it has found so far, and how what fails in it is contained.

A failure of our own in one file is a `Problem` of the report, and the others go on: nowhere else is `Exception` caught.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar, Union

from evalguard.config import Config
from evalguard.finding import Finding, Span
from evalguard.own_codes import UnreadableFile
from evalguard.report import Problem
from evalguard.source import Cells, Document, SourceProblem

if TYPE_CHECKING:
    from evalguard.cache.database import Database
    from evalguard.claims import Claim
    from evalguard.ir.facts import FileFacts
    from evalguard.lowering import Lowering
    from evalguard.ribbon import Strip

T = TypeVar("T")
Lowered: TypeAlias = Union["FileFacts", Finding, Problem]


@dataclass(frozen=True, slots=True)
class Means:
    """With what a run works; the findings are the same with all of them. `cache` is where it keeps things for the next
    run, `jobs` the number of processes (None: as many as pay), without `shortcuts` all files are read in full.
    `progress` is told the stage and how much of it is done, from 0 to 1, and at the `end` that it is over."""

    cache: Database | None = None
    jobs: int | None = None
    shortcuts: bool = True
    progress: Callable[[str, float], None] = field(default=lambda stage, done: None)
    end: Callable[[], None] = field(default=lambda: None)


ALONE = Means()


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be checked: how it is read, its absolute path, and its bytes."""

    read: Callable[[], Document]
    location: str
    data: Callable[[], bytes]


@dataclass(slots=True)
class Run:
    """What a run has found so far."""

    config: Config
    means: Means = field(default_factory=lambda: ALONE)
    findings: list[Finding] = field(default_factory=list)
    analysed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    foreign: list[tuple[str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    cut_short: list[tuple[str, str]] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    lowered: dict[str, Lowering] = field(default_factory=dict)
    read_as_code: set[str] = field(default_factory=set)  # files that say nothing of modes: never run
    wants_ribbons: bool = False  # the modes on each line are asked for
    strips: dict[str, Strip] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    claims: list[Claim] | None = None  # None where nobody asks for them
    wants_facts: bool = False  # the report alone is not enough: more will be asked

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def take(self, result: T | Finding | Problem) -> T | None:
        """The result of contained work, if it came to one; what went wrong is kept here."""
        match result:
            case Finding():
                self.findings.append(result)
            case Problem(path=path, message=message):
                if (path, message) not in ((known.path, known.message) for known in self.problems):
                    self.problems.append(result)
            case _:
                return result
        return None

    def cells(self) -> dict[str, Cells]:
        """Where the cells of the notebooks stand in their texts."""
        return {path: document.cells for path, document in self.documents.items() if document.cells is not None}

    def texts_and_cells(self) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
        """The texts of the files, and the sources of the cells of those that have cells."""
        texts = {path: document.text for path, document in self.documents.items() if document.cells is None}
        return texts, {path: d.sources for path, d in self.documents.items() if d.cells is not None}

    def keep_named_documents(self) -> None:
        """Let go of the texts that no finding shows."""
        named = {finding.path for finding in self.findings} | {s.path for f in self.findings for s in f.trace}
        named |= {edit.path for finding in self.findings if finding.fix for edit in finding.fix.edits}
        self.documents = {path: document for path, document in self.documents.items() if path in named}


def contained(work: Callable[[], T], path: str = "") -> T | Problem:
    """The result of the work, or how it failed."""
    try:
        return work()
    except Exception as error:
        return Problem(path, f"{type(error).__name__}: {error}", traceback.format_exc())


def readable(work: Callable[[], T], path: str) -> T | Finding | Problem:
    """The result of the work on a file's text; a finding where the file itself is to blame for what went wrong."""

    def attempt() -> T | Finding:
        try:
            return work()
        except SourceProblem as problem:
            return unreadable(path, problem)

    return contained(attempt, path)


def unreadable(path: str, problem: SourceProblem) -> Finding:
    span = Span(problem.line, problem.column, problem.line, problem.column + 1)
    return Finding(UnreadableFile.code, UnreadableFile.name, problem.message, path, span)


def locations_of(sources: Mapping[str, Source]) -> dict[str, str]:
    return {path: source.location for path, source in sources.items()}
