"""Who may call whom, by names alone: an approximation that is made before anything is run.

    fit(model)            a name: the function that it means, through imports
    Net(3)                a class: its constructor, and what its users call without naming it (`__call__`, `__enter__`)
    trainer.validate()    a method: every method `validate` of the files that are connected by imports

The first two are *sure*. A method is sure too where few define one of that name; beyond that it is only *possible*.
Nested functions belong to the function around them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

from evalguard.flow.liveness import parts_of, values_of
from evalguard.ir.facts import MODULE, FunctionFacts
from evalguard.ir.values import Attribute, Name, Value
from evalguard.modes.values import Cls, Fn, Mod
from evalguard.project.resolve import Index, Var, acts_of, words_of

Key = tuple[str, str]  # path and qualified name of a function

FEW = 3  # methods of one name, up to which a mention of the name means them
IMPLIED = ("__init__", "__call__", "__enter__", "__exit__", "__iter__", "__next__", "__len__")
UNSAID = frozenset({"forward", *IMPLIED})  # methods of which a mention says nothing


class Mentions:
    """The calls that the functions of a project may make, as far as names say."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._words: dict[Key, frozenset[str]] = {}
        self._component = _components(index)
        self._methods: dict[tuple[str, str], list[Key]] = {}
        self._in_file: dict[tuple[str, str], list[Key]] = {}
        self._nested: dict[Key, list[Key]] = {}
        for path, file in index.files.items():
            for qualname, facts in file.functions.items():
                if qualname == MODULE:
                    continue
                self._in_file.setdefault((path, facts.name), []).append((path, qualname))
                if facts.owner is not None:
                    named = (self._component[path], facts.name)
                    self._methods.setdefault(named, []).append((path, qualname))
                if facts.parent not in (None, MODULE):
                    self._nested.setdefault((path, facts.parent), []).append((path, qualname))
        self._sure: dict[Key, frozenset[Key]] = {}
        self._callers: dict[Hashable, list[Hashable]] | None = None

    def component(self, path: str) -> str:
        """The first of the files that imports connect with a file."""
        return self._component[path]

    def connected(self, path: str) -> list[str]:
        """The files that imports connect with a file, itself included."""
        return [other for other, component in self._component.items() if component == self._component[path]]

    def words(self, key: Key) -> frozenset[str]:
        """Every name and attribute in a function's ops."""
        if key not in self._words:
            self._words[key] = frozenset(words_of(self._index.files[key[0]].functions[key[1]]))
        return self._words[key]

    def classes(self, key: Key) -> set[Cls]:
        """The classes of the project that a function names."""
        found = (self._index.resolve(key[0], value) for value in _chains(self._index.files[key[0]].functions[key[1]]))
        return {meaning for meaning in found if isinstance(meaning, Cls)}

    def sure(self, key: Key) -> frozenset[Key]:
        """The functions that a function mentions by a name that leaves little doubt."""
        if key not in self._sure:
            self._sure[key] = frozenset(self._find_sure(key)) - {key}
        return self._sure[key]

    def nested(self, key: Key) -> list[Key]:
        """The functions that are defined in a function, those without a name left out."""
        return [inner for inner in self._nested.get(key, ()) if not inner[1].rpartition(".")[2].startswith("<")]

    def methods_named(self, path: str, name: str) -> list[Key]:
        """The methods of that name in all files that imports connect with a file."""
        return self._methods.get((self._component[path], name), [])

    def named_by(self, path: str, callee: Value) -> Iterator[Key]:
        """The functions that a callee may mean, as far as its name leaves little doubt."""
        match callee:
            case Name(id=name) | Attribute(name=name):
                yield from self._in_file.get((path, name), ())
                yield from self._meant(path, callee)
                if isinstance(callee, Attribute):
                    methods = self.methods_named(path, name)
                    if len(methods) <= FEW:
                        yield from methods
            case _:
                pass

    def reaching(self, seeds: Iterable[Key]) -> set[Key]:
        """The functions from which calls may lead to one of these, themselves included."""
        callers = self._all_callers()
        found: set[Hashable] = set(seeds)
        waiting = list(found)
        while waiting:
            for caller in callers.get(waiting.pop(), ()):
                if caller not in found:
                    found.add(caller)
                    waiting.append(caller)
        return {(node[0], node[1]) for node in found if isinstance(node, tuple) and len(node) == 2}

    def reached(self, key: Key, goes_on: Callable[[Key], bool], most: int) -> Iterator[Key]:
        """The functions to which sure calls lead from one, itself first; at most so many."""
        seen = {key}
        waiting = [key]
        while waiting and len(seen) <= most:
            current = waiting.pop()
            yield current
            for callee in sorted(self.sure(current)):
                if callee not in seen and goes_on(callee):
                    seen.add(callee)
                    waiting.append(callee)

    def _find_sure(self, key: Key) -> Iterator[Key]:
        path, qualname = key
        yield from self._nested.get(key, ())
        mentioned = self.words(key)
        for name in mentioned:
            if name in UNSAID:
                continue
            yield from self._in_file.get((path, name), ())
            methods = self.methods_named(path, name)
            if len(methods) <= FEW:
                yield from methods
        for value in _chains(self._index.files[path].functions[qualname]):
            yield from self._meant(path, value)

    def _meant(self, path: str, value: Value) -> Iterator[Key]:
        found = self._index.resolve(path, value)
        match found:
            case Fn(path=home, qualname=qualname):
                yield home, qualname
            case Cls():
                for name in IMPLIED:
                    method = self._index.method(found, name)
                    if method is not None:
                        yield method.path, method.qualname
            case _:
                pass

    def _all_callers(self) -> dict[Hashable, list[Hashable]]:
        if self._callers is None:
            callers: dict[Hashable, list[Hashable]] = {}
            for path, file in self._index.files.items():
                for qualname in file.functions:
                    key = (path, qualname)
                    for callee in self.sure(key):
                        callers.setdefault(callee, []).append(key)
                    for name in acts_of(self._index.files[path].functions[qualname]) - UNSAID:
                        method = (self._component[path], name)
                        if len(self._methods.get(method, ())) > FEW:
                            callers.setdefault(("methods", *method), []).append(key)
            for (component, name), methods in self._methods.items():
                for key in methods:
                    callers.setdefault(key, []).append(("methods", component, name))
            self._callers = callers
        return self._callers


def _chains(facts: FunctionFacts) -> set[Value]:
    """The chains of names in a function's ops, the whole ones: `utils.train.validate`."""
    found: set[Value] = set()

    def visit(values: Iterable[Value]) -> None:
        for value in values:
            if isinstance(value, (Name, Attribute)):
                found.add(value)
            visit(parts_of(value))

    for block in facts.blocks:
        for op in block.ops:
            visit(values_of(op))
    return found


def _components(index: Index) -> dict[str, str]:
    """For each file, the first of the files that imports connect it with."""
    parent = {path: path for path in index.files}

    def find(path: str) -> str:
        while parent[path] != path:
            parent[path] = parent[parent[path]]
            path = parent[path]
        return path

    for path, file in index.files.items():
        for target in (*file.imports.values(), *file.star_imports):
            found = index.import_target(path, target)
            if isinstance(found, (Mod, Cls, Fn, Var)):
                ends = sorted((find(path), find(found.path)), key=index.modules.order)
                parent[ends[1]] = ends[0]
    return {path: find(path) for path in index.files}
