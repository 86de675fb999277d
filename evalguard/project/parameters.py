"""What the parameters of a function hold on entry: what the caller gives, defaults, or what annotations say.

    def train(model: Net, *rest, lr=0.1, **options)
    train(net, 1, 2, size=3)     model: net, rest: (1, 2), lr: 0.1, options: {"size": 3}
    train, called by nobody      model: an unknown object of class `Net`

A parameter that a nested function reads lives in the store, under its scope; all others are the function's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from evalguard.ir import values as ir
from evalguard.ir.facts import FunctionFacts
from evalguard.modes.state import State
from evalguard.modes.values import NONE, Abstract, Cls, Fn, Identity, Known, Map, Obj, Seq
from evalguard.project.annotations import class_named
from evalguard.project.knowledge import Knowledge
from evalguard.vocabulary import lookup


def root_arguments(
    path: str, facts: FunctionFacts, receiver: Obj | None, state: State, knowledge: Knowledge
) -> dict[str, Abstract]:
    """What the parameters of a function hold that nobody in the project calls."""
    env: dict[str, Abstract] = {}
    for position, parameter in enumerate(facts.parameters):
        value: Abstract = Obj(("param", path, facts.qualname, parameter.name))
        if position == 0 and receiver is not None:
            value = receiver
        elif isinstance(value, Obj):
            annotate(path, value.id, parameter.annotation, knowledge)
        _bind(path, facts, parameter.name, value, env, state, knowledge)
    return env


def call_arguments(
    function: Fn,
    facts: FunctionFacts,
    arguments: Sequence[Abstract],
    keywords: Sequence[tuple[str, Abstract]],
    state: State,
    knowledge: Knowledge,
) -> dict[str, Abstract]:
    """What the parameters of a function hold when it is called so; those that other functions reach go to the store."""
    env: dict[str, Abstract] = {}
    given = [function.bound, *arguments] if function.bound is not None else list(arguments)
    named = dict(keywords)
    position = 0
    for parameter in facts.parameters:
        value: Abstract
        if parameter.kind == "args":
            value = Seq("tuple", tuple(g for g in given[position:] if g is not None)[:16])
            position = len(given)
        elif parameter.kind == "kwargs":
            value = Map(tuple((Known(name), held) for name, held in named.items())[:24])
        elif parameter.kind == "positional" and position < len(given):
            value = given[position] or NONE
            position += 1
        elif parameter.name in named:
            value = named.pop(parameter.name)
        elif parameter.default is not None:
            value = _default(parameter.default, function, parameter.name)
        else:
            value = Obj(("param", function.path, facts.qualname, parameter.name))
        if isinstance(value, Obj) and parameter.annotation and value.id[0] != "new":
            info = knowledge.info(value.id)
            if info.cls is None and not info.evidence:
                annotate(function.path, value.id, parameter.annotation, knowledge)
        _bind(function.path, facts, parameter.name, value, env, state, knowledge)
    return env


def accepts(facts: FunctionFacts, positional: int, names: frozenset[str]) -> bool:
    """Whether a function can be called with so many arguments by position, and with these names."""
    kinds = {parameter.kind for parameter in facts.parameters}
    by_position = [parameter for parameter in facts.parameters if parameter.kind == "positional"]
    if positional > len(by_position) and "args" not in kinds:
        return False
    filled = {parameter.name for parameter in by_position[:positional]} | names
    known = {parameter.name for parameter in facts.parameters if parameter.kind in ("positional", "keyword")}
    required = {p.name for p in facts.parameters if p.kind in ("positional", "keyword") and p.default is None}
    return required <= filled and ("kwargs" in kinds or names <= known)


def annotate(path: str, identity: Identity, annotation: str | None, knowledge: Knowledge) -> None:
    """Note what the annotation of a parameter says of the object that it holds."""
    if annotation is None:
        return
    name = class_named(annotation)
    index, info = knowledge.index, knowledge.info(identity)
    if name is None:
        return
    found = index.resolve(path, ir.as_value(name))
    if isinstance(found, Cls):
        knowledge.be_instance(identity, found)
        return
    dotted = found if isinstance(found, str) else None
    if dotted is None:
        return
    if lookup.layer(dotted) is not None or lookup.module_class(dotted) is not None or dotted == "torch.nn.Module":
        info.module = True
    elif info.external is None and "." in dotted and not dotted.startswith("torch."):
        info.external = dotted
    if dotted.startswith("torch.") and dotted.endswith("Tensor"):
        info.module = False


def _bind(
    path: str,
    facts: FunctionFacts,
    name: str,
    value: Abstract,
    env: dict[str, Abstract],
    state: State,
    knowledge: Knowledge,
) -> None:
    scope = knowledge.index.scope_of(path, facts.qualname, name)
    if scope is None:
        env[name] = value
    else:
        state.store[(("scope", path, scope), name)] = value


def default_name(parameter: str) -> str:
    """The name under which a function keeps the value of a default that is a variable where it is defined."""
    return f"<default {parameter}>"


def _default(value: ir.Value, function: Fn, name: str) -> Abstract:
    match value:
        case ir.Const(value=constant):
            return Known(constant)
        case ir.Sequence(kind=kind, items=items) if all(isinstance(entry, ir.Const) for entry in items):
            return Seq(kind, tuple(Known(entry.value) for entry in items if isinstance(entry, ir.Const)))
        case _:
            kept = (held for _, variable, held in function.captured if variable == default_name(name))
            return next(kept, Obj(("param", function.path, function.qualname, name)))
