"""Does the mode matter? Which layers a class can reach, and whether one of them listens to the mode.

Known and insensitive layers only: no (`Linear`, `Conv2d`, `LayerNorm`). One sensitive layer, `self.training`, or a call
of `F.dropout(..., training=self.training)`: yes, through that layer. Anything unknown, such as a backbone that is
given: unknown. A class whose layers stand behind an argument (`if norm:`) is asked again for the call that makes it, as
is a function; either may be given the class of a layer (`layers_of(8, 2, activation=nn.Tanh)`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

from evalguard.flow.liveness import parts_of, path_of, values_of
from evalguard.ir.facts import FunctionFacts
from evalguard.ir.ops import Assign, Call, Op
from evalguard.ir.values import Attribute, Item, Name, Opaque, Temp, Value
from evalguard.modes.values import Cls, Fn
from evalguard.project.certain_values import (
    NOTHING,
    Certain,
    Given,
    arguments_of,
    at_entry,
    constant,
    given_by,
    kept_attributes,
    live_blocks,
)
from evalguard.project.resolve import PLAIN_BASES, Index
from evalguard.vocabulary import lookup
from evalguard.vocabulary.terms import Parameter
from evalguard.vocabulary.words import MODULE_WORDS, NOT_MADE_MODULE_WORDS, words

HARMLESS_PREFIXES = ("torch.", "einops.")
STANDARD_LIBRARY = frozenset(sys.stdlib_module_names) - {"pickle", "shelve"}
"""The modules of Python that make no layer; a pickle may hold one."""
TENSOR_MAKERS = frozenset(f"torch.{name}" for name in ("tensor", "as_tensor", "from_numpy", "FloatTensor", "Tensor"))
"""What they are given is an array or a list of numbers, never a module."""
HARMLESS_NAMES = frozenset(dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__) | {
    "super",
    "range",
    "len",
}

MODULE_ROOTS = ("torch.nn.Module", "torch.jit.ScriptModule")  # bases that add no layer
MOST_CLASSES = 200  # looked at for one class
MOST_ANSWERS = 400  # kept, of functions and of classes as one call makes them; beyond it they are unknown
NO_LAYERS_MADE = frozenset({"__getstate__", "__setstate__", "__reduce__", "__reduce_ex__"})
"""Methods that keep and give back what the constructor made."""

Sensitivity = tuple[bool | None, str | None]

Classes = Mapping[str, Cls | str]
"""The parameters of a function that are certainly a class, of the project or, by its dotted name, of a library."""

NO_CLASSES: Classes = {}


class Answers(dict[Cls, Sensitivity]):
    """What was found of classes so far. Layers of the kinds that are `silenced` are taken to be the same in both modes:
    something has told them to drop nothing."""

    def __init__(self, silenced: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.silenced = silenced


def sensitivity(cls: Cls, index: Index, known: Answers) -> Sensitivity:
    """Whether the forward of a class depends on the mode, and through which layer."""
    if cls in known:
        return known[cls]
    known[cls] = (False, None)  # a class that holds itself adds nothing
    known[cls] = _class_sensitivity(cls, index, known, ())
    return known[cls]


def sensitivity_as_made(
    call: Call,
    cls: Cls,
    facts: FunctionFacts,
    path: str,
    index: Index,
    known: Answers,
    certain: Certain = NOTHING,
    classes: Classes = NO_CLASSES,
) -> Sensitivity:
    """The same for the object that a call in a function makes, of whose names some are certain: a layer behind an
    argument that the call does not give is none of its own."""
    whole = sensitivity(cls, index, known)
    init = index.method(cls, "__init__")
    if whole[0] is False or init is None or len(known) > MOST_ANSWERS:
        return whole
    given = given_by(call, index.facts(init), True, facts, certain)
    given_classes = _classes_given(call, init, True, facts, path, index, classes)
    if not given and not given_classes:
        return whole
    marker = Cls(cls.path, f"{cls.qualname} made with {given} and {sorted(given_classes.items())}")
    if marker not in known:
        known[marker] = (False, None)
        known[marker] = _class_sensitivity(cls, index, known, given, given_classes)
    return known[marker]


def _class_sensitivity(
    cls: Cls, index: Index, known: Answers, given: Given, classes: Classes = NO_CLASSES
) -> Sensitivity:
    own, foreign = index.ancestry(cls)
    unknown = False
    for base in foreign:
        factory = lookup.factory(base)
        if factory is not None and factory.layers is not None:
            if factory.layers:
                return True, factory.layers[0]
        elif base not in PLAIN_BASES and lookup.canonical(base) not in MODULE_ROOTS and "." in base:
            layer = lookup.layer(base)
            if layer is None or (layer.sensitivity == "always" and layer.name not in known.silenced):
                unknown = True
    methods = [
        (current.path, index.files[current.path].functions[qualname])
        for current in own
        for name, qualname in index.class_facts(current).methods
        if name not in NO_LAYERS_MADE
    ]
    init = index.method(cls, "__init__") if given or classes else None
    constructor = index.facts(init) if init is not None else None
    entry = at_entry(constructor, given) if constructor is not None else NOTHING
    kept = kept_attributes(constructor, entry, [facts for _, facts in methods]) if constructor is not None else NOTHING
    plain = index.is_module(cls) is False
    by_forward = _reached("forward", methods, index) - _reached("__init__", methods, index)
    for path, facts in methods:
        is_made = facts is constructor
        certain = {**kept, **entry} if is_made else kept
        only_runs = plain or (facts.name in by_forward and not index.said(path, facts.qualname).assigned)
        found, layer_name = function_sensitivity(
            facts, path, index, known, certain, only_runs, classes if is_made else NO_CLASSES
        )
        if found:
            return True, layer_name
        unknown = unknown or found is None
    return (None, None) if unknown else (False, None)


def _reached(name: str, methods: Sequence[tuple[str, FunctionFacts]], index: Index) -> set[str]:
    """The names of the methods that one of a class calls on `self`, by itself or through others, and its own."""
    found, waiting = set[str](), [name]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            for path, facts in methods:
                if facts.name == current:
                    waiting += index.called_on_self(Fn(path, facts.qualname))
    return found


def function_sensitivity(
    facts: FunctionFacts,
    path: str,
    index: Index,
    known: Answers,
    certain: Certain = NOTHING,
    only_runs: bool = False,
    classes: Classes = NO_CLASSES,
) -> Sensitivity:
    """The same for the layers made or called in one function, of whose names some may be certain, and some parameters
    `classes`. One that `only_runs` layers, such as the methods behind a forward, makes none by calling what it is
    given: if that is a part of its object, it was found where it is made."""
    unknown = False
    no_modules = _no_modules(facts, path, index)
    live = live_blocks(facts, certain)
    for number, block in enumerate(facts.blocks):
        if live is not None and number not in live:
            continue
        for op in block.ops:
            if any(_reads_training(value) for value in _read_by(op)):
                return True, "`self.training`"
            if isinstance(op, Call):
                found, name = call_sensitivity(op, facts, path, index, known, certain, classes)
                if found:
                    return True, name
                if found is None and only_runs and isinstance(op.callee, Name) and op.callee.id in facts.locals:
                    continue
                unknown = unknown or (found is None and op.result not in no_modules)
        for edge in block.edges:
            if edge.test is not None and _reads_training(edge.test):
                return True, "`self.training`"
    if facts.name == "__init__" and any(
        may_hold_module(parameter.name) and Name(parameter.name) not in certain and parameter.name not in classes
        for parameter in facts.parameters
    ):
        unknown = True
    return (None, None) if unknown else (False, None)


def _no_modules(facts: FunctionFacts, path: str, index: Index) -> set[Value]:
    """The results of calls that become a tensor or are loaded as weights, be it under a name, or that nobody reads, as
    that of `logger.info()`: they are no modules."""
    ops = [op for block in facts.blocks for op in block.ops]
    made: set[Value] = {op.result for op in ops if isinstance(op, Call)}
    found = made - _temps_read(facts)
    for op in ops:
        if isinstance(op, Call) and op.arguments and isinstance(op.callee, (Name, Attribute)):
            meaning = index.resolve(path, op.callee)
            makes_tensor = isinstance(meaning, str) and lookup.canonical(meaning) in TENSOR_MAKERS
            if makes_tensor or (isinstance(op.callee, Attribute) and op.callee.name == "load_state_dict"):
                given = op.arguments[0].value
                found |= {given, *parts_of(given)}
    return found | {op.value for op in ops if isinstance(op, Assign) and op.target in found}


def _temps_read(facts: FunctionFacts) -> set[Value]:
    """What the calls of a function give, as far as anything in it reads it."""
    waiting = [value for block in facts.blocks for op in block.ops for value in values_of(op)]
    waiting += [edge.test for block in facts.blocks for edge in block.edges if edge.test is not None]
    found: set[Value] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, Temp):
            found.add(value)
        waiting.extend(parts_of(value))
    return found


def recurrent_layer(cls: Cls, index: Index, seen: set[Cls]) -> str | None:
    """A layer in a class, or in one that it makes, whose backward fails in eval mode."""
    seen.add(cls)
    for current in index.ancestry(cls)[0]:
        for _, qualname in index.class_facts(current).methods:
            for block in index.files[current.path].functions[qualname].blocks:
                for op in block.ops:
                    meaning = index.resolve(current.path, op.callee) if isinstance(op, Call) else None
                    if isinstance(meaning, Cls) and meaning not in seen and len(seen) < MOST_CLASSES:
                        found = recurrent_layer(meaning, index, seen)
                        if found is not None:
                            return found
                    layer = lookup.layer(meaning) if isinstance(meaning, str) else None
                    if layer is not None and layer.trains_only_in_train:
                        return layer.name.rpartition(".")[2]
    return None


def may_hold_module(parameter: str) -> bool:
    """Whether a parameter's name says that it may be a module."""
    found = words(parameter)
    if not found or found[0] in ("n", "num", "number", "nb"):
        return False  # `n_layer`: how many
    return found[-1] in MODULE_WORDS | {"layer", "block", "blocks", "norm", "act", "activation"}


