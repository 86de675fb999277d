"""Switches that do nothing as they are written: brackets that are missing, flags that are set by hand."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from evalguard.finding import Applicability, Edit, Finding, Fix, Span
from evalguard.fixes.script import Script


def called_switch(finding: Finding, script: Script) -> Iterator[Fix]:
    """`model.eval()` for `model.eval` and for `model.eval = True`."""
    statement = next(iter(script.around(finding.span)), None)
    match statement:
        case ast.Expr(value=ast.Attribute() as named):
            call = f"{script.source(named)}()"
            yield Fix(f"call `{call}`", Applicability.SAFE, (_behind(script, named, "()"),))
        case ast.Assign(targets=[ast.Attribute() as target], value=ast.Constant(value=True)):
            call = f"{script.source(target)}()"
            yield Fix(f"call `{call}`", Applicability.SAFE, (script.replaced(statement, call),))


def entered_switch(finding: Finding, script: Script) -> Iterator[Fix]:
    """`with torch.no_grad():` for `with torch.no_grad:`; of a statement of its own nobody knows how far it was to
    reach, so its cure is only shown."""
    named = script.expression_at(finding.span)
    statement = next(iter(script.around(finding.span)), None)
    if isinstance(statement, (ast.With, ast.AsyncWith)) and isinstance(named, (ast.Attribute, ast.Name)):
        yield Fix(f"call `{script.source(named)}()`", Applicability.SAFE, (_behind(script, named, "()"),))
    elif isinstance(statement, ast.Expr):
        called = script.source(statement.value) + ("" if isinstance(statement.value, ast.Call) else "()")
        yield Fix(f"write `with {called}:` around the code", Applicability.DISPLAY, ())


def switch_for_a_flag(finding: Finding, script: Script) -> Iterator[Fix]:
    """`model.eval()` for `model.training = False`, which the parts of the model do not hear."""
    statement = next(iter(script.around(finding.span)), None)
    match statement:
        case ast.Assign(targets=[ast.Attribute(value=owner, attr="training")], value=value):
            place, mode = script.source(owner), script.source(value)
        case _:
            return
    function = script.function_around(finding.span)
    if place == "self" and function is not None and function.name in ("train", "eval"):
        return  # the switch itself
    call = {"False": f"{place}.eval()", "True": f"{place}.train()"}.get(mode, f"{place}.train({mode})")
    yield Fix(f"call `{call}`", Applicability.SAFE, (script.replaced(statement, call),))


def _behind(script: Script, node: ast.expr, content: str) -> Edit:
    span = script.span(node)
    return Edit(script.path, Span(span.end_line, span.end_column, span.end_line, span.end_column), content)
