"""Names: what a function binds, what a read of a name means, and what an import binds.

Three scopes of Python rename. The targets of a comprehension are its own, so `x` becomes `x@12:8`, after the place of
the comprehension. A name bound in a class body is an attribute of the class, for the body's ops stand in the enclosing
graph: `dim = 3` in `class Net` is an assignment to `Net.dim`, and so is a later read of `dim` there. All else keeps its
name; whether it is local, of an enclosing function or global follows from `FunctionFacts.locals`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import libcst as cst

from evalguard.ir.values import Attribute, Name, Value


@dataclass(slots=True)
class ClassScope:
    """A class body while it is lowered."""

    qualname: str
    value: Value
    bound: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    methods: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)


class Names:
    """The scope of one function, with the class body and the comprehensions that are open at the moment."""

    def __init__(self, renamed: dict[str, str] | None = None) -> None:
        self.bound: set[str] = set()
        self.declared_global: set[str] = set()
        self.declared_nonlocal: set[str] = set()
        self.class_scope: ClassScope | None = None
        self._renamed = renamed or {}

    def read(self, name: str) -> Value:
        """The value of a name where it is read."""
        if name in self._renamed:
            return Name(self._renamed[name])
        scope = self.class_scope
        if scope is not None and name in scope.bound:
            return Attribute(scope.value, name)
        return Name(name)

    def bind(self, name: str) -> Value:
        """The target that an assignment to a name writes."""
        if name in self._renamed:
            return Name(self._renamed[name])
        scope = self.class_scope
        if scope is None:
            self.bound.add(name)
            return Name(name)
        if name in scope.elsewhere:
            return Name(name)
        scope.bound.add(name)
        return Attribute(scope.value, name)

    def declare_global(self, names: Iterable[str]) -> None:
        """`global names`."""
        if self.class_scope is not None:
            self.class_scope.elsewhere.update(names)
        else:
            self.declared_global.update(names)

    def declare_nonlocal(self, names: Iterable[str]) -> None:
        """`nonlocal names`."""
        if self.class_scope is not None:
            self.class_scope.elsewhere.update(names)
        else:
            self.declared_nonlocal.update(names)

    @property
    def locals(self) -> frozenset[str]:
        """The names that the function binds and that are its own."""
        return frozenset(self.bound - self.declared_global - self.declared_nonlocal)

    def of_lambda(self, parameters: Iterable[str]) -> Names:
        """The scope of a lambda that stands here: it sees the targets of comprehensions around it."""
        hidden = set(parameters)
        return Names({name: new for name, new in self._renamed.items() if name not in hidden})

    @contextmanager
    def renaming(self, names: Iterable[str], suffix: str) -> Iterator[None]:
        """Names of a comprehension, while it is lowered."""
        before = self._renamed
        self._renamed = {**before, **{name: name + suffix for name in names}}
        yield
        self._renamed = before

    @contextmanager
    def in_class(self, scope: ClassScope) -> Iterator[None]:
        """The body of a class, while it is lowered."""
        before = self.class_scope
        self.class_scope = scope
        yield
        self.class_scope = before


def imported(statement: cst.Import | cst.ImportFrom) -> Iterator[tuple[str, str, cst.ImportAlias]]:
    """Each name that an import binds, and the dotted path that it is bound to. A star binds none that is known here.

    `import a.b` binds `a`, and runs `a.b`: that one stands under its own dotted name, which no code can say.
    """
    if isinstance(statement, cst.Import):
        for alias in statement.names:
            path = dotted(alias.name)
            first = path.partition(".")[0]
            local = _as_name(alias)
            yield (first, first, alias) if local is None else (local, path, alias)
            if local is None and path != first:
                yield path, path, alias
        return
    if isinstance(statement.names, cst.ImportStar):
        return
    module = module_of(statement)
    for alias in statement.names:
        name = dotted(alias.name)
        separator = "" if module.endswith(".") else "."
        yield _as_name(alias) or name, f"{module}{separator}{name}", alias


def module_of(statement: cst.ImportFrom) -> str:
    """The module of a `from` import as written, dots included."""
    return "." * len(statement.relative) + ("" if statement.module is None else dotted(statement.module))


def dotted(node: cst.CSTNode) -> str:
    """`a.b.c` of a chain of attributes of a name, "" for any other expression."""
    match node:
        case cst.Name():
            return node.value
        case cst.Attribute():
            start = dotted(node.value)
            return f"{start}.{node.attr.value}" if start else ""
        case _:
            return ""


def _as_name(alias: cst.ImportAlias) -> str | None:
    return None if alias.asname is None else dotted(alias.asname.name)
