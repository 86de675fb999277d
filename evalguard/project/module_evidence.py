"""Is what a name stands for in a function a module? What is assigned to it proves most; what is done with it, and its
name, support.

net = Net(); net          a module: its class is one
trainer = Trainer()       none: its class is of the project, and is none
opt.step(); opt           unknown
model.parameters()        `model` is one: only modules have these methods
def f(model): ...         by its name, in a file about PyTorch, where nothing says otherwise
"""

from __future__ import annotations

from collections.abc import Iterable

from evalguard.flow.liveness import path_of
from evalguard.ir.facts import MODULE
from evalguard.ir.ops import Call, Iterate
from evalguard.ir.values import Attribute, Const, Item, Name, Sequence, Temp, Value, as_value
from evalguard.modes.values import Cls, Fn, Mod
from evalguard.project.annotations import class_named
from evalguard.project.code import ClassView, CodeView, is_module_name
from evalguard.project.made_modules import made_in_call
from evalguard.project.mode_flow import CONFIGURATION_WORDS
from evalguard.vocabulary import lookup
from evalguard.vocabulary.methods import CHILD_METHODS, EVIDENCE_METHODS, OPTIMIZERS_TOO, SUBMODULE_METHODS
from evalguard.vocabulary.not_torch import OTHER_FRAMEWORKS, TORCH_LIBRARIES
from evalguard.vocabulary.words import MODULE_WORDS, NOT_MADE_MODULE_WORDS, NOT_MODULE_WORDS, words

DEEPEST = 5  # assignments, wrappers and attributes that are followed one after another
ONLY_MODULES_HAVE = EVIDENCE_METHODS - OPTIMIZERS_TOO


def is_module(value: Value, view: CodeView) -> bool | None:
    """Whether a value is a module: True where that is proved by what it is given or by what is called on it, False
    where it is something else, None where nothing says so."""
    given = _given(value, view, 0)
    if given is not None:
        return given
    return True if _is_used_as_module(value, view) else None


def is_probably_module(value: Value, view: CodeView) -> bool:
    """Whether a value is a module by all that is known; its name must say so where nothing else does."""
    proved = is_module(value, view)
    if proved is not None:
        return proved
    said = set(words(_last_name(value, view)))
    if not said & MODULE_WORDS:
        said |= set(words(_looped_over(value, view)))
    if said & NOT_MODULE_WORDS or not said & MODULE_WORDS:
        return False
    return not set(words(text_of(value, view))) & CONFIGURATION_WORDS and is_about_torch(view)


def is_about_torch(view: CodeView) -> bool:
    """Whether a file imports PyTorch and no other framework, or none while another file of the project imports
    PyTorch."""
    libraries = {target.partition(".")[0] for target in view.file.imports.values()}
    if libraries & OTHER_FRAMEWORKS:
        return False
    return bool(libraries & TORCH_LIBRARIES) or any(
        target.partition(".")[0] in TORCH_LIBRARIES
        for file in view.index.files.values()
        for target in file.imports.values()
    )


def is_leaf_layer(value: Value, view: CodeView) -> bool:
    """Whether a value is certainly a single layer of a library, without parts."""
    calls = [view.call_of(value), *(view.call_of(given) for given in view.values_given(value))]
    names = [view.dotted(call.callee) for call in calls if call is not None]
    layers = [lookup.layer(name) if name is not None else None for name in names]
    return bool(layers) and all(layer is not None and layer.sensitivity != "container" for layer in layers)


def text_of(value: Value, view: CodeView) -> str:
    """The value as it is written, near enough."""
    match value:
        case Name(id=name):
            return name.partition("@")[0]
        case Attribute(value=inner, name=name):
            return f"{text_of(inner, view)}.{name}"
        case Item(value=inner, index=Const(value=index)):
            return (
                f"{text_of(inner, view)}[{index!r}]"
                if not isinstance(index, str)
                else f'{text_of(inner, view)}["{index}"]'
            )
        case Item(value=inner, index=Name(id=index)):
            return f"{text_of(inner, view)}[{index}]"
        case Temp():
            call = view.call_of(value)
            if call is None:
                return "…"
            return f"{text_of(call.callee, view)}({'...' if call.arguments else ''})"
        case _:
            return "…"


def _given(value: Value, view: CodeView, depth: int) -> bool | None:
    """What the assignments to a value say."""
    if depth > DEEPEST:
        return None
    match value:
        case Temp():
            return _of_temp(value, view, depth)
        case Name() if view.is_own_object(value):
            return None if view.owner is None else _is_module_class(view.code.class_(view.owner))
        case Name(id=name):
            return _of_name(value, name, view, depth)
        case Attribute(value=inner, name=name) if name in lookup.SAME_ATTRIBUTES:
            return _given(inner, view, depth + 1)
        case Attribute(name=name):
            return _of_attribute(value, view, depth)
        case Item(value=inner) if (item := view.item_given(value)) is not None:
            return _given(item, view, depth + 1)
        case Sequence() | Const():
            return False
        case _:
            return None


