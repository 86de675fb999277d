"""What a call means.

The callee is looked at as a value: a function of the project (its summary is asked for), a class of the project (an object
is made), a name of a library (the tables know it or it is unknown), a method of an object, or an object itself, which
is then a forward. Every call gives a list of outcomes, one for each path.

The default for the unknown: it keeps every mode, its result is a new unknown value that stems from all it was given.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from evalguard.finding import Span
from evalguard.flow.liveness import Paths, paths_in
from evalguard.ir import values as ir
from evalguard.ir.ops import Argument, Assign, Call, Op
from evalguard.modes.evaluate import attribute, evaluate, shallow, write_name
from evalguard.modes.events import Backward, Forward, Reveal, TrainingStep
from evalguard.modes.frame import Frame, fresh, is_part, new_identity, note, Outcome, renew, source_of
from evalguard.modes.guards import truth
from evalguard.modes.intent import argument_reason, says_evaluation, says_test_data
from evalguard.modes.significance import BOUND_METHODS
from evalguard.modes.state import NO_TAINT, State, unite_origins
from evalguard.modes.switch import evaluation_reason, is_chosen, put, switch, switch_by
from evalguard.modes.values import (
    NONE,
    OVER,
    Abstract,
    Cls,
    Expr,
    Ext,
    Fn,
    Generator,
    Grad,
    Identity,
    Iteration,
    Known,
    Map,
    Mode,
    ModeFlag,
    Obj,
    Optim,
    Origin,
    OriginKind,
    Origins,
    Params,
    PARTS,
    Partial,
    Seq,
    Super,
    identities,
    is_within,
    params_in,
    root_of,
)
from evalguard.vocabulary import lookup
from evalguard.vocabulary.lookup import SAME_OBJECT_METHODS
from evalguard.vocabulary.methods import (
    CHILD_METHODS,
    EVIDENCE_METHODS,
    OPTIMIZERS_TOO,
    PARAMETER_METHODS,
    SUBMODULE_METHODS,
    UNTAINTED_METHODS,
)
from evalguard.vocabulary.terms import Wrapper
from evalguard.vocabulary.words import (
    ENVIRONMENT_WORDS,
    LOSS_WORDS,
    MODULE_WORDS,
    NOT_MADE_MODULE_WORDS,
    NOT_MODULE_WORDS,
    step_receiver,
    words,
)

PURE_BUILTINS = frozenset("isinstance hasattr len bool int float str callable type issubclass id abs min max".split())
MAKING_WORDS = frozenset("build builder create construct make new define".split())
REPACKING_BUILTINS = frozenset("list tuple set sorted reversed iter filter sum".split())
EXHAUSTING_BUILTINS = frozenset("list tuple set frozenset sorted sum min max any all dict".split())
MOST_YIELDS = 40  # of a generator that is run to its end


@dataclass(slots=True)
class Given:
    """A call's arguments, evaluated."""

    op: Call
    positional: list[Abstract]
    keywords: list[tuple[str, Abstract]]
    complete: bool  # no `*` or `**` of unknown content

    def all(self) -> list[Abstract]:
        """Every argument."""
        return [*self.positional, *(value for _, value in self.keywords)]

    def get(self, position: int | None, keyword: str) -> Abstract | None:
        """The argument at that place or of that name."""
        for name, value in self.keywords:
            if name == keyword:
                return value
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return None

    def paths(self) -> Paths:
        """The names that the arguments read."""
        return frozenset(path for argument in self.op.arguments for path in paths_in(argument.value))


def call(op: Call, state: State, frame: Frame) -> list[Outcome]:
    """The outcomes of a call; the result is not yet bound."""
    for argument in op.arguments:
        unpacked = evaluate(argument.value, state, frame) if argument.stars == 1 else None
        if isinstance(unpacked, Generator) and unpacked.at != OVER:
            ends = exhaust(unpacked, state, frame, op)
            raised = [end for end in ends if end.raised]
            return raised + [after for end in ends if not end.raised for after in call(op, end.state, frame)]
    given = _given(op, state, frame)
    callee = op.callee
    if isinstance(callee, ir.Attribute):
        base = evaluate(callee.value, state, frame)
        return call_method(base, callee.name, given, state, frame)
    if isinstance(callee, ir.Name) and callee.id == "reveal_mode" and given.positional:
        _reveal(given, state, frame)
        return [Outcome(state, NONE)]
    if isinstance(callee, ir.Name) and callee.id == "super":
        return [Outcome(state, _super(given, frame))]
    return call_value(evaluate(callee, state, frame), given, state, frame)


