"""What a fixture claims, and whether the tool agrees.

A claim is a comment at the end of the line that it speaks of; several are parted by `;`:

    for images, labels in loader:
        loss = criterion(model(images), labels)
        optimizer.step()          # error: EVG201 "model"      a finding's span starts on this line
    model.eval()                  # note: EVG201 "eval"        a step of that finding's trace stands on this line
    reveal_mode(model)            # modes: train|eval          the modes that the place may have here

Known limits are claims too, and fail on the day they are gone: `# missed: CODE` stands where a finding should be and is
not, `# false-alarm: CODE` where one is and should not be. An unmarked line must stay silent. A file may begin with
lines `# options: select = ["EVG202"]`, each a key of our own configuration in TOML. A notebook is read cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Protocol

from evalguard.finding import Finding, Span
from evalguard.notebook import decode_notebook, is_notebook
from evalguard.source import read_document

MARKER = re.compile(
    r'(?P<kind>error|note): (?P<code>EVG\d{3})(?: "(?P<text>[^"]+)")?'
    r"|(?P<limit>missed|false-alarm): (?P<limit_code>EVG\d{3})"
    r"|modes: (?P<modes>train(?:\|eval)?(?:\|unknown)?|eval(?:\|unknown)?|unknown)"
)
KINDS = ("error", "note", "missed", "false-alarm", "modes")
OPTIONS = "# options: "


class MarkerError(Exception):
    """A comment that looks like a marker and is none."""


@dataclass(frozen=True, slots=True)
class Marker:
    """One claim. `code` and `text` are empty, and `modes` is, where the kind has none."""

    path: str
    line: int
    kind: str
    code: str = ""
    text: str = ""
    modes: frozenset[str] = frozenset()

    def __str__(self) -> str:
        wanted = "|".join(mode for mode in ("train", "eval", "unknown") if mode in self.modes)
        return f"# {self.kind}: {wanted or self.code}" + (f' "{self.text}"' if self.text else "")


class Revealed(Protocol):
    """An observation of `reveal_mode(place)`, as the project gives it."""

    @property
    def path(self) -> str: ...
    @property
    def span(self) -> Span: ...
    @property
    def modes(self) -> frozenset[str]: ...


def texts_of(file: Path, name: str) -> dict[str, str]:
    """What a fixture says, by the place that claims and findings name: the file, or each cell of a notebook."""
    if not is_notebook(name):
        return {name: file.read_text(encoding="utf-8-sig")}
    sources = read_document(file, name, decode_notebook).sources
    return {in_cell(name, cell): source for cell, source in enumerate(sources, start=1)}


def in_cell(path: str, cell: int | None) -> str:
    """A place in a notebook's cell, as a path of its own."""
    return path if cell is None else f"{path}:cell {cell}"


def read_markers(path: str, text: str) -> tuple[Marker, ...]:
    """The claims of one file, in the order of its lines."""
    return tuple(
        marker for number, line in enumerate(text.splitlines(), start=1) for marker in _line_markers(path, number, line)
    )


def read_options(text: str) -> str:
    """The TOML that the file begins with, "" where there is none."""
    leading = takewhile(lambda line: line.startswith(OPTIONS), text.splitlines())
    return "".join(f"{line.removeprefix(OPTIONS)}\n" for line in leading)


def disagreements(
    markers: Sequence[Marker],
    findings: Sequence[Finding],
    revealed: Iterable[Revealed],
    reveal_lines: set[tuple[str, int]],
) -> list[str]:
    """Every point, in words, on which the tool and the markers differ. `reveal_lines` are the (path, line) of the calls
    of `reveal_mode`: each needs a marker, and only they may have one."""
    problems = [*_finding_problems(markers, findings), *_mode_problems(markers, revealed, reveal_lines)]
    return [f"{path}:{line}: {words}" for path, line, words in sorted(problems)]


