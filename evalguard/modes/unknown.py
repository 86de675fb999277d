"""A call of something that nobody knows.

It keeps every mode, and its result is a new value that stems from all it was given: rather a missed alarm than a
false one. Its name may still say something: `build_model()` gives a module, `make_optimizer(net.parameters())` an
optimizer, `evaluate(net, val_loader)` infers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from evalguard.modes.arguments import Given, params_of
from evalguard.modes.frame import Frame, Outcome, fresh, source_of
from evalguard.modes.intent import says_evaluation, says_test_data, shorten
from evalguard.modes.objects import is_proved, origin_of
from evalguard.modes.state import NO_TAINT, EventKey, State
from evalguard.modes.switch import mark_inferred
from evalguard.modes.values import (
    Abstract,
    Expr,
    Identity,
    Map,
    Mode,
    Obj,
    Optim,
    Origin,
    OriginKind,
    Params,
    Seq,
    identities,
    params_in,
)
from evalguard.vocabulary import lookup
from evalguard.vocabulary.methods import FORGETTING_METHODS
from evalguard.vocabulary.words import MODULE_WORDS, NOT_MADE_MODULE_WORDS, NOT_MODULE_WORDS, words

DRAWING_METHODS = frozenset({"next", "__next__", "next_batch"})
DRAWN = "drawn"  # begins the mark of what stems from data to evaluate on, beside the keys of forwards in `taints`
MADE_UP: EventKey = ("made up",)
"""The mark of what stems from a tensor that a constructor made up. Nobody else sees it: see `forget_made_up`."""

OPTIMIZER_WORDS = frozenset({"optim", "optimiser", "optimizer"})
HANDED_BACK = Origin(Mode.UNKNOWN, OriginKind.SET)  # a net that somebody has switched, maybe
MAKING_WORDS = frozenset("build builder create construct make new define".split())


def unknown(
    given: Given, state: State, frame: Frame, receiver: Abstract | None = None, dotted: str | None = None
) -> list[Outcome]:
    """A call of something that nobody knows: it keeps every mode (rather a missed alarm than a false one)."""
    op = given.op
    text = source_of(op.callee, frame)
    result = fresh(frame, state, op.span)
    values = given.all() if receiver is None else [receiver, *given.all()]
    flow_into(result.id, values, state, frame)
    if isinstance(receiver, Obj) and not is_proved(receiver.id, frame):
        if text.rpartition(".")[2] in FORGETTING_METHODS:
            state.taints.pop(receiver.id, None)
        taint = state.taint_of(Seq("tuple", tuple(given.all())))
        if taint and op.span == op.statement:  # called for what it does, not for what it gives: it may keep it
            state.taints[receiver.id] = state.taints.get(receiver.id, NO_TAINT) | taint
    drawn_from = _test_data_drawn_from(text, given, dotted, frame)
    if drawn_from is not None:
        state.taints[result.id] = state.taints.get(result.id, NO_TAINT) | {(DRAWN, shorten(drawn_from))}
    if frame.linker.record is not None:
        frame.linker.record.unknown(text, dotted, given.all(), state, frame, op)
    _handed_to_evaluation(text, given, state, frame)
    params = params_of(given)
    if params is not None:
        if set(words(text)) & {"optim", "optimizer", "opt", "adam", "sgd"} or text.rpartition(".")[2][:1].isupper():
            return [Outcome(state, Optim(params, result.id))]
        return [Outcome(state, Params(params))]
    last = text.rpartition(".")[2]
    is_foreign = dotted is not None and lookup.makes_no_module(dotted)
    if receiver is None and names_module(last) and not is_foreign:
        info = frame.info(result.id)
        info.external = dotted or text
        state.modes[result.id] = frozenset({origin_of(Mode.TRAIN, OriginKind.ASSUMED, op, frame)})
    elif makes_optimizer(text) and _moves_tensors(given):
        return [Outcome(state, Optim(frozenset(), result.id))]
    elif makes_optimizer(text) and given.complete:
        held = frozenset(value.id for value in given.all() if isinstance(value, Obj) and is_proved(value.id, frame))
        if held:
            return [Outcome(state, Optim(held, result.id))]
    elif any(map(partial(_is_set_to_eval, state=state), given.all())):
        # It may hand back what it was given: `model = to_accelerator(model)`.
        state.modes[result.id] = frozenset({HANDED_BACK})
    return [Outcome(state, result)]


def _is_set_to_eval(value: Abstract, state: State) -> bool:
    if not isinstance(value, Obj):
        return False
    return any(o.mode is Mode.EVAL and o.kind is OriginKind.SET for o in state.origins(value.id))


def makes_optimizer(text: str) -> bool:
    """Whether the name of what is called says that it makes an optimizer."""
    return bool(set(words(text.rpartition(".")[2])) & OPTIMIZER_WORDS)


def _moves_tensors(given: Given) -> bool:
    """`optimizer(params=[point])`: what is optimised is an input, and no module."""
    value = given.get(0, "params")
    return value is not None and params_in(value) is None and holds_tensors(value)


def flow_into(identity: Identity, values: Sequence[Abstract], state: State, frame: Frame) -> None:
    """A result stems from the same forwards as what went into it."""
    taint = NO_TAINT
    for value in values:
        taint |= state.taint_of(value)
    if taint:
        state.taints[identity] = taint
        for key in taint:
            event = frame.linker.events.forwards.get(key)
            if event is not None:
                event.fate.add("kept")


def mark_made_up(identity: Identity, state: State) -> None:
    """A constructor has made up a tensor."""
    state.taints[identity] = state.taints.get(identity, NO_TAINT) | {MADE_UP}


def forget_made_up(state: State) -> None:
    """The module is made: what it keeps, such as the buffer that a tensor of zeros became, is data from here on."""
    for identity, taint in list(state.taints.items()):
        if MADE_UP in taint:
            state.taints[identity] = taint - {MADE_UP}
            if not state.taints[identity]:
                del state.taints[identity]


def _test_data_drawn_from(text: str, given: Given, dotted: str | None, frame: Frame) -> str | None:
    """What a call takes a batch to evaluate on from: `next(iter(test_loader))`, `val_batches.next()`."""
    owner, _, name = text.rpartition(".")
    if dotted == "builtins.next" and given.op.arguments:
        source = source_of(given.op.arguments[0].value, frame)
    elif name in DRAWING_METHODS:
        source = owner
    else:
        return None
    return source if says_test_data(source) else None


def names_module(name: str) -> bool:
    """Whether what a call of that name returns is probably a new module: `ResNet(...)`, `build_model(...)`."""
    found = words(name)
    if not found or found[-1] in NOT_MODULE_WORDS | NOT_MADE_MODULE_WORDS:
        return False
    if name[:1].isupper():
        return bool(set(found) & MODULE_WORDS) or not name.isupper()
    return bool(set(found) & MODULE_WORDS) and bool(set(found) & MAKING_WORDS)


def _handed_to_evaluation(text: str, given: Given, state: State, frame: Frame) -> None:
    """`evaluate(model, val_loader)` of another file: an inference has run in the mode that the model is in."""
    arguments = [source_of(argument.value, frame) for argument in given.op.arguments]
    if not (says_evaluation(text) or any(says_test_data(argument) for argument in arguments)):
        return
    for value in given.all():
        for identity in identities(value):
            if identity in state.modes or identity[0] == "attr":
                mark_inferred(identity, state, frame)


def holds_tensors(value: Abstract) -> bool:
    """`[delta]`, `[latent] + noises`, `[{"params": [x]}]`."""
    match value:
        case Seq(items=items) | Expr(operator="+", operands=items):
            return any(isinstance(item, Obj) or holds_tensors(item) for item in items) and isinstance(
                value if isinstance(value, Seq) else items[0], (Seq, Expr)
            )
        case Map(items=pairs):
            return any(isinstance(item, (Seq, Expr)) and holds_tensors(item) for _, item in pairs)
        case _:
            return False
