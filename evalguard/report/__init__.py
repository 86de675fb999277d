"""How a run's result looks: one module for each form, one function `render(report) -> str` in it.

`Report` is all that a form may use. It is plain data, the same for the same files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from evalguard.finding import Finding


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure of our own: what went wrong, in which file ("" where it was none's), and the traceback."""

    path: str
    message: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run. `files` are all that were looked at, `analysed` those read in full, `skipped` those that
    hold nothing which sets or uses a mode; the rest could not be read or parsed. `texts` are the texts of
    the files that the findings name. `cut_short` are the functions (path, name) that were too large to follow to their
    end, so that something in them may be missed. `warnings` are for people, and so are the `seconds` of each stage."""

    findings: tuple[Finding, ...] = ()
    files: tuple[str, ...] = ()
    analysed: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    cut_short: tuple[tuple[str, str], ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    seconds: Mapping[str, float] = field(default_factory=dict, repr=False, compare=False)
