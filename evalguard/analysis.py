"""From the texts of files to what is found in them: the part of the pipeline that a run on unchanged files has no need
of.

    screen -> lower -> link -> rules -> comments -> per-file ignores -> sort

Files that imports connect are linked together, as one project; each such *group* is judged on its own, in another
process where that pays, and what was found in it is kept for runs on which nothing in it has changed. A file that
cannot be parsed is the finding EVG901, and the others go on.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from evalguard import rules
from evalguard.cache import kept
from evalguard.config import Config
from evalguard.finding import Finding, Span
from evalguard.ir.facts import FileFacts
from evalguard.lowering import Lowering, lowered_and_packed
from evalguard.notebook import placed, placed_claim, with_cell_lines
from evalguard.own_codes import OWN_CODES, UnknownCodeInSuppression, UnusedSuppression
from evalguard.project.code import Code
from evalguard.project.link import Project, link_project
from evalguard.project.resolve import Index
from evalguard.report import Problem, Report
from evalguard.rule_documentation import Documented, RuleDocumentation, documentation_of
from evalguard.rules.base import Rule
from evalguard.run import ALONE, Means, Run, Source, contained, locations_of
from evalguard.screen import Screen
from evalguard.source import Document, split_lines
from evalguard.suppress import is_used, last_lines, silencers, silencing, suppress
from evalguard.vocabulary import lookup

SKIPPED_FILES = "files without a word that sets or uses a mode"
UNREADABLE_FILES = "files that cannot be read or parsed"

MUCH_TEXT = 500_000  # characters: from there on reading is shared out among processes
COLLECT_AFTER = 200_000  # new objects: the analysis makes many, hardly any of them in a circle

if TYPE_CHECKING:
    from evalguard.callgraph import CallGraph
    from evalguard.modes.record import Record
    from evalguard.ribbon import Part, Strip

T = TypeVar("T")


def code_names() -> dict[str, str]:
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


def analysed(run: Run, sources: Mapping[str, Source]) -> Report:
    """The report on the documents of a run, and what else the run asks for."""
    with lookup.extended(run.config.vocabulary), _collecting_rarely():  # forked processes take the vocabulary along
        _judge_groups(run, sources)
    run.keep_named_documents()
    return _report(run, tuple(sources))


def _judge_groups(run: Run, sources: Mapping[str, Source]) -> None:
    """Judge the files of a run, group by group."""
    locations = locations_of(sources)
    screen = _screen(run, locations)
    wanted = _wanted(run, screen)
    with run.stage("screen"):
        groups = screen.connected(path for path in run.documents if path in wanted)
    wants_report_alone = not (run.wants_facts or run.wants_ribbons or run.claims is not None)
    cache = run.means.cache if wants_report_alone else None
    keys: Sequence[str] = ()
    known: dict[str, Report] = {}
    if cache is not None:
        documents = [[run.documents[path] for path in group] for group in groups]
        keys = kept.group_keys(documents, locations, run.read_as_code, run.config)
        known = kept.kept_reports(cache, keys)
    new = [number for number, _ in enumerate(groups) if not keys or keys[number] not in known]
    _lower_wanted(run, {path for number in new for path in groups[number]})
    judged = _all_judged(run, [groups[number] for number in new], sources)
    for report in (*known.values(), *judged):
        run.findings += report.findings
        _take_all_else(run, report)
    analysed = set(run.analysed)
    run.analysed = [path for path in run.documents if path in analysed]
    if cache is not None:
        kept.keep_reports(
            cache, {keys[n]: report for n, report in zip(new, judged, strict=True) if not report.problems}
        )


def graphed(run: Run, sources: Mapping[str, Source]) -> tuple[CallGraph, Report]:
    """What happens in all of the documents of a run together, and the report on them."""
    from evalguard.callgraph import CallGraph, LeftOut  # here, for few runs ask for it
    from evalguard.modes.record import Record
    from evalguard.project.explain import explain

    with lookup.extended(run.config.vocabulary):
        files = _all_facts(run, sources)
        unreadable_files = tuple((finding.path, "") for finding in run.findings)
        record = Record()
        project = _linked(run, files, sources, record)
        found = _not_silenced(run, _comments(files), _found(run, files, sources, project, reads_code=True))
        run.findings += found
        graph = CallGraph() if project is None else explain(project, record, found)
    graph = with_cell_lines(graph, run.cells())
    report = _report(run, tuple(sources))
    skipped = tuple((path, "") for path in run.skipped)
    unread = [LeftOut(SKIPPED_FILES, skipped), LeftOut(UNREADABLE_FILES, unreadable_files)]
    return replace(graph, left_out=(*graph.left_out, *(left for left in unread if left.what))), report


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


def _screen(run: Run, locations: Mapping[str, str]) -> Screen:
    return Screen({path: document.text for path, document in run.documents.items()}, locations)


def _wanted(run: Run, screen: Screen) -> set[str]:
    """The files that are worth a parse."""
    with run.stage("screen"):
        wanted = screen.wanted(lookup.told_names()) if run.means.shortcuts else set(screen.texts)
        if any(rule.reads_code for rule in _enabled(run.config)):
            run.read_as_code = screen.with_layers(wanted)
            wanted |= run.read_as_code
    run.skipped += [path for path in run.documents if path not in wanted]
    run.foreign += [(path, document.foreign) for path, document in run.documents.items() if document.foreign]
    return wanted


def _lower_wanted(run: Run, wanted: Set[str]) -> None:
    """Lower these files, but for those of which the facts are at hand."""
    with run.stage("parse"):
        documents = [document for path, document in run.documents.items() if path in wanted]
        _lower_new(run, [d for d in documents if d.path not in run.lowered or run.lowered[d.path].document is not d])


def _facts(run: Run, lowered: Mapping[str, Lowering], paths: Iterable[str]) -> list[FileFacts]:
    """The facts of these files, which have been lowered; why there are none is taken by the run."""
    results = chain.from_iterable(lowered[path].results() for path in paths)
    found = [facts for result in results if (facts := run.take(result)) is not None]
    run.analysed += [facts.path for facts in found]
    return found


def _all_facts(run: Run, sources: Mapping[str, Source]) -> list[FileFacts]:
    wanted = _wanted(run, _screen(run, locations_of(sources)))
    _lower_wanted(run, wanted)
    return _facts(run, run.lowered, [path for path in run.documents if path in wanted])


def _lower_new(run: Run, documents: Sequence[Document]) -> None:
    """The facts of documents that were not read before: from the cache, or from their texts."""
    cache = run.means.cache
    known = {} if cache is None else kept.kept_facts(cache, documents)
    new = [document for document in documents if document.path not in known]
    lowered = dict(zip([document.path for document in new], _all_lowered(run.means, new), strict=True))
    for document in documents:
        path = document.path
        run.lowered[path] = lowered[path] if path in lowered else Lowering(document, None, known[path])
    if cache is not None:
        kept.keep_facts(cache, [(each.document, each.packed) for each in lowered.values() if each.packed is not None])


def _all_lowered(means: Means, documents: Sequence[Document]) -> list[Lowering]:
    """What lowering each of the documents comes to; of much text it is only packed, and the work done in several
    processes, the longest documents first."""
    total = sum(len(document.text) for document in documents) or 1
    is_much = total >= MUCH_TEXT
    lower_one = partial(lowered_and_packed, pack=is_much or means.cache is not None, drop=is_much)
    found: dict[int, Lowering] = {}
    done = 0
    order = sorted(range(len(documents)), key=lambda number: -len(documents[number].text))
    workers = _workers(means, total, len(documents))
    if workers > 1:
        from evalguard.processes import in_processes

        results = in_processes(workers, lower_one, [documents[number] for number in order], at_once=4)
        for result, number in zip(results, order, strict=False):
            found[number] = Lowering(documents[number], *result)
            done += len(documents[number].text)
            means.progress("reading", done / total)
    for number in order:
        if number not in found:
            found[number] = Lowering(documents[number], *lower_one(documents[number]))
            done += len(documents[number].text)
            means.progress("reading", done / total)
    return [found[number] for number in range(len(documents))]


def _workers(means: Means, characters: int, works: int) -> int:
    """How many processes to use for so much text in so many parts; 1 for this one alone."""
    if characters < MUCH_TEXT:
        return 1
    from evalguard.processes import may_fork  # few runs need what it imports

    workers = (os.cpu_count() or 1) if means.jobs is None else means.jobs
    return min(workers, works) if may_fork() else 1


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done with the group of that number: follow modes, read the code as it is written, or both."""

    group: int
    follows_modes: bool = True
    reads_code: bool = True


