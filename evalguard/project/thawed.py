"""The parts of a module that are put in eval mode to freeze them, and thawed by the next `train()` of the whole.

class Detector(nn.Module):
    def __init__(self):
        self.backbone = resnet50()
        self.backbone.eval()                              frozen: in eval mode,
        for p in self.backbone.parameters():
            p.requires_grad = False                       and the gradients say that it is meant

for epoch in range(9):
    model.train()                                         thaws it, for it reaches all parts

Silent where an override of `train` puts the part back, or anything else in the project does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evalguard.finding import Span
from evalguard.flow.liveness import parts_of, path_of
from evalguard.ir.graph import EdgeKind
from evalguard.ir.ops import Assign, Call, Iterate, Op
from evalguard.ir.values import Attribute, Const, Item, Name, Temp, Value
from evalguard.modes.values import Cls
from evalguard.project.code import ClassView, CodeView
from evalguard.project.made_modules import made_by
from evalguard.project.module_evidence import is_module, text_of
from evalguard.vocabulary import lookup
from evalguard.vocabulary.methods import CHILD_METHODS, SUBMODULE_METHODS
from evalguard.vocabulary.words import HELPER_NETWORK_WORDS, LOSS_WORDS, MODULE_WORDS, MOMENTUM_WORDS, words

FREEZE_WORDS = frozenset("fix fixed freeze freezed freezes freezing froze frozen".split())
WHOLE_WORDS = frozenset("model models module modules net network networks nets ddp".split())
UNTRAINED_WORDS = HELPER_NETWORK_WORDS | LOSS_WORDS | MOMENTUM_WORDS
OVER_PARTS = SUBMODULE_METHODS | CHILD_METHODS
NEAR = 3  # lines around an `eval()` in which a comment speaks of it
MOST_SITES = 3  # calls of `train()` that a finding names
DEEPEST = 5  # wholes around a part


@dataclass(frozen=True, slots=True)
class Site:
    """A call of `train()` that reaches the part: its place, and `text` as it is written."""

    view: CodeView
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Thawed:
    """The part `name` that the function `view` freezes at `span`; `text` is what puts it in eval mode there."""

    view: CodeView
    name: str
    text: str
    span: Span
    sites: tuple[Site, ...]


@dataclass(frozen=True, slots=True)
class _Frozen:
    view: CodeView
    part: str | None  # an attribute of the object; None for layers in a loop over given modules
    name: str
    text: str
    span: Span


def thawed_parts(cls: ClassView) -> Iterator[Thawed]:
    """The parts that the class freezes by their mode, and that a `train()` in the project thaws."""
    if cls.is_unit_test or not cls.is_module or _overrides_train(cls):
        return
    frozen = list(_frozen_parts(cls))
    if not frozen:
        return
    constructing = {reached.view for reached in cls.reached_by("__init__")}
    seen: set[str] = set()
    for part in frozen:
        if part.name in seen or _is_put_back(part, cls):
            continue
        sites = _sites(cls, by_name=part.view in constructing)
        if sites:
            seen.add(part.name)
            yield Thawed(part.view, part.name, part.text, part.span, sites)


def _overrides_train(cls: ClassView) -> bool:
    return cls.method("train") is not None or bool(cls.given("train"))


# ------------------------------------------------------------------------------------------------ what is frozen


def _frozen_parts(cls: ClassView) -> Iterator[_Frozen]:
    own = [reached.view for reached in cls.reached_by("__init__") if reached.view.owner == cls.cls]
    named = [view for name, view in cls.own_methods().items() if _says_freeze(name)]
    helpers = [reached.view for view in named for reached in cls.reached_by(view.facts.name)]
    for view in dict.fromkeys((*own, *named, *(helper for helper in helpers if helper.owner == cls.cls))):
        yield from _frozen_by_eval(view, cls)
        if view in own:
            yield from _frozen_as_loaded(view, cls)


def _says_freeze(text: str) -> bool:
    said = set(words(text))
    return bool(said & FREEZE_WORDS) and not {"unfreeze", "unfrozen", "un"} & said


def _frozen_by_eval(view: CodeView, cls: ClassView) -> Iterator[_Frozen]:
    for _, call in view.calls():
        if not isinstance(call.callee, Attribute) or call.callee.name != "eval" or call.arguments:
            continue
        found = _part_of(call.callee.value, view, 0) or _part_given(call, view)
        if found is None or not _listens(found[0], cls) or _is_deaf_inside(found[1]):
            continue
        if _is_meant(found[0], call, view):
            yield _Frozen(view, found[0], found[1], f"{text_of(call.callee, view)}()", call.span)


def _frozen_as_loaded(view: CodeView, cls: ClassView) -> Iterator[_Frozen]:
    """`self.encoder = RobertaModel.from_pretrained(...)` gives eval mode; taking its gradients says what it is for."""
    for op in view.ops():
        part = view.own_attribute(op.target) if isinstance(op, Assign) else None
        call = view.call_of(op.value) if isinstance(op, Assign) else None
        dotted = view.dotted(call.callee) if call is not None else None
        if part is None or call is None or dotted is None or not dotted.endswith(".from_pretrained"):
            continue
        if lookup.from_pretrained_mode(dotted) != "eval" or not lookup.drops_by_default(dotted, _first_constant(call)):
            continue
        if _loses_gradients(part, view) and not any(_switches(other, part, "train", view) for _, other in view.calls()):
            yield _Frozen(view, part, f"self.{part}", f"{text_of(call.callee, view)}(...)", call.span)


def _first_constant(call: Call) -> object:
    first = call.arguments[0].value if call.arguments else None
    return first.value if isinstance(first, Const) else None


def _part_of(value: Value, view: CodeView, depth: int) -> tuple[str | None, str] | None:
    """The attribute of the object whose mode a value is, or in which it is found by a loop, and how to speak of it."""
    if depth > DEEPEST:
        return None
    match value:
        case Attribute() if (name := view.own_attribute(value)) is not None:
            return name, f"self.{name}"
        case Attribute(value=inner):
            found = _part_of(inner, view, depth + 1)
            return (
                None
                if found is None
                else (found[0], text_of(value, view) if isinstance(inner, Attribute) else found[1])
            )
        case Item(value=inner):
            return _part_of(inner, view, depth + 1)
        case Name() if view.is_own_object(value):
            return None
        case Name():
            found_all = [_part_of(given, view, depth + 1) for given in view.values_given(value)]
            return next((found for found in found_all if found is not None), None)
        case Temp():
            call = view.call_of(value)
            if (
                call is not None
                and isinstance(call.callee, Attribute)
                and call.callee.name in lookup.SAME_OBJECT_METHODS
            ):
                return _part_of(call.callee.value, view, depth + 1)
            return _looped(value, view, depth)
        case _:
            return None


def _looped(value: Temp, view: CodeView, depth: int) -> tuple[str | None, str] | None:
    for op in view.ops():
        if isinstance(op, Iterate) and op.result == value:
            over = view.call_of(op.iterable)
            if over is None or not isinstance(over.callee, Attribute) or over.callee.name not in OVER_PARTS:
                return None
            owner = over.callee.value
            if view.is_own_object(owner):
                return None, "layers of `self`"
            return _part_of(owner, view, depth + 1) or (None, f"layers of `{text_of(owner, view)}`")
    return None


def _part_given(call: Call, view: CodeView) -> tuple[str | None, str] | None:
    """`self.backbone = build().eval()`."""
    for op in view.ops():
        if isinstance(op, Assign) and op.value == call.result:
            name = view.own_attribute(op.target)
            if name is not None:
                return name, f"self.{name}"
    return None


def _listens(part: str | None, cls: ClassView) -> bool:
    """Whether the mode of a part may matter: none is known to be deaf to it."""
    if part is None:
        return True
    if LOSS_WORDS & set(words(part)):
        return False
    for home, value in cls.given(part):
        made = made_by(value, home, cls)
        if made is not None:
            return made.listens
    return True


def _is_deaf_inside(place: str) -> bool:
    """Whether a part of a part is known to be deaf to the mode by its name."""
    return place.count(".") > 1 and place.rpartition(".")[2] in lookup.DEAF_PARTS


def _is_meant(part: str | None, call: Call, view: CodeView) -> bool:
    """Whether anything says that `eval()` is meant to freeze."""
    if _says_freeze(view.facts.name) or (part is not None and FREEZE_WORDS & set(words(part))):
        return True
    if any(_says_freeze(comment) for comment in view.comments_on(call.span.line - NEAR, call.span.line + 1)):
        return True
    return _loses_gradients(part, view)


def _loses_gradients(part: str | None, view: CodeView) -> bool:
    """Whether the function takes the gradients of a part's parameters."""
    sets_flag = any(
        isinstance(op, Assign)
        and isinstance(op.target, Attribute)
        and op.target.name == "requires_grad"
        and (op.value == Const(False) or (isinstance(op.value, Name) and view.has_parameter(op.value)))
        for op in view.ops()
    )
    for _, call in view.calls():
        name = (
            call.callee.name
            if isinstance(call.callee, Attribute)
            else call.callee.id
            if isinstance(call.callee, Name)
            else ""
        )
        owner = call.callee.value if isinstance(call.callee, Attribute) else None
        is_about = part is None or (owner is not None and _is_of(owner, part, view))
        is_taken = name == "requires_grad_" and [argument.value for argument in call.arguments] == [Const(False)]
        if is_taken and (is_about or (isinstance(owner, Name) and _comes_from_parameters(owner, part, view))):
            return True
        if name in ("parameters", "named_parameters") and sets_flag and is_about:
            return True
        if _says_freeze(name) and (is_about or any(_is_of(argument.value, part, view) for argument in call.arguments)):
            return True
    return False


