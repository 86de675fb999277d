"""Where the value of a flag or a probability comes from, and whether the mode has a say in it.

    p = self.p if self.training else 0.0        heard: one of the two assignments stands in a branch of `self.training`
    self.p                                      fixed: whatever the constructor was given
    0.5                                         a constant
    training                                    a parameter: the callers decide

Nothing is run: a variable may hold all that the function assigns to it anywhere. What cannot be followed is unknown,
and those who ask take it for heard: rather a missed alarm than a false one.
"""

from __future__ import annotations

from collections.abc import Iterable

from evalguard.flow.liveness import parts_of
from evalguard.ir.facts import MODULE
from evalguard.ir.graph import Block, EdgeKind
from evalguard.ir.ops import Assign, Call, Return
from evalguard.ir.plain import Plain
from evalguard.ir.values import (
    Attribute,
    Binary,
    Compare,
    Const,
    Item,
    Literals,
    Name,
    Opaque,
    Temp,
    Value,
)
from evalguard.project.code import ClassView, CodeView
from evalguard.vocabulary.words import MODE_WORDS, words

DEEPEST = 12  # assignments, attributes and calls that are followed one after another
NUMBER_FUNCTIONS = frozenset({"float", "int", "bool", "max", "min", "round", "abs"})
SWITCH = ("switch",)  # the last word of a name that a caller gives anew with each batch: `dropout_switch`
CONFIGURATION_WORDS = frozenset(
    "args arg cfg conf config configuration hparams hp opt opts options params settings".split()
)


class Sources(Plain, frozen=True):
    """Where a value may come from. `heard`: the mode may have a say in it. `unknown`: or something that cannot be
    followed. `fixed`: an attribute or a variable that stays as it is. `parameters`: of the function asked about."""

    constants: frozenset[Literals] = frozenset()
    parameters: frozenset[str] = frozenset()
    fixed: bool = False
    heard: bool = False
    unknown: bool = False

    def __or__(self, other: Sources) -> Sources:
        return Sources(
            self.constants | other.constants,
            self.parameters | other.parameters,
            self.fixed or other.fixed,
            self.heard or other.heard,
            self.unknown or other.unknown,
        )

    @property
    def is_deaf(self) -> bool:
        """Whether the mode has certainly no say in it, parameters aside."""
        return not self.heard and not self.unknown


HEARD = Sources(heard=True)
UNKNOWN = Sources(unknown=True)
FIXED = Sources(fixed=True)


def sources(value: Value, view: CodeView, cls: ClassView | None, depth: int = 0) -> Sources:
    """Where a value in a function may come from; `cls` is the class of its object, if it has one."""
    if depth > DEEPEST:
        return UNKNOWN
    match value:
        case Const(value=constant):
            return Sources(frozenset({constant}))
        case _ if says_mode(value) and not view.has_parameter(value):
            return HEARD
        case Name():
            return _of_name(value, view, cls, depth)
        case Temp():
            return _of_temp(value, view, cls, depth)
        case Attribute():
            return _of_attribute(value, view, cls, depth)
        case Item() if (item := view.item_given(value)) is not None:
            return sources(item, view, cls, depth + 1)
        case Item(value=inner):
            found = sources(inner, view, cls, depth + 1)
            return found if not found.is_deaf or found.parameters else FIXED
        case Binary() | Compare() | Opaque():
            found = union(sources(part, view, cls, depth + 1) for part in parts_of(value))
            return found if not found.is_deaf else Sources(parameters=found.parameters, fixed=True)
        case _:
            return UNKNOWN


def union(many: Iterable[Sources]) -> Sources:
    """Where one of several values may come from."""
    found = Sources()
    for each in many:
        found = found | each
    return found


def says_mode(value: Value) -> bool:
    """Whether a name in a value says that it tells training from the rest: `self.training`, `phase == "train"`."""
    match value:
        case Name(id=name) | Attribute(name=name) if MODE_WORDS & set(words(name.partition("@")[0])):
            return True
        case Const(value=str() as text):
            return bool(MODE_WORDS & set(words(text)))
        case Attribute(value=inner):
            return not isinstance(inner, Name) and says_mode(inner)
        case _:
            return any(map(says_mode, parts_of(value)))


def guarded_blocks(view: CodeView, cls: ClassView | None) -> frozenset[int]:
    """The blocks of a function that only one of the two modes reaches, as far as names of flags say."""
    if view.guarded is None:
        view.guarded = _find_guarded(view, cls)
    return view.guarded


def _find_guarded(view: CodeView, cls: ClassView | None) -> frozenset[int]:
    blocks = view.facts.blocks
    tests = {
        (number, edge.target, edge.kind)
        for number, block in enumerate(blocks)
        for edge in block.edges
        if edge.test is not None and _is_mode_test(edge.test, view, cls)
    }
    if not tests:
        return frozenset()
    everywhere = range(len(blocks))
    reached = [_reached_without(blocks, {t for t in tests if t[2] is kind}) for kind in (EdgeKind.TRUE, EdgeKind.FALSE)]
    return frozenset(number for number in everywhere if not all(number in found for found in reached))


def _reached_without(blocks: tuple[Block, ...], cut: set[tuple[int, int, EdgeKind]]) -> set[int]:
    seen = {0}
    waiting = [0]
    while waiting:
        number = waiting.pop()
        for edge in blocks[number].edges:
            if edge.target not in seen and (number, edge.target, edge.kind) not in cut:
                seen.add(edge.target)
                waiting.append(edge.target)
    return seen