Comments: TypeAlias = Mapping[str, tuple[tuple[int, str], ...]]
"""The comments of files that may silence a finding, by path and line."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a task came to: what is found, whatever the comments of the files say."""

    report: Report
    comments: Comments


_inherited: list[Callable[[Task], Judged]] = []
"""What a forked process finds in memory: what it is to do, given a task."""


def _all_judged(run: Run, groups: Sequence[Sequence[str]], sources: Mapping[str, Source]) -> list[Report]:
    """What is found in each of the groups: findings, what was cut short, problems and seconds. Much text is shared out
    among processes, the longest groups first."""
    sizes = [sum(len(run.documents[path].text) for path in group) for group in groups]
    total, done = sum(sizes) or 1, 0
    order = sorted(range(len(groups)), key=lambda number: -sizes[number])
    found: dict[Task, Judged] = {}

    def judged(task: Task) -> Judged:
        result = contained(partial(_task_done, run, task, groups[task.group], sources))
        if sizes[task.group] >= MUCH_TEXT:
            gc.collect()  # what a project knows leads back to it, and the next one needs the memory
        return Judged(Report(problems=(result,)), {}) if isinstance(result, Problem) else result

    def take(task: Task, result: Judged) -> None:
        nonlocal done
        found[task] = result
        done += sizes[task.group] if task.follows_modes else 0
        run.means.progress("linking", done / total)

    tasks = list(map(Task, order))
    workers = 1 if run.claims is not None else _workers(run.means, total, 2 * len(groups))
    if workers > 1:
        tasks = [task for number in order for task in _shared_out(number, sizes[number])]
        from evalguard.processes import in_processes

        _inherited.append(judged)
        try:
            for result, task in zip(in_processes(workers, _judged_elsewhere, tasks), tasks, strict=False):
                take(task, result)
        finally:
            _inherited.clear()
    for task in tasks:
        if task not in found:
            take(task, judged(task))
    of_groups = [[found[task] for task in tasks if task.group == number] for number in range(len(groups))]
    reports = [contained(partial(_of_group, run, of_group)) for of_group in of_groups]
    return [Report(problems=(report,)) if isinstance(report, Problem) else report for report in reports]