def call_sensitivity(
    op: Call,
    facts: FunctionFacts,
    path: str,
    index: Index,
    known: Answers,
    certain: Certain = NOTHING,
    classes: Classes = NO_CLASSES,
) -> Sensitivity:
    """The same for what one call makes or runs."""
    if not isinstance(op.callee, (Name, Attribute)):
        return False, None
    found = _class_given(op.callee, classes) or index.resolve(path, op.callee)
    if isinstance(found, Cls):
        return sensitivity_as_made(op, found, facts, path, index, known, certain, classes)
    if isinstance(found, Fn):
        return _sensitivity_as_called(op, found, facts, path, index, known, certain, classes)
    if found is None or _is_own_class(op.callee, facts):
        return False, None
    if not isinstance(found, str):
        found = path_of(op.callee) or ""
    layer = lookup.layer(found)
    if layer is not None:
        if layer.sensitivity == "container" or layer.name in known.silenced:
            return False, None
        depends = lookup.depends_on_mode(layer, *_constants(op, certain))
        return depends, found.rpartition(".")[2] if depends else None
    functional = lookup.functional(found)
    if functional is not None:
        if _takes_mode_from_caller(functional.flag, op, facts):
            return False, None
        depends = lookup.depends_on_mode(functional, *_constants(op, certain))
        return depends, found.rpartition(".")[2] if depends else None
    factory = lookup.factory(found)
    if factory is not None:
        layers = layers_of_part_used(op.result, found, facts)
        layers = factory.layers if layers is None else layers
        return (None, None) if layers is None else (bool(layers), layers[0] if layers else None)
    if lookup.makes_no_module(found):
        return False, None
    head = found.partition(".")[0]
    if "@" in head:
        return False, None  # the variable of a comprehension
    if head in facts.locals or head == "self" or head in HARMLESS_NAMES:
        last = found.rpartition(".")[2]
        if head in facts.locals and "." not in found and last[:1].isupper():
            return None, None  # a class given as an argument: `norm_layer(...)`, `Block(...)`
        if "." not in found and head in {p.name for p in facts.parameters} and head != "self":
            return None, None
        if "." not in found and facts.name == "__init__" and _is_looked_up(head, facts):
            return None, None  # `make, width = BACKBONES[name]`, and then `self.encoder = make()`
        return False, None
    if head in STANDARD_LIBRARY or found.startswith(HARMLESS_PREFIXES) or lookup.canonical(found).startswith("torch."):
        return False, None
    last = found.rpartition(".")[2]
    if last[:1].isupper() and set(words(last)[-1:]) & NOT_MADE_MODULE_WORDS:
        return False, None  # `BoxTransform()`, `Meter()`: a thing that computes, no layer
    if last[:1].isupper() or facts.name == "__init__":
        return None, None
    return False, None


