"""What a call of a library's name does, by the tables of `evalguard.vocabulary` and for Python's own functions.

    torch.no_grad()              a manager that turns gradients off
    torch.optim.SGD(params)      an optimizer that holds the modules of these parameters
    nn.Dropout()                 a layer, which listens to the mode
    DataParallel(net)            `net` itself, for our purpose
    AutoModel.from_pretrained()  a module in eval mode
    Trainer(model, ...)          an object that holds `model`: its `evaluate()` leaves it in eval mode
    eval_mode(net)               a manager that puts `net` in eval mode

A name that no table has is unknown (see `unknown`). What a user has told of a function comes here too, also of one of
the project.
"""

from __future__ import annotations

from collections.abc import Sequence

from evalguard.modes.arguments import Given, params_of
from evalguard.modes.evaluate import attribute, member_by_name, shallow
from evalguard.modes.exports import export
from evalguard.modes.fits import fit
from evalguard.modes.frame import Frame, Outcome, fresh, new_identity, source_of
from evalguard.modes.generators import advance, exhaust
from evalguard.modes.guards import negate, truth
from evalguard.modes.managers import mode_manager
from evalguard.modes.objects import copied, is_list_of_modules, is_proved, keep_items, made, origin_of
from evalguard.modes.passes import forward, through_backward
from evalguard.modes.state import State
from evalguard.modes.steps import step_by_table, step_of
from evalguard.modes.switch import put
from evalguard.modes.unknown import flow_into, holds_tensors, mark_made_up, unknown
from evalguard.modes.values import (
    ENTRY,
    LONGEST,
    MOST_PAIRS,
    NONE,
    Abstract,
    Cls,
    Expr,
    Ext,
    Generator,
    Grad,
    Identity,
    Iteration,
    Known,
    Map,
    Mod,
    Mode,
    Obj,
    Optim,
    OriginKind,
    Params,
    Partial,
    Seq,
    identities,
    params_in,
)
from evalguard.vocabulary import lookup
from evalguard.vocabulary.methods import EVERY_MODULE_HAS, MADE_UP_TENSORS, TENSORS_OF_DATA
from evalguard.vocabulary.plain_types import PLAIN_TYPES
from evalguard.vocabulary.terms import Exporter, Factory, Rule, Wrapper
from evalguard.vocabulary.words import (
    EVALUATION_WORDS,
    LEARNING_FLAG_WORDS,
    MODE_WORDS,
    TRAINING_WORDS,
    words,
)

ISINSTANCE_KNOWN = frozenset("bool int float str bytes list tuple dict set".split())
PURE_BUILTINS = frozenset("isinstance hasattr len bool int float str callable type issubclass id abs min max".split())
REPACKING_BUILTINS = frozenset("list tuple set sorted reversed iter filter sum".split())
EXHAUSTING_BUILTINS = frozenset("list tuple set frozenset sorted sum min max any all dict".split())
DICTIONARIES = frozenset({"collections.OrderedDict"})  # an empty one is no more than a place to put things
PROGRESS_BARS = frozenset("tqdm.tqdm tqdm.auto.tqdm tqdm.notebook.tqdm tqdm.trange rich.progress.track".split())


def knows_method(dotted: str) -> bool:
    """Whether the tables say what a method does, by the full name of its class and itself."""
    questions = (lookup.self_moding, lookup.framework_call, lookup.wrapper, lookup.mode_manager, lookup.step)
    return any(ask(dotted) is not None for ask in questions) or lookup.told(dotted) is not None


