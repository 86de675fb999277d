"""Names across a project: scopes, functions, classes and what they inherit, imports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingType
from typing import TypeAlias

from evalguard.finding import Span
from evalguard.flow.liveness import parts_of, path_of, values_of, written_by
from evalguard.ir.facts import MODULE, ClassFacts, FileFacts, FunctionFacts
from evalguard.ir.ops import Assign, Call, Define, Delete, Import, Iterate, Op, Raise, Return
from evalguard.ir.plain import Plain
from evalguard.ir.values import Attribute, Const, Item, Mapping, Name, Temp, Value
from evalguard.modes.values import Cls, Fn, Mod
from evalguard.project.modules import Modules
from evalguard.project.said import Chains, Said, said_by
from evalguard.vocabulary import lookup
from evalguard.vocabulary.methods import CHILD_METHODS, SUBMODULE_METHODS
from evalguard.vocabulary.words import words

MODULE_BASES = frozenset(
    {
        "torch.nn.Module",
        "torch.jit.ScriptModule",
        "torch.nn.modules.module.Module",
        "transformers.PreTrainedModel",
        "transformers.modeling_utils.PreTrainedModel",
        "diffusers.ModelMixin",
        "diffusers.models.modeling_utils.ModelMixin",
    }
)
HANDING_ON = frozenset({"enumerate", "getattr", "iter", "list", "next", "reversed", "tuple", "zip"})
"""Functions that give what is in their arguments, or in what these hold."""
HANDING_OUT = CHILD_METHODS | SUBMODULE_METHODS | {"get", "get_submodule", "items", "values"}
"""Methods that give what is in an object."""
PLAIN_BASES = frozenset(
    {
        "object",
        "abc.ABC",
        "ABC",
        "typing.Generic",
        "Generic",
        "Exception",
        "enum.Enum",
        "enum.IntEnum",
        "enum.StrEnum",
        "enum.Flag",
        "enum.IntFlag",
        "collections.OrderedDict",
        "collections.defaultdict",
        "collections.UserDict",
        "bytes",
        "dict",
        "float",
        "frozenset",
        "int",
        "list",
        "set",
        "str",
        "tuple",
        "torch.utils.data.Dataset",
        "typing.NamedTuple",
        "typing.Protocol",
    }
)


class Var(Plain, frozen=True):
    """A variable that the body of a file binds."""

    path: str
    name: str


Meaning: TypeAlias = Mod | Cls | Fn | Var | str
"""What a name means: something of the project, or the dotted name of something else."""


class Index:
    """All files of a project, by path; `locations` as in `Modules`."""

    def __init__(self, files: Sequence[FileFacts], locations: MappingType[str, str] | None = None) -> None:
        self.modules = Modules([file.path for file in files], locations)
        self.files = {file.path: file for file in sorted(files, key=lambda file: self.modules.order(file.path))}
        self._named: dict[tuple[str, str], Meaning | None] = {}
        self._targets: dict[tuple[str, str], Meaning] = {}
        self._ancestries: dict[Cls, tuple[tuple[Cls, ...], tuple[str, ...]]] = {}
        self._subclasses: dict[Cls, list[Cls]] | None = None
        self._captured: dict[str, dict[str, set[str]]] = {}
        self._bound_once: dict[str, set[str]] = {}
        self._scopes: dict[tuple[str, str, str], str | None] = {}
        self._said: dict[tuple[str, str], Said] = {}

    def said(self, path: str, qualname: str) -> Said:
        """See `said_by`; worked out once for all that ask."""
        if (path, qualname) not in self._said:
            self.chains(path, qualname)
        return self._said[path, qualname]

    def chains(self, path: str, qualname: str) -> Chains:
        """See `said_by`; worked out anew, for they are many, and with them all else that it says."""
        self._said[path, qualname], chains = said_by(self.files[path].functions[qualname])
        return chains

    # -------------------------------------------------------------------------------------------- scopes

    def scope_of(self, path: str, function: str, name: str) -> str | None:
        """The function whose variable it is, if others can reach it; None for a private one."""
        key = (path, function, name)
        if key not in self._scopes:
            self._scopes[key] = self._find_scope(path, function, name)
        return self._scopes[key]

    def _find_scope(self, path: str, function: str, name: str) -> str | None:
        if "@" in name:
            return None
        owner = self.owner_of(path, function, name)
        if owner == MODULE:
            return MODULE
        if owner == function and name not in self.captured(path).get(function, ()):
            return None
        return owner

    def owner_of(self, path: str, function: str, name: str) -> str:
        """The function in whose scope a name lives that `function` mentions."""
        functions = self.files[path].functions
        current: str | None = function
        while current is not None and current != MODULE:
            facts = functions[current]
            if name in facts.declared_global:
                return MODULE
            if name in facts.locals:
                return current
            current = facts.parent
        return MODULE

    def captured(self, path: str) -> dict[str, set[str]]:
        """For each function, its variables that nested functions mention."""
        found = self._captured.get(path)
        if found is None:
            found = self._captured[path] = {}
            for qualname, facts in self.files[path].functions.items():
                if facts.parent in (None, MODULE):
                    continue
                for name in names_in(facts):
                    if name not in facts.locals and "@" not in name:
                        owner = self.owner_of(path, qualname, name)
                        if owner not in (MODULE, qualname):
                            found.setdefault(owner, set()).add(name)
        return found

    def is_bound_once(self, path: str, name: str) -> bool:
        """Whether the body of a file binds a name in one place only."""
        found = self._bound_once.get(path)
        if found is None:
            body = self.files[path].functions[MODULE]
            counts = Counter(
                bound for block in body.blocks for op in block.ops if (bound := written_by(op)) is not None
            )
            elsewhere = {bound for facts in self.files[path].functions.values() for bound in facts.declared_global}
            found = self._bound_once[path] = {bound for bound, n in counts.items() if n == 1} - elsewhere
        return name in found

    # -------------------------------------------------------------------------------------------- names

    def dotted(self, path: str, value: Value) -> str | None:
        """A chain of names as a dotted path through the file's imports: `nn.Dropout` is `torch.nn.Dropout`."""
        found = self._chain(path, value)
        return found if isinstance(found, str) else path_of(value)

    def resolve(self, path: str, value: Value) -> Meaning | None:
        """What a chain of names means: a file, class, function or variable of the project, or a dotted name of a
        library; None where it is no chain of names."""
        return self._chain(path, value)

    def _chain(self, path: str, value: Value) -> Meaning | None:
        match value:
            case Name(id=name):
                return self.named(path, name) or name
            case Attribute(value=inner, name=name):
                head = self._chain(path, inner)
                if isinstance(head, str) and self.modules.may_begin(head):
                    return self.import_target(path, f"{head}.{name}")
                return None if head is None else self.member(head, name, path_of(value))
            case _:
                return None

    def top_level(self, path: str, name: str) -> Cls | Fn | None:
        """A class or function of that name at the top of a file."""
        file = self.files[path]
        if name in file.classes:
            return Cls(path, name)
        if name in file.functions and name != MODULE:
            return Fn(path, name)
        return None

    def named(self, path: str, name: str) -> Meaning | None:
        """What a name at the top of a file means; None for one that the file does not bind, or that a function binds
        for itself."""
        key = (path, name)
        if key not in self._named:
            self._named[key] = None  # an import that goes round in a circle means nothing
            self._named[key] = self._find_named(path, name)
        return self._named[key]

    def _find_named(self, path: str, name: str) -> Meaning | None:
        found = self.top_level(path, name)
        if found is not None:
            return found
        file = self.files[path]
        target = file.imports.get(name)
        if target is not None:
            return self.import_target(path, target)
        if name in file.functions[MODULE].locals:
            return self._alias(path, name) or Var(path, name)
        if not name.startswith("_"):
            for star in reversed(file.star_imports):
                home = self.import_target(path, star)
                if isinstance(home, Mod) and (starred := self.named(home.path, name)) is not None:
                    if not self._is_unfound(starred):
                        return starred
                    self._forget(home.path, name)
        return None

    def _forget(self, path: str, name: str) -> None:
        """Look for a name anew when it is asked for again: outside of the circle it may be found."""
        self._named.pop((path, name), None)
        target = self.files[path].imports.get(name)
        if target is not None:
            self._targets.pop((path, target), None)

    def _is_unfound(self, meaning: Meaning) -> bool:
        """Whether a name of the project was not found: two files that import all of one another lead round in a
        circle."""
        match meaning:
            case Var():
                return not self._is_bound(meaning, "")
            case str():
                return "." in meaning and self.modules.find("", meaning.rpartition(".")[0]) is not None
            case _:
                return False

    def _alias(self, path: str, name: str) -> Meaning | None:
        """What `Norm = nn.BatchNorm2d` at the top of a file makes of the name."""
        if not self.is_bound_once(path, name):
            return None
        for block in self.files[path].functions[MODULE].blocks:
            for op in block.ops:
                if isinstance(op, Assign) and op.target == Name(name) and isinstance(op.value, (Name, Attribute)):
                    found = self._chain(path, op.value)
                    return None if isinstance(found, str) and "." not in found else found
        return None

    def offered(self, path: str) -> list[tuple[str, Cls | Fn]]:
        """The functions and classes of the project that a file offers to others by its own names."""
        file = self.files[path]
        names = dict.fromkeys((*file.imports, *file.classes, *file.functions))
        for star in file.star_imports:
            home = self.import_target(path, star)
            names |= dict.fromkeys(name for name, _ in self.offered(home.path)) if isinstance(home, Mod) else {}
        found = ((name, self.named(path, name)) for name in names if not name.startswith(("_", "<")))
        return [(name, meaning) for name, meaning in found if isinstance(meaning, (Cls, Fn))]

    def member(self, owner: Meaning, name: str, written: str | None = None) -> Meaning:
        """What `owner.name` means. A name that the project does not bind is dotted, as written."""
        match owner:
            case Mod(path=path):
                found = self.named(path, name)
                submodule = self.modules.submodule(path, name)
                if submodule is not None and (found is None or isinstance(found, Mod)):
                    return Mod(submodule)
                return found or self.modules.folder_in(path, name) or Var(path, name)
            case Cls(qualname=qualname):
                return self.nested_class(owner, name) or self.method(owner, name) or written or f"{qualname}.{name}"
            case Fn() | Var():
                return written or name
            case str():
                return f"{owner}.{name}"

    def import_target(self, path: str, target: str) -> Meaning:
        """What a dotted import target means in a file."""
        key = (path, target)
        if key not in self._targets:
            self._targets[key] = target.lstrip(".")  # while it is looked for: a circle
            self._targets[key] = self._find_target(path, target)
        return self._targets[key]

    def loaded_by(self, path: str, target: str) -> list[str]:
        """The files whose bodies an import runs: those of the packages around its target, and that of the target."""
        meaning = self.import_target(path, target)
        if isinstance(meaning, str):
            return []
        return [home for home in (*self.modules.packages_around(meaning.path), meaning.path) if home != path]

    def _find_target(self, path: str, target: str) -> Meaning:
        """`from a.b import c` asks `a/b.py` for its `c`, then for a file `a/b/c.py`; names that `a/__init__.py` binds
        come last."""
        if target.startswith("."):
            parts = self.modules.relative(path, target)
            level = len(target) - len(target.lstrip("."))
            shortest = max(len(parts) - len([part for part in target[level:].split(".") if part]), 1)
        else:
            parts, shortest = tuple(target.split(".")), 1
        dotted = target.lstrip(".")
        nearest: Meaning | None = None
        last = len(parts)
        for at in (last - 1, last, *range(last - 2, 0, -1)):
            if at < shortest:
                continue
            start = parts[:at]
            home = self.modules.at(start) if target.startswith(".") else self.modules.find(path, ".".join(start))
            if home is None or (home == path and at == len(parts)):
                continue
            meaning = self._follow(path, Mod(home), parts[at:], dotted)
            if self._is_bound(meaning, dotted):
                return meaning
            nearest = nearest or meaning
        return nearest or dotted

    def _follow(self, path: str, meaning: Meaning, names: tuple[str, ...], dotted: str) -> Meaning:
        for name in names:
            if isinstance(meaning, (Fn, Var, str)):
                return dotted
            beside = self.modules.submodule(path, name) if meaning == Mod(path) else None
            # a package's own `from .fit import fit` means its submodule, not the name that it is about to bind
            meaning = Mod(beside) if beside is not None else self.member(meaning, name, dotted)
        return meaning

    def _is_bound(self, meaning: Meaning, dotted: str) -> bool:
        match meaning:
            case Var(path=path, name=name):
                return name in self.files[path].functions[MODULE].locals
            case _:
                return meaning != dotted

    # -------------------------------------------------------------------------------------------- classes

    def class_facts(self, cls: Cls) -> ClassFacts:
        """The facts of a class."""
        return self.files[cls.path].classes[cls.qualname]

    def ancestry(self, cls: Cls) -> tuple[tuple[Cls, ...], tuple[str, ...]]:
        """The class and its ancestors of the project, nearest first (depth first, doubles dropped), and the dotted
        names of those beyond it."""
        if cls not in self._ancestries:
            self._ancestries[cls] = (cls,), ("?",)  # until it is known: `class A(B.X)` where B inherits from A
            self._ancestries[cls] = self._find_ancestry(cls)
        return self._ancestries[cls]

    def _find_ancestry(self, cls: Cls) -> tuple[tuple[Cls, ...], tuple[str, ...]]:
        own: list[Cls] = []
        foreign: list[str] = []

        def visit(current: Cls) -> None:
            if current in own or len(own) > 50:
                return
            own.append(current)
            for base in self.class_facts(current).bases:
                while isinstance(base, Item):  # `class Net(Base[Sample])`: a generic class
                    base = base.value
                found = self.resolve(current.path, base)
                if found == current and isinstance(base, Name):  # `class Net(Net)`: what the name meant before
                    imported = self.files[current.path].imports.get(base.id)
                    found = self.import_target(current.path, imported) if imported is not None else None
                if isinstance(found, Cls):
                    visit(found)
                elif isinstance(found, str):
                    if found not in foreign:
                        foreign.append(found)
                else:
                    foreign.append("?")

        visit(cls)
        return tuple(own), tuple(foreign)

    def nested_class(self, cls: Cls, name: str) -> Cls | None:
        """A class that stands in the body of a class or of one that it inherits from."""
        for owner in self.ancestry(cls)[0]:
            inner = f"{owner.qualname}.{name}"
            if inner in self.files[owner.path].classes:
                return Cls(owner.path, inner)
        return None

    def subclasses(self, cls: Cls) -> list[Cls]:
        """The classes of the project that inherit from a class, directly or not."""
        if self._subclasses is None:
            self._subclasses = {}
            for path, file in self.files.items():
                for qualname in file.classes:
                    for ancestor in self.ancestry(Cls(path, qualname))[0][1:]:
                        self._subclasses.setdefault(ancestor, []).append(Cls(path, qualname))
        return self._subclasses.get(cls, [])

    def method(self, cls: Cls, name: str, after: Cls | None = None) -> Fn | None:
        """A method by name, own or inherited; `after` skips the classes up to that one (for `super()`)."""
        own, _ = self.ancestry(cls)
        if after is not None:
            own = own[own.index(after) + 1 :] if after in own else ()
        for current in own:
            for method_name, qualname in self.class_facts(current).methods:
                if method_name == name:
                    return Fn(current.path, self._getter(current.path, qualname))
        return None

    def _getter(self, path: str, qualname: str) -> str:
        """The function that reading calls, where the last one of that name is what assigning to a property calls."""
        functions = self.files[path].functions
        sets = any(decorator.name.endswith((".setter", ".deleter")) for decorator in functions[qualname].decorators)
        owner, dot, name = qualname.rpartition(".")  # the class may be the second of its name, too
        getter = f"{owner}{dot}{name.partition('#')[0]}"
        return getter if sets and getter in functions else qualname

    def methods(self, cls: Cls) -> dict[str, Fn]:
        """All methods, own and inherited, by name."""
        found: dict[str, Fn] = {}
        for current in self.ancestry(cls)[0]:
            for name, qualname in self.class_facts(current).methods:
                found.setdefault(name, Fn(current.path, qualname))
        return found

    def is_module(self, cls: Cls) -> bool | None:
        """Whether a class is a `torch.nn.Module`; None if a base is unknown."""
        _, foreign = self.ancestry(cls)
        for base in foreign:
            if lookup.not_torch(base):
                return False
        for base in foreign:
            canonical = lookup.canonical(base)
            if canonical in MODULE_BASES or lookup.layer(canonical) is not None:
                return True
            framework = lookup.framework_base(base)
            if framework is not None and framework.module is not None:
                return framework.module
            if lookup.module_class(base) is not None:
                return True
            factory = lookup.factory(base)
            if factory is not None:
                return True
            is_library_class = canonical.startswith(("torchvision.models.", "transformers."))
            if is_library_class and canonical.rpartition(".")[2][:1].isupper() and canonical.endswith("Model"):
                return True
        unknown = [base for base in foreign if base not in PLAIN_BASES]
        if not unknown:
            return False
        methods = self.methods(cls)
        if "forward" in methods:
            return True
        if "__call__" in methods:
            return False  # a module has the one of `torch.nn.Module`, which calls its `forward`
        return None

    def facts(self, function: Fn) -> FunctionFacts:
        """The facts of a function."""
        return self.files[function.path].functions[function.qualname]

    def called_on_self(self, method: Fn) -> Iterator[str]:
        """The methods that a method calls on its own object."""
        parameters = self.facts(method).parameters
        own = {"self", parameters[0].name if parameters else "self"}
        for callee in self.said(method.path, method.qualname).callees:
            match callee:
                case Attribute(value=Name(id=name), name=called) if name in own:
                    yield called
                case _:
                    pass


