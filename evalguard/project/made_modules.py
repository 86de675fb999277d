"""What modules the calls of a function make, and whether they matter: one that listens to the mode, or has weights.

nn.Dropout(0.5)                    listens
nn.Linear(3, 4).to(device)         has weights
nn.ReLU()                          neither: nobody misses it in `modules()`
Block(3)                           a module of the project, as what it makes itself
make_block(3)                      what the function returns
list(resnet18().children())[:-1]   in `nn.Sequential(*...)` as what it was taken from
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from evalguard.ir.ops import Call, Return
from evalguard.ir.values import Attribute, Const, Item, Name, Star, Temp, Value
from evalguard.modes.values import Cls, Fn
from evalguard.project.code import ClassView, CodeView
from evalguard.project.sensitivity import asks_for_flag, layers_of_part_used
from evalguard.vocabulary import lookup
from evalguard.vocabulary.methods import CHILD_METHODS

DEEPEST = 6  # functions and classes that make modules for one another
WEIGHT_CALLS = frozenset({"register_buffer", "register_parameter"})
WEIGHT_CLASSES = frozenset({"torch.nn.Parameter", "torch.nn.Buffer", "torch.nn.parameter.Parameter"})
WEIGHTLESS_ARGUMENTS = frozenset({"affine", "elementwise_affine"})


@dataclass(frozen=True, slots=True)
class Made:
    """A module that a call makes. `name` is the last name of its class, or of what in it matters."""

    name: str
    listens: bool
    has_weights: bool

    @property
    def matters(self) -> bool:
        """Whether it makes a difference that `train()`, `eval()` and `parameters()` reach it."""
        return self.listens or self.has_weights


def made_by(value: Value, view: CodeView, cls: ClassView | None, depth: int = 0) -> Made | None:
    """The module that a value certainly is, made by a call of the function or of one that it calls; None for what was
    given, is unknown, or is no module."""
    if depth > DEEPEST:
        return None
    if isinstance(value, Item) and (item := view.item_given(value)) is not None:
        return made_by(item, view, cls, depth + 1)
    if isinstance(value, (Item, Star)):
        return _of_parts(value.value, view, cls, depth + 1)
    if isinstance(value, Name):
        given = view.values_given(value)
        return None if view.has_parameter(value) else _one(made_by(each, view, cls, depth + 1) for each in given)
    call = view.call_of(value) if isinstance(value, Temp) else None
    if call is None:
        given = view.values_given(value) if isinstance(value, Temp) else []
        return _one(made_by(each, view, cls, depth + 1) for each in given)
    return made_in_call(call, view, cls, depth)


def _of_parts(value: Value, view: CodeView, cls: ClassView | None, depth: int) -> Made | None:
    """The module of which a value holds the parts, or some of them: `list(net.children())[:-1]`."""
    if isinstance(value, Name) and not view.has_parameter(value):
        return _one(_of_parts(each, view, cls, depth + 1) for each in view.values_given(value))
    if isinstance(value, Item) and depth <= DEEPEST:
        return _of_parts(value.value, view, cls, depth + 1)
    call = view.call_of(value)
    if call is None or depth > DEEPEST:
        return None
    match call:
        case Call(callee=Name(id="list"), arguments=(argument,)):
            return _of_parts(argument.value, view, cls, depth + 1)
        case Call(callee=Attribute(value=whole, name=name), arguments=()) if name in CHILD_METHODS:
            return made_by(whole, view, cls, depth + 1)
        case _:
            return None


def made_in_call(call: Call, view: CodeView, cls: ClassView | None, depth: int = 0) -> Made | None:
    """The module that a call certainly makes."""
    if isinstance(call.callee, Attribute) and isinstance(call.callee.value, Temp):
        if call.callee.name in lookup.SAME_OBJECT_METHODS:
            return made_by(call.callee.value, view, cls, depth + 1)
        return None
    dotted = view.dotted(call.callee)
    if dotted is not None:
        return _of_library(dotted, call, view, cls, depth)
    found = view.meaning(call.callee)
    if isinstance(found, Cls):
        cls_made = view.code.class_(found)
        return _of_class_that_may_ask(cls_made, depth) if cls_made.is_module else None
    callees = cls.callees(view, call.callee) if cls is not None else []
    if not callees and isinstance(found, Fn):
        callees = [view.code.function(found.path, found.qualname)]
    return _one(_returned(callee, cls, depth) for callee in callees)


def _of_class_that_may_ask(cls: ClassView, depth: int) -> Made:
    """The module that the constructor of a module class of the project makes, which also listens if it asks for
    `self.training` itself, as a dropout of one's own does."""
    made = of_class(cls, depth)
    asks = any(asks_for_flag(method.facts) for method in cls.methods().values())
    return replace(made, listens=made.listens or asks)


