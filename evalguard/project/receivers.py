"""Of which classes the object may be on which a method is called, as far as a function says by itself.

    log = logging.getLogger(__name__)     log.info(...)        a library's object
    trainer = Trainer(net)                trainer.fit()        `Trainer`, and what inherits from it
    self.head = Head()                    self.head.reset()    `Head`, from any method of the class
    def run(agent):                       agent.act(state)     unknown: whatever the callers give it

Nothing is run, and the order of statements does not count: a name may hold all that is given to it anywhere. What
cannot be followed is unknown, never a library's.
"""

from __future__ import annotations

from collections.abc import Iterable

from evalguard.ir.facts import MODULE, FunctionFacts
from evalguard.ir.ops import Assign, Call, Enter, Import
from evalguard.ir.values import Attribute, Binary, Compare, Const, Mapping, Name, Not, Opaque, Sequence, Temp, Value
from evalguard.modes.values import Cls, Fn, Mod
from evalguard.project.resolve import Index, Var
from evalguard.vocabulary.data_methods import DATA_FUNCTIONS, DATA_LIBRARIES

Key = tuple[str, str]  # path and qualified name of a function
Classes = frozenset[Cls] | None
"""The classes of the project of which something may be: none for data and for a library's object, None for unknown."""

FOREIGN: Classes = frozenset()
UNKNOWN: Classes = None
MOST_GIVEN = 300  # functions of which all is held that they give to their names
DEEPEST = 6  # names and calls that are followed one after another


