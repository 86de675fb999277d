"""The pipeline from paths to a report; the only module that knows every layer.

    discover -> read -> screen -> lower -> link -> rules -> comments -> per-file ignores -> sort

All files are linked together, as one project. One that cannot be read, decoded or parsed is the finding EVG901, and
the others go on. A failure of our own in one file is a `Problem` of the report, and the others go on as well: nowhere
else is `Exception` caught.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeAlias, TypeVar

from evalguard import rules
from evalguard.baseline import BaselineError, compare, read
from evalguard.cache import kept
from evalguard.cache.database import Database
from evalguard.callgraph import CallGraph, LeftOut
from evalguard.claims import Claim
from evalguard.config import Config, ConfigError, load_config
from evalguard.discover import STDIN, SUFFIXES, discover
from evalguard.finding import Finding, Span
from evalguard.ir.facts import FileFacts
from evalguard.modes.lines import Lines
from evalguard.modes.record import Record
from evalguard.notebook import decode_notebook, is_notebook, notebook_of, placed, placed_claim, with_cell_lines
from evalguard.own_codes import OWN_CODES, UnknownCodeInSuppression, UnreadableFile, UnusedSuppression
from evalguard.project.code import Code
from evalguard.project.explain import explain
from evalguard.project.link import Project, link_project
from evalguard.project.resolve import Index
from evalguard.project.ribbons import ribbons as ribbons_of
from evalguard.report import Problem, Report
from evalguard.ribbon import Part, Strip
from evalguard.rule_documentation import Documented, RuleDocumentation, documentation_of
from evalguard.rules.base import Rule
from evalguard.screen import files_with_layers, wanted_files
from evalguard.source import Cells, Document, SourceProblem, decode_document, document_of, read_document, split_lines
from evalguard.suppress import is_used, last_lines, silencers, suppress
from evalguard.vocabulary import lookup

STDIN_NAME = "<stdin>"

SKIPPED_FILES = "files without a word that sets or uses a mode"
UNREADABLE_FILES = "files that cannot be read or parsed"

MUCH_TEXT = 500_000  # characters: from there on reading is shared out among processes

COLLECT_AFTER = 200_000  # new objects: the analysis makes many, hardly any of them in a circle

T = TypeVar("T")
_Lowered: TypeAlias = FileFacts | Finding | Problem
_Narrowing: TypeAlias = Callable[[Report], Report]


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


def check_paths(
    paths: Sequence[str | os.PathLike[str]],
    config: Config | None = None,
    *,
    stdin_filename: str = STDIN_NAME,
    project: str | os.PathLike[str] | None = None,
    means: Means = ALONE,
    ribbons: bool = False,
) -> Report:
    """Check files and folders; `-` stands for standard input, to be shown as `stdin_filename`. Without a
    configuration the defaults hold: no configuration file is looked for.

    With the folder of a `project` they are judged as parts of it: all of its files are read, and what is reported are
    the findings that lie in the paths or whose trace leads through them. A path that the configuration leaves out of
    the project is left out, and standard input takes the place of the file that it is shown as. With `ribbons` the
    report has the modes of every line as well, which takes longer."""
    run = _Run(config or Config(), means, record=Record(lines=Lines()) if ribbons else None)
    sources, narrowed = _asked(run, paths, stdin_filename, project)
    return narrowed(_check(run, sources))


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a run, and all that is needed to ask what would be found if some of its files had other texts."""

    report: Report
    config: Config
    means: Means
    sources: Mapping[str, Source]
    documents: Mapping[str, Document]
    lowered: Mapping[str, tuple[Document, list[_Lowered]]]
    narrowed: _Narrowing
    claims: tuple[Claim, ...] = ()  # where they were asked for

    @property
    def asked(self) -> Report:
        """The report with the findings that were asked for; a proof needs them all."""
        return self.narrowed(self.report)

    def content(self, path: str) -> str:
        """The text of a file as it is written, of a notebook its JSON; SourceProblem if that has changed meanwhile."""
        document = self.documents[path]
        if document.cells is None:
            return document.text
        try:
            data = self.sources[path].data()
        except OSError as error:
            raise SourceProblem(f"cannot be read any more: {error.strerror or error}") from error
        if decode_notebook(data, path) != document:
            raise SourceProblem("has changed since it was read")
        return data.decode("utf-8-sig")

    def again(self, contents: Mapping[str, str], config: Config | None = None) -> Checked:
        """The same with other contents of files, or another configuration. Only what has changed is read anew."""
        known = {
            path: _document(contents[path], path) if path in contents else document
            for path, document in self.documents.items()
        }
        sources = {
            path: replace(source, read=partial(known.__getitem__, path)) if path in known else source
            for path, source in self.sources.items()
        }
        sources |= {path: replace(sources[path], data=partial(text.encode, "utf-8")) for path, text in contents.items()}
        means = replace(self.means, cache=None)  # what is only tried is not kept
        return _checked(_Run(config or self.config, means, lowered=dict(self.lowered)), sources, self.narrowed)


