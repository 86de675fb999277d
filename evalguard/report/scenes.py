"""What the pictures show, before they are drawn: of each function the lines with their bands and steps.

lines with a ribbon    24 25 26 27        a gap where lines are left out        the steps of findings on each line
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from evalguard.finding import Finding, Step
from evalguard.report import Report
from evalguard.ribbon import BODY, Cell, Part, Ribbon, Strip
from evalguard.source import split_lines

LETTERS = {"train": "T", "eval": "E", "either": "TE", "unknown": "?"}
NEAR = 3  # lines around those that are asked for


@dataclass(frozen=True, slots=True)
class Mark:
    """A step of a finding: `number` counts the findings of the report, `step` its steps, both from 1."""

    number: int
    step: int
    text: str
    mode: str | None
    path: str
    line: int  # of the strip


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a file, or, with `skipped`, so many lines that are left out; `cell` and `number` are what the user
    calls it."""

    line: int
    cell: int | None
    number: int
    skipped: int = 0


def strip_of(report: Report, path: str) -> Strip | None:
    """A file with its ribbons; one in which no module is seen has none. None for a file whose text is not known."""
    found = report.strips.get(path)
    if found is not None:
        return found
    if path in report.cells:
        parts, start = [], 1
        for cell, source in enumerate(report.cells[path], start=1):
            parts.append(Part(cell, start, source))
            start += len(split_lines(source)) + 1
        return Strip(path, tuple(parts), ())
    text = report.texts.get(path)
    return None if text is None else Strip(path, (Part(None, 1, text),), ())


def marks_of(number: int, finding: Finding, report: Report) -> list[Mark]:
    """The steps of a finding; the finding itself where it has none or does not end in it."""
    steps = list(finding.trace)
    own = Step(finding.path, finding.span, finding.message, None, finding.cell)
    if not steps or (steps[-1].path, steps[-1].span.line, steps[-1].cell) != (own.path, own.span.line, own.cell):
        steps.append(own)
    marks = []
    for at, step in enumerate(steps, start=1):
        strip = strip_of(report, step.path)
        line = step.span.line if strip is None else strip.line_of(step.cell, step.span.line)
        marks.append(Mark(number, at, step.message, step.mode, step.path, line))
    return marks


def rows(strip: Strip, lines: Iterable[int]) -> Iterator[Row]:
    """These lines of a file, with a row for those that are left out between them."""
    previous: int | None = None
    for line in sorted(lines):
        cell, number = strip.place_of(line)
        if previous is not None and line > previous + 1:
            same = strip.place_of(previous)[0] == cell
            if same or line > previous + 2:  # between two cells there is a line that no cell has
                yield Row(previous + 1, strip.place_of(previous + 1)[0], 0, line - previous - 1)
        yield Row(line, cell, number)
        previous = line


def around(wanted: Collection[int], allowed: Sequence[int], near: int = NEAR) -> list[int]:
    """Those of the allowed lines that are wanted or near; a gap of one line is none."""
    at = {line: index for index, line in enumerate(allowed)}
    chosen = {
        index
        for line in wanted
        if line in at
        for index in range(at[line] - near, at[line] + near + 1)
        if 0 <= index < len(allowed)
    }
    chosen |= {index for index in range(len(allowed)) if index - 1 in chosen and index + 1 in chosen}
    return [allowed[index] for index in sorted(chosen)]


def trimmed(lines: Sequence[int], text: Mapping[int, str]) -> list[int]:
    """The lines without those at both ends that are empty."""
    full = [index for index, line in enumerate(lines) if text.get(line, "").strip()]
    return list(lines[full[0] : full[-1] + 1]) if full else []


def lines_of(strip: Strip) -> dict[int, str]:
    """The text of each line of a file."""
    return {part.start + offset: text for part in strip.parts for offset, text in enumerate(split_lines(part.text))}


@dataclass(slots=True)
class Tape:
    """How the cell of each line is drawn: with a letter where the state begins or a line switches."""

    cells: Mapping[int, Cell]
    begun: set[int] = field(default_factory=set)

    @staticmethod
    def of(cells: Iterable[Cell], shown: Sequence[int]) -> Tape:
        """The tape of a band, on these lines."""
        tape = Tape({cell.line: cell for cell in cells})
        previous: Cell | None = None
        for line in shown:
            cell = tape.cells.get(line)
            if cell is not None and (previous is None or previous.state != cell.state or cell.switches):
                tape.begun.add(line)
            previous = cell
        return tape


def title_of(ribbon: Ribbon) -> str:
    """What a function is called."""
    return "the file's own code" if ribbon.function == BODY else ribbon.function
