"""What a rule may ask of code as it is written, whether or not a forward or a step happens in it: one view for each
function, one for each class.

    class Net(Base):                  a class: a module, because `Base` in another file is one
        def forward(self, x):         what its forward reaches: itself,
            return self.mix(x)        a method, own or inherited,
                                          which calls `blend`,
    def blend(x): ...                 a function of another file

Nothing is run for it: calls are followed by their names alone, so what is called through a variable is not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from evalguard.finding import Span
from evalguard.flow.liveness import parts_of, values_of
from evalguard.ir.facts import MODULE, ClassFacts, FileFacts, FunctionFacts
from evalguard.ir.ops import Assign, Call, Define, Op, Return
from evalguard.ir.plain import Plain
from evalguard.ir.values import Attribute, Closure, Const, Item, Name, Sequence, Temp, Value
from evalguard.modes.intent import is_unit_test_file
from evalguard.modes.values import Cls, Fn
from evalguard.project.decorators import is_property
from evalguard.project.resolve import MODULE_BASES, Index, Meaning
from evalguard.project.said import Said
from evalguard.vocabulary import lookup

FORWARDS = ("forward", "__call__")
MOST_VIEWS = 1_000  # of functions
MOST_REACHED = 200  # functions that are looked at for one class


class Code:
    """The functions and classes of a project as they are written."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._functions: dict[tuple[str, str], CodeView] = {}
        self._classes: dict[Cls, ClassView] = {}
        self.kept: dict[str, Any] = {}  # what others worked out once for the project

    def functions(self) -> Iterator[CodeView]:
        """Every function, lambda and module body."""
        for path, file in self.index.files.items():
            for qualname in file.functions:
                yield self.function(path, qualname)

    def classes(self) -> Iterator[ClassView]:
        """Every class."""
        for path, file in self.index.files.items():
            for qualname in file.classes:
                yield self.class_(Cls(path, qualname))

    def forget(self) -> None:
        """Give the views free, if there are many: they hold what they were asked for, and are made anew."""
        if len(self._functions) > MOST_VIEWS:
            self._functions = {}
            self._classes = {}

    def function(self, path: str, qualname: str) -> CodeView:
        """One function."""
        key = (path, qualname)
        if key not in self._functions:
            self._functions[key] = CodeView(path, qualname, self)
        return self._functions[key]

    def class_(self, cls: Cls) -> ClassView:
        """One class."""
        if cls not in self._classes:
            self._classes[cls] = ClassView(cls, self)
        return self._classes[cls]


class Use(Plain, frozen=True):
    """An op of a function that may lead to another one: by a call, and by the attributes of the method's object (by
    name) and the functions without a name that it mentions."""

    block: int
    call: Call | None
    mentioned: tuple[str | Closure, ...]