def _is_of(value: Value, part: str | None, view: CodeView) -> bool:
    found = _part_of(value, view, 0)
    return found is not None and found[0] == part


def _comes_from_parameters(value: Value, part: str | None, view: CodeView) -> bool:
    for given in view.values_given(value):
        for op in view.ops():
            if isinstance(op, Iterate) and op.result == given:
                over = view.call_of(op.iterable)
                if over is not None and isinstance(over.callee, Attribute) and over.callee.name == "parameters":
                    return _is_of(over.callee.value, part, view)
    return False


def _switches(call: Call, part: str, name: str, view: CodeView) -> bool:
    return isinstance(call.callee, Attribute) and call.callee.name == name and _is_of(call.callee.value, part, view)


# ------------------------------------------------------------------------------------------------ what puts it back


def _is_put_back(frozen: _Frozen, cls: ClassView) -> bool:
    """Whether something outside the constructor puts the part in eval mode: its `eval()` by name, or a call of the
    method that freezes it, in code that also trains or runs it."""
    constructing = {(reached.view.path, reached.view.qualname) for reached in cls.reached_by("__init__")}
    method = frozen.view.facts.name if frozen.view.facts.name != "__init__" else None
    ancestors = cls.index.ancestry(cls.cls)[0]
    family = {*ancestors, *cls.index.subclasses(cls.cls)}
    for view in cls.code.functions():
        if (view.path, view.qualname) in constructing or view.is_unit_test:
            continue
        called = [call.callee for _, call in view.calls() if isinstance(call.callee, Attribute)]
        if view is not frozen.view and any(
            callee.name == "eval"
            and _ends_in(callee.value, frozen.part)
            and not _is_other_self(callee.value, view, family)
            for callee in called
        ):
            return True
        if method is not None and any(callee.name == method for callee in called):
            inside = view.owner in ancestors and view.facts.name != method and "freez" not in view.facts.name.lower()
            if inside or any(callee.name == "train" for callee in called):
                return True
    return any(_replaces_switch(op, view) for view in cls.code.functions() for op in view.ops())


