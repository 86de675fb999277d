"""A module is written down for use elsewhere: traced, scripted and saved, exported, quantised.

    traced = torch.jit.trace(net, x)     an export: recorded with the modes that `net` may be in
    torch.onnx.export(net, x, "net.onnx")     recorded too: it switches `net` itself, and back
    torch.jit.script(net).save("net.pt")      the file keeps the mode, so the saving is the export

What the result is, the wrappers of the tables say (`libraries`).
"""

from __future__ import annotations

from evalguard.modes.arguments import Given
from evalguard.modes.comparison import BOUND_METHODS
from evalguard.modes.events import Export, meet
from evalguard.modes.frame import Frame, source_of
from evalguard.modes.objects import origin_of
from evalguard.modes.passes import partly_in_eval
from evalguard.modes.state import State, modes_of, unite_origins
from evalguard.modes.switch import put
from evalguard.modes.values import (
    Abstract,
    Ext,
    Fn,
    Identity,
    Known,
    Mode,
    Obj,
    OriginKind,
    Origins,
)
from evalguard.vocabulary import lookup
from evalguard.vocabulary.terms import Exporter
from evalguard.vocabulary.words import MODULE_WORDS, words

DEEPEST = 4  # of wrappers around wrappers


def export_method(base: Obj, name: str, frame: Frame) -> Exporter | None:
    """The exporter that a method is, by the class of a library that its object is an instance of."""
    info = frame.info(base.id)
    owners = [] if info.external is None else [info.external]
    if info.cls is not None:
        owners += frame.linker.class_view(info.cls).foreign
    return next((found for owner in owners if (found := lookup.exporter(f"{owner}.{name}")) is not None), None)


def export(exporter: Exporter, base: Abstract | None, given: Given, state: State, frame: Frame) -> Export | None:
    """Record that a module is exported; `base` is the object whose method is called. None if it is no module."""
    value, text = _exported(exporter, base, given, frame)
    if value is None:
        return None
    identity = value.id
    if exporter.of is not None and frame.info(identity).external != exporter.of:
        return None
    event = _record(exporter, identity, text, given, state, frame)
    if exporter.leaves is not None:
        origin = origin_of(Mode(exporter.leaves), OriginKind.BUILT, given.op, frame)
        put(identity, frozenset({origin}), state, frame)
    return event


def _exported(exporter: Exporter, base: Abstract | None, given: Given, frame: Frame) -> tuple[Obj | None, str]:
    """The module that is exported, and how it is written."""
    if exporter.module is None:
        text = source_of(given.op.callee, frame).rpartition(".")[0]
        return _module_of(base), text
    value = _module_of(given.get(exporter.module.position, exporter.module.keyword))
    positional = [a for a in given.op.arguments if a.keyword is None and not a.stars]
    named = next((a for a in given.op.arguments if a.keyword == exporter.module.keyword), None)
    position = exporter.module.position
    if named is None and position is not None and position < len(positional):
        named = positional[position]
    text = source_of(named.value, frame) if named is not None else "the module"
    return value, text.removesuffix(".forward")


def _module_of(value: Abstract | None) -> Obj | None:
    """The module itself where its `forward` is given."""
    match value:
        case Obj(id=("attr", owner, str() as name)) if name in BOUND_METHODS:
            return Obj(owner)
        case Fn(bound=Obj() as bound):
            return bound
        case Obj():
            return value
        case _:
            return None


def _record(exporter: Exporter, identity: Identity, text: str, given: Given, state: State, frame: Frame) -> Export:
    op = given.op
    keywords = {name: _literal(value) for name, value in given.keywords}
    effect = lookup.export_effect(exporter, [_literal(value) for value in given.positional], keywords)
    origins = _origins(identity, state, frame)
    key = ("export", frame.path, op.span, frame.chain, identity, modes_of(origins), effect)
    found = frame.linker.events.exports.get(key)
    if found is not None:
        meet(found, origins, state.doubt, state.trail)
        return found
    event = frame.linker.events.exports[key] = Export(
        key,
        frame.path,
        frame.function.qualname,
        op.span,
        frame.chain,
        frame.loops(),
        text,
        identity,
        origins,
        exporter.name,
        effect,
        frame.in_forward,
        state.doubt,
        state.trail,
    )
    return event


def _literal(value: Abstract) -> object:
    match value:
        case Known(value=literal):
            return literal
        case Ext(name=dotted):
            return dotted
        case _:
            return lookup.ARGUMENT_UNKNOWN


def _origins(identity: Identity, state: State, frame: Frame, depth: int = 0) -> Origins:
    """How a module got its mode. A wrapper that was only built, and has no layer of its own that would listen, has the
    modes of what it holds: `nn.Sequential(net, nn.Softmax())`."""
    origins = partly_in_eval(identity, state.origins(identity), state, frame)
    info = frame.info(identity)
    is_container = info.external is not None and _is_container(info.external)
    if any(origin.kind is not OriginKind.BUILT for origin in origins) or (info.sensitive and not is_container):
        return origins
    held: Origins = frozenset()
    for name, value in state.store.shelf(identity).items():
        if not isinstance(name, str) or not isinstance(value, Obj) or depth >= DEEPEST:
            continue
        if _may_listen(value.id, name, state, frame):
            held = unite_origins(held, _origins(value.id, state, frame, depth + 1))
    return held or origins


def _is_container(dotted: str) -> bool:
    layer = lookup.layer(dotted)
    return layer is not None and layer.sensitivity == "container"


def _may_listen(identity: Identity, attribute: str, state: State, frame: Frame) -> bool:
    info = frame.info(identity)
    if info.module is False or info.sensitive is False:
        return False
    return identity in state.modes or bool(
        info.module or info.cls or info.evidence or set(words(attribute)) & MODULE_WORDS
    )
