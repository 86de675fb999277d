"""The parts that a function freezes by `eval()`, and thaws itself, or by a function that it calls afterwards.

model.backbone.requires_grad_(False)
model.backbone.eval()             frozen
for epoch in range(9):
    model.train()                 thawed, for nothing puts it back
    fit(model, loader)            so it is if this calls `train()`
"""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.flow.liveness import path_of
from evalguard.ir.ops import Call, Iterate
from evalguard.ir.values import Attribute, Const, Name, Temp, Value
from evalguard.modes.values import Fn
from evalguard.project.code import CodeView
from evalguard.project.module_evidence import is_module, text_of
from evalguard.project.resolve import clears_requires_grad
from evalguard.project.thawed import (
    FREEZE_WORDS,
    MOST_SITES,
    NEAR,
    OVER_PARTS,
    Site,
    Thawed,
    class_of,
    is_chosen,
    is_train_call,
)
from evalguard.vocabulary.words import words


def thawed_here(view: CodeView) -> Iterator[Thawed]:
    """The parts that a function freezes, and that are thawed while it runs."""
    if view.is_unit_test:
        return
    seen: set[str] = set()
    for _, call in view.calls():
        if not isinstance(call.callee, Attribute) or call.callee.name != "eval" or call.arguments:
            continue
        place = _place(call.callee.value, view)
        if place is None or place in seen or not _is_meant(place, call, view):
            continue
        sites = tuple(_sites(place, call, view))
        if sites:
            seen.add(place)
            yield Thawed(view, place, f"{text_of(call.callee, view)}()", call.span, sites[:MOST_SITES])


def _place(value: Value, view: CodeView) -> str | None:
    """`model.backbone`: the part that an `eval()` switches, also layer by layer in a loop; None for a whole."""
    path = path_of(value)
    if path is not None and "@" not in path and not path.startswith("%") and _wholes(path, view):
        return path
    if isinstance(value, Name):
        for given in view.values_given(value):
            for op in view.ops():
                if isinstance(op, Iterate) and op.result == given:
                    over = view.call_of(op.iterable)
                    if over is not None and isinstance(over.callee, Attribute) and over.callee.name in OVER_PARTS:
                        inner = path_of(over.callee.value)
                        return inner if inner is not None and _wholes(inner, view) else None
    return None


def _wholes(path: str, view: CodeView) -> list[str]:
    """The modules of which a part is one, by their places: `model` of `model.body.head`. What an attribute of the own
    object holds is a part of it only if that is a module: else the whole begins there."""
    names = path.split(".")
    first = 1
    if view.is_own_object(Name(names[0])):
        if view.owner is None or view.code.class_(view.owner).is_module:
            return []  # the class is asked for it
        first = 2
    return [".".join(names[:end]) for end in range(first, len(names))]


def _is_meant(place: str, call: Call, view: CodeView) -> bool:
    """Whether a name, a comment beside it, or gradients that the function takes say that `eval()` is to freeze."""
    if FREEZE_WORDS & set(words(view.facts.name)) or FREEZE_WORDS & set(words(place.rpartition(".")[2])):
        return True
    if any(FREEZE_WORDS & set(words(text)) for text in view.comments_on(call.span.line - NEAR, call.span.line)):
        return True
    sets_flag = any(map(clears_requires_grad, view.ops()))
    for _, other in view.calls():
        if not isinstance(other.callee, Attribute) or path_of(other.callee.value) != place:
            continue
        taken = [argument.value for argument in other.arguments] == [Const(False)]
        if (other.callee.name == "requires_grad_" and taken) or (other.callee.name == "parameters" and sets_flag):
            return True
    return False


def _sites(place: str, frozen: Call, view: CodeView) -> Iterator[Site]:
    """The calls after that of `eval()` that put the whole in train mode, and are not followed by another freeze."""
    for whole in _wholes(place, view):
        for block, call in view.calls():
            if call.span <= frozen.span or _is_put_back(place, call, view) or is_chosen(block, view):
                continue
            if _trains(call, whole) and isinstance(call.callee, Attribute):
                if not _overrides_train(call.callee.value, view):
                    yield Site(view, call.span, f"{whole}.train()")
            else:
                yield from _sites_in_callee(place.removeprefix(whole), whole, call, view)


def _trains(call: Call, whole: str) -> bool:
    if not isinstance(call.callee, Attribute) or call.callee.name != "train" or path_of(call.callee.value) != whole:
        return False
    return is_train_call(call)


def _is_put_back(place: str, after: Call, view: CodeView) -> bool:
    """Whether the part, or one called a freeze, is switched again after a call."""
    for _, call in view.calls():
        if call.span <= after.span or not isinstance(call.callee, (Attribute, Name)):
            continue
        name = call.callee.name if isinstance(call.callee, Attribute) else call.callee.id
        if FREEZE_WORDS & set(words(name)):
            return True
        if name == "eval" and isinstance(call.callee, Attribute) and _place(call.callee.value, view) == place:
            return True
    return False


def _overrides_train(whole: Value, view: CodeView) -> bool:
    if is_module(whole, view) is False:
        return True
    cls = class_of(whole, view)
    return cls is not None and view.index.method(cls, "train") is not None


def _sites_in_callee(part: str, whole: str, call: Call, view: CodeView) -> Iterator[Site]:
    """The same in a function of the project that is given the whole as an argument."""
    found = view.meaning(call.callee)
    if not isinstance(found, Fn):
        return
    callee = view.code.function(found.path, found.qualname)
    parameters = [parameter.name for parameter in callee.facts.parameters if parameter.kind != "kwargs"]
    for position, argument in enumerate(call.arguments):
        if path_of(argument.value) != whole or isinstance(argument.value, Temp) or argument.stars:
            continue
        name = argument.keyword or (parameters[position] if position < len(parameters) else None)
        if name is None or _overrides_train(argument.value, view):
            continue
        for _, inner in callee.calls():
            if _trains(inner, name) and not _is_put_back(f"{name}{part}", inner, callee):
                yield Site(callee, inner.span, f"{name}.train()")