def _takes_mode_from_caller(flag: Parameter, op: Call, facts: FunctionFacts) -> bool:
    """Whether a function of PyTorch is told the mode by an argument of the function that calls it, in
    `F.batch_norm(x, mean, var, training=training)`: it depends on a module's mode only if the caller reads that."""
    by_position = [argument.value for argument in op.arguments if argument.keyword is None and not argument.stars]
    by_keyword = {argument.keyword: argument.value for argument in op.arguments}
    told = by_keyword.get(flag.keyword)
    if told is None and flag.position is not None and flag.position < len(by_position):
        told = by_position[flag.position]
    if not isinstance(told, Name) or told.id not in {parameter.name for parameter in facts.parameters}:
        return False
    return not any(isinstance(each, Assign) and each.target == told for block in facts.blocks for each in block.ops)


def _sensitivity_as_called(
    op: Call,
    function: Fn,
    facts: FunctionFacts,
    path: str,
    index: Index,
    known: Answers,
    certain: Certain,
    classes: Classes,
) -> Sensitivity:
    """The same for what a function makes and runs for one call of it."""
    callee = index.facts(function)
    marker = Cls(function.path, f"function {function.qualname}")
    if marker not in known:
        if len(known) > MOST_ANSWERS:
            return None, None
        known[marker] = (False, None)
        known[marker] = function_sensitivity(callee, function.path, index, known)
    if known[marker][0] is False or len(known) > MOST_ANSWERS:
        return known[marker]
    entry = at_entry(callee, given_by(op, callee, callee.owner is not None, facts, certain))
    given = _classes_given(op, function, callee.owner is not None, facts, path, index, classes)
    said = tuple(sorted((name.id, value.value) for name, value in entry.items() if isinstance(name, Name)))
    as_called = Cls(function.path, f"function {function.qualname} called with {said} and {sorted(given.items())}")
    if (said or given) and as_called not in known:
        known[as_called] = (False, None)
        known[as_called] = function_sensitivity(callee, function.path, index, known, entry, classes=given)
    return (False, None) if (said or given) and known[as_called][0] is False else known[marker]


