"""The flag `training` of a module, where it is set by hand or read too early.

model.training = False            its children do not hear of it
for m in model.modules():
    m.training = False            all of them hear of it
self.training = mode              in `train`: what an override may do
self.is_train = self.training     in `__init__`: always True there
F.dropout(x, 0.5, self.is_train)  in `forward`: and nothing ever changes it
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evalguard.finding import Span
from evalguard.flow.liveness import parts_of, path_of, values_of
from evalguard.ir.ops import Assign, Call, Iterate
from evalguard.ir.values import Attribute, Const, Name, Temp, Value
from evalguard.modes.values import Cls, Fn
from evalguard.project.code import ClassView, CodeView
from evalguard.project.made_modules import made_by, of_class
from evalguard.project.module_evidence import is_leaf_layer, is_module, is_probably_module, text_of
from evalguard.project.resolve import MODULE_BASES, PLAIN_BASES
from evalguard.project.sensitivity import Answers, asks_for_flag, sensitivity
from evalguard.vocabulary import lookup
from evalguard.vocabulary.methods import CHILD_METHODS, MAY_SET_MODE_METHODS, SUBMODULE_METHODS
from evalguard.vocabulary.words import words

FLAG = "training"
SWITCHES = frozenset({"train", "eval"})
CHILDREN = SUBMODULE_METHODS | CHILD_METHODS | {"_modules"}
FLAG_WORDS = frozenset({"train", "training", "istrain"})
SAVED_WORDS = frozenset("before former old orig original prev previous saved state status was".split())
MAKERS = frozenset({"classmethod", "staticmethod"})
CONSTRUCTORS = ("__init__", "__post_init__", "__new__")


@dataclass(frozen=True, slots=True)
class FlagSet:
    """The flag of the module `place` is set at `span`; `own` where a method does it to its object."""

    place: str
    span: Span
    own: bool


def flags_set(view: CodeView) -> Iterator[FlagSet]:
    """The assignments to `training` of a module that may have children, which hear nothing of it."""
    if view.is_unit_test:
        return
    found = [op for op in view.ops() if isinstance(op, Assign)]
    found = [op for op in found if isinstance(op.target, Attribute) and op.target.name == FLAG]
    both = {op.target for op in found if op.value == Const(True)} & {
        op.target for op in found if op.value == Const(False)
    }
    for op in found:
        if not isinstance(op.target, Attribute) or op.target in both:
            continue  # set both ways: the flag alone is meant, which chooses what a head returns
        owner = op.target.value
        own = view.is_own_object(owner)
        if _reads_flag(op.value, view) or _tells_children(owner, view) or _is_each_of_many(owner, view):
            continue
        if own and _is_own_business(op, view):
            continue
        if not own and (is_leaf_layer(owner, view) or not _is_module_with_parts(owner, view)):
            continue
        yield FlagSet(text_of(owner, view), op.span, own)


def _reads_flag(value: Value, view: CodeView) -> bool:
    """Whether a value is a flag of a module that was saved before, or that of another one."""
    if isinstance(value, Attribute) and value.name == FLAG:
        return True
    if isinstance(value, (Name, Temp)):
        said = isinstance(value, Name) and bool(SAVED_WORDS & set(words(value.id)))
        return said or any(_reads_flag(given, view) for given in view.values_given(value) if given != value)
    return any(_reads_flag(part, view) for part in parts_of(value))


def _tells_children(owner: Value, view: CodeView) -> bool:
    """Whether the function also switches the module, or goes over its parts."""
    path = path_of(owner)
    for op in view.ops():
        if not isinstance(op, Call) or not isinstance(op.callee, Attribute):
            continue
        same = not view.facts.name.startswith("_") and op.callee.name == view.facts.name
        if op.callee.name in CHILDREN or op.callee.name == "apply" or same:
            return True  # the same method of a part
        if op.callee.name in SWITCHES and path_of(op.callee.value) == path:
            return True
        if op.callee.name in MAY_SET_MODE_METHODS and path_of(op.callee.value) == path and not _classes(owner, view):
            return True
        if op.callee.name in SWITCHES and view.is_own_object(owner):
            return True
    return any(
        isinstance(op, Iterate) and isinstance(op.iterable, Attribute) and op.iterable.name == "_modules"
        for op in view.ops()
    )


def _is_each_of_many(owner: Value, view: CodeView) -> bool:
    """Whether the owner is a variable of a loop over modules, or the parameter of a function for `apply()`: with a test
    for its class, or given on by its name."""
    if not isinstance(owner, Name):
        return False
    tests = [call for _, call in view.calls() if call.callee == Name("isinstance") and call.arguments]
    if any(call.arguments[0].value == owner for call in tests):
        return True
    if any(_comes_from_loop(given, view) for given in view.values_given(owner)):
        return True
    return view.has_parameter(owner) and _is_given_on(view)


def _comes_from_loop(value: Value, view: CodeView, depth: int = 0) -> bool:
    if depth > 4:
        return False
    if isinstance(value, Temp) and any(isinstance(op, Iterate) and op.result == value for op in view.ops()):
        return True
    return any(_comes_from_loop(part, view, depth + 1) for part in (*parts_of(value), *view.values_given(value)))


def _is_given_on(view: CodeView) -> bool:
    name = view.facts.name
    if name.startswith("<"):
        return True
    for qualname in view.file.functions:
        for op in view.code.function(view.path, qualname).ops():
            if isinstance(op, Call):
                given = [argument.value for argument in op.arguments]
                if Name(name) in given or any(isinstance(value, Attribute) and value.name == name for value in given):
                    return True
    return False


def _is_own_business(op: Assign, view: CodeView) -> bool:
    """Whether a method may set the flag of its own object: it switches modes itself, the object is no module or has no
    parts, or the flag stays what it is."""
    if view.owner is None or view.facts.owner is None:
        return True
    cls = view.code.class_(view.owner)
    if not cls.is_module or view.facts.name in SWITCHES:
        return True
    if view.facts.name in CONSTRUCTORS and op.value == Const(True):
        return True
    if is_overridden_flag(cls) or _asks_for_own_flag_alone(cls):
        return True
    return not _may_have_listening_parts(cls)


def _asks_for_own_flag_alone(cls: ClassView) -> bool:
    """Whether methods of a class read the flag, and no part that it makes is known to: it chooses between ways of its
    own, such as what it returns."""
    asks = any(asks_for_flag(view.facts) for view in cls.methods().values())
    return asks and not of_class(cls).listens


def is_overridden_flag(cls: ClassView) -> bool:
    """Whether the class has a property of that name."""
    return FLAG in cls.methods()


def _may_have_listening_parts(cls: ClassView) -> bool:
    """Whether a module has others in it, and not only such as are the same in both modes."""
    return _may_have_parts(cls) and sensitivity(cls.cls, cls.index, Answers())[0] is not False


def _may_have_parts(cls: ClassView) -> bool:
    """Whether a module has others in it: those that it makes, or those of a base class that is not seen."""
    for base in map(lookup.canonical, cls.index.ancestry(cls.cls)[1]):
        layer = lookup.layer(base)
        if base not in MODULE_BASES | PLAIN_BASES and (layer is None or layer.sensitivity == "container"):
            return True
    for method in cls.methods().values():
        for op in method.ops():
            kept = isinstance(op, Assign) and method.own_attribute(op.target) is not None
            if isinstance(op, Assign) and kept and _is_made_module(op.value, method, cls):
                return True
            if isinstance(op, Call) and isinstance(op.callee, Attribute) and op.callee.name == "add_module":
                return True
    return False


def _is_made_module(value: Value, view: CodeView, cls: ClassView) -> bool:
    return made_by(value, view, cls) is not None or is_module(value, view) is True


def _is_module_with_parts(owner: Value, view: CodeView) -> bool:
    known = _classes(owner, view)
    if known and (any(map(is_overridden_flag, known)) or not any(map(_may_have_listening_parts, known))):
        return False
    return is_probably_module(owner, view)


def _classes(owner: Value, view: CodeView) -> list[ClassView]:
    """The classes of the project of which an object is made."""
    made = [call for value in (owner, *view.values_given(owner)) if (call := view.call_of(value)) is not None]
    return [cls for call in made if (cls := _class_made(call, view)) is not None]


def _class_made(call: Call, view: CodeView) -> ClassView | None:
    """The class of the project of which a call makes an object: by its name or by one of its class methods."""
    found = view.meaning(call.callee)
    if isinstance(found, Fn):
        facts = view.index.facts(found)
        makes = facts.owner is not None and any(decorator.name in MAKERS for decorator in facts.decorators)
        found = Cls(found.path, facts.owner) if makes and facts.owner is not None else found
    return view.code.class_(found) if isinstance(found, Cls) else None


# ------------------------------------------------------------------------------------------- read too early


@dataclass(frozen=True, slots=True)
class EarlyRead:
    """`self.training` is read in a constructor, where nobody has switched yet; `kept` under an attribute."""

    view: CodeView
    span: Span
    kept: str | None


@dataclass(frozen=True, slots=True)
class FixedFlag:
    """A function that drops is told by an attribute, set once, whether to do so."""

    view: CodeView
    call: Call
    attribute: str
    given_in: CodeView
    given_at: Span


def early_reads(cls: ClassView) -> Iterator[EarlyRead]:
    """The reads of the flag in the constructor of a module."""
    if cls.is_unit_test or not cls.is_module or is_overridden_flag(cls):
        return
    for name, view in cls.own_methods().items():
        if name != "__init__" or any(_switches_itself(reached.view) for reached in cls.reached_by(name)):
            continue
        for op in view.ops():
            if not any(_mentions_own_flag(value, view) for value in values_of(op)):
                continue
            attribute = view.own_attribute(op.target) if isinstance(op, Assign) else None
            if attribute is None or all(home is view for home, _ in cls.given(attribute)):
                yield EarlyRead(view, op.span, attribute)
        for block in view.facts.blocks:
            for edge in block.edges:
                if edge.test is not None and edge.span is not None and _mentions_own_flag(edge.test, view):
                    yield EarlyRead(view, edge.span, None)


def _switches_itself(view: CodeView) -> bool:
    """Whether a constructor, or a method that it calls, sets the mode of its object, by a call or by hand."""
    for op in view.ops():
        match op:
            case Assign(target=Attribute(value=owner, name=name)) if name == FLAG and view.is_own_object(owner):
                return True
            case Call(callee=Attribute(value=owner, name=name)) if name in SWITCHES and view.is_own_object(owner):
                return True
            case _:
                pass
    return False


def _mentions_own_flag(value: Value, view: CodeView) -> bool:
    return view.own_attribute(value) == FLAG or any(_mentions_own_flag(part, view) for part in parts_of(value))


def fixed_flags(cls: ClassView) -> Iterator[FixedFlag]:
    """The dropouts of a module's forward that listen to an attribute of its own which only the constructor sets."""
    if cls.is_unit_test or not cls.is_module:
        return
    for reached in cls.reached_by_forward():
        view = reached.view
        for _, call in view.calls():
            dotted = view.dotted(call.callee)
            function = lookup.functional(dotted) if dotted is not None else None
            if function is None or function.flag.keyword not in FLAG_WORDS:
                continue
            positional = [argument.value for argument in call.arguments if argument.keyword is None]
            keywords = {argument.keyword: argument.value for argument in call.arguments if argument.keyword is not None}
            flag = lookup.argument_of(function.flag, positional, keywords)
            name = view.own_attribute(flag) if flag is not None else None
            if name is None or name == FLAG or not FLAG_WORDS & set(words(name)) or cls.method(name) is not None:
                continue
            given = [(home, op) for home, op in _assignments(cls, name)]
            if len(given) == 1 and _is_set_once(name, given[0][0], given[0][1], cls):
                yield FixedFlag(view, call, name, given[0][0], given[0][1].span)


def _assignments(cls: ClassView, name: str) -> Iterator[tuple[CodeView, Assign]]:
    """Wherever the project assigns to an attribute of that name."""
    for view in cls.code.functions():
        for op in view.ops():
            if isinstance(op, Assign) and isinstance(op.target, Attribute) and op.target.name == name:
                yield view, op


def _is_set_once(name: str, home: CodeView, op: Assign, cls: ClassView) -> bool:
    """Whether the only assignment to an attribute stands in the constructor and gives it True or a parameter."""
    owner = home.owner
    if owner not in cls.index.ancestry(cls.cls)[0] or home.facts.name != "__init__":
        return False
    if isinstance(op.value, Name):
        return home.has_parameter(op.value)
    return op.value == Const(True)