@dataclass(slots=True, eq=False)
class CodeView:
    """One function, method, lambda or module body as it is written."""

    path: str
    qualname: str
    code: Code
    _given: dict[Value, list[Value]] | None = field(default=None, repr=False)
    _made: dict[Value, Call] | None = field(default=None, repr=False)
    _uses: tuple[Use, ...] | None = field(default=None, repr=False)
    _own_names: dict[str, bool] = field(default_factory=dict, repr=False)
    _held: dict[Value, list[CodeView]] = field(default_factory=dict, repr=False)
    guarded: frozenset[int] | None = field(default=None, repr=False)  # kept here by `mode_flow`

    @property
    def index(self) -> Index:
        """The names of the project."""
        return self.code.index

    @property
    def facts(self) -> FunctionFacts:
        """The function's facts."""
        return self.file.functions[self.qualname]

    @property
    def file(self) -> FileFacts:
        """The facts of its file."""
        return self.index.files[self.path]

    @property
    def said(self) -> Said:
        """What its ops say by themselves."""
        return self.index.said(self.path, self.qualname)

    @property
    def owner(self) -> Cls | None:
        """The class in whose body it stands, for a nested function that of the method around it."""
        current: str | None = self.qualname
        while current is not None and current != MODULE:
            facts = self.file.functions[current]
            if facts.owner is not None:
                return Cls(self.path, facts.owner)
            current = facts.parent
        return None

    @property
    def is_unit_test(self) -> bool:
        """Whether its file is run by pytest or unittest, or serves such files."""
        return is_unit_test_file(self.file, self.index.modules.folders(self.path))

    def ops(self) -> Iterator[Op]:
        """All its ops, in the order of their blocks."""
        for block in self.facts.blocks:
            yield from block.ops

    def calls(self) -> Iterator[tuple[int, Call]]:
        """All its calls, with the number of the block of each."""
        for number, block in enumerate(self.facts.blocks):
            for op in block.ops:
                if isinstance(op, Call):
                    yield number, op

    def meaning(self, value: Value) -> Meaning | None:
        """What a chain of names means here; None for what is no such chain, or begins with a variable of the function
        or of one around it, unless an import binds it."""
        head = value
        while isinstance(head, Attribute):
            head = head.value
        if not isinstance(head, Name) or "@" in head.id or self.is_own_object(head):
            return None
        scope = self.index.owner_of(self.path, self.qualname, head.id)
        if scope != MODULE and head.id not in self.index.said(self.path, scope).imported:
            return None
        return self.index.resolve(self.path, value)

    def dotted(self, value: Value) -> str | None:
        """The full name of something of a library, as the tables know it; None for all else."""
        found = self.meaning(value)
        return lookup.canonical(found) if isinstance(found, str) and "." in found else None

    def is_own_object(self, value: Value) -> bool:
        """Whether a name is that of the object whose method this is (or stands in): `self`."""
        if not isinstance(value, Name):
            return False
        if value.id not in self._own_names:
            self._own_names[value.id] = self._names_own_object(value.id)
        return self._own_names[value.id]

    def _names_own_object(self, name: str) -> bool:
        current: str | None = self.qualname
        while current is not None and current != MODULE:
            facts = self.file.functions[current]
            if facts.owner is not None:
                static = any(decorator.name == "staticmethod" for decorator in facts.decorators)
                return not static and bool(facts.parameters) and facts.parameters[0].name == name
            if name in facts.locals:
                return False
            current = facts.parent
        return False

    def uses(self) -> tuple[Use, ...]:
        """The ops that may lead to other functions, in the order of their blocks."""
        if self._uses is None:
            self._uses = tuple(self._find_uses())
        return self._uses

    def _find_uses(self) -> Iterator[Use]:
        for number, block in enumerate(self.facts.blocks):
            for op in block.ops:
                mentioned: list[str | Closure] = []
                for value in _parts(values_of(op)):
                    name = self.own_attribute(value)
                    if name is not None:
                        mentioned.append(name)
                    elif isinstance(value, Closure):
                        mentioned.append(value)
                call = op if isinstance(op, Call) else None
                if call is not None or mentioned:
                    yield Use(number, call, tuple(mentioned))

    def held(self, value: Value) -> list[CodeView]:
        """The functions of the project that a value may be."""
        if value not in self._held:
            self._held[value] = self._find_held(value)
        return self._held[value]

    def _find_held(self, value: Value) -> list[CodeView]:
        if isinstance(value, Closure):
            return [self.code.function(self.path, value.function)]
        if isinstance(value, Temp):
            call = self.call_of(value)
            maker = self.meaning(call.callee) if call is not None else None
            return self.code.function(maker.path, maker.qualname).handed_out() if isinstance(maker, Fn) else []
        if isinstance(value, Name):
            nested = self.nested_functions(value.id)
            if nested:
                return nested
        meaning = self.meaning(value)
        return [self.code.function(meaning.path, meaning.qualname)] if isinstance(meaning, Fn) else []

    def handed_out(self) -> list[CodeView]:
        """The functions that the function makes and returns."""
        returned = [op.value for op in self.ops() if isinstance(op, Return)]
        returned += [given for value in returned if isinstance(value, Temp) for given in self.values_given(value)]
        names = {value.id for value in returned if isinstance(value, Name)}
        return [found for name in sorted(names) for found in self.nested_functions(name)]

    def own_attribute(self, value: Value) -> str | None:
        """The name of an attribute of the method's object: `dropout` of `self.dropout`."""
        if isinstance(value, Attribute) and self.is_own_object(value.value):
            return value.name
        return None

    def values_given(self, target: Value) -> list[Value]:
        """All that the function assigns to a variable, temp or attribute, wherever it does."""
        if self._given is None:
            self._given = {}
            for op in self.ops():
                if isinstance(op, Assign):
                    self._given.setdefault(op.target, []).append(op.value)
        return self._given.get(target, [])

    def item_given(self, value: Item) -> Value | None:
        """The item that `a` gets in `a, b = x, y`; None for other items."""
        given = self.values_given(value.value) if isinstance(value.value, Temp) else []
        match given, value.index:
            case [Sequence(items=items)], Const(value=int(index)) if -len(items) <= index < len(items):
                return items[index]
            case _:
                return None

    def has_parameter(self, value: Value) -> bool:
        """Whether a value is a parameter of the function."""
        return isinstance(value, Name) and any(parameter.name == value.id for parameter in self.facts.parameters)

    def call_of(self, result: Value) -> Call | None:
        """The call that made a value, if it is the result of one."""
        if self._made is None:
            self._made = {op.result: op for op in self.ops() if isinstance(op, Call)}
        return self._made.get(result)

    def nested_functions(self, name: str) -> list[CodeView]:
        """The functions of that name that it, or a function around it, defines inside itself."""
        scope = self.index.owner_of(self.path, self.qualname, name)
        if scope == MODULE:
            return []
        home = self.code.function(self.path, scope)
        return [
            self.code.function(self.path, op.qualname)
            for op in home.ops()
            if isinstance(op, Define) and op.name.id == name and not op.is_class
        ]

    def comments_on(self, first: int, last: int) -> Iterator[str]:
        """The comments on these lines, as written."""
        return (comment for line, comment in self.file.comments if first <= line <= last)

    def comments(self, statement: Span) -> list[str]:
        """The comments that speak of a statement: on its lines, and on those right above it, in lower case."""
        said = dict(self.file.comments)
        lines = [line for line in range(statement.line, statement.end_line + 1) if line in said]
        taken = {line for op in self.ops() for line in (op.statement.line, op.statement.end_line)}
        above = statement.line - 1
        while above in said and above not in taken:
            lines.append(above)
            above -= 1
        return [said[line].lower() for line in lines]


