"""Is this forward an inference, and is its mode an accident? The questions behind the rules of the EVG1 family.

A forward is an inference if gradients are off or it stands in evaluation code, and its result reaches no backward. It
is an accident unless something says that train mode is meant; each such reason is a function below, with the idiom that
it knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evalguard.finding import Span
from evalguard.modes.events import Export, Forward, TrainingStep
from evalguard.modes.passes import UNCHOSEN
from evalguard.modes.state import in_any_run
from evalguard.modes.values import PARTS, Cls, Fn, Identity, Mode, Origin, OriginKind
from evalguard.project.averaged import follows_another
from evalguard.project.own_parts import (
    is_given_what_is_unseen,
    is_indifferent_as_made,
    is_indifferent_part,
    is_seen,
    listening_whole,
    may_hide_a_layer,
    may_hide_a_layer_as_made,
    sets_parts_itself,
)
from evalguard.project.resolve import is_told_to_learn_nothing, keeps_from_learning
from evalguard.project.view import FunctionView, encloses
from evalguard.project.without_gradients import Ungraded, parts_without_gradients
from evalguard.vocabulary import lookup
from evalguard.vocabulary.words import (
    ENVIRONMENT_WORDS,
    HELPER_NETWORK_WORDS,
    LOSS_WORDS,
    MODULE_WORDS,
    MOMENTUM_WORDS,
    PREVIEW_WORDS,
    TRAINING_HOOKS,
    TRAINING_WORDS,
    words,
)

GENERATOR_WORDS = frozenset("g gen generator netg gan dec decoder vae".split())
NOISE_WORDS = frozenset("noise fixed latent latents z".split())
ACTING_WORDS = frozenset("act action actions rollout rollouts collect explore policy step play".split())
SAMPLING_WORDS = frozenset("mc uncertainty bald bayesian stochastic epistemic".split())
RECALIBRATION_WORDS = frozenset(
    "bn recalibrate recalibration calibrate calibration precise batchnorm stats statistics".split()
)


@dataclass(frozen=True, slots=True)
class Accident:
    """A forward that may find its module in the wrong mode, and the origin to blame."""

    forward: Forward
    origin: Origin

    is_set_here: bool
    """Whether `train()` stands in the evaluation code itself: then that call is the mistake."""


def inferences_in_train_mode(view: FunctionView) -> Iterator[Accident]:
    """The inferences of a function that may run in train mode by accident."""
    if view.is_unit_test:
        return
    for forward in view.forwards:
        origin = blamed(view, forward, Mode.TRAIN)
        if origin is None or not is_inference(view, forward) or not may_matter(view, forward):
            continue
        if is_meant(view, forward, origin):
            continue
        yield Accident(forward, origin, _is_set_here(view, forward, origin))


def _is_set_here(view: FunctionView, forward: Forward, origin: Origin) -> bool:
    if _trains_as_well(view, forward):
        return False
    if origin.path != forward.path or not _is_set_before(forward, origin):
        return False
    if is_also_in_eval_mode(view, forward):
        return False  # what is missing is an `eval()`
    return origin.evaluating or not _is_trained(view, forward)


def is_also_in_eval_mode(view: FunctionView, forward: Forward) -> bool:
    """Whether the same call finds the module in eval mode on another path."""
    same = (other for other in view.forwards if other.span == forward.span and other.id == forward.id)
    return any(origin.mode is Mode.EVAL for other in same for origin in other.origins)


def _trains_as_well(view: FunctionView, forward: Forward) -> bool:
    """Whether the same call is a training step's when the function is reached from elsewhere: a helper that computes a
    loss. Its `train()` is right; what is wrong is that an evaluation calls it."""
    return any(
        "backward" in other.fate and other.span == forward.span and other.path == forward.path
        for other in view.events.forwards.values()
    )


def blamed(view: FunctionView, event: Forward | Export, mode: Mode) -> Origin | None:
    """The surest origin of a mode at a forward or export; None if it is never in that mode, or only on paths that
    hardly happen, or where it decides nothing."""
    if event.doubt or (isinstance(event, Forward) and not event.sure):
        return None
    found = [origin for origin in event.origins if origin.mode is mode and origin.site is not None]
    found = [origin for origin in found if not _decides_nothing(view, event, origin)]
    order = [OriginKind.SET, OriginKind.LOADED, OriginKind.TRAINED, OriginKind.BUILT, OriginKind.ASSUMED]
    return min(found, key=lambda o: (order.index(o.kind), o.site or (), o.chain)) if found else None


def _decides_nothing(view: FunctionView, event: Forward | Export, origin: Origin) -> bool:
    """Whether nobody has switched the object that an origin is about, and it is the same in both modes, only holds
    parts which its class puts in eval mode itself, or has no layer that anything speaks of. Whoever trains a module
    had it in train mode with all that it was given; so there, all of that must be seen."""
    if origin.kind not in (*UNCHOSEN, OriginKind.TRAINED) or origin.site is None:
        return False
    if origin.kind is OriginKind.TRAINED and is_given_what_is_unseen(event.id, view.infos, view.code):
        return False
    made: Identity = ("new", origin.path, origin.function, *origin.site[1:], "", origin.chain)
    identity = made if origin.kind is OriginKind.BUILT and is_seen(view.info(made)) else event.id
    info = view.info(identity)
    if not is_seen(info):
        return False
    if info.cls is not None and not info.sensitive and not info.alternatives and sets_parts_itself(info.cls, view.code):
        return True
    if info.never_minds:
        return True
    if identity != event.id and view.info(event.id).sensitive and view.info(event.id).cls != info.cls:
        return False  # it only got the mode of what was made around it
    if info.sensitive:
        return not may_hide_a_layer_as_made(identity, view.infos, view.code)
    return info.sensitive is None and not may_hide_a_layer(identity, view.infos, view.code)


def is_inference(view: FunctionView, forward: Forward) -> bool:
    """Whether a forward infers: gradients are off, or it is evaluation code, and no backward follows."""
    if forward.in_forward or forward.fate & {"backward", "target", "acted"}:
        return False
    if forward.grads_off or _is_evaluation(view, forward):
        return True
    if not _stands_behind_training(view, forward):
        return False
    return "numpy" in forward.fate or ("number" in forward.fate and _is_loaded_to_be_used(view, forward))


def _is_evaluation(view: FunctionView, forward: Forward) -> bool:
    """Whether something says so; the name of its own function is not enough where a training step calls that as well
    and takes gradients of the same forward: `fake = self.infer_generator(x)`."""
    return forward.reason is not None and not (forward.is_only_named and _trains_as_well(view, forward))


def _stands_behind_training(view: FunctionView, forward: Forward) -> bool:
    """Whether its function trains in no loop that has not ended before the forward, as a script does that shows in the
    end what it has learned."""
    loops = [backward.loops for backward in view.backwards_in(forward.path, forward.function)]
    return all(around and around[0].end_line < forward.span.line for around in loops)


def _is_loaded_to_be_used(view: FunctionView, forward: Forward) -> bool:
    """Whether weights were loaded into the module, and nobody trains it: then a number that is taken out of it is a
    result, and no loss to be logged."""
    return any(origin.kind is OriginKind.LOADED for origin in forward.origins) and not _is_trained(view, forward)


def may_matter(view: FunctionView, event: Forward | Export) -> bool:
    """Whether the module is one, and some layer of it may listen to the mode."""
    info = view.info(event.id)
    if info.module is False or info.sensitive is False or _belongs_to_insensitive(view, event):
        return False
    if is_indifferent_part(event.id, view.infos, view.code) or is_indifferent_as_made(event.id, view.infos, view.code):
        return False
    return _is_known_as_module(view, event) or listening_whole(event.id, view.infos, view.code) is not None


def _is_known_as_module(view: FunctionView, event: Forward | Export) -> bool:
    """Whether what is done with an object, its class or its name says that it is a module."""
    info = view.info(event.id)
    if info.module or info.cls is not None:
        return True
    return bool(info.evidence) or bool(set(words(event.place)) & MODULE_WORDS)


def cause(view: FunctionView, forward: Forward, origin: Origin) -> object:
    """What makes two findings one: the same origin of the mode of the same module, or of the module whose parts a
    method runs one after another, of which nothing but their layers is known."""
    whole = None if _is_known_as_module(view, forward) else listening_whole(forward.id, view.infos, view.code)
    return (forward.id if whole is None else whole), origin.site


def _belongs_to_insensitive(view: FunctionView, event: Forward | Export) -> bool:
    identity = event.id
    while identity[0] in PARTS:
        identity = identity[1]
        if view.info(identity).sensitive is False:
            return True
    return False


def is_meant(view: FunctionView, forward: Forward, origin: Origin) -> bool:
    """Whether something says that train mode is meant here."""
    return (
        _is_part_of_a_training_step(view, forward)
        or _is_recalibration(forward, origin)
        or _is_generator_preview(view, forward)
        or _is_momentum_encoder(view, forward)
        or _is_chosen_in_the_call(forward, origin)
        or _is_declined(view, forward)
        or _is_acting(forward)
        or _is_sampling_dropout(forward)
        or _is_part_set_apart(view, forward, origin)
        or _is_weak(forward, origin)
        or (origin.evaluating and is_chosen_by_flag(origin))
        or _is_for_a_while(view, origin)
        or _is_smoke_test(forward, origin)
        or _is_norm_of_the_batch(view, forward, origin)
    )


def _is_part_of_a_training_step(view: FunctionView, forward: Forward) -> bool:
    """no-grad-forward-in-training: cached features, old log-probabilities, self-conditioning."""
    if _is_evaluation(view, forward):
        return False
    if not forward.loops:
        return any(
            b.function == forward.function and b.path == forward.path and not b.loops
            for b in view.events.backwards.values()
        )
    innermost = forward.loops[-1]
    return view.computes_gradients_in(forward.path, innermost) or any(
        s.path == forward.path and s.function == forward.function and innermost in s.loops
        for s in view.events.steps.values()
    )


def _is_recalibration(forward: Forward, origin: Origin) -> bool:
    """bn-update-in-train: an explicit `train()`, then forwards whose results are dropped."""
    if set(words(forward.function)) & RECALIBRATION_WORDS:
        return True
    return not forward.fate and _is_set_before(forward, origin)


def _is_set_before(forward: Forward, origin: Origin) -> bool:
    """Whether the mode is chosen in the function of the forward, further up: what stands further down is meant for
    others."""
    if origin.kind is not OriginKind.SET or origin.function != forward.function or origin.site is None:
        return False
    return origin.site[1] <= forward.span.line


def _is_generator_preview(view: FunctionView, forward: Forward) -> bool:
    """gan-preview-in-train: `netG(fixed_noise)` saved as a picture, while training goes on. A method for its users, or
    what is called when the training has ended, is no preview."""
    said = {word for text in forward.arguments for word in words(text)}
    if _is_evaluation(view, forward) or not set(words(forward.place)) & GENERATOR_WORDS:
        return False
    if not (said & NOISE_WORDS or set(words(forward.function)) & PREVIEW_WORDS):
        return False
    return bool(view.backwards_in(forward.path, forward.function)) or view.is_called_while_training(forward)


def _is_momentum_encoder(view: FunctionView, forward: Forward) -> bool:
    """momentum-encoder-in-train: what the training step of a framework's class asks of the slow copy of a net that
    learns beside it. Elsewhere in training code such a copy may well be what is evaluated."""
    if _is_evaluation(view, forward) or not set(words(forward.place)) & MOMENTUM_WORDS:
        return False
    callers = {function for path, *place in forward.chain for function in view.functions_around(path, place)}
    return bool({forward.function.rpartition(".")[2], *callers} & TRAINING_HOOKS)


def _is_chosen_in_the_call(forward: Forward, origin: Origin) -> bool:
    """train-for-a-callee: `fitted(x, scaling.train())` chooses the mode for the very call that leads to the forward."""
    if forward.reason is not None or origin.kind is not OriginKind.SET or origin.site is None:
        return False
    path, *place = origin.site
    return any(path == site[0] and encloses(Span(*site[1:]), place) for site in forward.chain)


def _is_declined(view: FunctionView, forward: Forward) -> bool:
    """eval-by-default: `def score(self, data, eval_=True): if eval_: self.net.eval()` puts the module of this forward
    in eval mode unless a caller wants none, and `if args.eval_mode: net.eval()` unless its user does."""
    switches = {
        origin
        for other in view.events.forwards.values()
        if other.span == forward.span and other.path == forward.path and other.id == forward.id
        for origin in other.origins
        if origin.mode is Mode.EVAL and origin.kind is OriginKind.SET
    }
    around = {(forward.path, forward.function)}
    around |= {(path, name) for path, *place in forward.chain for name in view.qualnames_around(path, place)}
    return any(
        (o.path, o.function) in around and (view.is_switched_by_default(o) or view.is_switched_by_choice(o))
        for o in switches
    )


def _is_acting(forward: Forward) -> bool:
    """rl-policy-acts-in-train: rollouts need the mode of the update."""
    said = {word for text in forward.arguments for word in words(text)}
    function = set(words(forward.function.rpartition(".")[2]))
    return forward.reason is None and bool(
        (function & ACTING_WORDS and not function & TRAINING_WORDS)
        or said & (ENVIRONMENT_WORDS | {"obs", "observation", "observations"})
    )


def _is_sampling_dropout(forward: Forward) -> bool:
    """mc-dropout: the function says that it wants the noise."""
    return bool(set(words(forward.function)) & SAMPLING_WORDS)


def _is_part_set_apart(view: FunctionView, forward: Forward, origin: Origin) -> bool:
    """part-in-train-mode-after-eval: `model.eval(); model.prenet.train()` wants the dropout of this part, unless
    something trains it so."""
    return origin.apart and not _is_trained(view, forward)


def _is_for_a_while(view: FunctionView, origin: Origin) -> bool:
    """train-and-back: who keeps the mode, calls `train()` and gives the mode back wants the noise in between."""
    return origin.kind is OriginKind.SET and view.is_given_back(origin)


def is_chosen_by_flag(origin: Origin) -> bool:
    """bool-parameter-mode: code that sets the mode by a flag where it uses the module lets its user choose."""
    argument = origin.text.rpartition("(")[2].rstrip(")").removeprefix("mode=")
    return origin.kind is OriginKind.SET and argument not in ("", "True")


def _is_smoke_test(forward: Forward, origin: Origin) -> bool:
    """A net that was just built is tried on made-up data, for the shape of its output; so is one with loaded weights
    while the module around it is made."""
    return forward.dummy and (
        origin.kind in (OriginKind.BUILT, OriginKind.ASSUMED)
        or (forward.in_making and origin.kind is OriginKind.LOADED)
    )


def _is_norm_of_the_batch(view: FunctionView, forward: Forward, origin: Origin) -> bool:
    """A norm that somebody made to normalise by the batch: nobody trained it or loaded it, so in eval mode it would do
    nothing."""
    external = view.info(forward.id).external
    layer = lookup.layer(external) if external is not None else None
    return (
        layer is not None
        and layer.learns_statistics
        and origin.kind is OriginKind.BUILT
        and not _is_trained(view, forward)
    )


def _is_weak(forward: Forward, origin: Origin) -> bool:
    """Nothing but a guess says that the object is a module in train mode."""
    return origin.kind is OriginKind.ASSUMED and forward.reason is None


def helpers_in_train_mode(view: FunctionView) -> Iterator[Accident]:
    """The forwards of networks that only serve the training of another one, and may be in train mode by accident."""
    if view.is_unit_test:
        return
    for forward in view.forwards:
        origin = blamed(view, forward, Mode.TRAIN)
        if origin is None or forward.in_forward or not may_matter(view, forward):
            continue
        if not (forward.fate & {"target"} or (_is_named_helper(forward) and "backward" in forward.fate)):
            continue
        if set(words(forward.place)) & MOMENTUM_WORDS or follows_another(view.facts, forward.place):
            continue
        if _is_trained(view, forward) or _is_acting(forward):
            continue
        if not _is_named_helper(forward) and "requires_grad_" not in view.info(forward.id).evidence:
            continue
        if origin.kind is OriginKind.ASSUMED or origin.text.startswith(f"{forward.place}.train("):
            continue
        yield Accident(forward, origin, False)


@dataclass(frozen=True, slots=True)
class FrozenPart:
    """A part that learns nothing, a step that trains the module around it, and the origin of that module's mode."""

    part: Ungraded
    step: TrainingStep
    origin: Origin


