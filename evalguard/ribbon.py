"""The mode ribbon, as plain data: beside each line of a function, the mode that each module is in.

    24  def evaluate(model, loader):        model   either
    25      model.eval()                            eval     it switches here
    26      correct = sum(...)                      eval

A cell joins all ways in which its line is reached: every path, every round of a loop, every caller. `project.ribbons`
makes the ribbons of a project; `evalguard show` and the HTML report draw them, and an editor may.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from evalguard.finding import Span

TRAIN, EVAL, EITHER, UNKNOWN = "train", "eval", "either", "unknown"
STATES = (TRAIN, EVAL, EITHER, UNKNOWN)
BODY = "<module>"  # the qualified name of a file's own body


@dataclass(frozen=True, slots=True)
class Cell:
    """The modes of a place on one line: when the line is reached and when it is left, each some of "train", "eval" and
    "unknown", in this order. There are none before where the line makes the place."""

    line: int
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def state(self) -> str:
        """One of `STATES`, for the line as a whole: what it leaves, for that holds below it."""
        return state_of(self.after)

    @property
    def switches(self) -> bool:
        """Whether the line may change the mode."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Band:
    """A place, as the reader writes it, with its cells by line. `aliases` are other names of it in this function;
    `whole` is the place that it is a part of, "" if it is none: a part has a band of its own where the two differ."""

    place: str
    cells: tuple[Cell, ...]
    aliases: tuple[str, ...] = ()
    whole: str = ""

    def by_line(self) -> dict[int, Cell]:
        """The cells by their lines."""
        return {cell.line: cell for cell in self.cells}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function of the project that was followed: from this span to the function `function` of `path`,
    whose definition begins on `line`."""

    span: Span
    path: str
    function: str
    line: int


@dataclass(frozen=True, slots=True)
class Ribbon:
    """The bands of one function, from its first line to its last: none where it only calls others that have some.
    `inner` are the lines that functions in it take."""

    path: str
    function: str
    first: int
    last: int
    bands: tuple[Band, ...]
    calls: tuple[Call, ...] = ()
    inner: frozenset[int] = frozenset()

    def lines(self) -> Iterator[int]:
        """Its own lines."""
        return (line for line in range(self.first, self.last + 1) if line not in self.inner)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a file: all of it, or a notebook's code cell, counted from 1. `start` is the line of the ribbons on
    which its text begins; `indent` columns of each of its lines are not counted by the spans of calls."""

    cell: int | None
    start: int
    text: str
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Strip:
    """A file with the ribbons of its functions, by first line."""

    path: str
    parts: tuple[Part, ...]
    ribbons: tuple[Ribbon, ...]

    def line_of(self, cell: int | None, line: int) -> int:
        """The line of the ribbons that the user calls so."""
        return next((part.start + line - 1 for part in self.parts if part.cell == cell), line)

    def place_of(self, line: int) -> tuple[int | None, int]:
        """What the user calls a line of the ribbons: its cell, if there are any, and the line."""
        part = self.part_of(line)
        return part.cell, line - part.start + 1

    def part_of(self, line: int) -> Part:
        """The cell, or all of the file, in which a line of the ribbons stands."""
        return next((part for part in reversed(self.parts) if part.start <= line), self.parts[0])

    def ribbon_at(self, line: int) -> Ribbon | None:
        """The ribbon of the innermost function around a line."""
        around = [ribbon for ribbon in self.ribbons if ribbon.first <= line <= ribbon.last]
        return max(around, key=lambda ribbon: (ribbon.first, -ribbon.last), default=None)


Strips = Mapping[str, Strip]


def state_of(modes: Iterable[str]) -> str:
    """One word for several modes: both are "either", and one that may be unknown is "unknown"."""
    found = set(modes)
    if {TRAIN, EVAL} <= found:
        return EITHER
    if UNKNOWN in found or not found:
        return UNKNOWN
    return found.pop()


def words_for(modes: Iterable[str]) -> str:
    """The modes as a sentence has them: "train or eval"."""
    return " or ".join(modes) or UNKNOWN
