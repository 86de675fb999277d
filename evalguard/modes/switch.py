"""Changing modes: `.train()`, `.eval()`, `.train(flag)`, and what of a module they reach.

A switch of a module reaches all of its parts: those known by identity (`model.backbone`) and those assigned to it
(`self.head = head`). A switch of a part leaves the whole as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.finding import Span
from evalguard.flow.liveness import Paths
from evalguard.ir.plain import changed
from evalguard.modes.frame import Frame, is_part, is_related, note
from evalguard.modes.guards import assume, truth
from evalguard.modes.intent import loop_reason
from evalguard.modes.state import State, mentions, unite_origins
from evalguard.modes.values import (
    PARTS,
    Abstract,
    Expr,
    Ext,
    Identity,
    Known,
    Map,
    Mode,
    ModeFlag,
    Obj,
    Origin,
    OriginKind,
    Origins,
    Seq,
    parts,
)
from evalguard.vocabulary import lookup


def switch(identity: Identity, mode: Mode, span: Span, text: str, state: State, frame: Frame) -> None:
    """`x.train()` or `x.eval()`."""
    before = state.origins(identity)
    origin = Origin(
        mode,
        OriginKind.SET,
        frame.path,
        frame.site(span),
        frame.chain,
        frame.function.qualname,
        text,
        inferred=mode is Mode.EVAL and any(_is_still_the_evaluation(o, span, frame) for o in before),
        evaluating=state.grads is False or evaluation_reason(frame, state) is not None,
        apart=mode is Mode.TRAIN and _leaves_the_whole_in_eval(identity, before, state, frame),
    )
    if frame.linker.record is not None:
        frame.linker.record.origins.add(origin)
    note(state, frame, span, f"`{text}` sets {mode.value} mode", mode.value)
    put(identity, frozenset({origin}), state, frame)


def _is_still_the_evaluation(before: Origin, span: Span, frame: Frame) -> bool:
    """Whether this `eval()` ends an evaluation that began further up: `train()` was meant."""
    if before.mode is not Mode.EVAL or not before.inferred or before.site is None:
        return False
    for then, now in zip((*before.chain, before.site), (*frame.chain, frame.site(span)), strict=False):
        if then != now:
            return then[0] == now[0] and then[1] < now[1]
    return False


def _leaves_the_whole_in_eval(identity: Identity, before: Origins, state: State, frame: Frame) -> bool:
    """Whether a part is to leave the eval mode that the same function has given to the whole, with no inference since:
    `model.eval(); model.prenet.train()`."""
    if not before or any(
        origin.mode is not Mode.EVAL
        or origin.kind is not OriginKind.SET
        or origin.inferred
        or (origin.path, origin.function, origin.chain) != (frame.path, frame.function.qualname, frame.chain)
        for origin in before
    ):
        return False
    return any(
        origins == before and place != identity and is_part(identity, place, frame.infos)
        for place, origins in state.modes.items()
    )


def switch_by(
    identity: Identity, flag: Abstract, span: Span, text: str, paths: Paths, state: State, frame: Frame
) -> list[State]:
    """`x.train(flag)`: one state for each value that the flag may have."""
    if isinstance(flag, ModeFlag) and not flag.negated:
        note(state, frame, span, f"`{text}` restores the saved mode")
        spent = {changed(origin, inferred=False): origin for origin in state.origins(identity) if origin.inferred}
        put(identity, frozenset(spent.get(origin, origin) for origin in flag.origins), state, frame)
        return [state]
    known = truth(flag, state)
    if known is not None:
        switch(identity, Mode.TRAIN if known else Mode.EVAL, span, text, state, frame)
        return [state]
    results: list[State] = []
    for holds in (True, False):
        branch = state.copy()
        if assume(flag, holds, branch, paths, frame.depth):
            switch(identity, Mode.TRAIN if holds else Mode.EVAL, span, text, branch, frame)
            results.append(branch)
    return results


def put(identity: Identity, origins: Origins, state: State, frame: Frame) -> None:
    """Give a module and all of its parts these origins."""
    if identity[0] == "few":
        return
    if identity[0] == "some":
        if is_chosen(identity, state):
            return  # some kinds of layers only: `if isinstance(m, nn.Dropout): m.train()`
        identity = identity[1]
    reached = reached_by([identity], state, frame)
    for other in [place for place in state.modes if place[0] == "joined" and place not in reached]:
        shared = frame.info(other).alternatives & reached
        if shared and shared == frame.info(other).alternatives:
            reached |= reached_by([other], state, frame)
        elif shared:
            state.modes[other] = unite_origins(state.modes[other], origins)
    over = {one[1] for one in reached if one[0] == "each"}  # the loop goes over all of them
    for part in list(state.modes):
        if any(whole in reached for whole in _wholes(part)) or (part[0] == "item" and part[1] in over):
            del state.modes[part]
    state.modes.update(dict.fromkeys(reached, origins))


def reached_by(waiting: list[Identity], state: State, frame: Frame) -> set[Identity]:
    """The modules that a switch of these reaches, themselves included: what they or their parts hold, and what each may
    stand for."""
    held: dict[Identity, list[Identity]] = {}
    for owner, shelf in state.store.shelves():
        found = [part for name, value in shelf.items() if isinstance(name, str) for part in _objects(value)]
        if found:
            for whole in (owner, *_wholes(owner)):
                held.setdefault(whole, []).extend(found)
    reached: set[Identity] = set()
    while waiting:
        identity = waiting.pop()
        if identity not in reached:
            reached.add(identity)
            waiting += [part for part in held.get(identity, ()) if frame.info(part).module is not False]
            waiting += frame.info(identity).alternatives
    return reached


def _wholes(identity: Identity) -> Iterator[Identity]:
    """The objects that an object is a part of by its identity."""
    while identity[0] in PARTS:
        identity = identity[1]
        yield identity


def _objects(value: Abstract) -> list[Identity]:
    if isinstance(value, Obj):
        return [value.id]
    if isinstance(value, Seq):
        return [identity for entry in value.items for identity in _objects(entry)]
    if isinstance(value, Map):
        return [identity for _, entry in value.items for identity in _objects(entry)]
    return []


def mark_inferred(identity: Identity, state: State, frame: Frame) -> None:
    """An inference has run: noted with the `eval()` that the module, its parts and the whole it belongs to are in."""
    waiting = [
        place
        for place, origins in state.modes.items()
        if any(origin.mode is Mode.EVAL and not origin.inferred for origin in origins)
    ]
    reached = reached_by([identity], state, frame) if waiting else set()
    for place in waiting:
        if place in reached or is_related(place, identity, frame.infos):
            origins = state.modes[place]
            state.modes[place] = frozenset(changed(o, inferred=True) if o.mode is Mode.EVAL else o for o in origins)


def is_chosen(identity: Identity, state: State) -> bool:
    """Whether the path has asked for the class of this submodule."""
    return any(_asks_for_class(guard.test, identity) for guard in state.guards)


def silence(identity: Identity, attribute: str, value: Abstract, state: State, frame: Frame) -> None:
    """`m.p = 0` for each submodule of a kind that the path has asked for: from here on these drop nothing."""
    if identity[0] != "some" or not isinstance(value, Known) or value.value != 0:
        return
    asked = [name for guard in state.guards if guard.holds for name in _classes_asked_for(guard.test, identity)]
    layers = [layer for name in asked if (layer := lookup.layer(name)) is not None]
    kinds = {layer.name for layer in layers if layer.drops_by == attribute}
    if kinds:
        frame.linker.silence(identity[1], frozenset(kinds))


def _classes_asked_for(test: Abstract, identity: Identity) -> list[str]:
    """The classes of libraries of which a test asks whether an object is one."""
    match test:
        case Expr(operator="isinstance", operands=(Obj(id=asked), classes)) if asked == identity:
            return [part.name for part in (classes, *parts(classes)) if isinstance(part, Ext)]
        case _:
            return []


def _asks_for_class(test: Abstract, identity: Identity) -> bool:
    if isinstance(test, Expr):
        if test.operator in ("isinstance", "in", "hasattr", "==", ".__class__"):
            return any(_mentions(operand, identity) for operand in test.operands)
        return any(_asks_for_class(operand, identity) for operand in test.operands)
    return False


def _mentions(value: Abstract, identity: Identity) -> bool:
    return mentions(value, identity)


def evaluation_reason(frame: Frame, state: State) -> str | None:
    """Why the block at work is evaluation code: a loop over test data, else the function's name or a caller's."""
    return loop_reason(frame, state) or frame.reason