class Receivers:
    """What the functions of a project say of the objects whose methods they call."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._given: dict[Key, dict[Value, list[Value | Call]]] = {}
        self._families: dict[Cls, frozenset[Cls]] = {}
        self._unknown_bases: dict[Cls, bool] = {}
        self._attributes: dict[Cls, dict[str, list[tuple[Key, Value | Call]]]] = {}

    def classes(self, key: Key, value: Value, depth: int = 0) -> Classes:
        """The classes of which a value in a function may be an instance, those that inherit from them left out."""
        if depth > DEEPEST:
            return UNKNOWN
        match value:
            case Const() | Sequence() | Mapping() | Binary() | Compare() | Not() | Opaque():
                return FOREIGN
            case Temp():
                return self._any_of(key, self._values_given(key, value), depth)
            case Name(id=name):
                return self._of_name(key, name, depth)
            case Attribute(value=Name(id=name), name=attribute) if (cls := self.own_class(key, name)) is not None:
                return self._of_attribute(cls, attribute, depth)
            case Attribute():
                return self._of_chain(key, value, depth)
            case _:
                return UNKNOWN

    def own_class(self, key: Key, name: str) -> Cls | None:
        """The class whose method a function is, or stands in, if a name is that of its object."""
        path = key[0]
        owner = self._index.owner_of(path, key[1], name)
        facts = self._index.files[path].functions[owner]
        if facts.owner is None or not facts.parameters or facts.parameters[0].name != name:
            return None
        cls = Cls(path, facts.owner)
        return cls if facts.owner in self._index.files[path].classes else None

    def family(self, cls: Cls) -> frozenset[Cls]:
        """The classes whose methods an object of a class may have: what it inherits from, what inherits from it, and
        what that inherits from."""
        if cls not in self._families:
            own = self._index.ancestry(cls)[0]
            below = [other for sub in self._index.subclasses(cls) for other in self._index.ancestry(sub)[0]]
            self._families[cls] = frozenset((*own, *below))
        return self._families[cls]

    def has_unknown_base(self, cls: Cls) -> bool:
        """Whether a class inherits from what cannot be found."""
        if cls not in self._unknown_bases:
            self._unknown_bases[cls] = any("?" in self._index.ancestry(each)[1] for each in self.family(cls))
        return self._unknown_bases[cls]

    def is_library(self, key: Key, name: str) -> bool:
        """Whether a name in a function is that of an imported library."""
        return self._is_global(key, name) and isinstance(self._index.named(key[0], name), str)

    def global_root(self, key: Key, value: Value) -> str | None:
        """The name with which a chain of names in a function begins, if it lives at the top of the file."""
        while isinstance(value, Attribute):
            value = value.value
        return value.id if isinstance(value, Name) and self._is_global(key, value.id) else None

    def _is_global(self, key: Key, name: str) -> bool:
        return self._index.owner_of(key[0], key[1], name) == MODULE

    def _of_name(self, key: Key, name: str, depth: int) -> Classes:
        path = key[0]
        home = self._index.owner_of(path, key[1], name)
        if home != MODULE:
            facts = self._index.files[path].functions[home]
            if name in [parameter.name for parameter in facts.parameters]:
                return UNKNOWN
            return self._any_of((path, home), self._values_given((path, home), Name(name)), depth)
        return self._of_meaning(self._index.named(path, name), depth)

    def _of_meaning(self, meaning: Mod | Cls | Fn | Var | str | None, depth: int) -> Classes:
        match meaning:
            case Var(path=path, name=name):
                return self._any_of((path, MODULE), self._values_given((path, MODULE), Name(name)), depth)
            case str() if meaning.partition(".")[0] in DATA_LIBRARIES:
                return FOREIGN
            case _:
                return UNKNOWN

    def _of_chain(self, key: Key, value: Attribute, depth: int) -> Classes:
        if self.global_root(key, value) is not None:
            return self._of_meaning(self._index.resolve(key[0], value), depth)
        return FOREIGN if self.classes(key, value.value, depth + 1) == FOREIGN else UNKNOWN

    def _of_attribute(self, cls: Cls, name: str, depth: int) -> Classes:
        found: set[Cls] = set()
        given = [each for member in sorted(self.family(cls), key=_order) for each in self._given_to(member, name)]
        if not given or self.has_unknown_base(cls):
            return UNKNOWN
        for home, value in given:
            of_value = self._of_given(home, value, depth)
            if of_value is None:
                return UNKNOWN
            found |= of_value
        return frozenset(found)

    def _given_to(self, cls: Cls, name: str) -> list[tuple[Key, Value | Call]]:
        """What the methods of a class give to an attribute of their object."""
        if cls not in self._attributes:
            found: dict[str, list[tuple[Key, Value | Call]]] = {}
            functions = self._index.files[cls.path].functions
            for _, qualname in self._index.class_facts(cls).methods:
                parameters = functions[qualname].parameters
                own = Name(parameters[0].name) if parameters else None
                assigns = self._index.said(cls.path, qualname).assigned
                for block in functions[qualname].blocks if assigns else ():
                    for op in block.ops:
                        if isinstance(op, Assign) and isinstance(op.target, Attribute) and op.target.value == own:
                            found.setdefault(op.target.name, []).append(((cls.path, qualname), op.value))
            self._attributes[cls] = found
        return self._attributes[cls].get(name, [])

    def _any_of(self, key: Key, given: Iterable[Value | Call], depth: int) -> Classes:
        found: set[Cls] = set()
        is_given = False
        for value in given:
            is_given = True
            of_value = self._of_given(key, value, depth)
            if of_value is None:
                return UNKNOWN
            found |= of_value
        return frozenset(found) if is_given else UNKNOWN

    def _of_given(self, key: Key, value: Value | Call, depth: int) -> Classes:
        if isinstance(value, Call):
            return self._of_call(key, value, depth + 1)
        if value == Const(None):
            return FOREIGN
        return self.classes(key, value, depth + 1)

    def _of_call(self, key: Key, call: Call, depth: int) -> Classes:
        match call.callee:
            case Name(id="super"):
                return self._of_super(key)
            case Name(id=name) if name in DATA_FUNCTIONS and self._is_global(key, name):
                return FOREIGN if self._index.named(key[0], name) is None else UNKNOWN
            case Name(id=name) | Attribute(value=Name(id=name)) if self._is_global(key, name):
                found = self._index.resolve(key[0], call.callee)
                if isinstance(found, Cls):
                    return frozenset({found})
                if isinstance(found, str) and isinstance(call.callee, Attribute) and not self.is_library(key, name):
                    return FOREIGN if self.classes(key, call.callee.value, depth) == FOREIGN else UNKNOWN
                return self._of_meaning(found, depth) if isinstance(found, str) else UNKNOWN
            case Attribute(value=receiver):
                return FOREIGN if self.classes(key, receiver, depth) == FOREIGN else UNKNOWN
            case _:
                return UNKNOWN

    def _of_super(self, key: Key) -> Classes:
        facts = self._index.files[key[0]].functions[key[1]]
        own = self.own_class(key, facts.parameters[0].name) if facts.parameters else None
        return UNKNOWN if own is None else frozenset({own})

    def _values_given(self, key: Key, target: Value) -> list[Value | Call]:
        if key not in self._given:
            if len(self._given) >= MOST_GIVEN:
                self._given.clear()
            self._given[key] = _given(self._index.files[key[0]].functions[key[1]])
        return self._given[key].get(target, [])


def _given(facts: FunctionFacts) -> dict[Value, list[Value | Call]]:
    """All that a function gives to its names, and the calls that make its temps."""
    found: dict[Value, list[Value | Call]] = {}
    for block in facts.blocks:
        for op in block.ops:
            match op:
                case Call(result=result):
                    found.setdefault(result, []).append(op)
                case Enter(result=result, manager=manager):
                    found.setdefault(result, []).append(manager)
                case Assign(target=target, value=value):
                    found.setdefault(target, []).append(value)
                case Import(name=name):
                    found.setdefault(name, []).append(name)  # that is, unknown: it goes round in a circle
                case _:
                    pass
    return found


def _order(cls: Cls) -> tuple[str, str]:
    return cls.path, cls.qualname