def _judged_elsewhere(task: Task) -> Judged:
    return _inherited[0](task)


def _shared_out(group: int, size: int) -> list[Task]:
    """What is to be done with a group: of much text in two tasks, which do not wait for each other."""
    if size < MUCH_TEXT:
        return [Task(group)]
    return [Task(group, reads_code=False), Task(group, follows_modes=False)]


def _task_done(run: Run, task: Task, group: Sequence[str], sources: Mapping[str, Source]) -> Judged:
    """What the rules find in files that imports connect, by their paths."""
    part = _part(run)
    files = _facts(part if task.follows_modes else _part(run), run.lowered, group)  # one task says what has no facts
    record = _record_of_lines() if run.wants_ribbons else None
    follows_modes = any(rule.follows_modes for rule in _enabled(run.config))
    is_linked = task.follows_modes and (follows_modes or record is not None or run.claims is not None)
    project = _linked(part, files, sources, record) if is_linked else None
    found = _found(part, files, sources, project, task.reads_code)
    if project is not None and record is not None:
        part.strips = _strips(part, project, record)
    if project is not None and run.claims is not None:
        cells = part.cells()
        run.claims += part.take(contained(lambda: [placed_claim(each, cells) for each in project.claims()])) or ()
    part.findings += found
    return Judged(_report_on(part), _comments(files))


def _of_group(run: Run, of_tasks: Sequence[Judged]) -> Report:
    """The report on a group, from what its tasks came to."""
    part = _part(run)
    comments = {path: those for each in of_tasks for path, those in each.comments.items()}
    found = [finding for each in of_tasks for finding in each.report.findings]
    part.findings += _not_silenced(part, comments, found)
    for each in of_tasks:
        _take_all_else(part, each.report)
    return _report_on(part)


def _comments(files: Iterable[FileFacts]) -> Comments:
    return {file.path: found for file in files if (found := silencing(file.comments))}


def _take_all_else(run: Run, report: Report) -> None:
    """Add what a report on a part says to a run, but for its findings."""
    run.analysed += report.analysed
    run.cut_short += report.cut_short
    run.strips |= report.strips
    for problem in report.problems:
        run.take(problem)
    for stage, seconds in report.seconds.items():
        run.seconds[stage] = run.seconds.get(stage, 0.0) + seconds


def _part(run: Run) -> Run:
    """A run on a part of the documents, for what is found in them."""
    part = Run(run.config, replace(run.means, cache=None, jobs=1, progress=ALONE.progress))
    part.documents, part.read_as_code = run.documents, run.read_as_code
    return part


def _report_on(part: Run) -> Report:
    return Report(
        strips=part.strips,
        findings=tuple(part.findings),
        analysed=tuple(part.analysed),
        problems=tuple(part.problems),
        cut_short=tuple(part.cut_short),
        seconds=part.seconds,
    )


def _record_of_lines() -> Record:
    from evalguard.modes.lines import Lines
    from evalguard.modes.record import Record

    return Record(lines=Lines())


def _linked(
    run: Run, files: Sequence[FileFacts], sources: Mapping[str, Source], record: Record | None = None
) -> Project | None:
    """The files as one project; None if that fails as a whole."""

    def attempt(path: str, work: Callable[[], None]) -> None:
        run.take(contained(work, path))

    with run.stage("link"):
        run_files = [file for file in files if file.path not in run.read_as_code]
        progress = partial(run.means.progress, "linking")
        return run.take(contained(partial(link_project, run_files, locations_of(sources), record, attempt, progress)))