def frozen_parts_in_train_mode(view: FunctionView) -> Iterator[FrozenPart]:
    """The parts that a module only ever runs without gradients, in its train mode at a training step; each in the view
    of the first step that says so."""
    if view.is_unit_test:
        return
    classes = dict.fromkeys(cls for step in view.steps for cls in _classes_around(step.id, view))
    for cls in classes:
        parts = parts_without_gradients(view.code.class_(cls))
        found = [step for step in view.events.steps.values() if _trained_by(step)] if parts else []
        found = [step for step in found if cls in _classes_around(step.id, view)]
        if not found:
            continue
        step = min(found, key=lambda s: (view.info(s.id).cls != cls, s.path, s.span, in_any_run(s.key)))
        if (step.path, step.function) == (view.path, view.qualname):
            origin = min(_trained_by(step), key=lambda o: (o.kind is not OriginKind.SET, o.site or (), o.chain))
            yield from (FrozenPart(part, step, origin) for part in parts)


def _trained_by(step: TrainingStep) -> list[Origin]:
    """What put the module of a step in train mode; nothing where it was not seen to run before the step, or hardly."""
    if step.doubt or not step.exercised:
        return []
    return [origin for origin in step.origins if origin.mode is Mode.TRAIN and origin.site is not None]


def _classes_around(identity: Identity, view: FunctionView) -> Iterator[Cls]:
    """The classes of an object and of those of which it is a part."""
    while True:
        cls = view.info(identity).cls
        if cls is not None:
            yield cls
        if identity[0] not in PARTS:
            return
        identity = identity[1]