def names_in(function: FunctionFacts) -> set[str]:
    """Every variable that a function's own ops mention."""
    found: set[str] = set()
    for block in function.blocks:
        for op in block.ops:
            for value in values_of(op):
                found.update(_names(value))
            match op:
                case Assign(target=Name(id=name)) | Delete(target=Name(id=name)):
                    found.add(name)
                case Define(name=defined) | Import(name=defined):
                    found.add(defined.id)
                case _:
                    pass
        for edge in block.edges:
            if edge.test is not None:
                found.update(_names(edge.test))
    return found


def is_abstract(function: FunctionFacts) -> bool:
    """Whether a method waits for a subclass to give it a body: `@abstractmethod`, or nothing but
    `raise NotImplementedError`."""
    if any(decorator.name.endswith("abstractmethod") for decorator in function.decorators):
        return True
    ops = [op for block in function.blocks for op in block.ops]
    raised = [op.value for op in ops if isinstance(op, Raise)]
    made: dict[Value, Value] = {op.result: op.callee for op in ops if isinstance(op, Call)}
    return len(ops) <= 2 and any(
        made.get(value, value) == Name("NotImplementedError") for value in raised if value is not None
    )


def runs_layers(function: FunctionFacts) -> bool:
    """Whether a method of a module calls the module itself or what its attributes hold: `self(x)`, `self.head(x)`,
    `self.blocks[0](x)`, `getattr(self, name)(x)`, and `block(x)` in a loop over `self.blocks`."""
    own = _values_of_own(function)
    for block in function.blocks:
        for op in block.ops:
            match op:
                case Call(callee=Attribute(value=Name(id="self"))):
                    return True
                case Call(callee=Name() | Item() | Temp() as callee) if _is_own(callee, own):
                    return True
                case _:
                    pass
    return False


