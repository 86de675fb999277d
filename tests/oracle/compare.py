"""What was observed against what is claimed.

An analysis is a function from a program's text to its claims, line by line. Three things are asked of it:

1. No missed alarm: each mode observed at a line is among those claimed there, the doubtful ones included. A claim of
   "unknown" covers any mode.
2. No false alarm: where all tests of a program are independent, and all paths were explored, each mode claimed without
   doubt is observed. Before a mode counts as never observed it is looked for in longer runs. Functions that never run
   are left out, with those that they call. Constructs in `TIED` tie paths together without any test, so (2) is not
   asked of them.
3. Where tests are correlated, or the program has a construct in `TIED`, a mode claimed and not observed is counted as
   spurious, which is a rate and not a failure.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .constructs import constructs, is_independent
from .run import RUNS, BadProgram, Seen, explore, sample

TIED = frozenset(
    {
        "alias-choice",  # two names, one module or the other: which of them is one choice for both
        "alias-rebound",  # the same, where a branch binds the name again
        "generator-next",  # how far a generator is tells which of its parts have run
        "typed-except",  # which handler runs depends on what was raised
        "container-variable",  # a list that holds one module or the other, by path
        "dict",  # the same
    }
)
SEARCH_RUNS = 3000
SEARCH_LIMIT = 4


@dataclass(frozen=True, slots=True)
class Claim:
    """The modes claimed for a line."""

    modes: frozenset[str]
    doubtful: frozenset[str] = frozenset()


Claims: TypeAlias = Mapping[int, Claim]
Analysis: TypeAlias = Callable[[str], Claims]
Point: TypeAlias = tuple[int, str]  # line, mode
_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a comparison found in one program. `understated` are modes claimed with doubt that were seen in a run in
    which nothing improbable had happened; `unknown` are those that only the claim "unknown" covers."""

    missed: tuple[Point, ...] = ()
    false: tuple[Point, ...] = ()
    spurious: tuple[Point, ...] = ()
    understated: tuple[Point, ...] = ()
    unknown: tuple[Point, ...] = ()
    observed: int = 0
    claimed: int = 0
    complete: bool = False
    crash: str | None = None
    bad: str | None = None

    @property
    def failed(self) -> bool:
        return bool(self.missed or self.false or self.crash)


def judge(text: str, analysis: Analysis, runs: int = RUNS) -> Verdict:
    """Run and analyse a program, and compare."""
    try:
        seen = explore(text, runs)
    except BadProgram as error:
        return Verdict(bad=str(error))
    try:
        claims = analysis(text)
    except Exception as error:  # noqa: BLE001  whatever the analysis dies of is a finding
        return Verdict(crash=f"{type(error).__name__}: {error}")
    return _compare(text, seen, claims)


def _compare(text: str, seen: Seen, claims: Claims) -> Verdict:
    ignored = {number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# layer")}
    nothing = Claim(frozenset())
    observed = [(line, mode) for line, modes in sorted(seen.modes.items()) for mode in sorted(modes)]
    missed, understated, unknown = [], [], []
    for line, mode in observed:
        claim = claims.get(line, nothing)
        if not {mode, "unknown"} & (claim.modes | claim.doubtful):
            missed.append((line, mode))
        elif mode not in claim.modes | claim.doubtful:
            unknown.append((line, mode))
        elif mode in seen.likely.get(line, ()) and not {mode, "unknown"} & claim.modes:
            understated.append((line, mode))
    claimed = [(line, mode) for line, claim in sorted(claims.items()) if line not in ignored
               for mode in sorted(claim.modes - {"unknown"})]  # fmt: skip
    excess: list[Point] = []
    if seen.complete:
        unjudged = _open_lines(text, seen.entered)
        excess = [
            (line, mode) for line, mode in claimed if line not in unjudged and mode not in seen.modes.get(line, ())
        ]
    strict = is_independent(text) and not constructs(text) & TIED
    if excess and strict:
        longer = sample(text, SEARCH_RUNS, SEARCH_LIMIT).modes
        excess = [(line, mode) for line, mode in excess if mode not in longer.get(line, ())]
    return Verdict(
        missed=tuple(missed),
        false=tuple(excess) if strict else (),
        spurious=() if strict else tuple(excess),
        understated=tuple(understated),
        observed=len(observed),
        claimed=len(claimed),
        unknown=tuple(unknown),
        complete=seen.complete,
    )


def _open_lines(text: str, entered: set[int]) -> set[int]:
    """The lines of functions that no run has entered, and of functions named in those: an analysis takes it that
    somebody may call what nobody calls."""
    functions = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    ]
    reached: list[_Function] = []
    waiting = [function for function in functions if function.lineno not in entered]
    while waiting:
        reached += waiting
        named = {name for function in waiting for name in _names_in(function)}
        waiting = [function for function in functions if _name(function) in named and function not in reached]
    return {line for function in reached for line in range(function.lineno, (function.end_lineno or 0) + 1)}


def _name(function: _Function) -> str:
    return "<lambda>" if isinstance(function, ast.Lambda) else function.name


def _names_in(function: _Function) -> set[str]:
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