def call_value(callee: Abstract, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """Call a value."""
    match callee:
        case Fn():
            return frame.linker.call(callee, given.positional, given.keywords, state, frame, given.op)
        case Cls():
            return construct(callee, given, state, frame)
        case Ext(name=dotted):
            return call_library(dotted, given, state, frame)
        case Partial(function=function, arguments=arguments, keywords=keywords):
            merged = Given(
                given.op, [*arguments, *given.positional], [*keywords, *given.keywords], given.complete
            )
            return call_value(function, merged, state, frame)
        case Obj(id=identity):
            if identity[0] == "attr" and identity[2] in BOUND_METHODS and isinstance(given.op.callee, (ir.Name, ir.Temp)):
                return call_method(Obj(identity[1]), identity[2], given, state, frame)
            cls = frame.info(identity).cls
            if cls is not None:
                view = frame.linker.class_view(cls)
                method = frame.linker.method(cls, "__call__")
                if method is not None and view.module is not True:
                    bound = Fn(method.path, method.qualname, callee, method.captured, method.decorated)
                    return frame.linker.call(bound, given.positional, given.keywords, state, frame, given.op)
                if view.module is False:
                    return unknown(given, state, frame, receiver=callee)
            return [forward(identity, given, source_of(given.op.callee, frame), state, frame)]
        case Expr(operator=operator, operands=(inner, *_)) if operator.startswith("."):
            return call_method(inner, operator[1:], given, state, frame)
        case Seq(items=items) if items and all(isinstance(entry, (Fn, Obj, Cls)) for entry in items):
            return [outcome for entry in items[:4] for outcome in call_value(entry, given, state.copy(), frame)]
        case _:
            return unknown(given, state, frame, receiver=callee)


def call_method(base: Abstract, name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """Call `base.name(...)`."""
    match base:
        case Ext(name=dotted):
            return call_library(f"{dotted}.{name}", given, state, frame)
        case Obj(id=identity):
            return _object_method(base, identity, name, given, state, frame)
        case Super(cls=cls, receiver=receiver):
            found = attribute(base, name, state, frame)
            if isinstance(found, Fn):
                return call_value(found, given, state, frame)
            if isinstance(receiver, Obj):
                return _module_method(receiver, receiver.id, name, given, state, frame)
            return unknown(given, state, frame)
        case Cls() as cls:
            found = attribute(base, name, state, frame)
            if isinstance(found, Fn):
                return call_value(found, given, state, frame)
            for foreign in frame.linker.class_view(cls).foreign:
                if lookup.factory(f"{foreign}.{name}") is not None or name == "from_pretrained":
                    return call_library(f"{foreign}.{name}", given, state, frame, cls)
            if name in ("load_from_checkpoint", "from_config", "from_name"):
                return [Outcome(state, _made(given, state, frame, Mode.TRAIN, cls=cls))]
            return unknown(given, state, frame)
        case Seq() | Map() | Iteration():
            return _container_method(base, name, given, state, frame)
        case Params():
            if name in ("requires_grad_", "keys", "values", "items", "copy", "to", "cuda"):
                return [Outcome(state, base)]
            return unknown(given, state, frame, receiver=base)
        case Optim():
            return _optimizer_method(base, name, given, state, frame)
        case Fn() | Partial() if name == "__call__":
            return call_value(base, given, state, frame)
        case Generator() if name in ("__next__", "send"):
            return advance(base, given, state, frame)
        case _:
            if name == "backward":
                return _backward(base, given, state, frame)
            if name in UNTAINTED_METHODS:
                return [Outcome(state, fresh(frame, state, given.op.span))]
            return unknown(given, state, frame, receiver=base)


def _object_method(
    base: Obj, identity: Identity, name: str, given: Given, state: State, frame: Frame
) -> list[Outcome]:
    info = frame.info(identity)
    stored = state.store.get((identity, name))
    if stored is not None:
        return call_value(stored, given, state, frame)
    if info.cls is not None:
        method = frame.linker.method(info.cls, name)
        view = frame.linker.class_view(info.cls)
        if method is not None and not (view.module is True and name == "forward"):
            if frame.linker.is_property(method):
                return [forward(("attr", identity, name), given, source_of(given.op.callee, frame), state, frame)]
            if frame.linker.is_static(method):
                return call_value(method, given, state, frame)
            bound = Fn(method.path, method.qualname, base, method.captured, method.decorated)
            return call_value(bound, given, state, frame)
        if view.module is True and method is None and frame.linker.is_part(info.cls, name):
            return call_value(Obj(("attr", identity, name)), given, state, frame)
        if view.module is False and name not in ("to", "cuda"):
            if name in ("train", "eval") and not view.foreign:
                return unknown(given, state, frame, receiver=base)
    if info.external is not None:
        for dotted in (f"{info.external}.{name}",):
            if lookup.self_moding(dotted) or lookup.framework_call(dotted):
                return _managed(dotted, base, given, state, frame)
            if lookup.wrapper(dotted):
                return call_library(dotted, given, state, frame)
    return _module_method(base, identity, name, given, state, frame)


def _module_method(
    base: Obj, identity: Identity, name: str, given: Given, state: State, frame: Frame
) -> list[Outcome]:
    """A method of an object of which no class says what it does: what PyTorch's names mean."""
    op, info = given.op, frame.info(identity)
    text = source_of(op.callee, frame)
    if name in ("train", "eval") and _is_mode_call(name, given, identity, frame) and _may_be_module(identity, text, frame):
        return _switch(base, identity, name, given, state, frame)
    if name in PARAMETER_METHODS:
        info.evidence.add(name)
        return [Outcome(state, Params(frozenset({identity})))]
    if name in SUBMODULE_METHODS or name in CHILD_METHODS:
        info.evidence.add(name)
        part: Abstract = Obj(("some" if name in SUBMODULE_METHODS else "each", identity))
        if name.startswith("named_"):
            part = Seq("tuple", (Obj(("local", frame.path, "", "name")), part))
        return [Outcome(state, Iteration("of", (part,)))]
    if name in EVIDENCE_METHODS and not (name in OPTIMIZERS_TOO and step_receiver(text.rpartition(".")[0])):
        info.evidence.add(name)
        if name == "load_state_dict":
            _loaded(identity, op, state, frame)
            return [Outcome(state, fresh(frame, state, op.span))]
    if name in SAME_OBJECT_METHODS:
        return [Outcome(state, base)]
    if name == "unwrap" or (given.positional and name in ("unwrap_model", "unwrap")):
        return [Outcome(state, given.positional[0] if given.positional else base)]
    known_wrapper = lookup.wrapper_method(name)
    if known_wrapper is not None and given.positional:
        return [Outcome(state, _wrapped(known_wrapper, given, state, frame))]
    if name == "backward":
        return _backward(base, given, state, frame)
    if name in ("step", "optimizer_step"):
        return _step(base, identity, name, given, state, frame)
    if name == "numpy":
        for event_key in state.taint_of(base):
            if event_key in frame.linker.events.forwards:
                frame.linker.events.forwards[event_key].fate.add("numpy")
    if name in ("zero_grad", "item", "tolist") or name in UNTAINTED_METHODS:
        return [Outcome(state, fresh(frame, state, op.span))]
    if name in ("values", "items", "keys", "elements"):
        each: Abstract = Obj(("each", identity))
        key: Abstract = Obj(("local", frame.path, "", "key"))
        element = each if name in ("values", "elements") else Seq("tuple", (key, each)) if name == "items" else key
        return [Outcome(state, Iteration("of", (element,)))]
    if name in ("append", "add", "insert", "extend", "update", "setdefault", "put", "write") and given.positional:
        return _grow(base, identity, given, state, frame)
    if name == "get" and given.positional and isinstance(given.positional[0], Known):
        key_value = given.positional[0].value
        stored = state.store.get((identity, ("item", key_value)))
        return [Outcome(state, stored if stored is not None else Obj(("item", identity, key_value)))]
    if name == "enter_context" and given.positional:
        from evalguard.modes.transfer import enter_manager, free_slot

        return enter_manager(given.positional[0], state, frame, op, free_slot(identity, state))
    method = lookup.forward_method(name)
    if method is not None and (
        method.unproved or _is_proved(identity, state, frame) or name == "forward" and _is_part(identity, frame)
    ):
        return [forward(identity, given, text, state, frame)]
    if name in ("__enter__", "__exit__", "close"):
        return [Outcome(state, base)]
    return _maybe_forward(base, identity, name, given, text, state, frame)


def _switch(base: Obj, identity: Identity, name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    op = given.op
    text = f"{source_of(op.callee, frame)}({', '.join(_argument_text(a, frame) for a in op.arguments)})"
    if frame.info(identity).module is None:
        frame.info(identity).evidence.add(name)
    if name == "eval" or not given.all():
        switch(identity, Mode.EVAL if name == "eval" else Mode.TRAIN, op.span, text, state, frame)
        return [Outcome(state, base)]
    flag = given.all()[0]
    return [Outcome(after, base) for after in switch_by(identity, flag, op.span, text, given.paths(), state, frame)]


def _is_mode_call(name: str, given: Given, identity: Identity, frame: Frame) -> bool:
    if name == "eval":
        return not given.op.arguments
    if not given.op.arguments:
        return True
    if len(given.op.arguments) != 1 or given.op.arguments[0].stars:
        return False
    argument = given.op.arguments[0]
    if argument.keyword not in (None, "mode"):
        return False
    value = given.all()[0]
    match value:
        case Known(value=bool() | int()) | ModeFlag() | Expr():
            return not (isinstance(value, Known) and not isinstance(value.value, bool) and value.value not in (0, 1))
        case Obj():
            text = argument.value
            if isinstance(text, ir.Not):
                return True
            if not isinstance(text, (ir.Name, ir.Attribute)):
                cls = frame.info(identity).cls
                return frame.info(identity).module is True or cls is not None and frame.linker.class_view(cls).module is True
            return not set(words(_last_name(text))) & {
                "epoch", "epochs", "data", "loader", "dataset", "x", "steps", "batch", "model", "num", "iterations", "timesteps",
            }
        case _:
            return False


def _last_name(value: ir.Value) -> str:
    match value:
        case ir.Name(id=name) | ir.Attribute(name=name):
            return name
        case ir.Temp():
            return ""
        case _:
            return ""


def _may_be_module(identity: Identity, text: str, frame: Frame) -> bool:
    """Whether `.train()` or `.eval()` of this object can be a mode switch."""
    info = frame.info(identity)
    if info.module is not None:
        return info.module
    if info.cls is not None:
        return frame.linker.class_view(info.cls).module is not False
    if info.external is not None and lookup.not_torch(info.external):
        return False
    if info.evidence & EVIDENCE_METHODS:
        return True
    owner = text.rpartition(".")[0]
    last = set(words(owner.rpartition(".")[2]))
    return not (last & NOT_MODULE_WORDS and not last & MODULE_WORDS)


def _is_part(identity: Identity, frame: Frame) -> bool:
    """Whether it is an attribute that a module's constructor assigns."""
    if identity[0] != "attr":
        return False
    cls = frame.info(identity[1]).cls
    return cls is not None and frame.linker.class_view(cls).module is True and frame.linker.is_part(cls, identity[2])


def _is_proved(identity: Identity, state: State, frame: Frame) -> bool:
    info = frame.info(identity)
    if info.module:
        return True
    if info.cls is not None:
        return frame.linker.class_view(info.cls).module is True
    return bool(info.evidence)


# ------------------------------------------------------------------------------------------------ objects are made


def construct(cls: Cls, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """`Cls(...)`: a new object, and its `__init__`."""
    view = frame.linker.class_view(cls)
    obj = fresh(frame, state, given.op.span)
    info = frame.info(obj.id)
    info.cls, info.module = cls, view.module
    info.sensitive, info.layer = view.sensitive, view.layer
    if view.module is not False:
        state.modes[obj.id] = frozenset({_origin(Mode.TRAIN, OriginKind.BUILT, given.op, frame)})
    init = frame.linker.method(cls, "__init__")
    if init is None:
        for position, value in enumerate(given.positional):
            state.store[(obj.id, f"<{position}>")] = value
        for name, value in given.keywords:
            state.store[(obj.id, name)] = value  # dataclasses and named tuples
        return [Outcome(state, obj)]
    if view.module is True and not frame.linker.tells(init, given.all(), state):
        return [Outcome(state, obj)]  # it only makes layers: see `project.sensitivity`
    bound = Fn(init.path, init.qualname, obj, init.captured, init.decorated)
    outcomes = frame.linker.call(bound, given.positional, given.keywords, state, frame, given.op)
    return [Outcome(o.state, o.value if o.raised else obj, o.raised) for o in outcomes]


def _made(
    given: Given,
    state: State,
    frame: Frame,
    mode: Mode,
    kind: OriginKind = OriginKind.BUILT,
    cls: Cls | None = None,
    external: str | None = None,
) -> Obj:
    """A new module from a factory."""
    obj = fresh(frame, state, given.op.span)
    info = frame.info(obj.id)
    info.external = external
    if cls is not None:
        view = frame.linker.class_view(cls)
        info.cls, info.sensitive, info.layer = cls, view.sensitive, view.layer
    if kind is OriginKind.BUILT and mode is not Mode.UNKNOWN:
        info.module = True
    if mode is Mode.UNKNOWN:
        state.modes[obj.id] = frozenset({Origin(Mode.UNKNOWN, OriginKind.ENTRY)})
    else:
        state.modes[obj.id] = frozenset({_origin(mode, kind, given.op, frame)})
    return obj


def _origin(mode: Mode, kind: OriginKind, op: Call, frame: Frame) -> Origin:
    text = f"{source_of(op.callee, frame)}(...)" if op.arguments else f"{source_of(op.callee, frame)}()"
    return Origin(mode, kind, frame.path, frame.site(op.span), frame.chain, frame.function.qualname, text)


def _loaded(identity: Identity, op: Call, state: State, frame: Frame) -> None:
    """`load_state_dict`: the mode stays; a module that nobody has switched is marked as loaded."""
    origins = state.origins(identity)
    if any(origin.kind is OriginKind.SET for origin in origins):
        return
    if all(origin.kind in (OriginKind.BUILT, OriginKind.ASSUMED) and origin.mode is Mode.TRAIN for origin in origins) or (
        root_of(identity)[0] == "new" and all(origin.kind is OriginKind.ENTRY for origin in origins)
    ):
        loaded = _origin(Mode.TRAIN, OriginKind.LOADED, op, frame)
        state.modes[identity] = frozenset({loaded})


# ------------------------------------------------------------------------------------------------ libraries


def call_library(dotted: str, given: Given, state: State, frame: Frame, cls: Cls | None = None) -> list[Outcome]:
    """A call of a library's name."""
    op = given.op
    if dotted.startswith("builtins."):
        return _builtin(dotted.removeprefix("builtins."), given, state, frame)
    gradients = lookup.gradients(dotted)
    if gradients is not None:
        enabled: Abstract = Known(gradients.effect == "on")
        if gradients.effect == "argument" and gradients.flag is not None:
            flag = given.get(gradients.flag.position, gradients.flag.keyword)
            enabled = Known(gradients.flag.default) if flag is None else flag
            if lookup.canonical(dotted) == "torch.inference_mode":
                from evalguard.modes.guards import negate

                enabled = negate(enabled)
        manager = Grad(enabled)
        if gradients.acts_when_called:
            known = truth(enabled, state)
            previous = Known(state.grads)
            state.env[f"<grads {op.result.number}>"] = previous
            if known is not None:
                state.grads = known
        return [Outcome(state, manager)]
    if lookup.optimizer(dotted) is not None:
        return [Outcome(state, _optimizer(dotted, given, state, frame))]
    if lookup.scheduler(dotted) is not None:
        obj = fresh(frame, state, op.span)
        frame.info(obj.id).module = False
        frame.info(obj.id).external = dotted
        return [Outcome(state, obj)]
    wrapper = lookup.wrapper(dotted)
    if wrapper is not None:
        return [Outcome(state, _wrapped(wrapper, given, state, frame))]
    if dotted in ("copy.deepcopy", "copy.copy") and given.positional:
        return [Outcome(state, _copied(given.positional[0], given, state, frame))]
    if lookup.self_moding(dotted) or lookup.framework_call(dotted):
        return _managed(dotted, given.positional[0] if given.positional else None, given, state, frame)
    factory = lookup.factory(dotted)
    if factory is not None or dotted.endswith(".from_pretrained"):
        mode = Mode(factory.mode if factory is not None else lookup.from_pretrained_mode(dotted))
        obj = _made(given, state, frame, mode, cls=cls, external=dotted)
        if factory is not None and factory.layers is not None:
            frame.info(obj.id).sensitive = bool(factory.layers)
            frame.info(obj.id).layer = factory.layers[0] if factory.layers else None
        if factory is not None and factory.part == "first":
            return [Outcome(state, Seq("tuple", (obj, *(fresh(frame, state, op.span, f"part{i}") for i in (1, 2)))))]
        return [Outcome(state, obj)]
    layer = lookup.layer(dotted)
    if layer is not None:
        return [Outcome(state, _layer(dotted, given, state, frame))]
    found_backward = lookup.backward(dotted)
    if found_backward is not None and given.positional:
        _through_backward(given.positional[0], given, state, frame)
        return [Outcome(state, fresh(frame, state, op.span))]
    if dotted.endswith("optimizer_step") and given.positional:
        return _step_of(given.positional[0], "optimizer", given, state, frame)
    if dotted == "functools.partial" and given.positional:
        return [Outcome(state, Partial(given.positional[0], tuple(given.positional[1:]), tuple(given.keywords)))]
    if dotted in ("itertools.chain", "itertools.chain.from_iterable"):
        params = _params_of(given)
        if params is not None:
            return [Outcome(state, Params(params))]
        if given.positional and all(isinstance(value, Seq) for value in given.positional):
            merged = tuple(entry for value in given.positional if isinstance(value, Seq) for entry in value.items)
            return [Outcome(state, Seq("list", merged[:16]))]
    if dotted in ("contextlib.nullcontext",):
        return [Outcome(state, given.positional[0] if given.positional else NONE)]
    if dotted in ("contextlib.ExitStack", "contextlib.AsyncExitStack"):
        return [Outcome(state, fresh(frame, state, op.span))]
    if dotted.startswith(("torch.", "numpy.", "math.")) and not dotted.startswith("torch.hub"):
        result = fresh(frame, state, op.span)
        _flow_into(result.id, given.all(), state, frame)
        params = _params_of(given)
        return [Outcome(state, Params(params) if params is not None else result)]
    if dotted in ("tqdm.tqdm", "tqdm.auto.tqdm", "tqdm.notebook.tqdm", "tqdm.trange", "rich.progress.track") and given.positional:
        return [Outcome(state, given.positional[0])]
    return unknown(given, state, frame, dotted=dotted)


def _builtin(name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    op, arguments = given.op, given.positional
    if name in EXHAUSTING_BUILTINS and arguments and isinstance(arguments[0], Generator):
        return exhaust(arguments[0], state, frame, op, stops=name in ("any", "all"))
    if name in PURE_BUILTINS:
        return [Outcome(state, shallow(Expr(name, tuple(given.all()))))]
    if name in ("enumerate", "zip") and arguments:
        return [Outcome(state, Iteration(name, tuple(arguments[:1] if name == "enumerate" else arguments)))]
    if name == "next" and arguments and isinstance(arguments[0], Generator):
        return advance(arguments[0], given, state, frame)
    if name == "getattr" and len(arguments) >= 2:
        if isinstance(arguments[1], Known) and isinstance(arguments[1].value, str):
            return [Outcome(state, attribute(arguments[0], arguments[1].value, state, frame))]
    if name == "setattr" and len(arguments) >= 3 and isinstance(arguments[0], Obj):
        if isinstance(arguments[1], Known) and isinstance(arguments[1].value, str):
            state.store[(arguments[0].id, arguments[1].value)] = arguments[2]
            return [Outcome(state, NONE)]
    if name == "dict":
        if not arguments and given.complete:
            return [Outcome(state, Map(tuple((Known(key), value) for key, value in given.keywords)))]
    if name in ("list", "tuple", "dict", "set") and not arguments:
        kind = name if name != "dict" else "list"
        return [Outcome(state, Map(()) if name == "dict" else Seq(kind, ()))]
    if name in REPACKING_BUILTINS and arguments:
        value = arguments[-1] if name == "filter" else arguments[0]
        if isinstance(value, Seq) and name in ("list", "tuple"):
            return [Outcome(state, value if value.kind == "grown" else Seq(name, value.items))]
        if name != "sum" and (isinstance(value, (Params, Iteration, Seq)) or params_in(value) is not None):
            return [Outcome(state, value)]
        if name in ("list", "tuple", "iter", "reversed", "sorted") and isinstance(value, (Obj, Generator)):
            return [Outcome(state, value)]
        result = fresh(frame, state, op.span)
        _flow_into(result.id, given.all(), state, frame)
        return [Outcome(state, result)]
    if name == "map" and len(arguments) >= 2 and isinstance(arguments[0], (Fn, Cls, Partial)):
        inner = Given(op, [Obj(("each", new_identity(frame, op.span)))], [], True)
        return [Outcome(o.state, Seq("grown", (o.value,)), o.raised) for o in call_value(arguments[0], inner, state, frame)]
    if name in ("print", "range", "open", "input", "repr", "format"):
        return [Outcome(state, fresh(frame, state, op.span))]
    return unknown(given, state, frame, dotted=f"builtins.{name}")


def _layer(dotted: str, given: Given, state: State, frame: Frame) -> Obj:
    obj = _made(given, state, frame, Mode.TRAIN, external=dotted)
    info = frame.info(obj.id)
    layer = lookup.layer(dotted)
    if layer is None:
        return obj
    if layer.sensitivity == "container":
        known = [frame.info(child).sensitive for value in given.all() for child in identities(value)]
        children = [child for value in given.all() for child in identities(value)]
        if any(known):
            info.sensitive = True
            info.layer = next(frame.info(child).layer for child in children if frame.info(child).sensitive)
        elif known and None not in known and given.complete:
            info.sensitive = False
        for number, value in enumerate(given.positional):
            for child in identities(value):
                state.store[(obj.id, f"<{number}:{child!r}>")] = Obj(child)
        return obj
    positional = [value.value if isinstance(value, Known) else lookup.ARGUMENT_UNKNOWN for value in given.positional]
    keywords = {name: value.value if isinstance(value, Known) else lookup.ARGUMENT_UNKNOWN for name, value in given.keywords}
    info.sensitive = lookup.depends_on_mode(layer, positional, keywords)
    info.layer = dotted.rpartition(".")[2] if info.sensitive else None
    return obj


def _optimizer(dotted: str, given: Given, state: State, frame: Frame) -> Abstract:
    entry = lookup.optimizer(dotted)
    identity = new_identity(frame, given.op.span)
    value = given.get(entry.parameters.position, entry.parameters.keyword) if entry is not None else None
    if value is None and given.positional:
        value = given.positional[0]
    if value is None:
        return Optim(None, identity)
    held = params_in(value)
    if held is not None:
        for module in held:
            frame.info(module).evidence.add("optimizer")
        return Optim(held, identity)
    if isinstance(value, Obj) and entry is not None and entry.takes != "parameters":
        frame.info(value.id).evidence.add("optimizer")
        return Optim(frozenset({value.id}), identity)
    if _holds_tensors(value):
        return Optim(frozenset(), identity)  # it moves tensors, not a module: an attack, a style transfer
    return Optim(None, identity)


def _holds_tensors(value: Abstract) -> bool:
    """`[delta]`, `[latent] + noises`, `[{"params": [x]}]`."""
    match value:
        case Seq(items=items) | Expr(operator="+", operands=items):
            return any(isinstance(item, Obj) or _holds_tensors(item) for item in items) and isinstance(
                value if isinstance(value, Seq) else items[0], (Seq, Expr)
            )
        case Map(items=pairs):
            return any(isinstance(item, (Seq, Expr)) and _holds_tensors(item) for _, item in pairs)
        case _:
            return False


def _wrapped(wrapper: Wrapper, given: Given, state: State, frame: Frame) -> Abstract:
    op = given.op
    if wrapper.part == "arguments":
        kept = [_unchanged(value) for value in given.positional]
        keywords = dict(given.keywords)
        kept += [_unchanged(keywords[name]) for name in (wrapper.module.keyword, *wrapper.others) if name in keywords]
        if len(kept) == 1:
            return kept[0]
        return Seq("tuple", tuple(kept)) if kept else fresh(frame, state, op.span)
    module = given.get(wrapper.module.position, wrapper.module.keyword)
    if module is None:
        return fresh(frame, state, op.span)
    if wrapper.relation == "copy":
        result = _copied(module, given, state, frame)
        if wrapper.mode is not None and isinstance(result, Obj):
            put(result.id, frozenset({_origin(Mode(wrapper.mode), OriginKind.BUILT, op, frame)}), state, frame)
        if wrapper.attribute is not None and isinstance(result, Obj):
            state.store[(result.id, wrapper.attribute)] = result
        return result
    result = module
    if isinstance(module, Obj):
        frame.info(module.id).evidence.add("wrapped")
        if wrapper.mode is not None:
            put(module.id, frozenset({_origin(Mode(wrapper.mode), OriginKind.BUILT, op, frame)}), state, frame)
    if wrapper.part == "first":
        optimizer = next((v for v in given.all() if isinstance(v, Optim)), None)
        rest = optimizer if optimizer is not None else fresh(frame, state, op.span, "optimizer")
        return Seq("tuple", (result, rest, *(fresh(frame, state, op.span, f"part{i}") for i in (2, 3))))
    return result


def _unchanged(value: Abstract) -> Abstract:
    return value


def _copied(value: Abstract, given: Given, state: State, frame: Frame) -> Abstract:
    """A copy is another module in the same mode."""
    if isinstance(value, Seq):
        return Seq(value.kind, tuple(_copied(entry, given, state, frame) for entry in value.items))
    if not isinstance(value, Obj):
        return value
    origins = state.origins(value.id)
    old, taint = frame.info(value.id), state.taint_of(value)
    identity = new_identity(frame, given.op.span, f"copy of {value.id!r}")
    obj = renew(state, identity)
    info = frame.info(identity)
    info.cls, info.external, info.module = old.cls, old.external, old.module
    info.sensitive, info.layer = old.sensitive, old.layer
    info.evidence |= old.evidence
    if any(origin.kind is not OriginKind.ENTRY for origin in origins):
        state.modes[identity] = origins
    if taint:
        state.taints[identity] = taint
    return obj


def _managed(dotted: str, base: Abstract | None, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """A library's method that sets the modes it needs: a trainer's `fit`, an encoder's `encode`."""
    managing = lookup.self_moding(dotted)
    calling = lookup.framework_call(dotted)
    target: Abstract | None = base
    leaves = managing.leaves if managing is not None else calling.leaves if calling is not None else None
    if calling is not None and calling.model is not None:
        target = given.get(calling.model.position, calling.model.keyword)
    if leaves is not None and isinstance(target, Obj) and leaves != "unknown":
        put(target.id, frozenset({_origin(Mode(leaves), OriginKind.BUILT, given.op, frame)}), state, frame)
    result = fresh(frame, state, given.op.span)
    return [Outcome(state, result)]


# ------------------------------------------------------------------------------------------------ containers


def _container_method(base: Seq | Map | Iteration, name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    op = given.op
    match base, name:
        case Seq(kind=kind, items=items), "append" | "add" | "insert" if given.positional:
            added = given.positional[-1]
            if isinstance(added, Obj) and added.id[0] == "some" and is_chosen(added.id, state):
                added = Obj(("few", added.id[1]))
            looping = bool(frame.function.blocks[frame.block].loops)
            if looping:
                grown = items if added in items else (*items, added)
                kind = "grown"
            else:
                grown = (*items, added)
            _rebind(op.callee, Seq(kind, grown[-16:]), state, frame)
            return [Outcome(state, NONE)]
        case Seq(items=items), "extend" if given.positional:
            added_items = given.positional[0].items if isinstance(given.positional[0], Seq) else (given.positional[0],)
            grown = (*items, *(entry for entry in added_items if entry not in items))
            exact = isinstance(given.positional[0], Seq) and base.kind == "list" and not frame.loops()
            _rebind(op.callee, Seq("list" if exact else "grown", grown[:16]), state, frame)
            return [Outcome(state, NONE)]
        case Seq(items=items), "pop" if items:
            return [Outcome(state, items[-1] if len(items) == 1 else shallow(Expr("opaque", items)))]
        case Seq(), "copy":
            return [Outcome(state, base)]
        case Seq(), "clear":
            _rebind(op.callee, Seq("grown", ()), state, frame)
            return [Outcome(state, NONE)]
        case Map(), "values" | "items" | "keys":
            return [Outcome(state, Iteration(name, (base,)))]
        case Map(items=pairs), "get" if given.positional:
            for key, value in pairs:
                if key == given.positional[0]:
                    return [Outcome(state, value)]
        case Map(items=pairs), "update" if given.positional and isinstance(given.positional[0], Map):
            new = dict(pairs) | dict(given.positional[0].items)
            _rebind(op.callee, Map(tuple(new.items())[:24]), state, frame)
            return [Outcome(state, NONE)]
        case Map(), "copy":
            return [Outcome(state, base)]
        case _:
            pass
    return unknown(given, state, frame, receiver=base)


def _rebind(callee: ir.Value, value: Abstract, state: State, frame: Frame) -> None:
    """A container was changed: the variable or attribute that holds it holds the changed one."""
    if isinstance(callee, ir.Attribute):
        store(callee.value, value, state, frame)


def store(target: ir.Value, value: Abstract, state: State, frame: Frame) -> None:
    """Bind a name, attribute or item."""
    match target:
        case ir.Name(id=name):
            write_name(name, value, state, frame)
        case ir.Temp(number=number):
            state.env[f"%{number}"] = value
        case ir.Attribute(value=inner, name=name):
            owner = evaluate(inner, state, frame)
            match owner:
                case Obj(id=identity) if name == "training" and identity[0] == "some":
                    if not is_chosen(identity, state):  # `for m in model.modules(): m.training = saved[m]`
                        put(identity, frozenset({Origin(Mode.UNKNOWN, OriginKind.ENTRY)}), state, frame)
                case Obj(id=identity):
                    _forget(identity, name, state)
                    state.store[(identity, name)] = value
                    if isinstance(value, Obj) and value.id != identity:
                        frame.info(value.id).owners.add(identity)
                    if isinstance(value, Obj) and value.id[0] == "new" and frame.info(value.id).name is None:
                        frame.info(value.id).name = source_of(target, frame)
                case Cls(path=path, qualname=qualname):
                    state.store[(("class", path, qualname), name)] = value
                case _:
                    pass
        case ir.Item(value=inner, index=index):
            _store_item(inner, evaluate(inner, state, frame), evaluate(index, state, frame), value, state, frame)
        case _:
            pass


def _store_item(
    target: ir.Value, owner: Abstract, key: Abstract, value: Abstract, state: State, frame: Frame
) -> None:
    match owner:
        case Map(items=pairs):
            if not isinstance(key, Known) and frame.function.blocks[frame.block].loops:
                taint = state.taint_of(value) | state.taint_of(owner)
                if not any(_holds_module(held, frame) for held in (value, *(v for _, v in pairs))):
                    identity = ("attr", ("dict", frame.path, frame.function.qualname), source_of(target, frame))
                    state.taints[identity] = taint
                    store(target, Obj(identity), state, frame)
                    return
            new = tuple(pair for pair in pairs if pair[0] != key) + ((key, value),)
            store(target, Map(new[-24:]), state, frame)
        case Seq(kind=kind, items=items):
            if isinstance(key, Known) and isinstance(key.value, int) and -len(items) <= key.value < len(items):
                changed = list(items)
                changed[key.value] = value
                store(target, Seq(kind, tuple(changed)), state, frame)
            elif value not in items:
                store(target, Seq("grown", (*items, value)[:16]), state, frame)
        case Obj(id=identity):
            name = ("item", key.value if isinstance(key, Known) else key)
            if isinstance(key, Known) or _holds_module(value, frame):
                _forget(identity, name, state)
                state.store[(identity, name)] = value
            taint = state.taint_of(value)
            if taint:
                state.taints[identity] = state.taints.get(identity, NO_TAINT) | taint
        case _:
            pass


def _holds_module(value: Abstract, frame: Frame) -> bool:
    return params_in(value) is not None or any(
        frame.info(identity).module or frame.info(identity).evidence for identity in identities(value)
    )


def _forget(identity: Identity, name: object, state: State) -> None:
    """An attribute gets a new value: what was known of the old one under that name is gone."""
    if isinstance(name, str):
        old: Identity = ("attr", identity, name)
        if any(is_within(known, old) for known in state.modes) or state.guards:
            renew(state, old)


def _grow(base: Obj, identity: Identity, given: Given, state: State, frame: Frame) -> list[Outcome]:
    taint = NO_TAINT
    for value in given.all():
        taint |= state.taint_of(value)
    if taint:
        state.taints[identity] = state.taints.get(identity, NO_TAINT) | taint
    return [Outcome(state, NONE)]


# ------------------------------------------------------------------------------------------------ forward, backward, step


def forward(
    identity: Identity, given: Given, text: str, state: State, frame: Frame, sure: bool = True
) -> Outcome:
    """A module runs its layers; the result stems from this forward and from all that went in."""
    op = given.op
    if _is_indifferent(identity, text, state, frame):
        result = fresh(frame, state, op.span)
        _flow_into(result.id, given.all(), state, frame)
        return Outcome(state, result)
    origins = state.origins(identity)
    arguments = tuple(source_of(argument.value, frame) for argument in op.arguments)
    reason = evaluation_reason(frame, state) or argument_reason(arguments)
    place = _place(text, identity, frame)
    key = (
        "forward", frame.path, op.span, frame.chain, identity, frozenset(o.mode for o in origins), state.grads,
        reason is None, frozenset((g.test, g.holds) for g in state.guards), _counters(state),
    )
    found = frame.linker.events.forwards.get(key)
    if found is None:
        found = Forward(
            key, frame.path, frame.function.qualname, op.span, op.statement, frame.chain, frame.loops(), place, identity,
            origins, state.grads is False, reason, sure, frame.in_forward, arguments, state.doubt, state.trail,
            frame.entered if isinstance(frame.receiver, Obj) and is_within(identity, frame.receiver.id) else None,
        )
        frame.linker.events.forwards[key] = found
    else:
        found.origins = unite_origins(found.origins, origins)
        if found.doubt and not state.doubt:
            found.doubt, found.trail = False, state.trail
    for value in given.all():
        for event_key in state.taint_of(value):
            event = frame.linker.events.forwards.get(event_key)
            if event is not None:
                event.fate.add("kept")
    inherited = NO_TAINT
    for value in given.all():
        inherited |= state.taint_of(value)
    _mark_inferred(identity, state, state.grads is False or reason is not None, frame)
    result = fresh(frame, state, op.span)
    state.taints[result.id] = inherited | {key}
    return Outcome(state, result)


def _is_indifferent(identity: Identity, text: str, state: State, frame: Frame) -> bool:
    """Whether the mode of what is called cannot matter: a loss, or layers that do not listen to it."""
    info = frame.info(identity)
    if info.module is False or info.sensitive is False and identity[0] == "new":
        return True
    last = words(text.rpartition(".")[2])
    return bool(last) and last[-1] in LOSS_WORDS and identity not in state.modes and not info.evidence


def _mark_inferred(identity: Identity, state: State, evaluating: bool, frame: Frame) -> None:
    """An inference has run: noted with the `eval()` that the module, its parts and the whole it belongs to are in."""
    if not evaluating:
        return
    for place, origins in list(state.modes.items()):
        if any(o.mode is Mode.EVAL and not o.inferred for o in origins) and _related(place, identity, frame):
            state.modes[place] = frozenset(replace(o, inferred=True) if o.mode is Mode.EVAL else o for o in origins)


def _counters(state: State) -> frozenset[tuple[str, Abstract]]:
    return frozenset((name, value) for name, value in state.env.items() if name.startswith("<iter"))


def _maybe_forward(
    base: Obj, identity: Identity, name: str, given: Given, text: str, state: State, frame: Frame
) -> list[Outcome]:
    """A method that nobody knows: it may run the layers of a module."""
    is_output = identity in state.taints and identity not in state.modes
    outcomes = unknown(given, state, frame, receiver=base)
    if is_output and not _is_proved(identity, state, frame):
        return outcomes
    if not _is_proved(identity, state, frame) and identity not in state.modes:
        if not set(words(text.rpartition(".")[0].rpartition(".")[2])) & MODULE_WORDS:
            return outcomes
    if name.startswith("__") or name in ("keys", "copy", "format", "split", "view", "reshape", "save", "save_pretrained", "log", "info", "print"):
        return outcomes
    results: list[Outcome] = []
    for outcome in outcomes:
        made = forward(identity, given, text.rpartition(".")[0], outcome.state, frame, sure=False)
        results.append(made)
    return results


def _place(text: str, identity: Identity, frame: Frame) -> str:
    for suffix in (".forward", ".__call__"):
        text = text.removesuffix(suffix)
    method = text.rpartition(".")
    if method[0] and lookup.forward_method(method[2]) is not None:
        text = method[0]
    return text


def place_name(identity: Identity, state: State, frame: Frame) -> str:
    """How the user would write an object: the variable that holds it here, else where it comes from."""
    best: str | None = None
    for name, value in state.env.items():
        if value == Obj(identity) and not name.startswith(("%", "<")):
            best = name if best is None or len(name) < len(best) else best
    if best is not None:
        return best
    for (owner, name), value in state.store.items():
        if value == Obj(identity) and isinstance(name, str) and not name.startswith("<"):
            if owner[0] == "scope":
                return name
            holder = frame.receiver
            if isinstance(holder, Obj) and holder.id == owner:
                return f"self.{name}"
            best = name
    return best or _identity_name(identity, state, frame)


def _identity_name(identity: Identity, state: State, frame: Frame) -> str:
    match identity:
        case ("attr", owner, str() as name):
            holder = frame.receiver
            if isinstance(holder, Obj) and holder.id == owner:
                return f"self.{name}"
            return f"{place_name(owner, state, frame)}.{name}"
        case ("item", owner, key):
            return f"{place_name(owner, state, frame)}[{key!r}]" if isinstance(key, (str, int)) else place_name(owner, state, frame)
        case ("each" | "some", owner):
            return place_name(owner, state, frame)
        case ("param" | "local" | "global", *_, str() as name):
            return name
        case ("self", *_):
            return "self"
        case _:
            return frame.info(identity).name or "the module"


def _backward(base: Abstract, given: Given, state: State, frame: Frame) -> list[Outcome]:
    taint = state.taint_of(base)
    loss = base
    if given.positional and (not taint or state.taint_of(given.positional[0])):
        loss = given.positional[0]
    _through_backward(loss, given, state, frame)
    return [Outcome(state, NONE)]


def _through_backward(loss: Abstract, given: Given, state: State, frame: Frame) -> None:
    op = given.op
    place = (frame.path, frame.function.qualname, op.span)
    frame.linker.events.backwards.setdefault(
        place, Backward(frame.path, frame.function.qualname, op.span, frame.loops())
    )
    for key in state.taint_of(loss):
        event = frame.linker.events.forwards.get(key)
        if event is None:
            continue
        if event.grads_off:
            event.fate.add("target")
        else:
            event.fate.add("backward")
            state.backed[event.id] = unite_origins(state.backed.get(event.id, frozenset()), event.origins)


def _optimizer_method(base: Optim, name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    if name == "step":
        return _step_of(base, source_of(given.op.callee, frame), given, state, frame)
    if name == "add_param_group":
        held = _params_of(given)
        if held is not None and base.of is not None:
            _rebind(given.op.callee, Optim(base.of | held, base.id), state, frame)
        return [Outcome(state, NONE)]
    return [Outcome(state, fresh(frame, state, given.op.span))]


def _step(base: Obj, identity: Identity, name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """`x.step()` of an object that is no known optimizer: its name decides."""
    text = source_of(given.op.callee, frame)
    owner = text.rpartition(".")[0]
    if given.positional and isinstance(given.positional[0], Optim):  # scaler.step(optimizer)
        return _step_of(given.positional[0], _argument_text(given.op.arguments[0], frame), given, state, frame)
    info = frame.info(identity)
    if name == "optimizer_step":  # strategy.optimizer_step(optimizer, model, scheduler)
        return _step_of(given.positional[0] if given.positional else base, text, given, state, frame)
    if info.external is not None and lookup.scheduler(info.external) is not None:
        return [Outcome(state, NONE)]
    receiver = step_receiver(owner.rpartition(".")[2]) or step_receiver(owner)
    if receiver == "scaler" and given.positional:
        return _step_of(given.positional[0], _argument_text(given.op.arguments[0], frame), given, state, frame)
    if receiver == "optimizer":
        return _step_of(base, text, given, state, frame)
    if receiver == "engine" or _is_proved(identity, state, frame):
        if not given.positional:
            return _step_of(Optim(frozenset({identity})), text, given, state, frame)
    for value in given.all():
        for key in state.taint_of(value):
            event = frame.linker.events.forwards.get(key)
            if event is not None and set(words(owner)) & ENVIRONMENT_WORDS | {"step"}:
                event.fate.add("acted")
    return unknown(given, state, frame, receiver=base)


def _step_of(optimizer: Abstract, text: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """Weights change: those of the modules that the optimizer holds, or, if nobody knows which, of all that the last
    backward went through."""
    if given.positional and isinstance(given.positional[0], Fn):  # LBFGS: optimizer.step(closure)
        inner = Given(given.op, [], [], True)
        states = [o.state for o in call_value(given.positional[0], inner, state, frame) if not o.raised]
    else:
        states = [state]
    results: list[Outcome] = []
    for after in states:
        held = optimizer.of if isinstance(optimizer, Optim) else None
        targets: list[tuple[Identity, Origins, bool]] = []
        if held is not None:
            for identity in sorted(held, key=repr):
                backed = _backed(identity, after, frame)
                targets.append((identity, backed or after.origins(identity), bool(backed)))
        else:
            targets = [(identity, origins, True) for identity, origins in sorted(after.backed.items(), key=repr)]
        for identity, origins, exercised in targets:
            _record_step(identity, origins, exercised, held is not None, given, after, frame)
            now = after.origins(identity)
            if all(o.kind in (OriginKind.ENTRY, OriginKind.ASSUMED, OriginKind.BUILT, OriginKind.LOADED) and o.mode is not Mode.EVAL for o in now):
                op = given.op
                after.modes[identity] = frozenset(
                    {Origin(Mode.TRAIN, OriginKind.TRAINED, frame.path, frame.site(op.span), frame.chain, frame.function.qualname, f"{source_of(op.callee, frame)}()")}
                )
        if held is None:
            after.backed = {}
        else:
            for identity in [i for i in after.backed if any(_related(i, h, frame) for h in held)]:
                del after.backed[identity]
        results.append(Outcome(after, fresh(frame, after, given.op.span)))
    return results


def _related(a: Identity, b: Identity, frame: Frame) -> bool:
    return is_part(a, b, frame.infos) or is_part(b, a, frame.infos)


def _backed(identity: Identity, state: State, frame: Frame) -> Origins:
    found: Origins = frozenset()
    for other, origins in state.backed.items():
        if _related(identity, other, frame):
            found = unite_origins(found, origins)
    return found


def _record_step(
    identity: Identity, origins: Origins, exercised: bool, held: bool, given: Given, state: State, frame: Frame
) -> None:
    op = given.op
    now = state.origins(identity)
    key = ("step", frame.path, op.span, frame.chain, identity, frozenset(o.mode for o in now | origins), state.doubt)
    found = frame.linker.events.steps.get(key)
    if found is None:
        frame.linker.events.steps[key] = TrainingStep(
            key, frame.path, frame.function.qualname, op.span, op.statement, frame.chain, frame.loops(),
            place_name(identity, state, frame), identity, origins, now, held, evaluation_reason(frame, state), state.doubt,
            state.trail, exercised,
        )
    else:
        found.origins = unite_origins(found.origins, origins)
        found.now = unite_origins(found.now, now)
        found.exercised = found.exercised or exercised


def _reveal(given: Given, state: State, frame: Frame) -> None:
    value = given.positional[0]
    op = given.op
    for identity in identities(value):
        origins = state.origins(identity)
        place = source_of(op.arguments[0].value, frame)
        key = ("reveal", frame.path, op.span, frame.chain, identity, frozenset(o.mode for o in origins), state.doubt)
        frame.linker.events.reveals.setdefault(
            key, Reveal(key, frame.path, frame.function.qualname, op.span, place, origins, state.doubt)
        )


# ------------------------------------------------------------------------------------------------ the unknown


def unknown(
    given: Given, state: State, frame: Frame, receiver: Abstract | None = None, dotted: str | None = None
) -> list[Outcome]:
    """A call of something that nobody knows: it keeps every mode (rather a missed alarm than a false one)."""
    op = given.op
    text = source_of(op.callee, frame)
    result = fresh(frame, state, op.span)
    values = given.all() if receiver is None else [receiver, *given.all()]
    _flow_into(result.id, values, state, frame, escaping=dotted is None or not dotted.startswith(("torch.", "builtins.")))
    if isinstance(receiver, Obj) and not _is_proved(receiver.id, state, frame):
        taint = NO_TAINT
        for value in given.all():
            taint |= state.taint_of(value)
        if taint:
            state.taints[receiver.id] = state.taints.get(receiver.id, NO_TAINT) | taint
    _handed_to_evaluation(text, given, receiver, state, frame)
    params = _params_of(given)
    if params is not None:
        if set(words(text)) & {"optim", "optimizer", "opt", "adam", "sgd"} or text.rpartition(".")[2][:1].isupper():
            return [Outcome(state, Optim(params, result.id))]
        return [Outcome(state, Params(params))]
    last = text.rpartition(".")[2]
    if receiver is None and _names_module(last):
        info = frame.info(result.id)
        info.external = dotted or text
        state.modes[result.id] = frozenset({_origin(Mode.TRAIN, OriginKind.ASSUMED, op, frame)})
    elif set(words(last)) & {"optim", "optimizer"} and given.complete:
        held = frozenset(
            value.id for value in given.all() if isinstance(value, Obj) and _is_proved(value.id, state, frame)
        )
        if held:
            return [Outcome(state, Optim(held, result.id))]
    return [Outcome(state, result)]


def _names_module(name: str) -> bool:
    """Whether what a call of that name returns is probably a new module: `ResNet(...)`, `build_model(...)`."""
    found = words(name)
    if not found or found[-1] in NOT_MODULE_WORDS | NOT_MADE_MODULE_WORDS:
        return False
    if name[:1].isupper():
        return bool(set(found) & MODULE_WORDS) or not name.isupper()
    return bool(set(found) & MODULE_WORDS) and bool(set(found) & MAKING_WORDS)


def _handed_to_evaluation(
    text: str, given: Given, receiver: Abstract | None, state: State, frame: Frame
) -> None:
    """`evaluate(model, val_loader)` of another file: an inference has run in the mode that the model is in."""
    arguments = [source_of(argument.value, frame) for argument in given.op.arguments]
    if not (says_evaluation(text) or any(says_test_data(argument) for argument in arguments)):
        return
    for value in given.all():
        for identity in identities(value):
            if identity in state.modes or identity[0] == "attr":
                _mark_inferred(identity, state, True, frame)


def _flow_into(
    identity: Identity, values: Sequence[Abstract], state: State, frame: Frame, escaping: bool = False
) -> None:
    taint = NO_TAINT
    for value in values:
        taint |= state.taint_of(value)
    if taint:
        state.taints[identity] = taint
        for key in taint:
            event = frame.linker.events.forwards.get(key)
            if event is not None:
                event.fate.add("kept")
                if escaping:
                    event.fate.add("escaped")


def advance(generator: Generator, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """`next(generator)`: run it to its next yield. At its end it raises, or gives the default."""
    yielded, ended = resume(generator, state, frame, given.op)
    default = given.positional[1] if len(given.positional) > 1 else None
    results = [Outcome(o.state, default or NONE, o.raised or default is None) for o in ended]
    return results + [Outcome(after, value) for after, _, value in yielded]


def resume(
    generator: Generator, state: State, frame: Frame, op: Op
) -> tuple[list[tuple[State, Generator, Abstract]], list[Outcome]]:
    """Run a generator to its next yield or its end; whoever holds it holds it there."""
    yielded, ended = frame.linker.resume(generator, state, frame, op)
    for after, suspended, _ in yielded:
        _move_on(suspended, after)
    for outcome in ended:
        _move_on(replace(generator, at=OVER, variables=()), outcome.state)
    return yielded, ended


def exhaust(generator: Generator, state: State, frame: Frame, op: Op, stops: bool = False) -> list[Outcome]:
    """`list(generator)`: run it to its end; the value is the list of what it has handed out. `stops` if it may be left at
    any value, as by `any`."""
    ended: list[Outcome] = []
    handed: dict[Abstract, None] = {}
    seen: set[Hashable] = set()
    waiting = [(state, generator)]
    while waiting:
        before, current = waiting.pop()
        yielded, over = resume(current, before, frame, op)
        ended += over
        for after, suspended, value in yielded:
            handed[value] = None
            key = (after.fingerprint(), suspended)
            if key in seen:
                continue
            seen.add(key)
            if stops or len(seen) >= MOST_YIELDS:
                ended.append(Outcome(after.copy(), NONE))
            if len(seen) < MOST_YIELDS:
                waiting.append((after, suspended))
    return [Outcome(o.state, o.value if o.raised else Seq("grown", tuple(handed)[:16]), o.raised) for o in ended]


def _move_on(generator: Generator, state: State) -> None:
    for name, held in list(state.env.items()):
        if isinstance(held, (Generator, Iteration)):
            state.env[name] = _moved_on(held, generator)
    for key, held in list(state.store.items()):
        if isinstance(held, (Generator, Iteration)):
            state.store[key] = _moved_on(held, generator)


def _moved_on(value: Abstract, generator: Generator) -> Abstract:
    match value:
        case Generator(id=identity) if identity == generator.id:
            return generator
        case Iteration(kind=kind, of=inner):
            return Iteration(kind, tuple(_moved_on(held, generator) for held in inner))
        case _:
            return value


def _given(op: Call, state: State, frame: Frame) -> Given:
    positional: list[Abstract] = []
    keywords: list[tuple[str, Abstract]] = []
    complete = True
    for argument in op.arguments:
        value = evaluate(argument.value, state, frame)
        if argument.stars == 1:
            if isinstance(value, Seq) and value.kind != "grown":
                positional.extend(value.items)
            else:
                complete = False
                if params_in(value) is not None or isinstance(value, Seq):
                    positional.extend(value.items if isinstance(value, Seq) else (value,))
        elif argument.stars == 2:
            if isinstance(value, Map) and all(isinstance(key, Known) for key, _ in value.items):
                keywords.extend((str(key.value), held) for key, held in value.items if isinstance(key, Known))
            else:
                complete = False
        elif argument.keyword is not None:
            keywords.append((argument.keyword, value))
        else:
            positional.append(value)
    return Given(op, positional, keywords, complete)


def _super(given: Given, frame: Frame) -> Abstract:
    owner = frame.function.owner
    if given.positional and isinstance(given.positional[0], Cls) and len(given.positional) > 1:
        return Super(given.positional[0], given.positional[1])
    if owner is None or frame.receiver is None:
        return Obj(("unknown",))
    return Super(Cls(frame.path, owner), frame.receiver)


def _params_of(given: Given) -> frozenset[Identity] | None:
    found: set[Identity] = set()
    any_found = False
    for value in given.all():
        held = params_in(value)
        if held is not None:
            any_found = True
            found |= held
    return frozenset(found) if any_found else None


def _argument_text(argument: Argument, frame: Frame) -> str:
    prefix = "*" * argument.stars + (f"{argument.keyword}=" if argument.keyword else "")
    return prefix + source_of(argument.value, frame)


__all__ = ["Assign", "Op", "Span", "call", "call_method", "call_value", "construct", "forward", "place_name", "store"]
