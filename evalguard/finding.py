"""What the tool says: findings, their trace and their fix, as plain data. Imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Span(NamedTuple):
    """A stretch of a file. Lines and columns are 1-based, columns count characters; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Severity(Enum):
    """How sure and how bad: an error spoils results, a warning may."""

    ERROR = "error"
    WARNING = "warning"


class Applicability(Enum):
    """Whether a fix may be applied without a look (as in ruff)."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace `span` of `path` by `content`; `cell` as for a step."""

    path: str
    span: Span
    content: str
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to mend a finding; the title is the cure, in the imperative."""

    title: str
    applicability: Applicability
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the witness: a place in a file and what happens there. `mode` is "train", "eval" or None.
    `cell` is None, or a notebook's code cell, counted from 1."""

    path: str
    span: Span
    message: str
    mode: str | None = None
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One wrong mode. `path` is as given by the user's working directory, with `/`; `function` is the qualified name
    of the function around it; `model` the place, as the user writes it; `help` says what to do. Where fixes were asked
    for, `fix` is one that is proven, or `no_fix_reason` says why there is none."""

    code: str
    name: str
    message: str
    path: str
    span: Span
    severity: Severity = Severity.ERROR
    function: str = ""
    model: str | None = None
    trace: tuple[Step, ...] = ()
    help: str | None = None
    fix: Fix | None = None
    cell: int | None = None
    no_fix_reason: str | None = None

    def sort_key(self) -> tuple[str, int, Span, str, str]:
        """The order in which findings leave: by file, place, code."""
        return (self.path, self.cell or 0, self.span, self.code, self.message)
