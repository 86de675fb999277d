"""Switches that do nothing as they are written: brackets that are missing, flags that are set by hand."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from evalguard.finding import Applicability, Edit, Finding, Fix, Span
from evalguard.fixes.script import LOOPS, Script, root_of, trains


def called_switch(finding: Finding, script: Script) -> Iterator[Fix]:
    """`model.eval()` for `model.eval` and for `model.eval = True`."""
    statement = next(iter(script.around(finding.span)), None)
    match statement:
        case ast.Expr(value=ast.Attribute() as named):
            yield from _switched(statement, f"{script.source(named)}()", _behind(script, named, "()"), script)
        case ast.Assign(targets=[ast.Attribute() as target], value=ast.Constant(value=True)):
            call = f"{script.source(target)}()"
            yield from _switched(statement, call, script.replaced(statement, call), script)


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
    yield from _switched(statement, call, script.replaced(statement, call), script)


def _switched(statement: ast.stmt, call: str, edit: Edit, script: Script) -> Iterator[Fix]:
    """A call that switches at last; where it does so to eval mode in a loop that trains, which did not have to switch
    back before, with `train()` at the head of that loop."""
    yield Fix(f"call `{call}`", Applicability.SAFE, (edit,))
    place = call.removesuffix(".eval()")
    loops = [s for s in script.around(script.span(statement)) if isinstance(s, LOOPS) and trains(s)]
    for loop in loops[::-1] if place != call else ():
        back = script.first_in(loop.body, f"{place}.train()")
        if back is not None and not script.binds(root_of(place) or "", loop):
            title = f"call `{call}`, and `{place}.train()` at the head of the loop that trains"
            yield Fix(title, Applicability.SAFE, (edit, back))


def _behind(script: Script, node: ast.expr, content: str) -> Edit:
    span = script.span(node)
    return Edit(script.path, Span(span.end_line, span.end_column, span.end_line, span.end_column), content)
