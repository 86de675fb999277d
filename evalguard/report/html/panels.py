"""The panels of the page: functions line by line, with bands, steps, and links to what they call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from evalguard.finding import Finding, Severity
from evalguard.report import Report
from evalguard.report.highlight import Piece, cut, highlighted
from evalguard.report.scenes import LETTERS, Mark, Tape, around, lines_of, marks_of, rows, strip_of, title_of, trimmed
from evalguard.report.terminal import TAB_WIDTH, visible
from evalguard.ribbon import BODY, Band, Call, Cell, Ribbon, Strip, words_for

MOST_LINES = 48  # of a function that a finding shows in full; of a longer one those near its steps
MOST_FUNCTIONS = 400  # that are shown in full at the end
MOST_STICKY = 3  # bands that stay in sight when the code is scrolled sideways
LONGEST_NAME = 24  # of a place, above its band


@dataclass(frozen=True, slots=True)
class Word:
    """Some characters of a text or of a line of code, with their kind and where they lead."""

    text: str
    kind: str = ""
    href: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """The cell of a band on one line. `letter` is shown where the state begins; `said` is for those who listen."""

    state: str
    letter: str
    switches: bool
    begins: bool
    ends: bool
    said: str


@dataclass(frozen=True, slots=True)
class Note:
    """A step of a finding, below its line. `next` is where it goes on, `leaves` where that is in another function."""

    id: str
    step: int
    total: int
    words: tuple[Word, ...]
    next: str
    leaves: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a panel: a line of code, or what stands between two."""

    kind: str  # "code", "gap" or "cell"
    number: int
    id: str = ""
    href: str = ""
    rail: str = ""
    boxes: tuple[Box | None, ...] = ()
    words: tuple[Word, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """The name above a band."""

    shown: str
    full: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A function, line by line."""

    id: str
    title: str
    path: str
    line: str
    href: str
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    callers: tuple[Word, ...] = ()
    sticky: bool = True


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding."""

    number: int
    code: str
    name: str
    severity: str
    message: tuple[Word, ...]
    place: str
    path: str
    where: str
    order: str
    href: str
    help: tuple[Word, ...]
    fix: tuple[Word, ...]
    fix_kind: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class File:
    """The functions of a file in full."""

    id: str
    path: str
    panels: tuple[Panel, ...]


@dataclass(slots=True)
class Maker:
    """Makes the panels; remembers which functions are shown, for links between them."""

    report: Report
    ids: dict[tuple[str, str], str] = field(default_factory=dict)  # of the functions that are shown in full
    numbers: dict[str, int] = field(default_factory=dict)  # of the files
    code: dict[str, dict[int, list[Piece]]] = field(default_factory=dict)
    texts: dict[str, dict[int, str]] = field(default_factory=dict)
    callers: dict[tuple[str, str], list[tuple[Ribbon, Call]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, path in enumerate(sorted(self.report.strips), start=1):
            self.numbers[path] = number
            for ribbon in self.report.strips[path].ribbons:
                for call in ribbon.calls:
                    self.callers.setdefault((call.path, call.function), []).append((ribbon, call))
        shown = self._shown()
        for path, function in sorted(shown):
            self.ids[(path, function)] = f"s{self.numbers[path]}-{len(self.ids) + 1}"

    def _shown(self) -> set[tuple[str, str]]:
        """The functions on the ways to the findings, and from there those that they call and are called by."""
        found: dict[tuple[str, str], None] = {}
        waiting: list[tuple[str, str]] = []
        for number, finding in enumerate(self.report.findings, start=1):
            for mark in marks_of(number, finding, self.report):
                strip = self.report.strips.get(mark.path)
                ribbon = strip.ribbon_at(mark.line) if strip is not None else None
                if ribbon is not None:
                    waiting.append((ribbon.path, ribbon.function))
        on_the_way = set(waiting)
        there = {(r.path, r.function): r for strip in self.report.strips.values() for r in strip.ribbons}
        while waiting and len(found) < MOST_FUNCTIONS:
            key = waiting.pop(0)
            if key in found or key not in there:
                continue
            if there[key].bands or key in on_the_way:
                found[key] = None
                waiting += [(call.path, call.function) for call in there[key].calls]
                waiting += [(ribbon.path, ribbon.function) for ribbon, _ in self.callers.get(key, ())]
        return set(found)

    def finding(self, number: int, finding: Finding) -> Shown:
        """All that is shown of a finding."""
        marks = marks_of(number, finding, self.report)
        position = f"{finding.span.line}:{finding.span.column}"
        path = visible(finding.path)
        fix = finding.fix
        return Shown(
            number=number,
            code=finding.code,
            name=finding.name,
            severity="error" if finding.severity is Severity.ERROR else "warning",
            message=words_of(finding.message),
            place=visible(finding.model or ""),
            path=path,
            where=f"{path}:{position}" if finding.cell is None else f"{path}:cell {finding.cell}:{position}",
            order=f"{number:06}",  # findings come by file and place
            href=f"#f{number}-{marks[-1].step}" if strip_of(self.report, finding.path) is not None else "",
            help=words_of(finding.help or (fix.title if fix else "")),
            fix=words_of(fix.title if fix else finding.no_fix_reason or ""),
            fix_kind=f"{fix.applicability.value} fix" if fix else "no safe fix",
            panels=tuple(self._panels(number, marks)),
        )

    def files(self) -> list[File]:
        """The functions that are shown in full, by file."""
        found = []
        for path in sorted({path for path, _ in self.ids}):
            strip = self.report.strips[path]
            panels = [self._whole(strip, ribbon) for ribbon in strip.ribbons if (path, ribbon.function) in self.ids]
            found.append(File(f"s{self.numbers[path]}", visible(path), tuple(panels)))
        return found

    def _whole(self, strip: Strip, ribbon: Ribbon) -> Panel:
        key = (strip.path, ribbon.function)
        text = self._text(strip)
        lines = [line for line in ribbon.lines() if line in text]
        if ribbon.function == BODY:
            lines = trimmed(around({cell.line for band in ribbon.bands for cell in band.cells}, lines), text)
        calls = self.callers.get(key, ())
        callers = {Word(self._caller(r, call), "", self._line_href(r.path, call.span.line)) for r, call in calls}
        return self._panel(self.ids[key], strip, ribbon, lines, {}, 0, callers)

    def _caller(self, ribbon: Ribbon, call: Call) -> str:
        strip = self.report.strips[ribbon.path]
        cell, line = strip.place_of(call.span.line)
        name = title_of(ribbon) if ribbon.function != BODY else visible(ribbon.path)
        return f"{visible(name)}, line {line}" if cell is None else f"{visible(name)}, cell {cell}, line {line}"

    def _panels(self, number: int, marks: Sequence[Mark]) -> Iterable[Panel]:
        """The functions on the way, in the order in which it comes to them."""
        groups: dict[tuple[str, str], list[Mark]] = {}
        ribbons: dict[tuple[str, str], tuple[Strip, Ribbon]] = {}
        where: list[tuple[str, str]] = []
        for mark in marks:
            strip = strip_of(self.report, mark.path)
            if strip is None:
                where.append((mark.path, ""))
                continue
            ribbon = strip.ribbon_at(mark.line) or _plain(strip)
            key = (mark.path, ribbon.function)
            groups.setdefault(key, []).append(mark)
            ribbons[key] = strip, ribbon
            where.append(key)
        for at, (key, here) in enumerate(groups.items()):
            strip, ribbon = ribbons[key]
            text = self._text(strip)
            lines = [line for line in ribbon.lines() if line in text]
            if len(lines) > MOST_LINES or ribbon.function == BODY:
                head = set() if ribbon.function == BODY else {ribbon.first}
                lines = trimmed(around({mark.line for mark in here} | head, lines), text)
            notes: dict[int, list[Note]] = {}
            for mark in here:
                following = where[mark.step] if mark.step < len(marks) else key
                leaves = "" if following == key or following not in ribbons else title_of(ribbons[following][1])
                notes.setdefault(mark.line, []).append(
                    Note(
                        f"f{number}-{mark.step}",
                        mark.step,
                        len(marks),
                        words_of(mark.text),
                        f"#f{number}-{mark.step + 1}" if mark.step < len(marks) else "",
                        visible(leaves),
                    )
                )
            yield self._panel(f"f{number}-p{at + 1}", strip, ribbon, lines, notes, number, [])

    def _panel(
        self,
        id: str,
        strip: Strip,
        ribbon: Ribbon,
        lines: Sequence[int],
        notes: dict[int, list[Note]],
        number: int,
        callers: Iterable[Word],
    ) -> Panel:
        tapes = [Tape.of(band.cells, lines) for band in ribbon.bands]
        links = self._links(ribbon)
        code = self._code(strip)
        shown: list[Line] = []
        first, last = (min(notes), max(notes)) if notes else (0, 0)
        cell: int | None = None
        whole = not number
        for row in rows(strip, lines):
            rail = _rail(row.line, first, last) if notes else ""
            if row.skipped:
                shown.append(Line("gap", row.skipped, rail=rail, boxes=(None,) * len(tapes)))
                continue
            if row.cell is not None and row.cell != cell:
                cell = row.cell
                between = rail if row.line != first else ""
                shown.append(Line("cell", cell, rail=between, boxes=tuple(_between(shown, tapes, row.line))))
            words = tuple(_code_words(code.get(row.line, ()), links.get(row.line, ())))
            boxes = tuple(_box(tape, row.line, band, lines) for tape, band in zip(tapes, ribbon.bands, strict=True))
            anchor = f"s{self.numbers[strip.path]}-L{row.line}" if whole else ""
            href = "" if whole else self._line_href(strip.path, row.line)
            shown.append(Line("code", row.number, anchor, href, rail, boxes, words, tuple(notes.get(row.line, ()))))
        at, begins = strip.place_of(ribbon.first)
        full = self.ids.get((strip.path, ribbon.function))
        return Panel(
            id=id,
            title=visible(title_of(ribbon)),
            path=visible(strip.path),
            line=str(begins) if at is None else f"cell {at}:{begins}",
            href="" if whole or full is None else f"#{full}",
            heads=tuple(_head(band) for band in ribbon.bands),
            lines=tuple(shown),
            callers=tuple(sorted(callers, key=lambda word: word.text)),
            sticky=len(tapes) <= MOST_STICKY,
        )

    def _links(self, ribbon: Ribbon) -> dict[int, list[tuple[int, int, str, str]]]:
        """From the callee's name in each call to its definition: columns from 0, where it leads, and what that is."""
        found: dict[int, list[tuple[int, int, str, str]]] = {}
        for call in ribbon.calls:
            target = self.ids.get((call.path, call.function))
            if target is not None:
                strip = self.report.strips[ribbon.path]
                text = self._text(strip)[call.span.line]
                indent = strip.part_of(call.span.line).indent
                start = call.span.column - 1 + indent
                end = call.span.end_column - 1 + indent if call.span.end_line == call.span.line else len(text)
                bracket = text.find("(", start, end)
                place = (start, end if bracket < 0 else bracket, f"#{target}", f"{call.function} in {call.path}")
                found.setdefault(call.span.line, []).append(place)
        return found

    def _line_href(self, path: str, line: int) -> str:
        """Where a line is shown in full, if it is."""
        strip = self.report.strips.get(path)
        ribbon = strip.ribbon_at(line) if strip is not None else None
        if ribbon is None or (path, ribbon.function) not in self.ids or ribbon.function == BODY:
            return ""
        return f"#s{self.numbers[path]}-L{line}"

    def _text(self, strip: Strip) -> dict[int, str]:
        if strip.path not in self.texts:
            self.texts[strip.path] = lines_of(strip)
        return self.texts[strip.path]

    def _code(self, strip: Strip) -> dict[int, list[Piece]]:
        if strip.path not in self.code:
            self.code[strip.path] = {
                part.start + offset: pieces
                for part in strip.parts
                for offset, pieces in enumerate(highlighted(part.text))
            }
        return self.code[strip.path]


def _plain(strip: Strip) -> Ribbon:
    """A file in which no module is seen on these lines."""
    return Ribbon(strip.path, BODY, 1, max(lines_of(strip), default=1), ())


def _rail(line: int, first: int, last: int) -> str:
    if first == last:
        return ""
    return "down" if line == first else "up" if line == last else "through" if first < line < last else ""


def _head(band: Band) -> Head:
    full = visible(" = ".join((band.place, *band.aliases)))
    name = visible(band.place)
    return Head(name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}", full)


def _box(tape: Tape, line: int, band: Band, lines: Sequence[int]) -> Box | None:
    cell = tape.cells.get(line)
    if cell is None:
        return None
    at = lines.index(line)
    before = tape.cells.get(lines[at - 1]) if at else None
    after = tape.cells.get(lines[at + 1]) if at + 1 < len(lines) else None
    begins = before is None or before.state != cell.state
    ends = after is None or after.state != cell.state
    letter = LETTERS[cell.state] if line in tape.begun else ""
    return Box(cell.state, letter, cell.switches, begins, ends, f"{visible(band.place)}: {_said(cell)}")


def _between(shown: Sequence[Line], tapes: Sequence[Tape], line: int) -> Iterable[Box | None]:
    """The bands beside the head of a notebook's cell: those that go on as they were in the cell before."""
    before = shown[-1].boxes if shown else (None,) * len(tapes)
    for box, tape in zip(before, tapes, strict=True):
        cell = tape.cells.get(line)
        goes_on = box is not None and cell is not None and box.state == cell.state
        yield Box(box.state, "", False, False, False, "") if box is not None and goes_on else None


def _said(cell: Cell) -> str:
    if not cell.switches:
        return words_for(cell.after)
    return f"{words_for(cell.after)}, {f'was {words_for(cell.before)}' if cell.before else 'made here'}"


def _code_words(pieces: Sequence[Piece], links: Sequence[tuple[int, int, str, str]]) -> Iterable[Word]:
    edges = [edge for start, end, _, _ in links for edge in (start, end)]
    for column, piece in cut(pieces, edges):
        text = visible(piece.text.replace("\t", " " * TAB_WIDTH))
        link = next((link for link in links if link[0] <= column < link[1]), None)
        yield Word(text, piece.kind, link[2] if link else "", visible(link[3]) if link else "")


def words_of(text: str) -> tuple[Word, ...]:
    """A sentence; what stands in backticks is code."""
    parts = re.split(r"`([^`]+)`", text)
    return tuple(Word(visible(part), "code" if at % 2 else "") for at, part in enumerate(parts) if part)