def check_for_fixes(
    paths: Sequence[str | os.PathLike[str]],
    config: Config | None = None,
    *,
    stdin_filename: str = STDIN_NAME,
    project: str | os.PathLike[str] | None = None,
    narrowed: _Narrowing | None = None,
    means: Means = ALONE,
) -> Checked:
    """As `check_paths`, for those who want to mend what is found, or what `narrowed` leaves of it."""
    run = _Run(config or Config(), means, wants_facts=True)
    sources, about = _asked(run, paths, stdin_filename, project)
    return _checked(run, sources, about if narrowed is None else lambda report: narrowed(about(report)))


def check_unsaved(
    paths: Sequence[str | os.PathLike[str]],
    config: Config,
    unsaved: Mapping[str, str],
    before: Checked | None = None,
) -> Checked:
    """As `check_for_fixes`, for editors: some files, by their real paths, have the texts that are given, and what is
    claimed of modes is kept. Files whose text is as in a check `before` are not read anew."""
    new = _new(config)
    run = _Run(config, lowered=dict(before.lowered) if before else {}, claims=[])
    sources = {
        path: replace(source, read=partial(_unsaved_or_read, path, source, unsaved, before))
        for path, source in _sources(run, paths, STDIN_NAME).items()
    }
    return _checked(run, sources, new)


def check_texts(
    texts: Mapping[str, str], locations: Mapping[str, str], config: Config, before: Checked | None = None
) -> Checked:
    """Check texts as if they were all files of a project, by the paths under which they are shown; `locations` are the
    absolute ones. What is claimed of modes is kept, and what is as in a check `before` is not read anew."""
    new = _new(config)
    run = _Run(config, lowered=dict(before.lowered) if before else {}, claims=[])
    sources = {}
    for path, text in texts.items():
        source = Source(partial(_document, text, path), locations[path], partial(text.encode, "utf-8"))
        sources[path] = replace(source, read=partial(_unsaved_or_read, path, source, {}, before))
    return _checked(run, sources, new)


def _unsaved_or_read(path: str, source: Source, unsaved: Mapping[str, str], before: Checked | None) -> Document:
    text = unsaved.get(os.path.realpath(source.location))
    document = source.read() if text is None else _document(text, path)
    known = before.documents.get(path) if before else None
    return known if known is not None and known == document else document


def _checked(run: _Run, sources: Mapping[str, Source], narrowed: _Narrowing) -> Checked:
    report, documents = _check_all(run, sources)
    claims = tuple(run.claims or ())
    return Checked(report, run.config, run.means, sources, documents, run.lowered, narrowed, claims)


