"""Flags that a layer's function is not told: `training=self.training`, `p if self.training else 0.0`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from evalguard.finding import Applicability, Edit, Finding, Fix, Span
from evalguard.fixes.imports import dotted
from evalguard.fixes.script import Script, text_in
from evalguard.vocabulary import lookup

MODE = "self.training"


def flag_that_follows_the_mode(finding: Finding, script: Script) -> Iterator[Fix]:
    """`training=self.training`, in the place of a constant or as one more argument."""
    call = script.call_around(finding.span)
    if call is None or not has_self(script, finding.span):
        return
    for keyword, position in _flags(call, script):
        title = f"pass `{keyword}={MODE}`"
        given = _argument(call, keyword, position)
        if given is None and position is None:  # a wrapper of the project, whose parameters are not known here
            given = next((argument for argument in call.args if _is_true(argument)), None)
        if given is not None:
            is_constant = isinstance(given, ast.Constant)
            applicability = Applicability.SAFE if is_constant else Applicability.UNSAFE  # else somebody chose it
            yield Fix(title, applicability, (script.replaced(given, MODE),))
        elif not any(isinstance(argument, ast.Starred) for argument in call.args):
            yield Fix(title, Applicability.SAFE, (_added(call, f"{keyword}={MODE}", script),))


def probability_that_follows_the_mode(finding: Finding, script: Script) -> Iterator[Fix]:
    """`p if self.training else 0.0` for an attention that drops by its probability alone."""
    call = script.call_around(finding.span)
    if call is None or not has_self(script, finding.span):
        return
    for keyword, position in _probabilities(call, script):
        given = _argument(call, keyword, position)
        if given is None:
            continue
        text = script.source(given)
        if isinstance(given, (ast.IfExp, ast.Lambda, ast.NamedExpr, ast.BoolOp)) or "\n" in text:
            text = f"({text})"
        content = f"{text} if {MODE} else 0.0"
        yield Fix(f"pass `{keyword}={content}`", Applicability.SAFE, (script.replaced(given, content),))


def _is_true(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def has_self(script: Script, span: Span) -> bool:
    """Whether `self` is the module at a place: the first parameter of a method."""
    for statement in script.all_around(span):
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names = [argument.arg for argument in (*statement.args.posonlyargs, *statement.args.args)]
            return names[:1] == ["self"] and not statement.decorator_list
    return False


def _flags(call: ast.Call, script: Script) -> Iterator[tuple[str, int | None]]:
    name = dotted(call.func, script)
    known = lookup.functional(name)
    if known is not None and known.flag.keyword:
        yield known.flag.keyword, known.flag.position
    elif known is None:
        yield "training", None  # a wrapper of the project


def _probabilities(call: ast.Call, script: Script) -> Iterator[tuple[str, int | None]]:
    known = lookup.attention(dotted(call.func, script))
    if known is not None and known.flag.keyword:
        yield known.flag.keyword, known.flag.position
        return
    for keyword in call.keywords:
        if keyword.arg is not None and (keyword.arg == "p" or "drop" in keyword.arg):
            yield keyword.arg, None


def _argument(call: ast.Call, keyword: str, position: int | None) -> ast.expr | None:
    named = next((given.value for given in call.keywords if given.arg == keyword), None)
    if named is not None or position is None or position >= len(call.args):
        return named
    return call.args[position]


def _added(call: ast.Call, argument: str, script: Script) -> Edit:
    """One more argument behind the last one, whatever brackets and comma stand there: `f((x), )`."""
    end_of_call = script.span(call)
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if not given:
        return _insertion(script, end_of_call.end_line, end_of_call.end_column - 1, argument)
    last = max(map(script.span, given), key=lambda span: (span.end_line, span.end_column))
    rest = text_in(script.text, end_of_call._replace(line=last.end_line, column=last.end_column))[:-1]
    brackets = len(rest) - len(rest.lstrip(")"))
    comma = rest[brackets : brackets + 1] == ","
    column = last.end_column + brackets + comma
    if not comma:
        return _insertion(script, last.end_line, column, f", {argument}")
    if "\n" not in rest:
        return _insertion(script, last.end_line, column, f" {argument},")
    line = script.lines[last.line - 1]
    indent = line[: len(line) - len(line.lstrip())]
    return _insertion(script, last.end_line, column, f"{script.newline}{indent}{argument},")


def _insertion(script: Script, line: int, column: int, content: str) -> Edit:
    return Edit(script.path, Span(line, column, line, column), content)
