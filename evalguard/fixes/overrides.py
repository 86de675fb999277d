"""Overrides of `train` that do not do what every module relies on, and those that a frozen part needs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from evalguard.finding import Applicability, Edit, Finding, Fix
from evalguard.fixes.script import FUNCTIONS, LOOPS, Function, Script, root_of, trains

SAFE, UNSAFE = Applicability.SAFE, Applicability.UNSAFE


def mended_override(finding: Finding, script: Script) -> Iterator[Fix]:
    """What is missing in an override: the mode for `super()`, the call of `super()`, `return self`."""
    function = _override_at(finding, script)
    if function is None:
        return
    names = [argument.arg for argument in function.args.args]
    if names[:1] != ["self"] or trains(function) or not _takes_at_most_a_mode(function):
        return
    if len(names) == 1 and any(isinstance(node, LOOPS) for node in _own_nodes(function)) and function.name == "train":
        return  # a training loop
    above = f"super().{function.name}({names[1] if function.name == 'train' and len(names) > 1 else ''})"
    returned = list(_returning_self(function, script))
    asked = list(_asking_above_with_mode(function, above, script))
    if returned:
        yield Fix("return `self`", SAFE, tuple(returned))
    if asked:
        yield Fix(f"call `{above}`", SAFE, tuple(asked))
    if returned and asked:
        yield Fix(f"call `{above}`, and return `self`", SAFE, (*asked, *returned))
    if len(names) > 1 or function.name == "eval":
        head = script.first_in(function.body, above)
        if head is not None:
            yield Fix(f"call `{above}`", UNSAFE, (head,))
            yield Fix(f"call `{above}`, and return `self`", UNSAFE, (head, *returned))
    if function.name == "train" and len(names) == 1 and not function.args.kwonlyargs and not function.args.vararg:
        yield from _with_a_mode(function, returned, script)


def frozen_again(finding: Finding, script: Script) -> Iterator[Fix]:
    """`eval()` of a frozen part after each `train()` of the whole: in an override of the class, or behind the calls."""
    place = finding.model
    if place is None or root_of(place) is None:
        return
    freeze = f"{place}.eval()"
    switches = [step for step in finding.trace if step.mode == "train" and step.path == script.path]
    function = script.function_around(finding.span)
    edits: list[Edit | None] = []
    for step in switches:
        if script.function_around(step.span) is function:
            edits += [script.after(statement, freeze) for statement in script.around(step.span)[:1]]
    made = tuple(edit for edit in edits if edit is not None)
    if made and len(made) == len(edits) == len(switches):
        yield Fix(f"call `{freeze}` after `train()`", UNSAFE, made)
    owner = script.class_around(finding.span)
    if owner is not None and place.startswith("self."):
        yield from _frozen_by_an_override(owner, freeze, script)


def frozen_inside(finding: Finding, script: Script) -> Iterator[Fix]:
    """`eval()` of a part that its own module never trains, in an override of `train`."""
    place = finding.model or ""
    owner = script.class_around(finding.span)
    if owner is not None and is_inside_what_learns(finding):
        yield from _frozen_by_an_override(owner, f"{place}.eval()", script)


def is_inside_what_learns(finding: Finding) -> bool:
    """Whether a finding is about a part of what is trained, by the last step of its trace, which sets no mode."""
    return bool(finding.trace) and finding.trace[-1].mode is None and "without gradients" in finding.trace[-1].message


_MODE_WORDS = frozenset("mode train training is_train is_training flag on".split())


def _takes_at_most_a_mode(function: Function) -> bool:
    """Whether nothing is given to the function but a mode, and to `eval` not even that."""
    given = function.args.args[1:]
    if function.name == "eval" or len(given) > 1:
        return not given
    defaults = function.args.defaults
    is_bool = bool(defaults) and isinstance(defaults[-1], ast.Constant) and isinstance(defaults[-1].value, bool)
    return all(argument.arg in _MODE_WORDS or is_bool for argument in given)


def _override_at(finding: Finding, script: Script) -> Function | None:
    for node in ast.walk(script.tree):
        if isinstance(node, FUNCTIONS) and node.lineno == finding.span.line:
            return node
    return None


def _returning_self(function: Function, script: Script) -> Iterator[Edit]:
    """The edits after which every way out of the function returns `self`."""
    for node in _own_nodes(function):
        if isinstance(node, ast.Return) and (node.value is None or _is_none(node.value)):
            yield script.replaced(node, "return self")
    last = function.body[-1]
    if not isinstance(last, (ast.Return, ast.Raise)):
        edit = script.after(last, "return self")
        if edit is not None:
            yield edit


def _asking_above_with_mode(function: Function, above: str, script: Script) -> Iterator[Edit]:
    """`super().train(mode)` in the place of the same call without the mode."""
    for node in _own_nodes(function):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name)) if (
                name == function.name and script.source(node) != above
            ):
                yield script.replaced(node, above)


def _with_a_mode(function: Function, returned: list[Edit], script: Script) -> Iterator[Fix]:
    """A parameter `mode`, which the call of `super()` hands on."""
    self_argument = function.args.args[0]
    parameter = script.replaced_argument(self_argument, "self, mode=True")
    asked = list(_asking_above_with_mode(function, "super().train(mode)", script))
    if asked:
        yield Fix("take `mode=True`, and hand it to `super().train(mode)`", UNSAFE, (parameter, *asked, *returned))


def _frozen_by_an_override(owner: ast.ClassDef, freeze: str, script: Script) -> Iterator[Fix]:
    own = next((s for s in owner.body if isinstance(s, ast.FunctionDef) and s.name == "train"), None)
    if own is not None:
        last = own.body[-1]
        if isinstance(last, ast.Return):
            edit = script.before(last, freeze)
            if edit is not None:
                yield Fix(f"call `{freeze}` at the end of `{owner.name}.train`", UNSAFE, (edit,))
        return
    unit = script.indent_unit
    lines = ("def train(self, mode=True):", f"{unit}super().train(mode)", f"{unit}{freeze}", f"{unit}return self")
    edit = script.after(owner.body[-1], *lines)
    if edit is not None:
        content = f"{script.newline}{edit.content}"
        yield Fix(
            f"override `train` in `{owner.name}`, and call `{freeze}` in it",
            UNSAFE,
            (Edit(edit.path, edit.span, content),),
        )


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function, nested functions left out."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