def check_source(
    text: str,
    path: str = STDIN_NAME,
    config: Config | None = None,
    *,
    project: str | os.PathLike[str] | None = None,
) -> Report:
    """Check a text as if it stood in a file of that path, a notebook's JSON if it ends with `.ipynb`.

    With the folder of a `project` it takes the place of that file among the project's; reported is what lies in it or
    has a trace that leads through it."""
    run = _Run(config or Config())
    source = {path: Source(partial(_document, text, path), os.path.abspath(path), partial(text.encode, "utf-8"))}
    new = _new(run.config)
    if project is None:
        return new(_check(run, source))
    return _about(new(_check(run, _without(_sources(run, [project], path), path) | source)), {path})


def config_for(paths: Sequence[str | os.PathLike[str]]) -> Config:
    """The configuration that the command would take for these paths: of the nearest file upward from what they have in
    common. A file that cannot be used is a ConfigError."""
    return load_config([os.fspath(path) for path in paths], known_codes())


def graph_paths(
    paths: Sequence[str | os.PathLike[str]],
    config: Config | None = None,
    *,
    stdin_filename: str = STDIN_NAME,
) -> tuple[CallGraph, Report]:
    """What evalguard thinks happens in all of the files together, and the report of the run with what is found in
    them."""
    run = _Run(config or Config())
    sources = _sources(run, paths, stdin_filename)
    with lookup.extended(run.config.vocabulary):
        _read(run, sources)
        files = _facts(run, sources)
        unreadable = tuple((finding.path, "") for finding in run.findings)
        record = Record()
        project = _linked(run, files, sources, record)
        found = _judged(run, files, sources, project)
        graph = CallGraph() if project is None else explain(project, record, found)
    graph = with_cell_lines(graph, run.cells())
    report = _report(run, tuple(sources))
    skipped = tuple((path, "") for path in run.skipped)
    unread = [LeftOut(SKIPPED_FILES, skipped), LeftOut(UNREADABLE_FILES, unreadable)]
    return replace(graph, left_out=(*graph.left_out, *(left for left in unread if left.what))), report


def known_codes() -> dict[str, str]:
    """Every code to its name."""
    return {each.code: each.name for each in _documented()}


def follows_modes(code: str) -> bool:
    """Whether findings of the code depend on what happens to modes, and so on other functions and files."""
    return any(rule.code == code and rule.follows_modes for rule in rules.RULES)


def documentations() -> tuple[RuleDocumentation, ...]:
    """The documentation of every code, by code."""
    return tuple(map(documentation_of, _documented()))


def _documented() -> list[Documented]:
    return [*rules.RULES, *OWN_CODES]


def contained(work: Callable[[], T], path: str = "") -> T | Problem:
    """The result of the work, or how it failed."""
    try:
        return work()
    except Exception as error:
        return Problem(path, f"{type(error).__name__}: {error}", traceback.format_exc())


def _readable(work: Callable[[], T], path: str) -> T | Finding | Problem:
    """The result of the work on a file's text; a finding where the file itself is to blame for what went wrong."""

    def attempt() -> T | Finding:
        try:
            return work()
        except SourceProblem as problem:
            return _unreadable(path, problem)

    return contained(attempt, path)