def _found(
    run: Run, files: Sequence[FileFacts], sources: Mapping[str, Source], project: Project | None, reads_code: bool
) -> list[Finding]:
    """What the rules find in the project that files make, and in the files as they are written."""
    with run.stage("rules"):
        found = list(_found_in_project(run, project))
        if reads_code:
            found += _found_in_code(run, files, sources, project)
        return found


def _not_silenced(run: Run, comments: Comments, found: Sequence[Finding]) -> list[Finding]:
    """These findings, less what the comments of their files silence, and what is wrong with such comments."""
    kept: list[Finding] = []
    by_file: dict[str, list[Finding]] = {path: [] for path in comments}
    for finding in found:
        by_file.get(finding.path, kept).append(finding)
    for path, of_file in comments.items():
        there, text = by_file[path], run.documents[path].text
        kept += suppress(there, of_file, text)
        kept += suppress(_idle_comments(run.config, path, of_file, there, text), of_file, text)
    return kept


def _strips(run: Run, project: Project, record: Record) -> dict[str, Strip]:
    """The ribbons of all files in which a module is seen, with their texts."""
    from evalguard.project.ribbons import ribbons as ribbons_of
    from evalguard.ribbon import Strip

    texts = {path: split_lines(run.documents[path].text) for path in project.index.files}
    with run.stage("ribbons"):
        made = run.take(contained(lambda: ribbons_of(project, record, texts))) or {}
    return {path: Strip(path, _parts(run.documents[path]), ribbons) for path, ribbons in made.items()}


def _parts(document: Document) -> tuple[Part, ...]:
    from evalguard.ribbon import Part

    if document.cells is None:
        return (Part(None, 1, document.text),)
    cells = zip(document.cells.starts, document.sources, document.cells.indents, strict=True)
    return tuple(Part(cell, *each) for cell, each in enumerate(cells, start=1))


def _idle_comments(
    config: Config, path: str, comments: Iterable[tuple[int, str]], found: Sequence[Finding], text: str
) -> Iterator[Finding]:
    """The comments of a file that silence what is not there, or what does not exist."""
    known = [code for code in code_names() if code not in (UnusedSuppression.code, UnknownCodeInSuppression.code)]
    run = {rule.code for rule in _enabled(config)}
    ends: dict[int, int] | None = None
    for silencer in silencers(comments, text):
        meant = [code for code in known if code.startswith(silencer.code)]
        if not any(code.startswith(silencer.code) for code in code_names()):
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
            yield Finding(kind.code, kind.name, message, path, silencer.span, kind.severity)


def _found_in_project(run: Run, project: Project | None) -> Iterator[Finding]:
    """What is found in the functions in which something happens to modes."""
    if project is None:
        return
    run.cut_short += project.cut_short()
    for view in project.views():
        for rule in _enabled(run.config):
            yield from run.take(contained(partial(_list, rule.check, view), view.path)) or ()


def _found_in_code(
    run: Run, files: Sequence[FileFacts], sources: Mapping[str, Source], project: Project | None
) -> Iterator[Finding]:
    """What is found in functions and classes as they are written, each place once."""
    rules_of_code = [rule for rule in _enabled(run.config) if rule.reads_code]
    if not rules_of_code:
        return
    code = Code(project.index if project and not run.read_as_code else Index(files, locations_of(sources)))
    seen: set[tuple[str, str, Span]] = set()
    for path, checks in _checks_of_code(code, rules_of_code):
        for finding in chain.from_iterable(run.take(contained(check, path)) or () for check in checks):
            place = (finding.code, finding.path, finding.span)
            if place not in seen:
                seen.add(place)
                yield finding
        code.forget()


def _checks_of_code(code: Code, of: Sequence[Rule]) -> Iterator[tuple[str, list[Callable[[], list[Finding]]]]]:
    """What is to be asked of each function and each class, with the path of its file."""
    for view in code.functions():
        yield view.path, [partial(_list, rule.check_code, view) for rule in of]
    for cls in code.classes():
        yield cls.path, [partial(_list, rule.check_class, cls) for rule in of]


def _enabled(config: Config) -> list[Rule]:
    """The rules that are run: those asked for, and all that are on by default where unused comments are looked for."""
    finds_unused = config.enables(UnusedSuppression.code, UnusedSuppression.default)
    return [rule for rule in rules.RULES if config.enables(rule.code, rule.default) or (finds_unused and rule.default)]


def _list(check: Callable[[T], Iterable[Finding]], view: T) -> list[Finding]:
    return list(check(view))


def _report(run: Run, files: tuple[str, ...]) -> Report:
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
