"""A module runs: forward and backward, recorded as events.

    y = net(x)           a forward: recorded with the modes that `net` may be in; `y` stems from it
    loss = f(y, t)       so does `loss`
    loss.backward()      the forward's fate: "backward"

Calls of `reveal_mode(net)`, with which tests ask for modes, are recorded here too.
"""

from __future__ import annotations

from evalguard.modes.arguments import Given
from evalguard.modes.events import Backward, Forward, Reveal, meet
from evalguard.modes.frame import Frame, Outcome, fresh, is_part, is_related, source_of
from evalguard.modes.intent import argument_reason
from evalguard.modes.objects import is_proved
from evalguard.modes.state import NO_TAINT, State, modes_of, unite_origins
from evalguard.modes.switch import evaluation_reason, mark_inferred
from evalguard.modes.unknown import DRAWN, MADE_UP, flow_into, unknown
from evalguard.modes.values import ENTRY, NONE, Abstract, Identity, Known, Mode, Obj, OriginKind, Origins, identities
from evalguard.vocabulary import lookup
from evalguard.vocabulary.methods import MADE_UP_TENSORS
from evalguard.vocabulary.words import LOSS_WORDS, MODULE_WORDS, words

QUIET_METHODS = frozenset("keys copy format split view reshape save save_pretrained log info print".split())


UNCHOSEN = (OriginKind.BUILT, OriginKind.LOADED)  # nobody has switched the module, nor trained it so


def forward(identity: Identity, given: Given, text: str, state: State, frame: Frame, sure: bool = True) -> Outcome:
    """A module runs its layers; the result stems from this forward and from all that went in."""
    op = given.op
    if _is_indifferent(identity, text, state, frame):
        result = fresh(frame, state, op.span)
        flow_into(result.id, given.all(), state, frame)
        return Outcome(state, result)
    origins = partly_in_eval(identity, state.origins(identity), state, frame)
    arguments = tuple(source_of(argument.value, frame) for argument in op.arguments)
    said_by_input = argument_reason(arguments) or _data_reason(given, state)
    reason = evaluation_reason(frame, state) or said_by_input
    is_only_named = frame.is_only_named and reason == frame.reason and said_by_input is None
    place = _place(text)
    key = (
        "forward",
        frame.path,
        op.span,
        frame.chain,
        identity,
        modes_of(origins),
        state.grads,
        reason is None or is_only_named,
        frozenset((g.test, g.holds) for g in state.guards),
        _counters(state),
    )
    found = frame.linker.events.forwards.get(key)
    if found is None:
        found = Forward(
            key,
            frame.path,
            frame.function.qualname,
            op.span,
            frame.chain,
            frame.loops(),
            place,
            identity,
            origins,
            state.grads is False,
            reason,
            is_only_named,
            sure,
            frame.in_forward,
            arguments,
            _is_dummy(given, state, frame),
            frame.in_making,
            state.doubt,
            state.trail,
        )
        frame.linker.events.forwards[key] = found
    else:
        meet(found, origins, state.doubt, state.trail)
    for value in given.all():
        for event_key in state.taint_of(value):
            event = frame.linker.events.forwards.get(event_key)
            if event is not None:
                event.fate.add("kept")
    inherited = NO_TAINT
    for value in given.all():
        inherited |= state.taint_of(value)
    if state.grads is False or reason is not None:
        mark_inferred(identity, state, frame)
    result = fresh(frame, state, op.span)
    state.taints[result.id] = inherited | {key}
    return Outcome(state, result)


def maybe_forward(base: Obj, name: str, given: Given, text: str, state: State, frame: Frame) -> list[Outcome]:
    """A method that nobody knows: it may run the layers of a module."""
    identity = base.id
    is_output = bool(state.taint_of(base)) and identity not in state.modes
    outcomes = unknown(given, state, frame, receiver=base)
    if is_output and not is_proved(identity, frame):
        return outcomes
    is_named_module = bool(set(words(text.rpartition(".")[0].rpartition(".")[2])) & MODULE_WORDS)
    if not (is_proved(identity, frame) or identity in state.modes or is_named_module):
        return outcomes
    if name.startswith("__") or name in QUIET_METHODS:
        return outcomes
    results: list[Outcome] = []
    for outcome in outcomes:
        made = forward(identity, given, text.rpartition(".")[0], outcome.state, frame, sure=False)
        results.append(made)
    return results