@dataclass(slots=True)
class _Run:
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
    lowered: dict[str, tuple[Document, list[_Lowered]]] = field(default_factory=dict)
    read_as_code: set[str] = field(default_factory=set)  # files that say nothing of modes: never run
    record: Record | None = None  # of the modes on each line, if they are asked for
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


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be checked: how it is read, its absolute path, and its bytes."""

    read: Callable[[], Document]
    location: str
    data: Callable[[], bytes]


def _sources(run: _Run, paths: Sequence[str | os.PathLike[str]], stdin_filename: str) -> dict[str, Source]:
    """Every file, by the path under which it is shown."""
    names = [os.fspath(path) for path in paths]
    with run.stage("discover"):
        discovery = discover(names, run.config.excludes(), run.config.respect_gitignore)
    run.warnings.extend(discovery.problems)
    sources = {
        file.shown: Source(
            partial(read_document, file.path, file.shown, _decode), os.path.abspath(file.path), file.path.read_bytes
        )
        for file in discovery.files
    }
    if STDIN in names:
        data = sys.stdin.buffer.read()
        read = partial(_decode, data, stdin_filename)
        sources[stdin_filename] = Source(read, os.path.abspath(stdin_filename), partial(bytes, data))
    return sources


def _asked(
    run: _Run,
    paths: Sequence[str | os.PathLike[str]],
    stdin_filename: str,
    project: str | os.PathLike[str] | None,
) -> tuple[dict[str, Source], _Narrowing]:
    """The files to be read, and what leaves of a report that which was asked for."""
    new = _new(run.config)
    if project is None:
        return _sources(run, paths, stdin_filename), new
    sources = _sources_of_project(run, os.fspath(project), [os.fspath(path) for path in paths], stdin_filename)
    wanted = {Path(os.path.realpath(stdin_filename if path == STDIN else path)) for path in paths}
    shown = {path for path, source in sources.items() if _lies_in(source.location, wanted)}
    return sources, lambda report: _about(new(report), shown)


def _new(config: Config) -> _Narrowing:
    """What leaves of a report that which the configuration's baseline does not know; one that cannot be used is a
    ConfigError."""
    file = config.baseline_file
    if file is None:
        return lambda report: report
    try:
        known = read(file)
    except BaselineError as error:
        raise ConfigError(f"baseline: {error}") from error
    return lambda report: compare(report, known, file).report


def _sources_of_project(run: _Run, root: str, paths: Sequence[str], stdin_filename: str) -> dict[str, Source]:
    """The files of a project, and those of the paths that no walk of it would find."""
    top = {Path(os.path.realpath(root))}
    others = [path for path in paths if path != STDIN and (_is_odd(path) or not _lies_in(path, top))]
    sources = _sources(run, [root, *others], stdin_filename)
    if STDIN not in paths:
        return sources
    return _without(sources, stdin_filename) | _sources(run, [STDIN], stdin_filename)


def _without(sources: Mapping[str, Source], path: str) -> dict[str, Source]:
    """The files without the one of that path, under whatever name."""
    place = os.path.realpath(path)
    return {shown: source for shown, source in sources.items() if os.path.realpath(source.location) != place}


def _is_odd(path: str) -> bool:
    """Whether a file is a Python script in spite of its name, since the user says so."""
    return not path.endswith(SUFFIXES) and os.path.isfile(path)


def _lies_in(location: str, places: set[Path]) -> bool:
    """Whether a file is one of the real paths, or somewhere in one of them."""
    file = Path(os.path.realpath(location))
    return file in places or not places.isdisjoint(file.parents)


def _about(report: Report, paths: set[str]) -> Report:
    """The report with the findings that lie in these files, or whose trace leads through them."""
    return report.only(lambda f: f.path in paths or any(step.path in paths for step in f.trace))


def _decode(data: bytes, shown: str) -> Document:
    return decode_notebook(data, shown) if is_notebook(shown) else decode_document(data, shown)


def _document(text: str, shown: str) -> Document:
    return notebook_of(text, shown) if is_notebook(shown) else document_of(text, shown)


def _check(run: _Run, sources: Mapping[str, Source]) -> Report:
    return _check_all(run, sources)[0]


def _check_all(run: _Run, sources: Mapping[str, Source]) -> tuple[Report, dict[str, Document]]:
    """The report, and the documents of all files that could be read."""
    _read(run, sources)
    documents, key = run.documents, ""
    shows_modes = run.record is not None or run.claims is not None
    cache = None if shows_modes or run.wants_facts else run.means.cache  # all that is kept of a run is its report
    if cache is not None:
        with run.stage("cache"):
            key = kept.report_key(documents, _locations(sources), (run.findings, run.problems), run.config)
            known = kept.kept_report(cache, key)
        if known is not None:
            return _again(run, known), documents
    with lookup.extended(run.config.vocabulary), _collecting_rarely():  # forked processes take the vocabulary along
        files = _facts(run, sources)
        follows_modes = any(rule.follows_modes for rule in _enabled(run.config))
        project = _linked(run, files, sources, run.record) if follows_modes or shows_modes else None
        _judged(run, files, sources, project)
        if project is not None and run.record is not None:
            run.strips = _strips(run, project, run.record)
        if project is not None and run.claims is not None:
            cells = run.cells()
            run.claims += run.take(contained(lambda: [placed_claim(each, cells) for each in project.claims()])) or ()
    run.keep_named_documents()
    report = _report(run, tuple(sources))
    if cache is not None and not report.problems:
        kept.keep_report(cache, key, report)
    return report, documents


def _again(run: _Run, known: Report) -> Report:
    """The report of an earlier run on the same files, with their texts."""
    run.findings = list(known.findings)
    run.keep_named_documents()
    texts, cells = run.texts_and_cells()
    return replace(known, warnings=tuple(run.warnings), texts=texts, cells=cells, seconds=run.seconds)


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Look seldom for objects that hold each other in a circle: there are few, and looking takes a quarter of the
    time."""
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _read(run: _Run, sources: Mapping[str, Source]) -> None:
    with run.stage("read"):
        for path, source in sources.items():
            document = run.take(_readable(source.read, path))
            if document is not None:
                run.documents[path] = document


