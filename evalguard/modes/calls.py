"""What a call means.

The callee is looked at as a value: a function of the project (its summary is asked for), a class of the project (an
object is made), a name of a library (the tables know it or it is unknown), a method of an object, or an object itself,
which is then a forward. Every call gives a list of outcomes, one for each path.

    net = Net()          construct: a new object in train mode, after its `__init__`
    net.eval()           a method: switches the object
    y = net(x)           forward: `y` stems from it
    validate(net, y)     a function of the project: run from this state
    torch.save(net, p)   a library: the tables say that it changes no mode
"""

from __future__ import annotations

from dataclasses import replace

from evalguard.ir import values as ir
from evalguard.ir.ops import Call
from evalguard.ir.plain import changed
from evalguard.modes.arguments import Given, arguments_of, named_too
from evalguard.modes.choices import choices, each_of
from evalguard.modes.comparison import BOUND_METHODS
from evalguard.modes.containers import container_method, grow, store_attributes
from evalguard.modes.evaluate import attribute, evaluate
from evalguard.modes.exports import export_method
from evalguard.modes.frame import Frame, Outcome, fresh, new_identity, source_of
from evalguard.modes.generators import advance, exhaust
from evalguard.modes.libraries import call_library, exported, knows_method, wrapped
from evalguard.modes.managers import enter_manager, free_slot
from evalguard.modes.mode_calls import is_mode_call, may_be_module, switch_called
from evalguard.modes.objects import construct, is_assigned_part, is_proved, made, mark_loaded
from evalguard.modes.passes import backward_method, forward, maybe_forward, record_reveal
from evalguard.modes.state import State
from evalguard.modes.steps import optimizer_method, step_by_table, step_method
from evalguard.modes.switch import switch
from evalguard.modes.unknown import makes_optimizer, unknown
from evalguard.modes.values import (
    NONE,
    OVER,
    Abstract,
    Cls,
    Expr,
    Ext,
    Fn,
    Generator,
    Identity,
    Iteration,
    Known,
    Map,
    Mod,
    Mode,
    Obj,
    Optim,
    Params,
    Partial,
    Seq,
    Super,
    part_of,
)
from evalguard.vocabulary import lookup
from evalguard.vocabulary.lookup import SAME_OBJECT_METHODS
from evalguard.vocabulary.methods import (
    CHILD_METHODS,
    EVIDENCE_METHODS,
    LEAVING_TORCH,
    MODE_SETTING_METHODS,
    OPTIMIZERS_TOO,
    PARAMETER_METHODS,
    SUBMODULE_METHODS,
    UNTAINTED_METHODS,
)
from evalguard.vocabulary.terms import Runner
from evalguard.vocabulary.words import step_receiver


def call(op: Call, state: State, frame: Frame) -> list[Outcome]:
    """The outcomes of a call; the result is not yet bound."""
    for argument in op.arguments:
        unpacked = evaluate(argument.value, state, frame) if argument.stars == 1 else None
        if isinstance(unpacked, Generator) and unpacked.at != OVER:
            ends = exhaust(unpacked, state, frame, op)
            raised = [end for end in ends if end.raised]
            return raised + [after for end in ends if not end.raised for after in call(op, end.state, frame)]
    given = arguments_of(op, state, frame)
    callee = op.callee
    named = _called_by_name(given, state, frame)
    if named is not None:
        return call_value(*named, frame)
    if isinstance(callee, ir.Attribute):
        base = evaluate(callee.value, state, frame)
        return call_method(base, callee.name, given, state, frame)
    if isinstance(callee, ir.Name) and callee.id == "reveal_mode" and given.positional:
        record_reveal(given, state, frame)
        return [Outcome(state, NONE)]
    if isinstance(callee, ir.Name) and callee.id == "super":
        return [Outcome(state, _super(given, frame))]
    return call_value(evaluate(callee, state, frame), given, state, frame)