def _is_mode_test(test: Value, view: CodeView, cls: ClassView | None) -> bool:
    if says_mode(test) or (isinstance(test, Name) and words(test.id.partition("@")[0])[-1:] == SWITCH):
        return True
    read = [test] if isinstance(test, (Name, Temp)) else list(parts_of(test))
    for value in read:
        if isinstance(value, (Name, Temp)):
            given = view.values_given(value)
            call = view.call_of(value)
            if any(map(says_mode, given)) or (call is not None and _says_mode_in_call(call)):
                return True
        elif any(says_mode(given) for given in _given_to_own(value, view, cls)):
            return True
    return False


def _given_to_own(value: Value, view: CodeView, cls: ClassView | None) -> list[Value]:
    name = view.own_attribute(value)
    return [given for _, given in cls.given(name)] if cls is not None and name is not None else []


def _says_mode_in_call(call: Call) -> bool:
    return says_mode(call.callee) or any(says_mode(argument.value) for argument in call.arguments)


def _of_name(value: Name, view: CodeView, cls: ClassView | None, depth: int) -> Sources:
    scope = view.index.owner_of(view.path, view.qualname, value.id)
    home = view if scope == view.qualname else view.code.function(view.path, scope)
    if "@" in value.id:
        home = view
    given = home.values_given(value)
    is_parameter = any(parameter.name == value.id for parameter in home.facts.parameters)
    if scope == MODULE and not given:
        return FIXED if value.id in view.file.imports else UNKNOWN
    found = _of_assignments(value, home, cls, depth)
    if is_parameter and home is view:
        found = found | Sources(parameters=frozenset({value.id}))
    elif is_parameter:
        found = found | FIXED
    return found if given or is_parameter else UNKNOWN


def _of_assignments(target: Name | Temp, view: CodeView, cls: ClassView | None, depth: int) -> Sources:
    guarded = guarded_blocks(view, cls)
    found = Sources()
    for number, block in enumerate(view.facts.blocks):
        for op in block.ops:
            if isinstance(op, Assign) and op.target == target:
                found = found | (HEARD if number in guarded else sources(op.value, view, cls, depth + 1))
    return found


def _of_temp(value: Temp, view: CodeView, cls: ClassView | None, depth: int) -> Sources:
    call = view.call_of(value)
    if call is None:
        return _of_assignments(value, view, cls, depth) if view.values_given(value) else UNKNOWN
    if _says_mode_in_call(call):
        return HEARD
    given = union(sources(argument.value, view, cls, depth + 1) for argument in call.arguments)
    if isinstance(call.callee, Name) and call.callee.id in NUMBER_FUNCTIONS:
        return given
    if isinstance(call.callee, Name) and call.callee.id == "getattr" and given.is_deaf:
        return FIXED
    found = UNKNOWN
    for callee in cls.callees(view, call.callee) if cls is not None else ():
        found = _of_result(callee, cls, depth)
    return found | given if not given.is_deaf else found


def _of_result(view: CodeView, cls: ClassView | None, depth: int) -> Sources:
    """Where what a function returns comes from: its parameters do not show outside."""
    guarded = guarded_blocks(view, cls)
    found = Sources()
    for number, block in enumerate(view.facts.blocks):
        for op in block.ops:
            if isinstance(op, Return):
                found = found | (HEARD if number in guarded else sources(op.value, view, cls, depth + 1))
    return UNKNOWN if found.parameters else found


def _of_attribute(value: Attribute, view: CodeView, cls: ClassView | None, depth: int) -> Sources:
    name = view.own_attribute(value)
    if name is None:
        root: Value = value
        while isinstance(root, (Attribute, Item)):
            root = root.value
        return _of_chain(root, value, view, cls, depth)
    method = cls.method(name) if cls is not None else None
    if method is not None:
        return _of_result(method, cls, depth)
    found = Sources()
    for home, given in cls.given(name) if cls is not None else ():
        if MODE_WORDS & set(words(home.facts.name)) or _is_set_by_mode(home, name, given, cls):
            return HEARD
        found = found | _as_attribute(sources(given, home, cls, depth + 1))
    return found if found != Sources() else FIXED  # of a base class that cannot be seen


def _is_set_by_mode(view: CodeView, attribute: str, given: Value, cls: ClassView | None) -> bool:
    guarded = guarded_blocks(view, cls)
    return any(
        isinstance(op, Assign) and view.own_attribute(op.target) == attribute and op.value == given
        for number in guarded
        for op in view.facts.blocks[number].ops
    )


def _as_attribute(found: Sources) -> Sources:
    """What was given to an attribute, as those see it who read it: a parameter of the constructor and what nobody can
    follow are fixed."""
    if found.heard:
        return HEARD
    return Sources(found.constants, fixed=found.fixed or found.unknown or bool(found.parameters))


def _of_chain(root: Value, value: Attribute, view: CodeView, cls: ClassView | None, depth: int) -> Sources:
    """An attribute of something else: `self.drop.p`, `config.dropout`, `module.rate`."""
    if view.is_own_object(root) or isinstance(view.meaning(value), str):
        return FIXED
    if isinstance(root, Name):
        if CONFIGURATION_WORDS & set(words(root.id)):
            return FIXED
        found = sources(root, view, cls, depth + 1)
        if found.is_deaf and not found.parameters:
            return FIXED
    return UNKNOWN