def _facts(run: _Run, sources: Mapping[str, Source]) -> list[FileFacts]:
    """The facts of all files that are worth a parse."""
    with run.stage("screen"):
        texts = {path: document.text for path, document in run.documents.items()}
        locations = _locations(sources)
        wanted = wanted_files(texts, locations, lookup.told_names()) if run.means.shortcuts else set(texts)
        if any(rule.reads_code for rule in _enabled(run.config)):
            run.read_as_code = files_with_layers(texts, locations, wanted)
            wanted |= run.read_as_code
    run.skipped += [path for path in run.documents if path not in wanted]
    run.foreign += [(path, document.foreign) for path, document in run.documents.items() if document.foreign]
    with run.stage("parse"):
        documents = [document for path, document in run.documents.items() if path in wanted]
        _lower_new(run, [d for d in documents if run.lowered.get(d.path, (None,))[0] is not d])
        results = chain.from_iterable(run.lowered[document.path][1] for document in documents)
        found = [facts for result in results if (facts := run.take(result)) is not None]
    run.analysed += [facts.path for facts in found]
    return found


def _lower_new(run: _Run, documents: Sequence[Document]) -> None:
    """The facts of documents that were not read before: from the cache, or from their texts."""
    cache = run.means.cache
    known = {} if cache is None else kept.kept_facts(cache, documents)
    new = [document for document in documents if document.path not in known]
    lowered = dict(zip([document.path for document in new], _all_lowered(run.means, new), strict=True))
    run.lowered |= {d.path: (d, lowered[d.path] if d.path in lowered else list(known[d.path])) for d in documents}
    if cache is not None:
        worth_keeping = {
            document.path: (document, read)
            for document in new
            if len(read := [each for each in lowered[document.path] if not isinstance(each, Problem)])
            == len(lowered[document.path])
        }
        kept.keep_facts(cache, worth_keeping)