def call_library(
    dotted: str, given: Given, state: State, frame: Frame, cls: Cls | None = None, base: Abstract | None = None
) -> list[Outcome]:
    """A call of a library's name; `base` is the object whose method it is, `cls` the class of what it makes."""
    op = given.op
    if dotted.startswith("builtins."):
        return _builtin(dotted.removeprefix("builtins."), given, state, frame)
    exporter = lookup.exporter(dotted)
    if exporter is not None:
        return [Outcome(state, exported(exporter, None, given, state, frame))]
    managing = lookup.mode_manager(dotted)
    if managing is not None:
        return [mode_manager(managing, base, given, state, frame)]
    stepping = lookup.step(dotted)
    if stepping is not None:
        return step_by_table(stepping, base, given, state, frame)
    if isinstance(base, Obj) and lookup.forward_method(dotted) is not None:
        frame.info(base.id).evidence.add(dotted)
        return [forward(base.id, given, source_of(op.callee, frame), state, frame)]
    gradients = lookup.gradients(dotted)
    if gradients is not None:
        enabled: Abstract = Known(gradients.effect == "on")
        if gradients.effect == "argument" and gradients.flag is not None:
            flag = given.get(gradients.flag.position, gradients.flag.keyword)
            enabled = Known(gradients.flag.default) if flag is None else flag
            if lookup.canonical(dotted) == "torch.inference_mode":
                enabled = negate(enabled)
        known = truth(enabled, state)
        manager = Grad(enabled if known is not None or not _says_only_who_learns(given, frame) else None)
        if gradients.acts_when_called:
            previous = Known(state.grads)
            state.env[f"<grads {op.result.number}>"] = previous
            if known is not None:
                state.grads = known
        return [Outcome(state, manager)]
    if lookup.optimizer(dotted) is not None:
        return [Outcome(state, _optimizer(dotted, given, frame))]
    if lookup.scheduler(dotted) is not None:
        obj = fresh(frame, state, op.span)
        frame.info(obj.id).module = False
        frame.info(obj.id).external = dotted
        return [Outcome(state, obj)]
    wrapper = lookup.wrapper(dotted)
    if wrapper is not None:
        return [Outcome(state, wrapped(wrapper, given, state, frame))]
    if dotted in ("copy.deepcopy", "copy.copy") and given.positional:
        return [Outcome(state, copied(given.positional[0], given, state, frame))]
    if lookup.self_moding(dotted) or lookup.framework_call(dotted):
        first = given.positional[0] if given.positional else None
        return managed(dotted, base if base is not None else first, given, state, frame)
    factory = _factory(dotted, given)
    if factory is not None or dotted.endswith(".from_pretrained"):
        mode = Mode(factory.mode if factory is not None else lookup.from_pretrained_mode(dotted))
        if factory is not None and factory.unless is not None and _holds(factory.unless, given) is not False:
            mode = Mode.UNKNOWN
        external = factory.makes if factory is not None and factory.makes is not None else dotted
        obj = made(given, state, frame, mode, cls=cls, external=external)
        if factory is not None and factory.layers is not None:
            frame.info(obj.id).sensitive = bool(factory.layers)
            frame.info(obj.id).layer = factory.layers[0] if factory.layers else None
        if factory is not None and factory.part == "first":
            return [Outcome(state, Seq("tuple", (obj, *(fresh(frame, state, op.span, f"part{i}") for i in (1, 2)))))]
        return [Outcome(state, obj)]
    layer = lookup.layer(dotted)
    if layer is not None:
        return [Outcome(state, _layer(dotted, given, state, frame))]
    library_class = lookup.module_class(dotted)
    if library_class is not None:
        obj = made(given, state, frame, Mode.TRAIN, external=dotted)
        if library_class.layers is not None:
            frame.info(obj.id).sensitive = bool(library_class.layers)
            frame.info(obj.id).layer = library_class.layers[0] if library_class.layers else None
        return [Outcome(state, obj)]
    framework = lookup.framework_base(dotted)
    if framework is not None and framework.module is False:
        return [Outcome(state, _holder(dotted, given, state, frame))]
    found_backward = lookup.backward(dotted)
    if found_backward is not None and given.positional:
        through_backward(given.positional[0], given, state, frame)
        return [Outcome(state, fresh(frame, state, op.span))]
    if dotted.endswith("optimizer_step") and given.positional:
        return step_of(given.positional[0], given, state, frame)
    if dotted == "functools.partial" and given.positional:
        return [Outcome(state, Partial(given.positional[0], tuple(given.positional[1:]), tuple(given.keywords)))]
    if dotted in ("itertools.chain", "itertools.chain.from_iterable"):
        params = params_of(given)
        if params is not None:
            return [Outcome(state, Params(params))]
        if given.positional and all(isinstance(value, Seq) for value in given.positional):
            merged = tuple(entry for value in given.positional if isinstance(value, Seq) for entry in value.items)
            return [Outcome(state, Seq("list", merged[:LONGEST]))]
    if dotted == "contextlib.nullcontext":
        return [Outcome(state, given.positional[0] if given.positional else NONE)]
    if dotted in ("contextlib.ExitStack", "contextlib.AsyncExitStack"):
        return [Outcome(state, fresh(frame, state, op.span))]
    if dotted.startswith(("torch.", "numpy.", "math.")) and not dotted.startswith("torch.hub"):
        if dotted == "torch.autograd.Variable" and given.positional:
            return [Outcome(state, given.positional[0])]
        result = fresh(frame, state, op.span)
        of_data = dotted in TENSORS_OF_DATA and len(given.all()) == 1 and isinstance(given.all()[0], Obj)
        frame.info(result.id).external = "torch.as_tensor" if of_data else dotted
        flow_into(result.id, given.all(), state, frame)
        if frame.in_making and dotted in MADE_UP_TENSORS and not of_data:
            mark_made_up(result.id, state)
        params = params_of(given)
        return [Outcome(state, Params(params) if params is not None else result)]
    if dotted in DICTIONARIES and given.all() and (dictionary := _dictionary(given)) is not None:
        return [Outcome(state, dictionary)]
    if dotted in PROGRESS_BARS and given.positional:
        return [Outcome(state, given.positional[0])]
    outcomes = unknown(given, state, frame, dotted=dotted)
    if dotted.rpartition(".")[2][:1].isupper():  # a class: what its methods do, tables may know
        for outcome in outcomes:
            if isinstance(outcome.value, Obj) and outcome.value.id[0] == "new":
                frame.info(outcome.value.id).external = dotted
    return outcomes


