"""evalguard as a plugin of flake8: the same findings as the command's, among flake8's own.

flake8 hands over one file at a time, while a mode is set in one file and felt in another. So the project around the
file is linked once, and each file is given its part of what was found:

    file -> root: the folder of the configuration, or of the repository, or the one that holds the package
    root -> what was found, for as long as the files of the project are what they were

A text that is not the file's, as an editor gives it on standard input, takes the place of the file in the project. What
is chosen stands in evalguard's configuration; `# noqa` counts as it does for the command.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import evalguard

if TYPE_CHECKING:
    from evalguard.config import Config
    from evalguard.finding import Finding
    from evalguard.report import Report

_Stamp = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Linked:
    """What was found in a project, by the real paths of its files, and how these were then."""

    findings: dict[str, list[Finding]]
    stamps: dict[str, _Stamp]

    def is_fresh(self) -> bool:
        """Whether all files are what they were. New ones are not looked for."""
        return all(_stamp_of(path) == stamp for path, stamp in self.stamps.items())


_LINKED: dict[Path, _Linked] = {}


class Plugin:
    """What flake8 makes for each file."""

    name = "evalguard"
    version = evalguard.__version__

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        self.filename = filename
        self.text = "".join(lines)

    @classmethod
    def parse_options(cls, options: Any) -> None:
        """Link the projects that are asked for, before flake8 shares the files out among processes."""
        for root in [root for root, linked in _LINKED.items() if not linked.is_fresh()]:
            del _LINKED[root]
        for name in options.filenames or ["."]:
            if name != "-" and os.path.exists(name):
                root, config = _project_of(name)
                _linked(root, config)

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """The findings of the file; flake8 counts columns from 0."""
        for finding in _found(self.filename, self.text):
            yield finding.span.line, finding.span.column - 1, f"{finding.code} {finding.message}", type(self)


def _found(filename: str, text: str) -> Sequence[Finding]:
    from evalguard.check import check_source
    from evalguard.discover import SUFFIXES

    root, config = _project_of(filename)
    path = os.path.realpath(filename)
    known = _linked(root, config)
    if path in known.stamps and known.stamps[path] != _stamp_of(path):
        del _LINKED[root]
        known = _linked(root, config)
    if path in known.stamps and _is_text_of(path, text):
        return known.findings.get(path, [])
    if path not in known.stamps and os.path.exists(path) and path.endswith(SUFFIXES):
        return []  # the configuration leaves it out
    report = check_source(text, filename, config, project=root)
    _tell_problems(report)
    return [finding for finding in report.findings if os.path.realpath(finding.path) == path]


def _linked(root: Path, config: Config) -> _Linked:
    """What was found in the project, looked for at most once."""
    from evalguard.check import check_paths
    from evalguard.config import ConfigError

    if root not in _LINKED:
        try:
            report = check_paths([root], config)
        except ConfigError as error:
            raise _refused(error) from error
        _tell_problems(report)
        findings: dict[str, list[Finding]] = {}
        for finding in report.findings:
            findings.setdefault(os.path.realpath(finding.path), []).append(finding)
        paths = map(os.path.realpath, report.files)
        _LINKED[root] = _Linked(findings, {path: _stamp_of(path) for path in paths})
    return _LINKED[root]


def _project_of(name: str) -> tuple[Path, Config]:
    """The root of the project to which a file or folder belongs, and its configuration."""
    from evalguard.check import config_for
    from evalguard.config import ConfigError
    from evalguard.project_root import root_of

    try:
        config = config_for([name])
    except ConfigError as error:
        raise _refused(error) from error
    place = Path(os.path.abspath(name))
    return root_of(place, config) or (place if place.is_dir() else place.parent), config


def _refused(error: Exception) -> Exception:
    from flake8.exceptions import ExecutionError

    refused: Exception = ExecutionError(f"evalguard: {error}")
    return refused


def _is_text_of(path: str, text: str) -> bool:
    """Whether the text is what the file holds, but for the ends of its lines."""
    from evalguard.source import SourceProblem, read_document, split_lines

    try:
        return split_lines(read_document(Path(path), path).text) == split_lines(text)
    except SourceProblem:
        return False


def _stamp_of(path: str) -> _Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _tell_problems(report: Report) -> None:
    for problem in report.problems:
        print(f"evalguard: internal error in {problem.path!r}: {problem.message}", file=sys.stderr)