def _of_temp(value: Temp, view: CodeView, depth: int) -> bool | None:
    call = view.call_of(value)
    if call is not None:
        return _of_call(call, view, depth)
    given = view.values_given(value)
    if given:
        return _together(_given(each, view, depth + 1) for each in given)
    for op in view.ops():
        if isinstance(op, Iterate) and op.result == value:
            over = view.call_of(op.iterable)
            name = over.callee.name if over is not None and isinstance(over.callee, Attribute) else ""
            return True if name in SUBMODULE_METHODS | CHILD_METHODS and not name.startswith("named") else None
    return None


def _of_call(call: Call, view: CodeView, depth: int) -> bool | None:
    if call.callee == Name("super") and view.owner is not None:
        return _is_module_class(view.code.class_(view.owner))
    owner = view.code.class_(view.owner) if view.owner is not None else None
    if made_in_call(call, view, owner) is not None:
        return True
    if isinstance(call.callee, Attribute) and call.callee.name in lookup.SAME_OBJECT_METHODS:
        return _given(call.callee.value, view, depth + 1)
    found = view.meaning(call.callee)
    if isinstance(found, Cls):
        return _is_module_class(view.code.class_(found))
    dotted = view.dotted(call.callee)
    if dotted is None:
        return None
    if lookup.makes_no_module(dotted) or lookup.optimizer_class(dotted):
        return False
    factory = lookup.factory(dotted)
    if (factory is not None and factory.part == "value") or is_module_name(dotted):
        return True
    if lookup.wrapper(dotted) is not None and call.arguments:
        return _given(call.arguments[0].value, view, depth + 1)
    if set(words(dotted.rpartition(".")[2])[-1:]) & (NOT_MODULE_WORDS | NOT_MADE_MODULE_WORDS):
        return False
    return None


def _of_name(value: Name, name: str, view: CodeView, depth: int) -> bool | None:
    if isinstance(view.meaning(value), (Cls, Fn, Mod)) or (
        isinstance(view.meaning(value), str) and name in view.file.imports
    ):
        return False  # a class, a function, a file: their attributes are no switches
    scope = view.index.owner_of(view.path, view.qualname, name)
    home = view if "@" in name or scope == view.qualname else view.code.function(view.path, scope)
    for parameter in home.facts.parameters:
        if parameter.name == name and parameter.annotation is not None:
            return _of_annotation(parameter.annotation, home)
    return _together(_given(each, home, depth + 1) for each in home.values_given(value))


def _of_attribute(value: Attribute, view: CodeView, depth: int) -> bool | None:
    name = view.own_attribute(value)
    if name is None or view.owner is None:
        return None
    cls = view.code.class_(view.owner)
    for owner in view.index.ancestry(view.owner)[0]:
        for annotated, annotation in view.index.class_facts(owner).annotations:
            if annotated == name:
                return _of_annotation(annotation, view.code.function(owner.path, MODULE))
    return _together(_given(given, home, depth + 1) for home, given in cls.given(name))


def _of_annotation(annotation: str, view: CodeView) -> bool | None:
    name = class_named(annotation)
    if name is None:
        return None
    found = view.meaning(as_value(name))
    if isinstance(found, Cls):
        return _is_module_class(view.code.class_(found))
    if not isinstance(found, str):
        return None
    if is_module_name(found):
        return True
    return False if found in ("str", "int", "bool", "float", "dict", "list") or lookup.not_torch(found) else None


def _is_module_class(cls: ClassView) -> bool | None:
    return True if cls.is_module else cls.index.is_module(cls.cls)


def _together(many: Iterable[bool | None]) -> bool | None:
    """One may be None at first and a module later: `self.model = None`."""
    found = list(many)
    if True in found:
        return True
    return False if found and all(each is False for each in found) else None


def _is_used_as_module(value: Value, view: CodeView) -> bool:
    path = path_of(value)
    if path is None or path.startswith("%"):
        return False
    return any(
        isinstance(op, Call)
        and isinstance(op.callee, Attribute)
        and op.callee.name in ONLY_MODULES_HAVE
        and path_of(op.callee.value) == path
        for op in view.ops()
    )


def _looped_over(value: Value, view: CodeView) -> str:
    """The name of what a loop variable comes from: `models` in `for m in models`, `netG` in `for m in [netG, netD]`."""
    given = view.values_given(value) if isinstance(value, Name) else []
    for op in view.ops():
        if isinstance(op, Iterate) and op.result in given:
            over = next(iter(view.values_given(op.iterable)), op.iterable)
            return _last_name(over.items[0] if isinstance(over, Sequence) and over.items else over, view)
    return ""


def _last_name(value: Value, view: CodeView) -> str:
    match value:
        case Name(id=name) | Attribute(name=name):
            return name.partition("@")[0]
        case Item(value=inner):
            return _last_name(inner, view)
        case Temp():
            call = view.call_of(value)
            if call is None:
                return ""
            if isinstance(call.callee, Attribute) and call.callee.name in lookup.SAME_OBJECT_METHODS:
                return _last_name(call.callee.value, view)
            return ""
        case _:
            return ""
