"""What a framework does with a module that it is given to train, where it trains in the modes that it finds.

    def build(path):
        net = Net()
        net.load_state_dict(torch.load(path))
        return net.eval()

    class Task(LightningModule):
        def __init__(self, net): ...                     keeps `net`, in eval mode
        def configure_optimizers(self): ...              holds its parameters
        def training_step(self, batch, index): ...       its forward, whose loss goes back

    Trainer().fit(Task(build(path)), loader)             a training step of `net`, in eval mode

The hooks are run once, in the order of the table, on a copy of the state: what they leave is the framework's affair.
"""

from __future__ import annotations

from evalguard.ir.ops import Call
from evalguard.ir.plain import changed
from evalguard.modes.arguments import Given
from evalguard.modes.frame import Frame, is_related
from evalguard.modes.passes import flow_back
from evalguard.modes.places import place_name
from evalguard.modes.state import State
from evalguard.modes.steps import record_step
from evalguard.modes.switch import reached_by
from evalguard.modes.values import Abstract, Cls, Identity, Mode, Obj, Optim, parts
from evalguard.vocabulary.terms import Fitting
from evalguard.vocabulary.words import HELPER_NETWORK_WORDS, words


def fit(fitting: Fitting, model: Abstract | None, given: Given, state: State, frame: Frame) -> None:
    """Record the training steps that a framework takes with a module of the project."""
    cls = frame.info(model.id).cls if isinstance(model, Obj) else None
    if not isinstance(model, Obj) or cls is None or frame.linker.method(cls, fitting.step) is None:
        return
    after = state.copy()
    held: set[Identity] = set()
    for name in (*fitting.before, fitting.step):
        method = frame.linker.method(cls, name)
        if method is None:
            continue
        outcomes = frame.linker.call(changed(method, bound=model), [], [], after, frame, _as_call(given.op))
        ends = [outcome for outcome in outcomes if not outcome.raised and not outcome.state.doubt]
        if not ends:
            return
        after = ends[0].state
        if name == fitting.optimizers:
            held = {identity for end in ends for identity in _held(end.value)}
            if not held and frame.linker.reads_own_parameters(method):
                held = {model.id}
        if name == fitting.step:
            for end in ends:
                flow_back(end.value, end.state, frame)
                _step(held, cls, given, end.state, frame)


def _step(held: set[Identity], cls: Cls, given: Given, state: State, frame: Frame) -> None:
    for identity, origins in sorted(state.backed.items(), key=repr):
        if any(is_related(identity, one, frame.infos) for one in held):
            record_step(identity, origins, True, True, given, state, frame, fitted=cls)
            for part in sorted(_parts_in_eval_mode(identity, state, frame), key=repr):
                record_step(part, state.origins(part), True, True, given, state, frame, fitted=cls)


def _parts_in_eval_mode(whole: Identity, state: State, frame: Frame) -> set[Identity]:
    """What a module that is not in eval mode holds that is: the largest parts, less what only helps to train it."""
    if all(origin.mode is Mode.EVAL for origin in state.origins(whole)):
        return set()
    inside = reached_by([whole], state, frame) - {whole}
    found = {
        part
        for part in inside
        if part in state.modes
        and all(origin.mode is Mode.EVAL for origin in state.modes[part])
        and not set(words(place_name(part, state, frame))) & HELPER_NETWORK_WORDS
    }
    inner = {one for part in found for one in reached_by([part], state, frame) if one != part}
    return found - inner


def _held(value: Abstract) -> set[Identity]:
    """The modules whose parameters an optimizer holds, wherever it is in what the hook returns."""
    if isinstance(value, Optim):
        return set(value.of or ())
    return {identity for part in parts(value) for identity in _held(part)}


def _as_call(op: Call) -> Call:
    return changed(op, arguments=())
