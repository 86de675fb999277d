"""How a run's result looks: one module for each form, one function `render(report) -> str` in it.

`Report` is all that a form may use. It is plain data, the same for the same files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from evalguard.finding import Finding

if TYPE_CHECKING:
    from evalguard.ribbon import Strip


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure of our own: what went wrong, in which file ("" where it was none's), and the traceback."""

    path: str
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run. `files` are all that were looked at, `analysed` those read in full, `skipped` those that
    hold nothing which sets or uses a mode; the rest could not be read or parsed. `foreign` are those of the skipped
    (path, language) that are written in another language. `texts` are the texts of the files that the findings name,
    `cells` those of the code cells of notebooks. `cut_short` are the functions (path, name) that were too large to
    follow to their end, so that something in them may be missed. `strips` are the mode ribbons of the files in which a
    module is seen, if they were asked for. `warnings` are for people, and so are the `seconds` of each stage."""

    findings: tuple[Finding, ...] = ()
    files: tuple[str, ...] = ()
    analysed: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    cut_short: tuple[tuple[str, str], ...] = ()
    foreign: tuple[tuple[str, str], ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    cells: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    strips: Mapping[str, Strip] = field(default_factory=dict, repr=False)
    seconds: Mapping[str, float] = field(default_factory=dict, repr=False, compare=False)

    def only(self, wanted: Callable[[Finding], bool]) -> Report:
        """The report with those of the findings that are wanted."""
        return replace(self, findings=tuple(filter(wanted, self.findings)))

    def text_around(self, finding: Finding) -> str | None:
        """The text in which a finding has its lines: of its file, or of its cell; None if that is not known."""
        if finding.cell is None:
            return self.texts.get(finding.path)
        return self.cells[finding.path][finding.cell - 1] if finding.path in self.cells else None
