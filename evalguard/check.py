"""The pipeline from paths to a report; the only module that knows every layer.

    discover -> read -> screen -> lower -> link -> rules -> comments -> per-file ignores -> sort

Each file is linked on its own as yet. One that cannot be read, decoded or parsed is the finding EVG901, and the others
go on. A failure of our own in one file is a `Problem` of the report, and the others go on as well:
nowhere else is `Exception` caught.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from evalguard import rules
from evalguard.config import Config
from evalguard.discover import STDIN, discover
from evalguard.finding import Finding, Span
from evalguard.ir.facts import FileFacts
from evalguard.project.link import link_project
from evalguard.report import Problem, Report
from evalguard.source import Document, SourceProblem, decode_document, document_of, read_document
from evalguard.suppress import suppress
from evalguard.vocabulary import lookup

STDIN_NAME = "<stdin>"
UNREADABLE = "EVG901"
OWN_CODES = {UNREADABLE: "unreadable-file"}

# A file in which none of these stands neither sets nor uses a mode. Torch need not be named: helpers that
# get their model as an argument never import it.
_TOKENS = (
    r"\.\s*(?:train|eval|training)\b",
    r"\.\s*(?:backward|step)\s*\(",
    r"\b(?:no_grad|inference_mode|set_grad_enabled|enable_grad|requires_grad)",
    r"\b(?:load_state_dict|load_from_checkpoint|from_pretrained|torch\s*\.\s*load)\b",
    r"\bnn\s*\.\s*Module\b",
    r"\b(?:test|val|valid|validation|eval)_?(?:loader|dataloader|dl|data|set)\b",
    r"\bdef\s+(?:evaluate|validate|predict|infer)",
)
_SCREEN = re.compile("|".join(_TOKENS))

MANY_FILES = 64  # from so many files on, the work is shared out among processes
PORTION = 8  # files that a process takes at a time

T = TypeVar("T")


def check_paths(
    paths: Sequence[str | os.PathLike[str]],
    config: Config | None = None,
    *,
    stdin_filename: str = STDIN_NAME,
) -> Report:
    """Check files and folders; `-` stands for standard input, to be shown as `stdin_filename`. Without a
    configuration the defaults hold: no configuration file is looked for."""
    names = [os.fspath(path) for path in paths]
    config = config or Config()
    run = _Run(config)
    with run.stage("discover"):
        discovery = discover(names, config.excludes(), config.respect_gitignore)
    run.warnings.extend(discovery.problems)
    readers = {file.shown: partial(read_document, file.path, file.shown) for file in discovery.files}
    if STDIN in names:
        readers[stdin_filename] = partial(decode_document, sys.stdin.buffer.read(), stdin_filename)
    return _check(run, readers)


def check_source(text: str, path: str = STDIN_NAME, config: Config | None = None) -> Report:
    """Check a text as if it stood in a file of that path."""
    return _check(_Run(config or Config()), {path: partial(document_of, text, path)})


def known_codes() -> dict[str, str]:
    """Every code to its name."""
    return {rule.code: rule.name for rule in rules.RULES} | OWN_CODES


def contained(work: Callable[[], T], path: str = "") -> T | Problem:
    """The result of the work, or how it failed."""
    try:
        return work()
    except Exception as error:
        return Problem(path, f"{type(error).__name__}: {error}", traceback.format_exc())


@dataclass(slots=True)
class _Run:
    """What a run has found so far."""

    config: Config
    findings: list[Finding] = field(default_factory=list)
    analysed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    cut_short: list[tuple[str, str]] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def add(self, part: _Run) -> None:
        """Take over what another run has found."""
        self.findings += part.findings
        self.analysed += part.analysed
        self.skipped += part.skipped
        self.problems += part.problems
        self.cut_short += part.cut_short
        self.documents |= part.documents
        for name, seconds in part.seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def keep_named_documents(self) -> None:
        """Let go of the texts that no finding shows."""
        named = {finding.path for finding in self.findings} | {s.path for f in self.findings for s in f.trace}
        self.documents = {path: document for path, document in self.documents.items() if path in named}


def _check(run: _Run, readers: Mapping[str, Callable[[], Document]]) -> Report:
    with lookup.extended(run.config.vocabulary):  # forked processes take it along
        parts = _in_processes(run.config, readers) if len(readers) >= MANY_FILES else None
        for part in parts if parts is not None else [_checked(run.config, readers)]:
            run.add(part)
    return _report(run, tuple(readers))


def _in_processes(config: Config, readers: Mapping[str, Callable[[], Document]]) -> list[_Run] | None:
    """The work shared out among processes, in the order of the files; None where that is not possible."""
    workers = os.cpu_count() or 1
    if workers < 2 or "fork" not in multiprocessing.get_all_start_methods():
        return None
    names = list(readers)
    portions = [{name: readers[name] for name in names[at : at + PORTION]} for at in range(0, len(names), PORTION)]
    try:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
            return list(pool.map(partial(_checked, config), portions))
    except (BrokenProcessPool, OSError):
        return None


def _checked(config: Config, readers: Mapping[str, Callable[[], Document]]) -> _Run:
    """What there is to say of some files. The facts of each are let go before the next is read."""
    run = _Run(config)
    for path, read in readers.items():
        facts = contained(partial(_facts_of, run, path, read), path)
        if isinstance(facts, Problem):
            run.problems.append(facts)
        elif facts is not None:
            found = contained(partial(_findings_of, run, (facts,)), path)
            if isinstance(found, Problem):
                run.problems.append(found)
            else:
                run.findings.extend(found)
                run.analysed.append(path)
    run.keep_named_documents()
    return run


def _facts_of(run: _Run, path: str, read: Callable[[], Document]) -> FileFacts | None:
    """The facts of one file; None if it is not to be analysed."""
    try:
        with run.stage("read"):
            document = read()
            run.documents[path] = document
            wanted = _SCREEN.search(document.text) is not None or any(
                name.rpartition(".")[2] in document.text for name in lookup.told_names()
            )
        if not wanted:
            run.skipped.append(path)
            return None
        with run.stage("parse"):
            return _lower(document)
    except SourceProblem as problem:
        run.findings.append(_unreadable(path, problem))
        return None


def _lower(document: Document) -> FileFacts:
    from evalguard.frontend import lower  # LibCST is slow to import, and many runs need no parser

    return lower(document)


def _unreadable(path: str, problem: SourceProblem) -> Finding:
    span = Span(problem.line, problem.column, problem.line, problem.column + 1)
    return Finding(UNREADABLE, OWN_CODES[UNREADABLE], problem.message, path, span)


def _findings_of(run: _Run, unit: Sequence[FileFacts]) -> list[Finding]:
    """What the rules find in the files of a unit, less what their comments silence."""
    wanted = [rule for rule in rules.RULES if run.config.enables(rule.code, rule.default)]
    with run.stage("link"):
        project = link_project(unit)
    run.cut_short += project.cut_short()
    with run.stage("rules"):
        found = [finding for view in project.views() for rule in wanted for finding in rule.check(view)]
    kept: list[Finding] = []
    for file in unit:
        own = [finding for finding in found if finding.path == file.path]
        kept += suppress(own, file.comments, run.documents[file.path].text)
    return kept


def _report(run: _Run, files: tuple[str, ...]) -> Report:
    findings = sorted({finding for finding in run.findings if _is_wanted(finding, run.config)}, key=Finding.sort_key)
    return Report(
        findings=tuple(findings),
        files=files,
        analysed=tuple(run.analysed),
        skipped=tuple(run.skipped),
        problems=tuple(run.problems),
        warnings=tuple(run.warnings),
        cut_short=tuple(sorted(set(run.cut_short))),
        texts={path: document.text for path, document in run.documents.items()},
        seconds=run.seconds,
    )


def _is_wanted(finding: Finding, config: Config) -> bool:
    # The rules asked for are the only ones run; our own codes are reported unless they are switched off.
    if finding.code in OWN_CODES and config.ignores(finding.code):
        return False
    return not config.ignores_in_file(finding.code, Path(os.path.abspath(finding.path)))
