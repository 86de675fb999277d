"""Training steps: weights change.

    optimizer = SGD(net.parameters())
    optimizer.step()     a step of `net`, recorded with the modes of its last forward and those of now
    scaler.step(optimizer), engine.step(), strategy.optimizer_step(optimizer, ...)
    wrapper.update_params(loss)    a library's: the backward and the step in one

An optimizer of unknown content changes all that the last backward went through.
"""

from __future__ import annotations

from evalguard.ir.ops import Call
from evalguard.modes.arguments import Given, params_of
from evalguard.modes.containers import rebind
from evalguard.modes.events import TrainingStep
from evalguard.modes.frame import Frame, Outcome, fresh, is_related, source_of
from evalguard.modes.objects import is_proved
from evalguard.modes.passes import through_backward
from evalguard.modes.places import place_name
from evalguard.modes.state import State, modes_of, unite_origins
from evalguard.modes.unknown import unknown
from evalguard.modes.values import (
    NONE,
    Abstract,
    Cls,
    Fn,
    Identity,
    Mode,
    Obj,
    Optim,
    Origin,
    OriginKind,
    Origins,
    identities,
)
from evalguard.vocabulary import lookup
from evalguard.vocabulary.terms import Step
from evalguard.vocabulary.words import step_receiver

UNSWITCHED = (OriginKind.ENTRY, OriginKind.ASSUMED, OriginKind.BUILT, OriginKind.LOADED)