def _is_trained(view: FunctionView, forward: Forward) -> bool:
    """Whether anything ever trains the network."""
    if any(True for _ in view.steps_of(forward.id)) or "optimizer" in view.info(forward.id).evidence:
        return True
    return not _is_named_helper(forward) and any(
        "backward" in other.fate and other.id == forward.id for other in view.events.forwards.values()
    )


def _is_named_helper(forward: Forward) -> bool:
    said = words(forward.place)
    if said and "t" in said[-2:] and set(said[-2:]) & MODULE_WORDS:
        return True  # `model_t` beside `model_s`, `t_net` beside `s_net`: teacher and student
    return bool(set(said) & HELPER_NETWORK_WORDS)


def leaked_eval(view: FunctionView, step: TrainingStep) -> Origin | None:
    """The `eval()` that a training step meets by accident: an inference has run since, or it stands in evaluation
    code."""
    if step.doubt or not (step.held or step.exercised):
        return None
    info = view.info(step.id)
    if info.never_minds or info.module is False:
        return None
    if step.fitted is not None and _freezes(view, step, step.fitted):
        return None
    if not step.held and (_another_is_sure_to_train(view, step) or not _is_elsewhere_in_train_mode(view, step)):
        return None  # nobody knows which net the optimizer holds: a GAN's other net is in eval on purpose
    guilty = [
        origin
        for origin in step.origins
        if origin.mode is Mode.EVAL
        and origin.site is not None
        and not _is_part_of_a_freeze(view, origin)
        and (
            (origin.kind is OriginKind.BUILT and step.held)
            or origin.inferred
            or step.fitted is not None
            or (origin.evaluating and origin.function != step.function)
            or (step.held and _was_for_an_evaluation(view, step, origin))
        )
    ]
    return min(guilty, key=lambda o: (o.kind is OriginKind.BUILT, o.site or (), o.chain)) if guilty else None