def known_limits(markers: Iterable[Marker]) -> Mapping[str, int]:
    """How many known limits of each kind there are."""
    counted = {"missed": 0, "false-alarm": 0}
    for marker in markers:
        if marker.kind in counted:
            counted[marker.kind] += 1
    return counted


def _line_markers(path: str, number: int, line: str) -> list[Marker]:
    start = re.search(rf"# (?=(?:{'|'.join(KINDS)}):)", line)
    if start is None:
        return []
    found: list[Marker] = []
    rest = line[start.end() :].rstrip()
    while True:
        match = MARKER.match(rest)
        if match is None:
            raise MarkerError(f"{path}:{number}: not a marker: {rest!r}")
        found.append(_marker(path, number, match))
        rest = rest[match.end() :]
        if not rest:
            return found
        if not rest.startswith("; "):
            raise MarkerError(f"{path}:{number}: markers are parted by '; ', not {rest!r}")
        rest = rest[2:]


def _marker(path: str, number: int, match: re.Match[str]) -> Marker:
    if match["modes"]:
        return Marker(path, number, "modes", modes=frozenset(match["modes"].split("|")))
    if match["limit"]:
        return Marker(path, number, match["limit"], match["limit_code"])
    return Marker(path, number, match["kind"], match["code"], match["text"] or "")


def _finding_problems(markers: Sequence[Marker], findings: Sequence[Finding]) -> list[tuple[str, int, str]]:
    problems = []
    for marker in markers:
        where = (marker.path, marker.line)
        here = [
            finding
            for finding in findings
            if (finding.path, finding.span.line) == where and finding.code == marker.code
        ]
        match marker.kind:
            case "error" if not any(marker.text in finding.message for finding in here):
                said = f", but {here[0].message!r}" if here else ""
                problems.append((*where, f"`{marker}` is not reported{said}"))
            case "note" if not any(_is_step(marker, finding) for finding in findings):
                problems.append((*where, f"no trace of {marker.code} names this line for `{marker}`"))
            case "missed" if here:
                problems.append((*where, f"{marker.code} is found now: turn `{marker}` into `# error: {marker.code}`"))
            case "false-alarm" if not here:
                problems.append((*where, f"{marker.code} is silent now: delete `{marker}`"))
    unexpected = [finding for finding in findings if not any(_expects(marker, finding) for marker in markers)]
    return problems + [
        (where.path, where.span.line, f"unexpected {where.code} {where.message}") for where in unexpected
    ]


def _expects(marker: Marker, finding: Finding) -> bool:
    return (
        marker.kind in ("error", "missed", "false-alarm")
        and (marker.path, marker.line, marker.code) == (finding.path, finding.span.line, finding.code)
        and marker.text in finding.message
    )


def _is_step(marker: Marker, finding: Finding) -> bool:
    return finding.code == marker.code and any(
        (step.path, step.span.line) == (marker.path, marker.line) and marker.text in step.message
        for step in finding.trace
    )


def _mode_problems(
    markers: Sequence[Marker], revealed: Iterable[Revealed], reveal_lines: set[tuple[str, int]]
) -> list[tuple[str, int, str]]:
    modes: dict[tuple[str, int], frozenset[str]] = {}
    for observation in revealed:
        where = (observation.path, observation.span.line)
        modes[where] = modes.get(where, frozenset()) | observation.modes
    claims = {(marker.path, marker.line): marker for marker in markers if marker.kind == "modes"}
    problems = [(*where, "`reveal_mode` without a `# modes:` marker") for where in reveal_lines - claims.keys()]
    for where, marker in claims.items():
        if where not in reveal_lines:
            problems.append((*where, f"`{marker}` without a call of `reveal_mode`"))
        elif where not in modes:
            problems.append((*where, f"`{marker}`, but the tool does not reach this line"))
        elif modes[where] != marker.modes:
            problems.append((*where, f"`{marker}`, but the tool says {'|'.join(sorted(modes[where])) or 'no mode'}"))
    return problems