def optimizer_method(base: Optim, name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """A method of an optimizer: its step, more parameters, or nothing that matters."""
    if name == "step":
        return step_of(base, given, state, frame)
    entry = lookup.step(name)
    if entry is not None:
        return step_by_table(entry, base, given, state, frame)
    if name == "add_param_group":
        held = params_of(given)
        if held is not None and base.of is not None:
            rebind(given.op.callee, Optim(base.of | held, base.id), state, frame)
        return [Outcome(state, NONE)]
    return [Outcome(state, fresh(frame, state, given.op.span))]


def step_method(base: Obj, name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """`x.step()` of an object that is no known optimizer: its name decides."""
    identity = base.id
    owner = source_of(given.op.callee, frame).rpartition(".")[0]
    if given.positional and isinstance(given.positional[0], Optim):  # scaler.step(optimizer)
        return step_of(given.positional[0], given, state, frame)
    info = frame.info(identity)
    if name == "optimizer_step":  # strategy.optimizer_step(optimizer, model, scheduler)
        return step_of(given.positional[0] if given.positional else base, given, state, frame)
    if info.external is not None and lookup.scheduler(info.external) is not None:
        return [Outcome(state, NONE)]
    receiver = step_receiver(owner.rpartition(".")[2]) or step_receiver(owner)
    if receiver == "scaler" and given.positional:
        return step_of(given.positional[0], given, state, frame)
    if receiver == "optimizer":
        return step_of(base, given, state, frame)
    if (receiver == "engine" or is_proved(identity, frame)) and not given.positional:
        return step_of(Optim(frozenset({identity})), given, state, frame)
    for value in given.all():
        for key in state.taint_of(value):
            event = frame.linker.events.forwards.get(key)
            if event is not None:
                event.fate.add("acted")
    return unknown(given, state, frame, receiver=base)


def step_by_table(entry: Step, base: Abstract | None, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """A call of which a table says whose weights it changes."""
    if entry.loss is not None:
        loss = given.get(entry.loss.position, entry.loss.keyword)
        if loss is not None:
            through_backward(loss, given, state, frame)
    match entry.optimizer:
        case "any":
            return step_of(NONE, given, state, frame)
        case "receiver":
            return step_of(base or NONE, given, state, frame)
        case "engine":
            held = frozenset(identities(base)) if base is not None else frozenset()
            return step_of(Optim(held) if held else NONE, given, state, frame)
        case place:
            value = given.get(place.position, place.keyword)
            if value is not None and entry.takes == "module":
                return step_of(Optim(frozenset(identities(value))), given, state, frame)
            return step_of(value or NONE, given, state, frame)


def step_of(optimizer: Abstract, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """Weights change: those of the modules that the optimizer holds, or, if nobody knows which, of all that the last
    backward went through."""
    if given.positional and isinstance(given.positional[0], Fn):  # LBFGS: optimizer.step(closure)
        outcomes = frame.linker.call(given.positional[0], [], [], state, frame, given.op)
        states = [o.state for o in outcomes if not o.raised]
    else:
        states = [state]
    results: list[Outcome] = []
    for after in states:
        held = optimizer.of if isinstance(optimizer, Optim) else None
        targets: list[tuple[Identity, Origins, bool]] = []
        if held is not None:
            for identity in sorted(held, key=repr):
                if _is_held_under_another_identity(identity, held, after, frame):
                    continue
                backed = _backed(identity, after, frame)
                targets.append((identity, backed or after.origins(identity), bool(backed)))
            if any(exercised for _, _, exercised in targets):  # the others may be what the optimizer holds elsewhere
                targets = [target for target in targets if target[2]]
        else:
            targets = [(identity, origins, True) for identity, origins in sorted(after.backed.items(), key=repr)]
        for identity, origins, exercised in targets:
            record_step(identity, origins, exercised, held is not None, given, after, frame)
            now = after.origins(identity)
            sure = held is not None or len(targets) == 1  # else nobody knows which of them the optimizer holds
            trained = frozenset(origin for origin in now if origin.kind is OriginKind.TRAINED)
            if sure and all(o.kind in UNSWITCHED and o.mode is not Mode.EVAL for o in now - trained):
                after.modes[identity] = trained or frozenset({_origin_of_step(given.op, frame)})
        if held is None:
            after.backed = {}
        else:
            for identity in [i for i in after.backed if any(is_related(i, h, frame.infos) for h in held)]:
                del after.backed[identity]
        results.append(Outcome(after, fresh(frame, after, given.op.span)))
    return results


def _is_held_under_another_identity(identity: Identity, held: frozenset[Identity], state: State, frame: Frame) -> bool:
    """Whether an attribute that nobody had filled on one of the joined paths holds an object of another path by now: it
    is what the optimizer was given on either, and what switches reach."""
    if identity[0] != "attr":
        return False
    now = state.store.get((identity[1], identity[2]))
    return isinstance(now, Obj) and any(is_related(now.id, other, frame.infos) for other in held - {identity})


def _origin_of_step(op: Call, frame: Frame) -> Origin:
    text = f"{source_of(op.callee, frame)}()"
    return Origin(
        Mode.TRAIN, OriginKind.TRAINED, frame.path, frame.site(op.span), frame.chain, frame.function.qualname, text
    )


def _backed(identity: Identity, state: State, frame: Frame) -> Origins:
    found: Origins = frozenset()
    for other, origins in state.backed.items():
        if is_related(identity, other, frame.infos):
            found = unite_origins(found, origins)
    return found


def record_step(
    identity: Identity,
    origins: Origins,
    exercised: bool,
    held: bool,
    given: Given,
    state: State,
    frame: Frame,
    fitted: Cls | None = None,
) -> None:
    """A training step of one module, for the rules."""
    op = given.op
    now = state.origins(identity)
    key = ("step", frame.path, op.span, frame.chain, identity, modes_of(now | origins), state.doubt)
    found = frame.linker.events.steps.get(key)
    if found is None:
        frame.linker.events.steps[key] = TrainingStep(
            key,
            frame.path,
            frame.function.qualname,
            op.span,
            frame.chain,
            frame.loops(),
            place_name(identity, state, frame),
            identity,
            origins,
            now,
            held,
            state.doubt,
            state.trail,
            exercised,
            fitted,
        )
    else:
        found.origins = unite_origins(found.origins, origins)
        found.now = unite_origins(found.now, now)
        found.exercised = found.exercised or exercised
