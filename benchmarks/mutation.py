"""How many missing `train()` and `eval()` calls evalguard reports in real code: recall without labels by hand.

    python benchmarks/mutation.py FOLDER...              one project a folder; a table, and the mutants not reported
    python benchmarks/mutation.py --seconds 60 FOLDER... give up on a project after a minute
    python benchmarks/mutation.py --json FILE FOLDER...  also write every mutant and what came of it

Well-kept code switches modes where it matters. So a call is taken away (`model.eval()` becomes `model`), in memory, the
whole project is checked again, and what is new among the findings is counted. A call is a candidate if the analysis
itself proves that it matters:

    before    model.eval()     # this call, and no other, is what decides
              out = model(x)   # eval
    after     model
              out = model(x)   # train: another mode is claimed at a forward, step or export of a module that minds

where "claimed" is what `evalguard` says of every forward, step and export, and a module minds unless all of its layers
are known not to. If the mode is unknown afterwards, as in a helper without callers, nothing is proven, and the call is
only counted. A mutant is reported if a finding is new that lies in the file of the call or at a place whose mode has
changed, or whose trace leads through one of them. One whose project is not judged in time is left out.

The unreported are grouped by what can be said mechanically: which mode is met instead of which, at what, and whether
the place is in a test or an example. What remains to be said must be read.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeAlias

from evalguard.check import Checked, check_unsaved
from evalguard.claims import Claim
from evalguard.config import Config
from evalguard.finding import Finding

Place: TypeAlias = tuple[str, str, int, str, str]  # path, function, line, kind, the module as it is written
SWITCHES = ("train", "eval")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may switch a mode: where it is, and the stretch of the text that goes to leave its receiver."""

    path: str
    line: int
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Change:
    """A place at which a mode was certain, and is another without the call."""

    place: Place
    before: str
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A candidate without its call: what changed, and the codes of the new findings that are about it."""

    call: Call
    changes: tuple[Change, ...]
    codes: tuple[str, ...]

    @property
    def group(self) -> str:
        """What can be said of it without reading."""
        said = {f"{change.after[0]} for {change.before} at a {change.place[3]}" for change in self.changes}
        parts = set(Path(self.call.path).parts[:-1]) | {Path(self.call.path).name.partition("_")[0]}
        beside = " in tests or examples" if parts & {"test", "tests", "examples", "example"} else ""
        return " and ".join(sorted(said)) + beside


@dataclass(slots=True)
class Measured:
    """What was measured of one project."""

    name: str
    files: int = 0
    calls: int = 0
    unproven: int = 0
    mutants: list[Mutant] = field(default_factory=list)
    in_time: bool = True

    @property
    def reported(self) -> int:
        return sum(1 for mutant in self.mutants if mutant.codes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the projects, and print the table and what was not reported."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--seconds", type=float, default=120, help="for each project")
    parser.add_argument("--json", metavar="FILE", help="where to write every mutant")
    options = parser.parse_args(arguments)
    projects = []
    for folder in options.folders:
        projects.append(measure(folder, options.seconds))
        print(_row(projects[-1]), flush=True)
    whole = Measured("all", sum(p.files for p in projects), sum(p.calls for p in projects))
    whole.unproven = sum(p.unproven for p in projects)
    whole.mutants = [mutant for project in projects for mutant in project.mutants]
    print(_row(whole))
    _print_unreported(whole)
    if options.json:
        found = [asdict(mutant) | {"group": mutant.group} for mutant in whole.mutants]
        Path(options.json).write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


def measure(folder: str, seconds: float) -> Measured:
    """Take away each call of a project that matters, one at a time."""
    end = time.monotonic() + seconds
    measured = Measured(Path(folder).name)
    before = check_unsaved([folder], Config(), {})
    measured.files = len(before.report.files)
    deciding = _deciding(before.claims)
    for path, document in before.documents.items():
        for call in calls_in(path, document.text):
            measured.calls += 1
            if (call.path, call.line) not in deciding:
                continue
            if time.monotonic() > end:
                measured.in_time = False
                return measured
            text = document.text[: call.start] + document.text[call.end :]
            after = check_unsaved([folder], Config(), {os.path.realpath(before.sources[path].location): text}, before)
            changes, unproven = _changes(before.claims, after.claims)
            measured.unproven += bool(unproven and not changes)
            if changes:
                measured.mutants.append(Mutant(call, changes, _new_codes(before, after, call, changes)))
    return measured


def calls_in(path: str, text: str) -> Iterator[Call]:
    """The calls of a text that look like switches: `x.train()`, `x.eval()`, `x.train(False)`, `x.train(mode=True)`."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = text.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _may_switch(node, node.func.attr):
            start, end = (
                starts[line - 1] + len(lines[line - 1].encode()[:column].decode())
                for line, column in (
                    (node.func.value.end_lineno or 0, node.func.value.end_col_offset or 0),
                    (node.end_lineno or 0, node.end_col_offset or 0),
                )
            )
            if "\n" not in text[start:end]:
                yield Call(path, node.lineno, ast.unparse(node), start, end)