def _all_lowered(means: Means, documents: Sequence[Document]) -> list[list[_Lowered]]:
    """The facts of each of the documents, or why there are none; of much text in several processes, the longest
    first."""
    total = sum(len(document.text) for document in documents) or 1
    workers = (os.cpu_count() or 1) if means.jobs is None else means.jobs
    may_fork = "fork" in multiprocessing.get_all_start_methods() and not multiprocessing.current_process().daemon
    if total >= MUCH_TEXT and len(documents) > 1 and workers > 1 and may_fork:
        order = sorted(range(len(documents)), key=lambda number: -len(documents[number].text))
        found: list[list[_Lowered]] = [[] for _ in documents]
        try:
            with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
                results = pool.map(_lowered, [documents[number] for number in order], chunksize=4)
                done = 0
                for number, result in zip(order, results, strict=True):
                    found[number] = result
                    done += len(documents[number].text)
                    means.progress("reading", done / total)
            return found
        except (BrokenProcessPool, OSError):
            pass  # in this process, then
    found, done = [], 0
    for document in documents:
        found.append(_lowered(document))
        done += len(document.text)
        means.progress("reading", done / total)
    return found


def _lowered(document: Document) -> list[_Lowered]:
    """The facts of a document; of a notebook without the cells that cannot be parsed, each of which is a finding."""
    problems: tuple[SourceProblem, ...] = ()
    if document.cells is not None:
        from evalguard.frontend import without_broken_cells

        document, problems = without_broken_cells(document)
    findings = [_unreadable(document.path, problem) for problem in problems]
    return [*findings, _readable(partial(_lower, document), document.path)]


def _lower(document: Document) -> FileFacts:
    from evalguard.frontend import lower  # LibCST is slow to import, and many runs need no parser

    return lower(document)


def _unreadable(path: str, problem: SourceProblem) -> Finding:
    span = Span(problem.line, problem.column, problem.line, problem.column + 1)
    return Finding(UnreadableFile.code, UnreadableFile.name, problem.message, path, span)


def _linked(
    run: _Run, files: Sequence[FileFacts], sources: Mapping[str, Source], record: Record | None = None
) -> Project | None:
    """The files as one project; None if that fails as a whole."""

    def attempt(path: str, work: Callable[[], None]) -> None:
        run.take(contained(work, path))

    with run.stage("link"):
        run_files = [file for file in files if file.path not in run.read_as_code]
        progress = partial(run.means.progress, "linking")
        return run.take(contained(partial(link_project, run_files, _locations(sources), record, attempt, progress)))


def _locations(sources: Mapping[str, Source]) -> dict[str, str]:
    return {path: source.location for path, source in sources.items()}


def _judged(
    run: _Run, files: Sequence[FileFacts], sources: Mapping[str, Source], project: Project | None
) -> list[Finding]:
    """What the rules find in the files and in the project that they make, less what the comments of the files
    silence."""
    found: dict[str, list[Finding]] = {}
    with run.stage("rules"):
        for finding in (*_found_in_project(run, project), *_found_in_code(run, files, sources, project)):
            found.setdefault(finding.path, []).append(finding)
    kept: list[Finding] = []
    for file in files:
        of_file, text = found.get(file.path, []), run.documents[file.path].text
        kept += suppress(of_file, file.comments, text)
        kept += suppress(_idle_comments(run.config, file, of_file, text), file.comments, text)
    run.findings += kept
    return kept


def _strips(run: _Run, project: Project, record: Record) -> dict[str, Strip]:
    """The ribbons of all files in which a module is seen, with their texts."""
    texts = {path: split_lines(run.documents[path].text) for path in project.index.files}
    with run.stage("ribbons"):
        made = run.take(contained(lambda: ribbons_of(project, record, texts))) or {}
    return {path: Strip(path, _parts(run.documents[path]), ribbons) for path, ribbons in made.items()}


def _parts(document: Document) -> tuple[Part, ...]:
    if document.cells is None:
        return (Part(None, 1, document.text),)
    cells = zip(document.cells.starts, document.sources, document.cells.indents, strict=True)
    return tuple(Part(cell, *each) for cell, each in enumerate(cells, start=1))