LeaveOut: TypeAlias = Callable[[CodeView, int], bool]
"""Whether a block of a function is not followed."""


def nothing(view: CodeView, block: int) -> bool:
    """Leave nothing out."""
    return False


@dataclass(frozen=True, slots=True)
class Reached:
    """A function that a method reaches, and how: the calls on the way, each with the function that it stands in."""

    view: CodeView
    way: tuple[tuple[CodeView, Call], ...] = ()


@dataclass(slots=True, eq=False)
class ClassView:
    """One class as it is written, with what it inherits from classes of the project."""

    cls: Cls
    code: Code
    _given: dict[str, list[tuple[CodeView, Value]]] | None = field(default=None, repr=False)
    kept: dict[str, Any] = field(default_factory=dict, repr=False)  # what others worked out once for the class

    @property
    def index(self) -> Index:
        """The names of the project."""
        return self.code.index

    @property
    def path(self) -> str:
        """The path of its file."""
        return self.cls.path

    @property
    def qualname(self) -> str:
        """Its qualified name."""
        return self.cls.qualname

    @property
    def facts(self) -> ClassFacts:
        """The class's facts."""
        return self.index.class_facts(self.cls)

    @property
    def file(self) -> FileFacts:
        """The facts of its file."""
        return self.index.files[self.path]

    @property
    def is_module(self) -> bool:
        """Whether it is proved to be a `torch.nn.Module`: one of its bases, or of theirs, stands in a table."""
        return is_proved_module(self.index, self.cls)

    @property
    def is_unit_test(self) -> bool:
        """Whether its file is run by pytest or unittest, or serves such files."""
        return is_unit_test_file(self.file, self.index.modules.folders(self.path))

    def method(self, name: str) -> CodeView | None:
        """A method by name, own or inherited from a class of the project."""
        found = self.index.method(self.cls, name)
        return None if found is None else self._view(found)

    def methods(self) -> dict[str, CodeView]:
        """All methods, own and inherited from classes of the project, by name."""
        return {name: self._view(fn) for name, fn in self.index.methods(self.cls).items()}

    def own_methods(self) -> dict[str, CodeView]:
        """The methods in its own body, by name."""
        return {name: self._view(Fn(self.path, qualname)) for name, qualname in self.facts.methods}

    def forward(self) -> CodeView | None:
        """The method that a call of the module runs."""
        return next((found for name in FORWARDS if (found := self.method(name)) is not None), None)

    def reached_by(self, *names: str, leave_out: LeaveOut = nothing) -> list[Reached]:
        """The functions that methods of these names reach by calls on `self`, of functions of the project and of
        functions inside them, and by properties; themselves first, each once, the nearest way first. Blocks that are
        left out are not followed."""
        waiting = [Reached(method) for name in names if (method := self.method(name)) is not None]
        seen = {(reached.view.path, reached.view.qualname) for reached in waiting}
        found: list[Reached] = []
        while waiting and len(found) < MOST_REACHED:
            current = waiting.pop(0)
            found.append(current)
            for call, callee in self._followed(current.view, leave_out):
                if (callee.path, callee.qualname) not in seen:
                    seen.add((callee.path, callee.qualname))
                    way = current.way if call is None else (*current.way, (current.view, call))
                    waiting.append(Reached(callee, way))
        return found

    def reached_by_forward(self) -> list[Reached]:
        """The same for what a call of the module runs."""
        forward = self.forward()
        return [] if forward is None else self.reached_by(forward.facts.name)

    def callees(self, view: CodeView, callee: Value) -> list[CodeView]:
        """The functions of the project that a callee may mean in a function that works for this class: a method, what
        an attribute holds, a nested function, one of this or another file."""
        name = view.own_attribute(callee)
        if name is not None:
            method = self.method(name)
            if method is not None:
                return [method]
            return [found for home, value in self.given(name) for found in home.held(value)]
        if isinstance(callee, Attribute) and isinstance(callee.value, Temp):
            inner = view.call_of(callee.value)
            if inner is not None and inner.callee == Name("super") and view.owner is not None:
                above = self.index.method(self.cls, callee.name, after=view.owner)
                return [] if above is None else [self._view(above)]
        return view.held(callee)

    def module_in(self, view: CodeView, callee: Value) -> ClassView | None:
        """The class of the project whose object an attribute of `self` holds, where that is certain."""
        name = view.own_attribute(callee)
        made = [home.call_of(value) for home, value in self.given(name)] if name is not None else []
        homes = [home for home, _ in self.given(name)] if name is not None else []
        classes = {
            home.meaning(call.callee) if call is not None else None for home, call in zip(homes, made, strict=True)
        }
        found = classes.pop() if len(classes) == 1 else None
        return self.code.class_(found) if isinstance(found, Cls) else None

    def given(self, attribute: str) -> list[tuple[CodeView, Value]]:
        """All values that methods, own and inherited, and the class's body assign to an attribute of the object."""
        if self._given is None:
            self._given = {}
            for cls in self.index.ancestry(self.cls)[0]:
                for name, view, value in _assigned_in(self.code, cls):
                    self._given.setdefault(name, []).append((view, value))
        return self._given.get(attribute, [])

    def _followed(self, view: CodeView, leave_out: LeaveOut) -> Iterator[tuple[Call | None, CodeView]]:
        """The functions that a function calls; those that it hands out or reads as properties come without a call."""
        for use in view.uses():
            if leave_out(view, use.block):
                continue
            if use.call is not None:
                yield from ((use.call, callee) for callee in self.callees(view, use.call.callee))
            for mentioned in use.mentioned:
                if isinstance(mentioned, Closure):
                    yield None, self.code.function(view.path, mentioned.function)
                    continue
                method = self.method(mentioned)
                if method is not None and is_property(method.facts):
                    yield None, method

    def _view(self, function: Fn) -> CodeView:
        return self.code.function(function.path, function.qualname)