def of_class(cls: ClassView, depth: int = 0) -> Made:
    """The module that the constructor of a module class of the project makes. It listens by its layers."""
    if "made" not in cls.kept:
        cls.kept["made"] = (False, False)  # a class that makes itself adds nothing
        cls.kept["made"] = _listens_and_weighs(cls, depth)
    listens, weighs = cls.kept["made"]
    return Made(cls.facts.name, listens, weighs)


def _listens_and_weighs(cls: ClassView, depth: int) -> tuple[bool, bool]:
    listens = weighs = False
    for method in cls.methods().values():
        for op in method.ops():
            if not isinstance(op, Call):
                continue
            name = op.callee.name if isinstance(op.callee, Attribute) else ""
            dotted = method.dotted(op.callee)
            made = made_in_call(op, method, cls, depth + 1)
            weighs = (
                weighs or name in WEIGHT_CALLS or dotted in WEIGHT_CLASSES or (made is not None and made.has_weights)
            )
            listens = listens or (made is not None and made.listens)
    for base in cls.index.ancestry(cls.cls)[1]:
        weighs = weighs or lookup.holds_weights(base)
        layer = lookup.layer(base)
        listens = listens or (layer is not None and layer.sensitivity == "always")
    return listens, weighs


def _of_library(dotted: str, call: Call, view: CodeView, cls: ClassView | None, depth: int) -> Made | None:
    short = dotted.rpartition(".")[2]
    layer = lookup.layer(dotted)
    if layer is not None and layer.sensitivity == "container":
        parts = [part for argument in call.arguments if (part := made_by(argument.value, view, cls, depth + 1))]
        first = next((part.name for part in parts if part.matters), short)
        return Made(first, any(part.listens for part in parts), any(part.has_weights for part in parts))
    if layer is not None:
        positional = [_constant(argument.value) for argument in call.arguments if argument.keyword is None]
        keywords = {argument.keyword: _constant(argument.value) for argument in call.arguments if argument.keyword}
        listens = lookup.depends_on_mode(layer, positional, keywords) is not False and layer.sensitivity != "argument"
        listens = listens or lookup.depends_on_mode(layer, positional, keywords) is True
        weightless = any(keywords.get(name) is False for name in WEIGHTLESS_ARGUMENTS)
        return Made(short, listens, lookup.holds_weights(dotted) and not weightless)
    if dotted.startswith(("torch.nn.utils.", "copy.")) and call.arguments:
        return made_by(call.arguments[0].value, view, cls, depth + 1)
    factory = lookup.factory(dotted)
    if factory is not None and factory.part == "value":
        layers = layers_of_part_used(call.result, dotted, view.facts)
        return Made(short, bool(factory.layers if layers is None else layers), True)
    module = lookup.module_class(dotted)
    if module is not None and short[:1].isupper():
        return Made(short, bool(module.layers), module.layers != ())
    return None


def _returned(view: CodeView, cls: ClassView | None, depth: int) -> Made | None:
    return _one(made_by(op.value, view, cls, depth + 1) for op in view.ops() if isinstance(op, Return))


def _one(many: Iterable[Made | None]) -> Made | None:
    """One for several ways to the same value, each of which must be a module; the first that matters."""
    found = list(many)
    sure = [each for each in found if each is not None]
    if not sure or len(sure) < len(found):
        return None
    return next((each for each in sure if each.matters), sure[0])


def _constant(value: Value) -> object:
    return value.value if isinstance(value, Const) else lookup.ARGUMENT_UNKNOWN


def layer_calls(view: CodeView, cls: ClassView) -> Iterator[tuple[int, Call, Made]]:
    """The calls of a function that make a layer themselves, by the name of its class, each with its block."""
    for block, call in view.calls():
        dotted = view.dotted(call.callee)
        layer = lookup.layer(dotted) if dotted is not None else None
        is_class = isinstance(view.meaning(call.callee), Cls)
        if (layer is not None and layer.sensitivity != "container") or is_class:
            made = made_in_call(call, view, cls)
            if made is not None:
                yield block, call, made