def _values_of_own(function: FunctionFacts) -> set[Value]:
    """The object of a method, and the variables and results that may be something which it holds."""
    own: set[Value] = {Name("self")}
    size = 0
    while size != len(own):
        size = len(own)
        for block in function.blocks:
            for op in block.ops:
                match op:
                    case Assign(target=Name() | Temp() as target, value=value) if _is_own(value, own):
                        own.add(target)
                    case Iterate(result=result, iterable=iterable) if _is_own(iterable, own):
                        own.add(result)
                    case Call(callee=Name(id=name), arguments=given, result=result) if name in HANDING_ON:
                        if any(_is_own(argument.value, own) for argument in given):
                            own.add(result)
                    case Call(callee=Attribute(value=owner, name=name), result=result) if name in HANDING_OUT:
                        if _is_own(owner, own):
                            own.add(result)
                    case _:
                        pass
    return own


def _is_own(value: Value, own: set[Value]) -> bool:
    return value in own or (isinstance(value, (Attribute, Item)) and _is_own(value.value, own))


def keeps_from_learning(function: FunctionFacts) -> bool:
    """Whether a function says that parameters are not to be trained: `p.requires_grad = False`, `net.freeze()`."""
    return any(
        "freeze" in words(name) or name in ("requires_grad", "requires_grad_")
        for block in function.blocks
        for op in block.ops
        for value in ((op.callee,) if isinstance(op, Call) else (op.target,) if isinstance(op, Assign) else ())
        for name in ((value.name,) if isinstance(value, Attribute) else (value.id,) if isinstance(value, Name) else ())
    )