def _idle_comments(config: Config, file: FileFacts, found: Sequence[Finding], text: str) -> Iterator[Finding]:
    """The comments of a file that silence what is not there, or what does not exist."""
    known = [code for code in known_codes() if code not in (UnusedSuppression.code, UnknownCodeInSuppression.code)]
    run = {rule.code for rule in _enabled(config)}
    ends: dict[int, int] | None = None
    for silencer in silencers(file.comments, text):
        meant = [code for code in known if code.startswith(silencer.code)]
        if not any(code.startswith(silencer.code) for code in known_codes()):
            kind: type[UnusedSuppression | UnknownCodeInSuppression] = UnknownCodeInSuppression
            message = f"`{silencer.code}` is no code of evalguard's, and silences nothing"
        elif any(rule.code in meant and rule.default and rule.code not in run for rule in rules.RULES):
            continue  # what it silences was not looked for
        elif not any(code in run for code in meant):
            continue
        else:
            ends = last_lines(text) if ends is None else ends
            if is_used(silencer, found, ends):
                continue
            kind = UnusedSuppression
            message = f"`{silencer.code or 'evalguard: ignore'}` silences nothing here"
        if config.enables(kind.code, kind.default):
            yield Finding(kind.code, kind.name, message, file.path, silencer.span, kind.severity)


def _found_in_project(run: _Run, project: Project | None) -> Iterator[Finding]:
    """What is found in the functions in which something happens to modes."""
    if project is None:
        return
    run.cut_short += project.cut_short()
    for view in project.views():
        for rule in _enabled(run.config):
            yield from run.take(contained(partial(_list, rule.check, view), view.path)) or ()


def _found_in_code(
    run: _Run, files: Sequence[FileFacts], sources: Mapping[str, Source], project: Project | None
) -> Iterator[Finding]:
    """What is found in functions and classes as they are written, each place once."""
    rules_of_code = [rule for rule in _enabled(run.config) if rule.reads_code]
    if not rules_of_code:
        return
    code = Code(project.index if project and not run.read_as_code else Index(files, _locations(sources)))
    seen: set[tuple[str, str, Span]] = set()
    work = [(view.path, partial(_list, rule.check_code, view)) for view in code.functions() for rule in rules_of_code]
    work += [(view.path, partial(_list, rule.check_class, view)) for view in code.classes() for rule in rules_of_code]
    for path, check in work:
        for finding in run.take(contained(check, path)) or ():
            place = (finding.code, finding.path, finding.span)
            if place not in seen:
                seen.add(place)
                yield finding


def _enabled(config: Config) -> list[Rule]:
    """The rules that are run: those asked for, and all that are on by default where unused comments are looked for."""
    finds_unused = config.enables(UnusedSuppression.code, UnusedSuppression.default)
    return [rule for rule in rules.RULES if config.enables(rule.code, rule.default) or (finds_unused and rule.default)]


def _list(check: Callable[[T], Iterable[Finding]], view: T) -> list[Finding]:
    return list(check(view))


def _report(run: _Run, files: tuple[str, ...]) -> Report:
    wanted = {placed(finding, run.cells()) for finding in run.findings if _is_wanted(finding, run.config)}
    findings = sorted(wanted, key=Finding.sort_key)
    texts, cells = run.texts_and_cells()
    return Report(
        findings=tuple(findings),
        files=files,
        analysed=tuple(run.analysed),
        skipped=tuple(run.skipped),
        problems=tuple(run.problems),
        warnings=tuple(run.warnings),
        cut_short=tuple(sorted(set(run.cut_short))),
        foreign=tuple(run.foreign),
        texts=texts,
        cells=cells,
        strips=run.strips,
        seconds=run.seconds,
    )


def _is_wanted(finding: Finding, config: Config) -> bool:
    # Our own codes are reported unless they are switched off; of the rules run, only those asked for are.
    if any(finding.code == own.code for own in OWN_CODES):
        if config.ignores(finding.code):
            return False
    elif not any(rule.code == finding.code and config.enables(rule.code, rule.default) for rule in rules.RULES):
        return False
    return not config.ignores_in_file(finding.code, Path(os.path.abspath(finding.path)))