def _factory(dotted: str, given: Given) -> Factory | None:
    if lookup.canonical(dotted) == "torch.hub.load":
        repository = given.get(0, "repo_or_dir")
        known = lookup.hub_repository(repository.value) if isinstance(repository, Known) else None
        if known is not None:
            return known
    return lookup.factory(dotted) or lookup.factory_method(dotted.rpartition(".")[2])


def _holder(dotted: str, given: Given, state: State, frame: Frame) -> Obj:
    """An object of a framework, no module itself, with the modules that it is given."""
    obj = fresh(frame, state, given.op.span)
    info = frame.info(obj.id)
    info.external, info.module = dotted, False
    for name, value in [*((f"<{n}>", value) for n, value in enumerate(given.positional)), *given.keywords]:
        if isinstance(value, Obj) and (value.id in state.modes or is_proved(value.id, frame)):
            state.store[(obj.id, name)] = value
    return obj


def managed(dotted: str, base: Abstract | None, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """A library's method that sets the modes it needs: a trainer's `fit`, an encoder's `encode`."""
    managing = lookup.self_moding(dotted)
    calling = lookup.framework_call(dotted)
    op, target = given.op, base
    leaves = managing.leaves if managing is not None else calling.leaves if calling is not None else None
    if calling is not None and calling.model is not None:
        target = given.get(calling.model.position, calling.model.keyword)
    fitting = calling.fitting if calling is not None else None
    if fitting is not None and dotted.partition(".")[0] in fitting.packages:
        fit(fitting, target, given, state, frame)
    if leaves is not None and target is not None:
        left = ENTRY if leaves == "unknown" else origin_of(Mode(leaves), OriginKind.BUILT, op, frame)
        for identity in [found for whole in identities(target) for found in _modules_in(whole, state, frame)]:
            put(identity, frozenset({left}), state, frame)
    return [Outcome(state, fresh(frame, state, op.span))]


def _modules_in(target: Identity, state: State, frame: Frame) -> list[Identity]:
    """The module itself, or those that an object which is none holds."""
    info = frame.info(target)
    is_module = info.module if info.cls is None else frame.linker.class_view(info.cls).module
    if is_module is not False:
        return [target]
    held = state.store.shelf(target).values()
    return [value.id for value in held if isinstance(value, Obj) and frame.info(value.id).module is not False]


def exported(exporter: Exporter, base: Abstract | None, given: Given, state: State, frame: Frame) -> Abstract:
    """A module is exported: what comes out is what the table of wrappers says, or nothing that has a mode."""
    wrapper = lookup.wrapper(exporter.name)
    event = export(exporter, base, given, state, frame)
    result = wrapped(wrapper, given, state, frame) if wrapper is not None else fresh(frame, state, given.op.span)
    if event is not None and isinstance(result, Obj) and wrapper is not None:
        event.result = result.id
    return result


def wrapped(wrapper: Wrapper, given: Given, state: State, frame: Frame) -> Abstract:
    """What `DataParallel(model)` or `prepare(model, optimizer)` gives: the module, a copy of it, or all it got."""
    op = given.op
    if wrapper.part == "arguments":
        kept = list(given.positional)
        keywords = dict(given.keywords)
        kept += [keywords[name] for name in (wrapper.module.keyword, *wrapper.others) if name in keywords]
        if len(kept) == 1:
            return kept[0]
        return Seq("tuple", tuple(kept)) if kept else fresh(frame, state, op.span)
    module = given.get(wrapper.module.position, wrapper.module.keyword)
    if module is None:
        return fresh(frame, state, op.span)
    if wrapper.relation == "copy":
        result = copied(module, given, state, frame)
        if wrapper.makes is not None and isinstance(result, Obj):
            frame.info(result.id).external = wrapper.makes
        if wrapper.baked and isinstance(result, Obj):
            _bake(result.id, state)
        if wrapper.mode is not None and isinstance(result, Obj) and _holds(wrapper.unless, given) is not True:
            put(result.id, frozenset({origin_of(Mode(wrapper.mode), OriginKind.BUILT, op, frame)}), state, frame)
        if wrapper.attribute is not None and isinstance(result, Obj):
            state.store[(result.id, wrapper.attribute)] = result
        return result
    result = module
    if isinstance(module, Obj):
        if frame.info(module.id).module is not False:
            frame.info(module.id).evidence.add("wrapped")
        switches = wrapper.mode is not None and _holds(wrapper.unless, given)
        if wrapper.mode is not None and switches is not True:
            left = ENTRY if switches is None else origin_of(Mode(wrapper.mode), OriginKind.BUILT, op, frame)
            put(module.id, frozenset({left}), state, frame)
    if wrapper.part == "first":
        optimizer = next((v for v in given.all() if isinstance(v, Optim)), None)
        rest = optimizer if optimizer is not None else fresh(frame, state, op.span, "optimizer")
        return Seq("tuple", (result, rest, *(fresh(frame, state, op.span, f"part{i}") for i in (2, 3))))
    return result


def _bake(identity: Identity, state: State) -> None:
    """What was recorded in train mode stays so whatever is called on it: there is no mode left to watch."""
    origins = state.origins(identity)
    state.modes[identity] = frozenset(ENTRY if origin.mode is Mode.TRAIN else origin for origin in origins)


def _builtin(name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    op, arguments = given.op, given.positional
    if name in EXHAUSTING_BUILTINS and arguments and isinstance(arguments[0], Generator):
        return exhaust(arguments[0], state, frame, op, stops=name in ("any", "all"))
    if name == "isinstance" and len(arguments) == 2:
        answer = _is_instance(arguments[0], arguments[1])
        if answer is None and _is_no_instance(arguments[0], arguments[1], frame):
            answer = False
        if answer is not None:
            return [Outcome(state, Known(answer))]
    if name == "hasattr" and _has_as_every_module(arguments, state, frame):
        return [Outcome(state, Known(True))]
    if name in PURE_BUILTINS:
        return [Outcome(state, shallow(Expr(name, tuple(given.all()))))]
    if name in ("enumerate", "zip") and arguments:
        return [Outcome(state, Iteration(name, tuple(arguments[:1] if name == "enumerate" else arguments)))]
    if name == "next" and arguments and isinstance(arguments[0], Generator):
        return advance(arguments[0], given, state, frame)
    match name, arguments:
        case "getattr", [owner, Known(value=str() as named), *_]:
            return [Outcome(state, attribute(owner, named, state, frame))]
        case "getattr", [Mod(path=path), named, *_]:
            return [Outcome(state, shallow(Expr("[]", (frame.linker.members(path, state), named))))]
        case "getattr", [Ext(name=package), named, *_] if (member := member_by_name(package, named)) is not None:
            return [Outcome(state, member)]
        case "vars", [Mod(path=path)]:
            return [Outcome(state, frame.linker.members(path, state))]
        case "globals", []:
            return [Outcome(state, frame.linker.members(frame.path, state))]
        case "setattr", [Obj(id=identity), Known(value=str() as named), value, *_]:
            state.store[(identity, named)] = value
            return [Outcome(state, NONE)]
        case "locals", []:
            return [Outcome(state, Map(tuple((Known(n), v) for n, v in sorted(state.env.items()) if n.isidentifier())))]
        case "vars", [Obj(id=identity)]:
            return [Outcome(state, Obj(("attr", identity, "__dict__")))]
        case _:
            pass
    if name == "dict" and (dictionary := _dictionary(given)) is not None:
        return [Outcome(state, dictionary)]
    if name in ("list", "tuple", "set") and not arguments:
        return [Outcome(state, Seq(name, ()))]
    if name in REPACKING_BUILTINS and arguments:
        value = arguments[-1] if name == "filter" else arguments[0]
        if isinstance(value, Seq) and name in ("list", "tuple"):
            return [Outcome(state, value if value.kind == "grown" else Seq(name, value.items))]
        if name != "sum" and (isinstance(value, (Params, Iteration, Seq)) or params_in(value) is not None):
            return [Outcome(state, value)]
        if name in ("list", "tuple", "iter", "reversed", "sorted") and isinstance(value, (Obj, Generator)):
            return [Outcome(state, value)]
        result = fresh(frame, state, op.span)
        flow_into(result.id, given.all(), state, frame)
        return [Outcome(state, result)]
    if name in ("print", "range", "open", "input", "repr", "format"):
        return [Outcome(state, fresh(frame, state, op.span))]
    return unknown(given, state, frame, dotted=f"builtins.{name}")


def _dictionary(given: Given) -> Map | None:
    """`dict(a=x)`, `OrderedDict([("a", x)])`, if all keys and values are known."""
    items: dict[Abstract, Abstract] = {}
    for value in given.positional:
        match value:
            case Map(items=pairs):
                items.update(pairs)
            case Seq(kind="list" | "tuple", items=entries):
                for entry in entries:
                    match entry:
                        case Seq(kind="list" | "tuple", items=(key, held)):
                            items[key] = held
                        case _:
                            return None
            case _:
                return None
    items.update((Known(key), value) for key, value in given.keywords)
    return Map(tuple(items.items())) if given.complete and len(items) <= MOST_PAIRS else None


def _is_instance(value: Abstract, classes: Abstract) -> bool | None:
    """Whether a constant, list or dict is of one of Python's own classes; None if that is not known."""
    kind: str
    match value:
        case Known(value=constant):
            kind = type(constant).__name__
        case Seq(kind="list" | "tuple" | "set" as named):
            kind = named
        case _:
            return None
    wanted = classes.items if isinstance(classes, Seq) else (classes,)
    names = {one.name.removeprefix("builtins.") for one in wanted if isinstance(one, Ext)}
    if len(names) != len(wanted) or not names <= ISINSTANCE_KNOWN:
        return None
    return kind in names or (kind == "bool" and "int" in names)


def _is_no_instance(value: Abstract, classes: Abstract, frame: Frame) -> bool:
    """Whether an object that is certainly a module, made in sight, is asked for a class that has no modules."""
    if not isinstance(value, Obj) or value.id[0] != "new" or frame.info(value.id).alternatives:
        return False
    wanted = classes.items if isinstance(classes, Seq) else (classes,)
    plain = all(isinstance(one, Ext) and one.name.removeprefix("builtins.") in PLAIN_TYPES for one in wanted)
    return plain and frame.info(value.id).module is True


def _says_only_who_learns(given: Given, frame: Frame) -> bool:
    """Whether the flag of a manager of gradients is about what learns, or is the state that its caller chose, so that
    nothing says when it is off: `set_grad_enabled(not self.freeze)`."""
    said = {word for argument in given.op.arguments for word in words(source_of(argument.value, frame))}
    return bool(said & LEARNING_FLAG_WORDS) and not said & (MODE_WORDS | EVALUATION_WORDS | TRAINING_WORDS)


def _has_as_every_module(arguments: Sequence[Abstract], state: State, frame: Frame) -> bool:
    """Whether a module is asked for what every module has: `hasattr(net, "eval")`."""
    match arguments:
        case [Obj(id=identity), Known(value=str() as name)]:
            return name in EVERY_MODULE_HAS and is_proved(identity, frame)
        case _:
            return False


def _layer(dotted: str, given: Given, state: State, frame: Frame) -> Obj:
    obj = made(given, state, frame, Mode.TRAIN, external=dotted)
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
        elif not info.sensitive:  # one path on which it listens is enough, and one that hardly happens proves nothing
            is_seen = bool(known) and None not in known and given.covered
            info.sensitive = False if is_seen and not (state.doubt and info.sensitive is None) else None
        for number, value in enumerate(given.positional):
            for child in identities(value):
                state.store[(obj.id, f"<{number}:{child!r}>")] = Obj(child)
        if is_list_of_modules(info, frame):
            if not given.all() and given.complete:
                del state.modes[obj.id]  # empty: it takes the mode of what is put in
            keep_items(obj, given.positional, state, frame)
        return obj
    positional, keywords = _literals(given)
    info.sensitive = lookup.depends_on_mode(layer, positional, keywords)
    info.layer = dotted.rpartition(".")[2] if info.sensitive else None
    info.recurrent = dotted.rpartition(".")[2] if layer.trains_only_in_train else None
    if info.never_minds:
        del state.modes[obj.id]  # its mode cannot matter: one thing less that tells paths apart
    return obj


def _literals(given: Given) -> tuple[list[object], dict[str, object]]:
    """The arguments as the tables want them."""

    def literal(value: Abstract) -> object:
        return value.value if isinstance(value, Known) else lookup.ARGUMENT_UNKNOWN

    return [literal(value) for value in given.positional], {name: literal(value) for name, value in given.keywords}


def _holds(rule: Rule | None, given: Given) -> bool | None:
    if rule is None:
        return False
    return lookup.holds(rule, *_literals(given)) if given.complete else None


def _optimizer(dotted: str, given: Given, frame: Frame) -> Abstract:
    entry = lookup.optimizer(dotted)
    identity = new_identity(frame, given.op.span)
    value = given.get(entry.parameters.position, entry.parameters.keyword) if entry is not None else None
    if value is None and given.positional:
        value = given.positional[0]
    if value is None:
        return Optim(None, identity)
    if isinstance(value, Optim):
        return Optim(value.of, identity)  # it steps the optimizer that it is given
    held = params_in(value)
    if held is not None:
        for module in held:
            frame.info(module).evidence.add("optimizer")
        return Optim(held, identity)
    if isinstance(value, Obj) and entry is not None and entry.takes != "parameters":
        frame.info(value.id).evidence.add("optimizer")
        return Optim(frozenset({value.id}), identity)
    if holds_tensors(value):
        return Optim(frozenset(), identity)  # it moves tensors, not a module: an attack, a style transfer
    return Optim(None, identity)