def _replaces_switch(op: Op, view: CodeView) -> bool:
    """`model.encoder.train = disabled`: some parts of the project are kept from their parents' switches."""
    if not isinstance(op, Assign) or not isinstance(op.target, Attribute) or op.target.name != "train":
        return False
    return not isinstance(op.value, Const) and is_module(op.target.value, view) is not False


def _is_other_self(value: Value, view: CodeView, family: set[Cls]) -> bool:
    """Whether it is an attribute of an object of quite another class."""
    return view.own_attribute(value) is not None and view.owner not in family


def _ends_in(value: Value, part: str | None) -> bool:
    return part is not None and isinstance(value, Attribute) and value.name == part


# ------------------------------------------------------------------------------------------------ what thaws it


def _sites(cls: ClassView, by_name: bool) -> tuple[Site, ...]:
    """The calls of `train()` that reach a whole of which an object of the class is, or has, a part; the surest first.
    `by_name`: also where but the name of the whole says so."""
    own = tuple(_own_sites(cls))
    framework = any(lookup.framework_base(base) is not None for base in cls.index.ancestry(cls.cls)[1])
    if own or framework:
        return own[:MOST_SITES]  # frameworks may keep the modes of parts (Lightning since 2.2)
    wholes = _wholes(cls)
    ranked: list[tuple[int, Site]] = []
    is_open = by_name and not UNTRAINED_WORDS & set(words(cls.facts.name)) and _may_be_in_a_model(cls)
    for view in cls.code.functions():
        for block, call in view.calls():
            if not is_train_call(call) or not isinstance(call.callee, Attribute) or is_chosen(block, view):
                continue
            owner = call.callee.value
            made = class_of(owner, view)
            if made is not None:
                rank = 0 if made in wholes else None
            elif (
                is_open
                and _learns(view)
                and not _is_in_other_module(view, wholes)
                and WHOLE_WORDS & set(words(text_of(owner, view).rpartition(".")[2]))
            ):
                rank = 1 if is_module(owner, view) is not False else None
            else:
                rank = None
            if rank is not None:
                rank += 2 * (not _learns(view)) + 4 * view.is_unit_test
                ranked.append((rank, Site(view, call.span, f"{text_of(call.callee, view)}()")))
    ranked.sort(key=lambda each: (each[0], each[1].view.path, each[1].span))
    return tuple(site for _, site in ranked[:MOST_SITES])