def backward_method(base: Abstract, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """`loss.backward()`, `scaler.backward(loss)`."""
    taint = state.taint_of(base)
    loss = base
    if given.positional and (not taint or state.taint_of(given.positional[0])):
        loss = given.positional[0]
    through_backward(loss, given, state, frame)
    return [Outcome(state, NONE)]


def through_backward(loss: Abstract, given: Given, state: State, frame: Frame) -> None:
    """Gradients flow back to the forwards that a loss stems from; those made without gradients were targets."""
    op = given.op
    place = (frame.path, frame.function.qualname, op.span)
    backward = frame.linker.events.backwards.setdefault(
        place, Backward(frame.path, frame.function.qualname, op.span, frame.loops())
    )
    backward.calls.update(frame.chain)
    flow_back(loss, state, frame)


def flow_back(loss: Abstract, state: State, frame: Frame) -> None:
    """The forwards that a loss stems from were training: that is their fate. A method that may run the layers, such as
    the `init_hidden()` of a class that is not seen, trains nothing where a call of the module does."""
    found = [run for key in state.taint_of(loss) if (run := frame.linker.events.forwards.get(key)) is not None]
    sure = {run.id for run in found if run.sure and not run.grads_off}
    for run in found:
        if run.grads_off:
            run.fate.add("target")
            continue
        run.fate.add("backward")
        if run.doubt and not state.doubt:
            continue  # a path joined with this one hardly happens
        if run.sure or not any(is_related(run.id, other, frame.infos) for other in sure):
            state.backed[run.id] = unite_origins(state.backed.get(run.id, frozenset()), run.origins)


def record_reveal(given: Given, state: State, frame: Frame) -> None:
    """`reveal_mode(x)`: record the modes that the modules in `x` are in."""
    value = given.positional[0]
    op = given.op
    for identity in identities(value):
        origins = state.origins(identity)
        place = source_of(op.arguments[0].value, frame)
        key = ("reveal", frame.path, op.span, frame.chain, identity, modes_of(origins), state.doubt)
        frame.linker.events.reveals.setdefault(
            key, Reveal(frame.path, frame.function.qualname, op.span, place, origins, state.doubt)
        )


def _data_reason(given: Given, state: State) -> str | None:
    """Why a forward is an evaluation by what its input was drawn from: `next(iter(test_loader))`."""
    sources = sorted(key[1] for value in given.all() for key in state.taint_of(value) if key[0] == DRAWN)
    return f"input from `{sources[0]}`" if sources else None


def _is_dummy(given: Given, state: State, frame: Frame) -> bool:
    """Whether a forward is given only tensors made up on the spot: `net(torch.randn(1, 3, 32, 32))`; while a module is
    made, what layers made of one is no better."""
    if any(MADE_UP in state.taint_of(value) for value in given.all()):
        return True
    objects = [value for value in given.all() if not isinstance(value, Known)]
    return bool(objects) and all(
        isinstance(value, Obj) and (frame.info(value.id).external or "") in MADE_UP_TENSORS for value in objects
    )


def partly_in_eval(identity: Identity, origins: Origins, state: State, frame: Frame) -> Origins:
    """A wrapper that was only built or loaded, around a part that was put in eval mode, or around parts that were given
    to it in a mode that nobody knows: what matters is the part's mode."""
    if any(origin.mode is Mode.TRAIN and origin.kind not in UNCHOSEN for origin in origins):
        return origins
    wrappers = [
        one for one in frame.info(identity).alternatives or {identity} if _takes_mode_of_part(one, state, frame)
    ]
    if not wrappers:
        return origins
    built = {o for one in wrappers for o in state.origins(one) if o.kind in UNCHOSEN and o.mode is Mode.TRAIN}
    return origins - built | {ENTRY}


def _takes_mode_of_part(identity: Identity, state: State, frame: Frame) -> bool:
    return _has_part_in_eval(identity, state, frame) or _only_holds_what_was_given(identity, state, frame)


def _only_holds_what_was_given(identity: Identity, state: State, frame: Frame) -> bool:
    """Whether an object of the project's has no layer that is known to listen, and nothing says in which mode
    any module that it holds is."""
    info = frame.info(identity)
    if info.cls is None or info.sensitive is not None:
        return False
    held = [
        value.id
        for name, value in state.store.shelf(identity).items()
        if isinstance(name, str) and isinstance(value, Obj) and set(words(name)) & MODULE_WORDS
    ]
    return bool(held) and all(origin.kind is OriginKind.ENTRY for part in held for origin in state.origins(part))


def _has_part_in_eval(identity: Identity, state: State, frame: Frame) -> bool:
    """Whether a part was put in eval mode, or was given in that mode by a library to an object without a layer of its
    own that is known to listen."""
    chosen = {OriginKind.SET} if frame.info(identity).sensitive else {OriginKind.SET, OriginKind.BUILT}
    for place, held in state.modes.items():
        said = held - {ENTRY}  # a path on which the object is not made says nothing of it
        is_in_eval = bool(said) and all(origin.mode is Mode.EVAL and origin.kind in chosen for origin in said)
        if is_in_eval and place != identity and is_part(place, identity, frame.infos):
            return True
    return False


def _is_indifferent(identity: Identity, text: str, state: State, frame: Frame) -> bool:
    """Whether the mode of what is called cannot matter: a loss, or layers that do not listen to it."""
    info = frame.info(identity)
    if info.module is False or (info.never_minds and identity[0] == "new"):
        return True
    last = words(text.rpartition(".")[2])
    return bool(last) and last[-1] in LOSS_WORDS and identity not in state.modes and not info.evidence


def _counters(state: State) -> frozenset[tuple[str, Abstract]]:
    return frozenset((name, value) for name, value in state.env.items() if name.startswith("<iter"))


def _place(text: str) -> str:
    """What is called, as written: `net` of `net.forward`."""
    for suffix in (".forward", ".__call__"):
        text = text.removesuffix(suffix)
    method = text.rpartition(".")
    if method[0] and lookup.forward_method(method[2]) is not None:
        text = method[0]
    return text
