"""The mode ribbon against what the rules are told, and against Python, on random programs.

At a forward, or where a program reveals a mode, the rules are told the modes of that place by an event; the ribbon has
them from snapshots of states. Both must say the same on that line. And each mode that a likely run of the program shows
there must be on the ribbon.
"""

from __future__ import annotations

import re

from evalguard.frontend import lower
from evalguard.modes.lines import Lines
from evalguard.modes.record import Record
from evalguard.project.link import Project, link_project
from evalguard.project.ribbons import ribbons
from evalguard.ribbon import Cell, Part, Strip
from evalguard.source import Document, split_lines

from .files import parts
from .programs import generate
from .run import BadProgram, explore

COUNT = 110
SIMPLE = re.compile(r"\s*(?:reveal_mode\((\w+)\)|(\w+)\(x\))(?:  #.*)?")  # a line that is one use of one place


def drawn(text: str) -> tuple[Project, list[Strip]]:
    """The project, and the strips of its files; a line has one number in all of them."""
    files = parts(text)
    record = Record(lines=Lines())
    project = link_project([lower(Document(path, part)) for path, part in files.items()], record=record)
    made = ribbons(project, record, {path: split_lines(part) for path, part in files.items()})
    return project, [Strip(path, (Part(None, 1, part),), made.get(path, ())) for path, part in files.items()]


def cell_of(strips: list[Strip], place: str, line: int) -> Cell | None:
    found = [ribbon for strip in strips if (ribbon := strip.ribbon_at(line)) is not None]
    bands = [band for ribbon in found for band in ribbon.bands if place in (band.place, *band.aliases)]
    return next((cell for band in bands if (cell := band.by_line().get(line)) is not None), None)


def test_the_ribbon_says_what_the_rules_are_told_and_what_runs_show() -> None:
    told = shown = 0
    for number in range(COUNT):
        text = generate(f"ribbon:{number}")
        if len(parts(text)) > 1:
            continue  # a ribbon is of one file
        lines = text.splitlines()
        project, strips = drawn(text)
        for seen in project.observations():
            match = SIMPLE.fullmatch(lines[seen.span.line - 1])
            if match is None or seen.place not in match.groups() or not seen.modes:
                continue
            if ".drop." in text and "unknown" in seen.modes:
                continue  # a whole whose parts differ is in no mode that the rules could be told
            cell = cell_of(strips, seen.place, seen.span.line)
            if cell is None and seen.modes == {"unknown"}:
                continue  # nothing shows that it is a module
            assert cell is not None, f"{number}: no band for {seen.place} on line {seen.span.line}\n{text}"
            assert set(cell.before) == set(cell.after) == seen.modes, f"{number}: {seen} but {cell}\n{text}"
            told += 1
        try:
            runs = explore(text, 64)
        except BadProgram:
            continue
        for line, modes in runs.likely.items():
            match = SIMPLE.fullmatch(lines[line - 1])
            cell = cell_of(strips, match[1] or match[2], line) if match is not None else None
            if cell is not None:
                assert "unknown" in cell.before or modes <= set(cell.before), f"{number}: {line}: {modes}\n{text}"
                shown += 1
    assert told > 200
    assert shown > 200