def _is_in_other_module(view: CodeView, wholes: set[Cls]) -> bool:
    """Whether a method of a module of another class says so: of a part of its own."""
    return view.owner is not None and view.owner not in wholes and view.code.class_(view.owner).is_module


def _own_sites(cls: ClassView) -> Iterator[Site]:
    """`self.train()` in a method of the class."""
    for view in cls.methods().values():
        for _, call in view.calls():
            if is_train_call(call) and isinstance(call.callee, Attribute) and view.is_own_object(call.callee.value):
                yield Site(view, call.span, f"{text_of(call.callee, view)}()")


def is_train_call(call: Call) -> bool:
    """Whether it is `x.train()` or `x.train(True)`."""
    if not isinstance(call.callee, Attribute) or call.callee.name != "train":
        return False
    return [argument.value for argument in call.arguments] in ([], [Const(True)])


def is_chosen(block: int, view: CodeView) -> bool:
    """Whether a block is reached only where a test speaks of a freeze: `if not args.frozen: model.train()`."""
    blocks = view.facts.blocks
    for kind in (EdgeKind.TRUE, EdgeKind.FALSE):
        seen, waiting = {0}, [0]
        while waiting:
            for edge in blocks[waiting.pop()].edges:
                asks = edge.kind is kind and edge.test is not None and _speaks_of_freeze(edge.test)
                if not asks and edge.target not in seen:
                    seen.add(edge.target)
                    waiting.append(edge.target)
        if block not in seen:
            return True
    return False


def _speaks_of_freeze(test: Value) -> bool:
    match test:
        case Name(id=name) | Attribute(name=name) if FREEZE_WORDS & set(words(name)):
            return True
        case Const(value=str() as text):
            return bool(FREEZE_WORDS & set(words(text)))
        case _:
            return any(map(_speaks_of_freeze, parts_of(test)))


def _learns(view: CodeView) -> bool:
    called = {call.callee.name for _, call in view.calls() if isinstance(call.callee, Attribute)}
    return bool(called & {"backward", "step", "zero_grad"}) or bool(
        {"train", "training", "fit"} & set(words(view.facts.name))
    )


def class_of(value: Value, view: CodeView, depth: int = 0) -> Cls | None:
    """The class of the project whose object a value certainly is."""
    if depth > DEEPEST:
        return None
    if view.is_own_object(value):
        return view.owner
    call = view.call_of(value)
    if call is not None:
        if isinstance(call.callee, Attribute) and call.callee.name in lookup.SAME_OBJECT_METHODS:
            return class_of(call.callee.value, view, depth + 1)
        found = view.meaning(call.callee)
        return found if isinstance(found, Cls) else None
    given = [(view, each) for each in view.values_given(value)]
    name = view.own_attribute(value)
    if name is not None and view.owner is not None:
        given = view.code.class_(view.owner).given(name)
    classes = {class_of(each, home, depth + 1) for home, each in given if each != value}
    return classes.pop() if len(classes) == 1 else None


def _wholes(cls: ClassView) -> set[Cls]:
    """The class, those that inherit from it, and the modules that make objects of them for their attributes."""
    found = {cls.cls, *cls.index.subclasses(cls.cls)}
    for _ in range(DEEPEST):
        outer = {
            other.cls
            for other in cls.code.classes()
            if other.cls not in found and any(part in found for part in _parts_made(other))
        }
        if not outer:
            break
        found |= outer
    return found


def _parts_made(cls: ClassView) -> Iterator[Cls]:
    for method in cls.own_methods().values():
        for op in method.ops():
            if isinstance(op, Assign) and method.own_attribute(op.target) is not None:
                made = class_of(op.value, method)
                if made is not None:
                    yield made


def _may_be_in_a_model(cls: ClassView) -> bool:
    """Whether an object of the class may be a part of what is trained: where it is made in sight, its variable does not
    speak of a loss or a helper."""
    names: list[str] = []
    for view in cls.code.functions():
        for op in view.ops():
            call = view.call_of(op.value) if isinstance(op, Assign) else None
            if isinstance(op, Assign) and call is not None and view.meaning(call.callee) == cls.cls:
                path = path_of(op.target)
                if path is not None and not path.startswith("%"):
                    names.append(path.rpartition(".")[2])
    trained = [name for name in names if MODULE_WORDS & set(words(name)) and not UNTRAINED_WORDS & set(words(name))]
    return bool(trained) or not names
