"""The pipeline from paths to a report, and what may be asked of a run.

    discover -> read -> (the report is kept?) -> analysis

What follows the reading of files is in `analysis`, which is loaded when it is needed: a run on which nothing changed
is over before that. One file that cannot be read or decoded is the finding EVG901, and the others go on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from evalguard.config import Config, ConfigError, load_config
from evalguard.discover import STDIN, SUFFIXES, discover
from evalguard.notebook import decode_notebook, is_notebook, notebook_of
from evalguard.report import Report
from evalguard.run import ALONE as ALONE
from evalguard.run import Means, Run, Source, locations_of, readable
from evalguard.run import contained as contained
from evalguard.source import Document, SourceProblem, decode_document, document_of, read_bytes, read_document

if TYPE_CHECKING:
    from evalguard.callgraph import CallGraph
    from evalguard.claims import Claim
    from evalguard.lowering import Lowering
    from evalguard.rule_documentation import RuleDocumentation

STDIN_NAME = "<stdin>"

_Narrowing: TypeAlias = Callable[[Report], Report]


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
    run = Run(config or Config(), means, wants_ribbons=ribbons)
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
    lowered: Mapping[str, Lowering]
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
        data = self.sources[path].data()
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
        return _checked(Run(config or self.config, means, lowered=dict(self.lowered)), sources, self.narrowed)


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
    run = Run(config or Config(), means, wants_facts=True)
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
    run = Run(config, lowered=dict(before.lowered) if before else {}, claims=[])
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
    run = Run(config, lowered=dict(before.lowered) if before else {}, claims=[])
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


def _checked(run: Run, sources: Mapping[str, Source], narrowed: _Narrowing) -> Checked:
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
    run = Run(config or Config())
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
    from evalguard.analysis import graphed

    run = Run(config or Config())
    sources = _sources(run, paths, stdin_filename)
    _read(run, sources)
    return graphed(run, sources)


class _KnownCodes(Mapping[str, str]):
    """Every code to its name. The rules are loaded when somebody looks into it: most users name no code."""

    def __getitem__(self, code: str) -> str:
        return self._names()[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> dict[str, str]:
        from evalguard.analysis import code_names

        return code_names()


def known_codes() -> Mapping[str, str]:
    """Every code to its name."""
    return _KnownCodes()


def follows_modes(code: str) -> bool:
    """Whether findings of the code depend on what happens to modes, and so on other functions and files."""
    from evalguard import analysis

    return analysis.follows_modes(code)


def documentations() -> tuple[RuleDocumentation, ...]:
    """The documentation of every code, by code."""
    from evalguard import analysis

    return analysis.documentations()


def _sources(run: Run, paths: Sequence[str | os.PathLike[str]], stdin_filename: str) -> dict[str, Source]:
    """Every file, by the path under which it is shown."""
    names = [os.fspath(path) for path in paths]
    with run.stage("discover"):
        discovery = discover(names, run.config.excludes(), run.config.respect_gitignore)
    run.warnings.extend(discovery.problems)
    sources = {
        file.shown: Source(
            partial(read_document, file.path, file.shown, _decode),
            os.path.abspath(file.path),
            partial(read_bytes, file.path),
        )
        for file in discovery.files
    }
    if STDIN in names:
        data = sys.stdin.buffer.read()
        read = partial(_decode, data, stdin_filename)
        sources[stdin_filename] = Source(read, os.path.abspath(stdin_filename), partial(bytes, data))
    return sources


def _asked(
    run: Run,
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
    from evalguard.baseline import BaselineError, compare, read

    try:
        known = read(file)
    except BaselineError as error:
        raise ConfigError(f"baseline: {error}") from error
    return lambda report: compare(report, known, file).report


def _sources_of_project(run: Run, root: str, paths: Sequence[str], stdin_filename: str) -> dict[str, Source]:
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


def _check(run: Run, sources: Mapping[str, Source]) -> Report:
    return _check_all(run, sources)[0]


def _check_all(run: Run, sources: Mapping[str, Source]) -> tuple[Report, dict[str, Document]]:
    """The report, and the documents of all files that could be read."""
    _read(run, sources)
    documents = run.documents
    cache = run.means.cache
    if cache is None or run.wants_ribbons or run.claims is not None or run.wants_facts:
        return _analysed(run, sources), documents  # all that is kept of a run is its report
    from evalguard.cache import kept

    with run.stage("cache"):
        key = kept.report_key(documents, locations_of(sources), (run.findings, run.problems), run.config)
        known = kept.kept_report(cache, key)
    if known is not None:
        return _again(run, known), documents
    plain = Run(run.config, replace(run.means, cache=None))
    report = _analysed(run, sources)
    if not report.problems:
        kept.keep_reports(cache, {key: report})
        return report, documents
    return _check_all(plain, sources)  # what was kept may be to blame: somebody may have written to the cache


def _analysed(run: Run, sources: Mapping[str, Source]) -> Report:
    from evalguard.analysis import analysed

    return analysed(run, sources)


def _again(run: Run, known: Report) -> Report:
    """The report of an earlier run on the same files, with their texts."""
    run.findings = list(known.findings)
    run.keep_named_documents()
    texts, cells = run.texts_and_cells()
    return replace(known, warnings=tuple(run.warnings), texts=texts, cells=cells, seconds=run.seconds)


def _read(run: Run, sources: Mapping[str, Source]) -> None:
    with run.stage("read"):
        for path, source in sources.items():
            document = run.take(readable(source.read, path))
            if document is not None:
                run.documents[path] = document