def _may_switch(node: ast.Call, name: str) -> bool:
    flags = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
    if name not in SWITCHES or len(flags) != len(node.args) + len(node.keywords):
        return False
    return not flags or (name == "train" and len(flags) == 1 and _is_flag(flags[0]))


def _is_flag(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def _deciding(claims: Sequence[Claim]) -> set[tuple[str, int]]:
    """The places of the calls that set a mode that is claimed somewhere: a way begins with the call that set it, or
    with the calls that lead to that one."""
    return {(step.path, step.span.line) for claim in claims for way in claim.ways for step in way.steps if step.mode}


def _changes(before: Sequence[Claim], after: Sequence[Claim]) -> tuple[tuple[Change, ...], bool]:
    """Where a certain mode has become another, and whether one has become unknown."""
    modes = {_place(claim): claim.modes for claim in after}
    changes: list[Change] = []
    unproven = False
    for claim in before:
        now = modes.get(_place(claim), ())
        known = [mode for mode in claim.modes if mode != "unknown"]
        if not claim.matters or len(known) != 1:
            continue
        others = tuple(mode for mode in now if mode not in (*known, "unknown"))
        unproven |= "unknown" in now and "unknown" not in claim.modes
        if others:
            changes.append(Change(_place(claim), known[0], others))
    return tuple(dict.fromkeys(changes)), unproven


def _place(claim: Claim) -> Place:
    return (claim.path, claim.function, claim.span.line, claim.kind, claim.place)


def _new_codes(before: Checked, after: Checked, call: Call, changes: Sequence[Change]) -> tuple[str, ...]:
    """The codes of the findings that are new and about the call, or about what has changed with it."""
    known = Counter(_known_by(finding) for finding in before.report.findings)
    places = {(change.place[0], change.place[2]) for change in changes}
    codes = set()
    for finding in after.report.findings:
        key = _known_by(finding)
        if known[key]:
            known[key] -= 1
            continue
        about = {(finding.path, finding.span.line), *((step.path, step.span.line) for step in finding.trace)}
        if about & places or call.path in {path for path, _ in about}:
            codes.add(finding.code)
    return tuple(sorted(codes))


def _known_by(finding: Finding) -> tuple[str, str, int, str | None]:
    return (finding.code, finding.path, finding.span.line, finding.model)


def _row(measured: Measured) -> str:
    candidates = len(measured.mutants)
    share = f"{measured.reported / candidates:.0%}" if candidates else "-"
    late = "" if measured.in_time else "  (not to its end)"
    return (
        f"{measured.name[:40]:40} files {measured.files:5} calls {measured.calls:5} unproven {measured.unproven:4}"
        f" candidates {candidates:4} reported {measured.reported:4} recall {share:>5}{late}"
    )


def _print_unreported(whole: Measured) -> None:
    unreported = [mutant for mutant in whole.mutants if not mutant.codes]
    groups = Counter(mutant.group for mutant in unreported)
    for group, count in groups.most_common():
        print(f"\n{count} not reported: {group}")
        for mutant in unreported:
            if mutant.group == group:
                where = mutant.changes[0].place
                print(f"  {mutant.call.path}:{mutant.call.line} {mutant.call.text}, seen at {where[0]}:{where[2]}")
    codes = Counter(code for mutant in whole.mutants for code in mutant.codes)
    print("\nreported by " + ", ".join(f"{code} {count}" for code, count in codes.most_common()))


if __name__ == "__main__":
    sys.exit(main())