def call_value(callee: Abstract, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """Call a value."""
    told = frame.linker.told(callee) if isinstance(callee, (Fn, Cls)) else None
    if told is not None:
        bound_to = callee.bound if isinstance(callee, Fn) else None
        cls = callee if isinstance(callee, Cls) else None
        return call_library(told.name, named_too(given, told.parameters), state, frame, cls, bound_to)
    match callee:
        case Fn():
            return frame.linker.call(callee, given.positional, given.keywords, state, frame, given.op)
        case Cls():
            for foreign in frame.linker.class_view(callee).foreign:  # an optimizer or a scheduler of the project's own
                if lookup.optimizer(foreign) is not None or lookup.scheduler(foreign) is not None:
                    return call_library(foreign, given, state, frame)
            return construct(callee, given, state, frame)
        case Ext(name=dotted):
            return _named(dotted, given, state, frame)
        case Partial(function=function, arguments=arguments, keywords=keywords):
            given = replace(given, positional=[*arguments, *given.positional], keywords=[*keywords, *given.keywords])
            return call_value(function, given, state, frame)
        case Obj(id=identity):
            if (
                identity[0] == "attr"
                and identity[2] in BOUND_METHODS
                and isinstance(given.op.callee, (ir.Name, ir.Temp))
            ):
                return call_method(Obj(identity[1]), identity[2], given, state, frame)
            info = frame.info(identity)
            runner = lookup.runner(f"{info.external}.__call__") if info.external is not None else None
            run = _run_by(runner, given.op) if runner is not None else None
            if run is not None:
                return call(run, state, frame)
            cls = info.cls
            if cls is not None:
                view = frame.linker.class_view(cls)
                method = frame.linker.method(cls, "__call__")
                if method is not None and view.module is not True:
                    bound = changed(method, bound=callee)
                    return frame.linker.call(bound, given.positional, given.keywords, state, frame, given.op)
                if view.module is False:
                    return unknown(given, state, frame, receiver=callee)
            text = source_of(given.op.callee, frame)
            if makes_optimizer(text) and not is_proved(identity, frame):
                return unknown(given, state, frame)  # a class of optimizers that was given
            return [forward(identity, given, text, state, frame)]
        case Expr(operator="[]" | "or") if chosen := choices(callee, given, state, frame):
            return each_of(chosen, given, frame, lambda entry, own, path: call_value(entry, own, path, frame))
        case Expr(operator=operator, operands=(inner, *_)) if operator.startswith("."):
            return call_method(inner, operator[1:], given, state, frame)
        case Seq(items=items) if items and all(isinstance(entry, (Fn, Obj, Cls)) for entry in items):
            return [outcome for entry in items[:4] for outcome in call_value(entry, given, state.copy(), frame)]
        case _:
            return unknown(given, state, frame, receiver=callee)


def call_method(base: Abstract, name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """Call `base.name(...)`."""
    match base:
        case Ext() | Mod():
            return call_value(attribute(base, name, state, frame), given, state, frame)
        case Obj():
            return _object_method(base, name, given, state, frame)
        case Super(cls=cls, receiver=receiver):
            found = attribute(base, name, state, frame)
            if isinstance(found, Fn):
                return call_value(found, given, state, frame)
            if isinstance(receiver, Obj):
                return _module_method(receiver, name, given, state, frame)
            return unknown(given, state, frame)
        case Cls() as cls:
            found = attribute(base, name, state, frame)
            if isinstance(found, (Fn, Cls)):
                return call_value(found, given, state, frame)
            for foreign in frame.linker.class_view(cls).foreign:
                known = lookup.factory(f"{foreign}.{name}") is not None or knows_method(f"{foreign}.{name}")
                if known or name == "from_pretrained":
                    return call_library(f"{foreign}.{name}", given, state, frame, cls)
            if name in ("load_from_checkpoint", "from_config", "from_name"):
                return [Outcome(state, made(given, state, frame, Mode.TRAIN, cls=cls))]
            return unknown(given, state, frame)
        case Seq() | Map() | Iteration():
            return container_method(base, name, given, state, frame)
        case Params():
            if name in ("requires_grad_", "keys", "values", "items", "copy", "to", "cuda"):
                return [Outcome(state, base)]
            return unknown(given, state, frame, receiver=base)
        case Optim():
            return optimizer_method(base, name, given, state, frame)
        case Fn() | Partial() if name == "__call__":
            return call_value(base, given, state, frame)
        case Generator() if name in ("__next__", "send"):
            return advance(base, given, state, frame)
        case Expr(operator="[]" | "or") if chosen := choices(base, given, state, frame):
            return each_of(chosen, given, frame, lambda entry, own, path: call_method(entry, name, own, path, frame))
        case _:
            if name == "backward":
                return backward_method(base, given, state, frame)
            if name in UNTAINTED_METHODS:
                return [Outcome(state, fresh(frame, state, given.op.span))]
            return unknown(given, state, frame, receiver=base)


def _named(dotted: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """A name of a library is called; `map` and runners call what they are given."""
    if dotted == "builtins.map" and len(given.positional) >= 2:
        function = given.positional[0]
        if isinstance(function, (Fn, Cls, Partial)):
            inner = Given(given.op, [Obj(("each", new_identity(frame, given.op.span)))], [], True)
            outcomes = call_value(function, inner, state, frame)
            return [Outcome(o.state, Seq("grown", (o.value,)), o.raised) for o in outcomes]
    runner = lookup.runner(dotted)
    run = _run_by(runner, given.op) if runner is not None else None
    return call(run, state, frame) if run is not None else call_library(dotted, given, state, frame)


def _called_by_name(given: Given, state: State, frame: Frame) -> tuple[Cls | Fn, Given, State] | None:
    """What a call by name calls, with which arguments and from which state, if it is of the project."""
    last = source_of(given.op.callee, frame).rpartition(".")[2]
    if not lookup.may_be_namer(last):
        return None
    callee = evaluate(given.op.callee, state, frame)
    entry = lookup.namer(callee.name if isinstance(callee, Ext) else last)
    target = given.get(entry.target.position, entry.target.keyword) if entry is not None else None
    if entry is None or target is None:
        return None
    keywords = [(name, value) for name, value in given.keywords if name != entry.target.keyword]
    positional = given.positional
    if entry.key is not None:
        if not isinstance(target, Map):
            return None
        items = [(key.value, value) for key, value in target.items if isinstance(key, Known)]
        keywords += [(str(key), value) for key, value in items if key != entry.key]
        positional = [value for value in positional if value is not target]
        target = next((value for key, value in items if key == entry.key), NONE)
    if not isinstance(target, Known) or not isinstance(target.value, str):
        return None
    loaded = frame.linker.load(target.value, state, frame)
    found = frame.linker.imported(frame.path, target.value, loaded)
    if not isinstance(found, (Cls, Fn)):
        return None
    return found, replace(given, positional=positional, keywords=keywords), loaded


def _run_by(runner: Runner, op: Call) -> Call | None:
    """The call that a runner makes: `checkpoint(self.block, x)` is `self.block(x)`, as far as modes are concerned."""
    wanted = runner.module
    for position, argument in enumerate(op.arguments):
        if argument.stars:
            return None
        if argument.keyword == wanted.keyword or (argument.keyword is None and position == wanted.position):
            rest = op.arguments[:position] + op.arguments[position + 1 :]
            return changed(op, callee=argument.value, arguments=rest)
    return None


def _object_method(base: Obj, name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    identity = base.id
    info = frame.info(identity)
    if name == "update" and identity[0] == "attr" and identity[2] == "__dict__":
        store_attributes(identity[1], given, state, frame)
        return [Outcome(state, NONE)]
    stored = state.store.get((identity, name))
    if stored is not None:
        return call_value(stored, given, state, frame)
    if info.cls is not None:
        method = frame.linker.method(info.cls, name)
        view = frame.linker.class_view(info.cls)
        if method is not None and not (view.module is True and name in ("forward", *EVIDENCE_METHODS)):
            if frame.linker.is_property(method):
                return call_value(attribute(base, name, state, frame), given, state, frame)
            if frame.linker.is_static(method):
                return call_value(method, given, state, frame)
            bound = changed(method, bound=info.cls if frame.linker.is_class_method(method) else base)
            return call_value(bound, given, state, frame)
        if method is None and frame.linker.is_part(info.cls, name):
            return call_value(Obj(("attr", identity, name)), given, state, frame)
        if view.module is False and name in ("train", "eval") and not view.foreign:
            return unknown(given, state, frame, receiver=base)
    exporter = export_method(base, name, frame)
    if exporter is not None:
        return [Outcome(state, exported(exporter, base, given, state, frame))]
    for dotted in _full_names(base, name, frame):
        if knows_method(dotted):
            return call_library(dotted, given, state, frame, base=base)
    return _module_method(base, name, given, state, frame)


def _full_names(base: Obj, name: str, frame: Frame) -> list[str]:
    """The names under which tables may know a method that is not of the project: of the class that made the object or
    of which an annotation says that it holds one, of the libraries' classes that its class inherits from, or, if a user
    has told of it, its own."""
    info = frame.info(base.id)
    external = info.external or _annotated_class(base.id, frame)
    owners = [external] if external is not None else []
    if info.cls is not None:
        owners += frame.linker.class_view(info.cls).foreign
    return [*(f"{owner}.{name}" for owner in owners), *([name] if lookup.told(name) == name else [])]


def _annotated_class(identity: Identity, frame: Frame) -> str | None:
    """The library's class of which an annotation says that an attribute of an object of the project holds one."""
    owner = frame.info(identity[1]).cls if identity[0] == "attr" else None
    return frame.linker.annotated_class(owner, identity[2]) if owner is not None else None


def _module_method(base: Obj, name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """A method of an object of which no class says what it does: what PyTorch's names mean."""
    identity = base.id
    op, info = given.op, frame.info(identity)
    text = source_of(op.callee, frame)
    if (
        name in ("train", "eval")
        and is_mode_call(name, given, identity, frame)
        and may_be_module(identity, text, frame)
    ):
        return switch_called(base, name, given, state, frame)
    if name in MODE_SETTING_METHODS:
        switch(identity, Mode(MODE_SETTING_METHODS[name]), op.span, f"{text}()", state, frame)
        return [Outcome(state, base)]
    if name in PARAMETER_METHODS:
        info.evidence.add(name)
        return [Outcome(state, Params(frozenset({identity})))]
    if name in SUBMODULE_METHODS or name in CHILD_METHODS:
        info.evidence.add(name)
        part: Abstract = Obj(("some" if name in SUBMODULE_METHODS else "each", identity))
        if name.startswith("named_"):
            part = Seq("tuple", (Obj(("local", frame.path, "", "name")), part))
        return [Outcome(state, Iteration("of", (part,)))]
    if name == "get_submodule" and given.positional:
        info.evidence.add(name)
        return [Outcome(state, _submodule(base, given.positional[0], state, frame))]
    if name in EVIDENCE_METHODS and not (name in OPTIMIZERS_TOO and step_receiver(text.rpartition(".")[0])):
        info.evidence.add(name)
        if name == "load_state_dict":
            mark_loaded(identity, op, state, frame)
            return [Outcome(state, fresh(frame, state, op.span))]
    if name in SAME_OBJECT_METHODS:
        return [Outcome(state, base)]
    if name == "unwrap" or (given.positional and name in ("unwrap_model", "unwrap")):
        return [Outcome(state, given.positional[0] if given.positional else base)]
    known_wrapper = lookup.wrapper_method(name)
    if known_wrapper is not None and given.positional:
        return [Outcome(state, wrapped(known_wrapper, given, state, frame))]
    if lookup.backward(name) is not None:
        return backward_method(base, given, state, frame)
    if name in ("step", "optimizer_step"):
        return step_method(base, name, given, state, frame)
    if (stepping := lookup.step(name)) is not None:
        return step_by_table(stepping, base, given, state, frame)
    if name in LEAVING_TORCH:
        for event_key in state.taint_of(base):
            if event_key in frame.linker.events.forwards:
                frame.linker.events.forwards[event_key].fate.add(LEAVING_TORCH[name])
    if name in ("zero_grad", "item", "tolist") or name in UNTAINTED_METHODS:
        return [Outcome(state, fresh(frame, state, op.span))]
    if name in ("values", "items", "keys", "elements"):
        each: Abstract = Obj(part_of(identity, "each"))
        key: Abstract = Obj(("local", frame.path, "", "key"))
        element = each if name in ("values", "elements") else Seq("tuple", (key, each)) if name == "items" else key
        return [Outcome(state, Iteration("of", (element,)))]
    if name in ("append", "add", "insert", "extend", "update", "setdefault", "put", "write") and given.positional:
        return grow(identity, given, state, frame)
    if name == "get" and given.positional and isinstance(given.positional[0], Known):
        key_value = given.positional[0].value
        stored = state.store.get((identity, ("item", key_value)))
        return [Outcome(state, stored if stored is not None else Obj(("item", identity, key_value)))]
    if name == "enter_context" and given.positional:
        return enter_manager(given.positional[0], state, frame, op, free_slot(identity, state))
    method = lookup.forward_method(name)
    if method is not None and (
        method.unproved or is_proved(identity, frame) or (name == "forward" and is_assigned_part(identity, frame))
    ):
        return [forward(identity, given, text, state, frame)]
    if name in ("__enter__", "__exit__", "close"):
        return [Outcome(state, base)]
    return maybe_forward(base, name, given, text, state, frame)


def _submodule(base: Abstract, path: Abstract, state: State, frame: Frame) -> Abstract:
    """`net.get_submodule("head.norm")` is `net.head.norm`; by a name that nobody knows, one of the parts."""
    match base, path:
        case _, Known(value=str() as names):
            for name in names.split(".") if names else ():
                base = attribute(base, name, state, frame)
            return base
        case Obj(id=identity), _:
            return Obj(part_of(identity, "each"))
        case _:
            return base


def _super(given: Given, frame: Frame) -> Abstract:
    owner = frame.function.owner
    if given.positional and isinstance(given.positional[0], Cls) and len(given.positional) > 1:
        return Super(given.positional[0], given.positional[1])
    if owner is None or frame.receiver is None:
        return Obj(("unknown",))
    return Super(Cls(frame.path, owner), frame.receiver)
