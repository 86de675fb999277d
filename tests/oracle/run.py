"""Run a program over all outcomes of its branches.

The outcomes are explored depth first: run with a prefix of decisions, take 0 beyond it, then raise the last decision
that can be raised. Where there are too many, the rest is sampled and the exploration is not `complete`. Two calls are
woven in before a program is compiled, at the lines that are already there: one that notes which functions are entered,
and one that checks that a handler only catches what programs may raise, so that a slip of the generator cannot hide.
"""

from __future__ import annotations

import ast
import random
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

from .files import PROGRAM_FILE, parts
from .stub import PROGRAM, Log, Tensor, Trouble, World

RUNS = 512
SAMPLES = 96
PLANNED = (Trouble, RuntimeError, ValueError, AssertionError)


class BadProgram(Exception):
    """The program does not run: a slip of the generator, or a cut too many by the shrinker."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an exploration saw. `entered` holds the first lines of the functions and lambdas that ran."""

    modes: Log
    likely: Log
    entered: set[int]
    complete: bool = False
    runs: int = 0


def explore(text: str, runs: int = RUNS) -> Seen:
    """Run all vectors of outcomes, or `runs` of them and a sample of the rest."""
    program = _woven(text)
    seen = Seen(defaultdict(set), defaultdict(set), set())
    outcomes: list[int] | None = []
    done = 0
    while outcomes is not None and done < runs:
        world = World(outcomes, seen.modes, seen.likely, seen.entered)
        _run(program, world)
        outcomes = _next_outcomes(world.taken)
        done += 1
    if outcomes is not None:
        _sample(program, seen, SAMPLES, limit=2)
    return replace(seen, complete=outcomes is None, runs=done)


def sample(text: str, runs: int, limit: int) -> Seen:
    """Run random vectors of outcomes, up to `limit` rounds per loop: to look for a mode that has not been seen yet."""
    seen = Seen(defaultdict(set), defaultdict(set), set(), runs=runs)
    _sample(_woven(text), seen, runs, limit)
    return seen


def _sample(program: _Woven, seen: Seen, runs: int, limit: int) -> None:
    draw = random.Random(runs).randrange
    for _ in range(runs):
        _run(program, World((), seen.modes, seen.likely, seen.entered, limit, budget=120, draw=draw))


def _next_outcomes(taken: list[tuple[int, int]]) -> list[int] | None:
    for position in range(len(taken) - 1, -1, -1):
        outcome, count = taken[position]
        if outcome + 1 < count:
            return [earlier for earlier, _ in taken[:position]] + [outcome + 1]
    return None


@dataclass(frozen=True, slots=True)
class _Woven:
    files: dict[str, CodeType]  # by the names under which they are imported
    parameters: tuple[str, ...] | None  # those of `program`, if nobody in the text calls it


def _run(program: _Woven, world: World) -> None:
    slips: list[BaseException] = []

    def caught() -> None:
        error = sys.exc_info()[1]
        if error is not None and not _planned(error):
            slips.append(error)

    woven = {"__caught__": caught, "__entered__": world.entered.add}
    main = PROGRAM_FILE.removesuffix(".py")
    namespace = world.namespace(program.files, woven) | woven
    try:
        exec(program.files[main], namespace)
        if program.parameters is not None:
            namespace["program"](*(_argument(name, world) for name in program.parameters))
    except Exception as error:  # noqa: BLE001  the program is random
        if not _planned(error):
            slips.append(error)
    if slips:
        raise BadProgram(repr(slips[0]))


def _planned(error: BaseException) -> bool:
    return type(error) in PLANNED and (type(error) in (Trouble, AssertionError) or error.args == ("planned",))


def _argument(name: str, world: World) -> Any:
    if name.startswith("flag"):
        return world.choice(0)
    if name.startswith("phase"):
        return world.phase_of(0)
    if name.startswith("epochs"):
        return len(world.items(0))
    return Tensor()


def _woven(text: str) -> _Woven:
    files: dict[str, CodeType] = {}
    parameters = None
    try:
        for name, part in parts(text).items():
            tree = ast.parse(part)
            parameters = _weave(tree, text) or parameters
            files[name.removesuffix(".py").replace("/", ".")] = compile(tree, PROGRAM, "exec")
    except SyntaxError as error:
        raise BadProgram(str(error)) from error
    if PROGRAM_FILE.removesuffix(".py") not in files:
        raise BadProgram("nothing to run")
    return _Woven(files, parameters)


def _weave(tree: ast.Module, text: str) -> tuple[str, ...] | None:
    """Weave the calls into a file; the parameters of `program`, if it is there and nobody calls it."""
    parameters = None
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            node.body.insert(0, _call("__caught__", node.body[0]))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name == "program" and not re.search(r"^ *program\(", text, re.MULTILINE):
                parameters = tuple(argument.arg for argument in node.args.args)
            node.body.insert(0, _call("__entered__", node.body[0], ast.Constant(node.lineno)))
        elif isinstance(node, ast.Lambda):
            entered = _call("__entered__", node.body, ast.Constant(node.lineno))
            node.body = ast.copy_location(ast.BoolOp(ast.Or(), [entered.value, node.body]), node.body)
    return parameters


def _call(name: str, at: ast.stmt | ast.expr, *arguments: ast.expr) -> ast.Expr:
    call = ast.Expr(ast.Call(ast.Name(name, ast.Load()), list(arguments), []))
    return ast.fix_missing_locations(ast.copy_location(call, at))