def _classes_given(
    call: Call, function: Fn, bound: bool, facts: FunctionFacts, path: str, index: Index, classes: Classes
) -> dict[str, Cls | str]:
    """The parameters of a function that are a class where it is called, or by default, and nothing else later."""
    callee = index.facts(function)
    assigned = {op.target for block in callee.blocks for op in block.ops if isinstance(op, Assign)}
    found: dict[str, Cls | str] = {}
    for name, (value, is_from_here) in (arguments_of(call, callee, bound, facts) or {}).items():
        if not isinstance(value, (Name, Attribute)) or Name(name) in assigned:
            continue
        given = _class_given(value, classes) if is_from_here else None
        if given is None and not (is_from_here and (path_of(value) or "").partition(".")[0] in facts.locals):
            given = _named_class(value, path if is_from_here else function.path, index)
        if given is not None:
            found[name] = given
    return found


def _class_given(value: Value, classes: Classes) -> Cls | str | None:
    return classes.get(value.id) if isinstance(value, Name) else None


def _named_class(value: Value, path: str, index: Index) -> Cls | str | None:
    """The class of the project, or the layer of PyTorch, that a name means."""
    found = index.resolve(path, value)
    if isinstance(found, str):
        is_layer = found.rpartition(".")[2][:1].isupper() and lookup.canonical(found).startswith("torch.nn.")
        return found if is_layer else None
    return found if isinstance(found, Cls) else None


def _is_own_class(callee: Value, facts: FunctionFacts) -> bool:
    """Whether a class method makes an object of its own class: `cls(...)`."""
    own = facts.parameters[0].name if facts.owner is not None and facts.parameters else ""
    return own == "cls" and callee == Name(own)


def _is_looked_up(name: str, facts: FunctionFacts) -> bool:
    """Whether a variable is an element of something."""
    assigned = (op for block in facts.blocks for op in block.ops if isinstance(op, Assign))
    return any(op.target == Name(name) and isinstance(op.value, Item) for op in assigned)


def layers_of_part_used(made: Temp, factory: str, facts: FunctionFacts) -> tuple[str, ...] | None:
    """The layers in `vgg16().features`, if nothing else is taken from what the factory made."""
    values = [value for block in facts.blocks for op in block.ops for value in values_of(op)]
    values += [edge.test for block in facts.blocks for edge in block.edges if edge.test is not None]
    taken: set[str] = set()
    while values:
        value = values.pop()
        match value:
            case Attribute(value=Temp() as owner, name=name) if owner == made:
                taken.add(name)
            case Temp() if value == made:
                return None
            case _:
                values.extend(parts_of(value))
    return lookup.layers_of_part(factory, taken.pop()) if len(taken) == 1 else None


def _constants(op: Call, certain: Certain) -> tuple[list[object], dict[str, object]]:
    return (
        [_constant(argument.value, certain) for argument in op.arguments if argument.keyword is None],
        {argument.keyword: _constant(argument.value, certain) for argument in op.arguments if argument.keyword},
    )


def _constant(value: Value, certain: Certain) -> object:
    known = constant(value, certain)
    return known.value if known is not None else lookup.ARGUMENT_UNKNOWN


def _read_by(op: Op) -> Iterable[Value]:
    """The values in an op that it does not only write: `self.training = False` asks for nothing."""
    return (op.value,) if isinstance(op, Assign) and isinstance(op.target, Attribute) else values_of(op)


def asks_for_flag(facts: FunctionFacts) -> bool:
    """Whether a method reads the flag `self.training`."""
    read = [value for block in facts.blocks for op in block.ops for value in _read_by(op)]
    read += [edge.test for block in facts.blocks for edge in block.edges if edge.test is not None]
    return any(_reads_training(value) for value in read)


def _reads_training(value: Value) -> bool:
    match value:
        case Attribute(value=Name(id="self"), name="training"):
            return True
        case Opaque(parts=parts):
            return any(_reads_training(part) for part in parts)
        case _:
            return any(_reads_training(part) for part in parts_of(value))
