"""Who may call whom, by names alone: an approximation that is made before anything is run.

    fit(model)            a name: the function that it means, through imports
    Net(3)                a class: its constructor, and what its users call without naming it (`__call__`, `__enter__`)
    super().__init__()    the constructor of the class above
    self.validate()       a method of its own class, of what that inherits from, and of what inherits from it
    log.info("done")      nothing: `log = logging.getLogger()` is no object of the project (see `receivers`)
    x.cpu()               nothing: of what nobody knows, that is a method of data
    trainer.validate()    else every method `validate` of the files that are connected by imports

All but the last are *sure*. That is sure too where few define a method of that name; beyond that it is only *possible*.
Nested functions belong to the function around them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

from evalguard.ir.facts import MODULE
from evalguard.ir.plain import Plain
from evalguard.ir.values import Attribute, Name, Value
from evalguard.modes.values import Cls, Fn, Mod
from evalguard.project.decorators import is_property
from evalguard.project.groups import Groups
from evalguard.project.receivers import Key, Receivers
from evalguard.project.resolve import Index, Var
from evalguard.project.said import Chains
from evalguard.vocabulary.data_methods import DATA_METHODS

FEW = 3  # methods of one name, up to which a mention of the name means them
IMPLIED = ("__init__", "__call__", "__enter__", "__exit__", "__iter__", "__next__", "__len__")
UNSAID = frozenset({"forward", *IMPLIED})  # methods of which a mention says nothing


class Meant(Plain, frozen=True):
    """What a mention means: functions, and methods of which there are many, by name."""

    sure: frozenset[Key] = frozenset()
    named: frozenset[str] = frozenset()


NOTHING = Meant()


class Mentions:
    """The calls that the functions of a project may make, as far as names say."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._component = _components(index)
        self._methods: dict[tuple[str, str], list[Key]] = {}
        self._functions: dict[tuple[str, str], list[Key]] = {}
        self._properties: set[Key] = set()
        self._nested: dict[Key, list[Key]] = {}
        for path, file in index.files.items():
            for qualname, facts in file.functions.items():
                if qualname == MODULE:
                    continue
                if facts.owner is None:
                    self._functions.setdefault((path, facts.name), []).append((path, qualname))
                else:
                    named = (self._component[path], facts.name)
                    self._methods.setdefault(named, []).append((path, qualname))
                    if is_property(facts):
                        self._properties.add((path, qualname))
                if facts.parent not in (None, MODULE):
                    self._nested.setdefault((path, facts.parent), []).append((path, qualname))
        self._receivers = Receivers(index)
        self._known: dict[Key, Meant] = {}
        self._callers: dict[Hashable, list[Hashable]] | None = None

    def component(self, path: str) -> str:
        """The first of the files that imports connect with a file."""
        return self._component[path]

    def connected(self, path: str) -> list[str]:
        """The files that imports connect with a file, itself included."""
        return [other for other, component in self._component.items() if component == self._component[path]]

    def words(self, key: Key) -> tuple[str, ...]:
        """Every name and attribute in a function's ops and defaults."""
        return self._index.said(*key).words

    def sure(self, key: Key) -> frozenset[Key]:
        """The functions that a function mentions by a name that leaves little doubt."""
        return self._found(key).sure

    def is_mentioned_elsewhere(self, key: Key) -> bool:
        """Whether a function of another file mentions a function by a name that leaves little doubt."""
        callers = self._all_callers().get(key, ())
        return any(isinstance(caller, tuple) and len(caller) == 2 and caller[0] != key[0] for caller in callers)

    def nested(self, key: Key) -> list[Key]:
        """The functions that are defined in a function, those without a name left out."""
        return [inner for inner in self._nested.get(key, ()) if not inner[1].rpartition(".")[2].startswith("<")]

    def methods_named(self, path: str, name: str) -> list[Key]:
        """The methods of that name in all files that imports connect with a file."""
        return self._methods.get((self._component[path], name), [])

    def named_by(self, key: Key, callee: Value) -> Iterator[Key]:
        """The functions that a callee in a function may mean, as far as its name leaves little doubt."""
        match callee:
            case Name(id=name):
                yield from self._of_name(key, name)
            case Attribute():
                yield from self._of_attribute(key, callee, is_called=True).sure
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

    def _found(self, key: Key) -> Meant:
        """All that a function mentions."""
        if key not in self._known:
            self._known[key] = self._meant_by(key, self._index.chains(*key))
        return self._known[key]

    def _meant_by(self, key: Key, chains: Chains) -> Meant:
        sure = set(self._nested.get(key, ()))
        named: set[str] = set()
        for value, is_called in chains.items():
            if isinstance(value, Name):
                sure.update(self._of_name(key, value.id))
            else:
                meant = self._of_attribute(key, value, is_called)
                sure |= meant.sure
                named |= meant.named
        return Meant(frozenset(sure - {key}), frozenset(named))

    def _of_name(self, key: Key, name: str) -> Iterator[Key]:
        if self._receivers.global_root(key, Name(name)) is not None:
            yield from self._meant(key[0], Name(name))
        yield from self._functions.get((key[0], name), ())

    def _of_attribute(self, key: Key, value: Attribute, is_called: bool) -> Meant:
        """The functions that an attribute may mean. Where it is only read, those are its properties, but for the own
        methods of an object."""
        root = self._receivers.global_root(key, value)
        if root is not None:
            found = frozenset(self._meant(key[0], value))
            if found or self._receivers.is_library(key, root):
                return Meant(found)
        if value.name == "__init__":
            return Meant(frozenset(self._constructors_above(key, value.value)))
        if value.name in UNSAID:
            return NOTHING
        candidates = self._methods.get((self._component[key[0]], value.name), [])
        if not candidates:
            return NOTHING
        own = self._receivers.own_class(key, value.value.id) if isinstance(value.value, Name) else None
        if not is_called and own is None:
            candidates = [each for each in candidates if each in self._properties]
        classes = frozenset({own}) if own is not None else self._receivers.classes(key, value.value)
        if classes is not None and not any(map(self._receivers.has_unknown_base, classes)):
            family = {each for cls in classes for each in self._receivers.family(cls)}
            return Meant(frozenset(each for each in candidates if self._owner(each) in family))
        if own is None and value.name in DATA_METHODS:
            return NOTHING
        if len(candidates) <= FEW or not is_called:
            return Meant(frozenset(candidates))
        return Meant(frozenset(), frozenset({value.name}))

    def _constructors_above(self, key: Key, receiver: Value) -> Iterator[Key]:
        """What `super().__init__` means in a function."""
        for cls in self._receivers.classes(key, receiver) or ():
            method = self._index.method(cls, "__init__", after=cls)
            if method is not None:
                yield method.path, method.qualname

    def _owner(self, key: Key) -> Cls | None:
        owner = self._index.files[key[0]].functions[key[1]].owner
        return Cls(key[0], owner) if owner is not None else None

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
                    for name in self._found(key).named:
                        callers.setdefault(("methods", self._component[path], name), []).append(key)
            for (component, name), methods in self._methods.items():
                for key in methods:
                    callers.setdefault(key, []).append(("methods", component, name))
            self._callers = callers
        return self._callers


def _components(index: Index) -> dict[str, str]:
    """For each file, the first of the files that imports connect it with."""
    groups = Groups(index.files)
    for path, file in index.files.items():
        for target in (*file.imports.values(), *file.star_imports):
            found = index.import_target(path, target)
            if isinstance(found, (Mod, Cls, Fn, Var)):
                groups.unite(path, found.path)
    return {path: groups.first(path) for path in index.files}