def is_proved_module(index: Index, cls: Cls) -> bool:
    """Whether a base of a class, or of one that it inherits from, is a module by the tables: a `forward` and an unknown
    base prove nothing."""
    _, foreign = index.ancestry(cls)
    if any(lookup.not_torch(base) is not None for base in foreign):
        return False
    return any(map(is_module_name, foreign))


def is_module_name(dotted: str) -> bool:
    """Whether the full name of a library's class is that of a `torch.nn.Module`."""
    canonical = lookup.canonical(dotted)
    if canonical in MODULE_BASES or lookup.layer(canonical) is not None or lookup.module_class(dotted) is not None:
        return True
    framework = lookup.framework_base(dotted)
    if framework is not None:
        return framework.module is True
    is_library_class = canonical.startswith(("torchvision.models.", "transformers."))
    return is_library_class and canonical.rpartition(".")[2][:1].isupper() and canonical.endswith("Model")


def _assigned_in(code: Code, cls: Cls) -> Iterator[tuple[str, CodeView, Value]]:
    facts = code.index.class_facts(cls)
    body = code.function(cls.path, facts.parent)
    for op in body.ops():
        match op:
            case Assign(target=Attribute(value=Name(id=owner), name=name), value=value) if owner == facts.name:
                yield name, body, value
            case _:
                pass
    prefix = f"{cls.qualname}."
    for qualname in code.index.files[cls.path].functions:
        if not qualname.startswith(prefix):
            continue
        view = code.function(cls.path, qualname)
        for op in view.ops() if view.said.assigned else ():
            if isinstance(op, Assign):
                assigned = view.own_attribute(op.target)
                if assigned is not None and view.owner == cls:
                    yield assigned, view, op.value


def _parts(values: Iterable[Value]) -> Iterator[Value]:
    for value in values:
        yield value
        yield from _parts(parts_of(value))