def _is_part_of_a_freeze(view: FunctionView, origin: Origin) -> bool:
    if origin.kind is not OriginKind.SET or origin.site is None:
        return False
    facts = view.index.files[origin.path].functions[origin.function]
    return is_told_to_learn_nothing(facts, Span(*origin.site[1:]))


def _was_for_an_evaluation(view: FunctionView, step: TrainingStep, origin: Origin) -> bool:
    """Whether a forward follows the `eval()` in its own function, and never reaches a backward: nothing else says that
    it infers, but the mode was set for it, after the step and not for it."""
    if origin.kind is not OriginKind.SET or origin.function != step.function or origin.site is None:
        return False
    if origin.site[1] <= step.span.line:
        return False
    return any(
        forward.id == step.id
        and (forward.path, forward.function) == (origin.path, origin.function)
        and forward.span.line > origin.site[1]
        and forward.fate
        and not forward.fate & {"backward", "target", "acted"}
        and any(other.site == origin.site for other in forward.origins)
        for forward in view.events.forwards.values()
    )


def _freezes(view: FunctionView, step: TrainingStep, fitted: Cls) -> bool:
    """Whether the class, or a function that sets the eval mode, keeps parameters from learning, or sets the mode of its
    own parts: then the eval mode is part of a freeze."""
    if any(
        origin.function.startswith(f"{fitted.qualname}.") for origin in step.origins if origin.kind is OriginKind.SET
    ):
        return True
    functions = list(view.index.methods(fitted).values())
    functions += [Fn(origin.path, origin.function) for origin in step.origins if origin.mode is Mode.EVAL]
    return any(keeps_from_learning(view.index.facts(function)) for function in functions)


def _is_elsewhere_in_train_mode(view: FunctionView, step: TrainingStep) -> bool:
    """Whether some path takes the same step with the module not in eval mode, or no other module takes it. One that is
    always in eval mode beside another is frozen: a loss's network, an autoencoder around a diffusion model."""
    beside = [other for other in view.steps if other.span == step.span]
    if all(other.id == step.id for other in beside):
        return True
    return any(o.mode is not Mode.EVAL for other in beside if other.id == step.id for o in other.origins)


def _another_is_sure_to_train(view: FunctionView, step: TrainingStep) -> bool:
    """Whether a step whose optimizer nobody knows finds another net in train mode for sure; a loss is none, though it
    may be a module."""
    beside = [other for other in view.steps if other.span == step.span and other.id != step.id and not other.held]
    beside = [other for other in beside if not LOSS_WORDS.intersection(words(other.place)[-1:])]
    in_eval = {other.id for other in beside for origin in other.origins if origin.mode is not Mode.TRAIN}
    return any(other.id not in in_eval for other in beside)