def is_told_to_learn_nothing(function: FunctionFacts, span: Span) -> bool:
    """Whether gradients are switched off beside an op, where no test stands between: `set_requires_grad(net, False)`
    and `net.eval()` freeze it together."""
    return any(
        any(op.span == span for op in block.ops) and any(map(_takes_gradients, block.ops)) for block in function.blocks
    )


def _takes_gradients(op: Op) -> bool:
    match op:
        case Call(callee=Attribute(name=name) | Name(id=name), arguments=arguments):
            return {"requires", "grad"} <= set(words(name)) and any(a.value == Const(False) for a in arguments)
        case _:
            return clears_requires_grad(op)


def clears_requires_grad(op: Op) -> bool:
    """Whether an op is `p.requires_grad = False`."""
    match op:
        case Assign(target=Attribute(name="requires_grad"), value=value):
            return value == Const(False)
        case _:
            return False


def returned_attributes(function: FunctionFacts) -> set[str]:
    """The attributes of the object itself that a method hands out, as they are or in a tuple: `return self.ema`."""
    found: set[str] = set()
    for block in function.blocks:
        for op in block.ops:
            if isinstance(op, Return) and function.parameters:
                for value in (op.value, *parts_of(op.value)):
                    if isinstance(value, Attribute) and value.value == Name(function.parameters[0].name):
                        found.add(value.name)
    return found


def returned_names(function: FunctionFacts) -> set[str]:
    """The variables that a function hands out, as they are or in a tuple."""
    returned = [op.value for block in function.blocks for op in block.ops if isinstance(op, Return)]
    return {part.id for value in returned for part in (value, *parts_of(value)) if isinstance(part, Name)}


def fills_tables(function: FunctionFacts) -> bool:
    """Whether a function makes an empty dict for an object: `self.entries = {}`."""
    return any(
        isinstance(op, Assign) and isinstance(op.target, Attribute) and op.value == Mapping(())
        for block in function.blocks
        for op in block.ops
    )


def _names(value: Value) -> Iterator[str]:
    if isinstance(value, Name):
        yield value.id
    for part in parts_of(value):
        yield from _names(part)
