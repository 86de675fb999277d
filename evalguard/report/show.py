"""The mode ribbon on a terminal, for `evalguard show`. Wants rich.

              ╭ model
       24     TE   def evaluate(model, loader):
    2  25    ▸E        model.eval()
       26     ══       correct = sum(...)

A letter stands where a mode begins, and its own shape below it, so that no colour is needed. Source and file names are
foreign text: whatever could steer the terminal is written out.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, product
from string import ascii_uppercase

from rich.console import Console
from rich.style import Style
from rich.text import Text

from evalguard.report import Report
from evalguard.report.highlight import Piece, highlighted
from evalguard.report.scenes import LETTERS, Mark, Row, Tape, around, lines_of, marks_of, rows, title_of, trimmed
from evalguard.report.terminal import TAB_WIDTH, visible
from evalguard.ribbon import BODY, Ribbon, Strip


@dataclass(frozen=True, slots=True)
class Shapes:
    """The characters of the picture."""

    states: Mapping[str, str]
    switch: str
    corner: str
    rail: str
    gap: str


UNICODE = Shapes({"train": "██", "eval": "══", "either": "▞▞", "unknown": "··"}, "▸", "╭", "│", "⋯")
ASCII = Shapes({"train": "##", "eval": "==", "either": "#=", "unknown": ".."}, ">", ".", "|", "...")
STATES = {
    "train": Style(color="dark_orange3"),
    "eval": Style(color="dodger_blue1"),
    "either": Style(color="magenta"),
    "unknown": Style(color="bright_black"),
}
CODE = {
    "k": Style(bold=True),
    "s": Style(color="green"),
    "c": Style(color="bright_black", italic=True),
    "d": Style(bold=True),
}
STEP = Style(color="red", bold=True)
DIM = Style(color="bright_black")
PLACE = Style(bold=True)


def render(
    report: Report,
    strip: Strip,
    ribbons: Sequence[Ribbon],
    colour: bool = False,
    width: int = 120,
    shapes: Shapes = UNICODE,
) -> str:
    """These functions of a file, with the steps of the findings that lead through them, and those findings."""
    file = io.StringIO()
    console = Console(
        file=file,
        force_terminal=colour,
        color_system="256" if colour else None,
        no_color=not colour,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    draw(console, report, strip, ribbons, shapes)
    return file.getvalue()


def draw(console: Console, report: Report, strip: Strip, ribbons: Sequence[Ribbon], shapes: Shapes = UNICODE) -> None:
    """Print the picture on a console."""
    shown = {line for ribbon in ribbons for line in ribbon.lines()}
    marks = [mark for number, f in enumerate(report.findings, 1) for mark in marks_of(number, f, report)]
    here = [mark for mark in marks if mark.path == strip.path and mark.line in shown]
    letters = dict(zip(_in_order(here), _names(), strict=False))
    if len(letters) == 1:
        letters = dict.fromkeys(letters, "")
    for text in _picture(strip, ribbons, here, letters, shapes):
        console.print(text, no_wrap=True, overflow="ellipsis", crop=True)
    console.print(_legend(shapes))
    for number, letter in letters.items():
        finding = report.findings[number - 1]
        console.print()
        head = Text().append(f"{letter}  " if letter else "", STEP)
        head.append(finding.code, STEP).append(f" {finding.name}  ", PLACE).append(visible(finding.message))
        console.print(head)
        for mark in (mark for mark in marks if mark.number == number):
            where = _address(report, mark)
            console.print(
                Text().append(f"  {letter}{mark.step}", STEP).append(f"  {where}  ", DIM).append(visible(mark.text))
            )


def _picture(
    strip: Strip, ribbons: Sequence[Ribbon], marks: Sequence[Mark], letters: Mapping[int, str], shapes: Shapes
) -> Iterator[Text]:
    source = lines_of(strip)
    code = _code_of(strip)
    steps: dict[int, list[str]] = {}
    for mark in marks:
        steps.setdefault(mark.line, []).append(f"{letters[mark.number]}{mark.step}")
    margin = max((len(",".join(found)) for found in steps.values()), default=0)
    gutter = max(len(str(strip.place_of(line)[1])) for line in source)
    most = max((len(ribbon.bands) for ribbon in ribbons), default=0)
    cell: int | None = None
    for ribbon in ribbons:
        wanted = [line for line in ribbon.lines() if line in source]
        if ribbon.function == BODY:
            wanted = around({c.line for band in ribbon.bands for c in band.cells} | set(steps), wanted)
            wanted = trimmed(wanted, source)
        tapes = [Tape.of(band.cells, wanted) for band in ribbon.bands]
        yield Text().append(f"{visible(strip.path)}  ", DIM).append(visible(title_of(ribbon)), PLACE)
        for number, band in enumerate(ribbon.bands):
            names = " = ".join((band.place, *band.aliases))
            stems = f"{shapes.rail}   " * number + f"{shapes.corner} "
            yield Text(" " * (margin + gutter + 5)).append(stems, DIM).append(visible(names), PLACE)
        for row in rows(strip, wanted):
            if row.skipped:
                yield Text(" " * (margin + 1) + f"{shapes.gap:>{gutter}}", DIM)
                continue
            if row.cell is not None and row.cell != cell:
                cell = row.cell
                yield Text(f"{' ' * (margin + 1)}cell {cell}", DIM)
            yield _line(row, steps.get(row.line, ()), margin, gutter, tapes, most, code.get(row.line, ()), shapes)
        yield Text()


def _line(
    row: Row,
    steps: Sequence[str],
    margin: int,
    gutter: int,
    tapes: Sequence[Tape],
    most: int,
    code: Sequence[Piece],
    shapes: Shapes,
) -> Text:
    text = Text().append(f"{','.join(steps):>{margin}} ", STEP)
    text.append(f"{row.number:>{gutter}}   ", Style(bold=True) if steps else DIM)
    for tape in tapes:
        cell = tape.cells.get(row.line)
        if cell is None:
            text.append("    ")
            continue
        style = STATES[cell.state]
        text.append(shapes.switch if cell.switches else " ", style)
        if row.line in tape.begun:
            text.append(f"{LETTERS[cell.state]:<2}", style + Style(bold=True, reverse=True))
        else:
            text.append(shapes.states[cell.state], style)
        text.append(" ")
    text.append("    " * (most - len(tapes)) + "  ")
    for piece in code:
        text.append(piece.text, CODE.get(piece.kind))
    text.rstrip()
    return text


def _code_of(strip: Strip) -> dict[int, list[Piece]]:
    """The pieces of each line, tabs written out and nothing in them that could steer a terminal."""
    found: dict[int, list[Piece]] = {}
    for part in strip.parts:
        for offset, pieces in enumerate(highlighted(part.text)):
            found[part.start + offset] = [
                Piece(kind, visible(text.replace("\t", " " * TAB_WIDTH))) for kind, text in pieces
            ]
    return found


def _legend(shapes: Shapes) -> Text:
    text = Text()
    words = {"train": "train", "eval": "eval", "either": "train or eval", "unknown": "nobody knows"}
    for state, style in STATES.items():
        text.append(f"{LETTERS[state]:<2}", style + Style(bold=True, reverse=True))
        text.append(shapes.states[state], style).append(f" {words[state]}   ")
    return text.append(shapes.switch).append(" switched on this line")


def _address(report: Report, mark: Mark) -> str:
    strip = report.strips.get(mark.path)
    cell, line = (None, mark.line) if strip is None else strip.place_of(mark.line)
    return visible(mark.path) + (f":{line}" if cell is None else f":cell {cell}:{line}")


def _in_order(marks: Sequence[Mark]) -> list[int]:
    return sorted({mark.number for mark in marks})


def _names() -> Iterator[str]:
    """A, B, ..., Z, AA, AB, ..."""
    for length in count(1):
        for letters in product(ascii_uppercase, repeat=length):
            yield "".join(letters)
