"""What scopes, classes and objects hold: one *shelf* an owner, shared between the states that have not changed it.

A state is copied at every block, and most of what it holds is the same in all of them: the globals of each file, the
attributes of each object. So a copy takes over the shelves themselves, and a shelf is copied when it is first written
to. What two states share need not be compared, joined or hashed again: it is one object.

    a                       ("scope", "train.py", "<module>")  ->  {"net": ..., "args": ...}     the same shelf as in b
                            ("new", ..., "Trainer")            ->  {"model": ...}
    b = a.copy()
    b[trainer, "best"] = x  ("new", ..., "Trainer")            ->  {"model": ..., "best": x}     a new shelf
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Set
from typing import TypeAlias

from evalguard.modes.values import Abstract, Identity, identities, is_within, root_of

Key: TypeAlias = tuple[Identity, Hashable]

MANY = 24  # shelves; from there on they are worth a base


class Shelf(dict[Hashable, Abstract]):
    """What one owner holds, by name. Not changed once more than one store has it."""

    __slots__ = ("_content", "_held")

    _content: frozenset[tuple[Hashable, Abstract]]
    _held: frozenset[Identity]

    def content(self) -> frozenset[tuple[Hashable, Abstract]]:
        """What is in it, to be hashed; worked out once."""
        try:
            return self._content
        except AttributeError:
            self._content = frozenset(self.items())
            return self._content

    def held(self) -> frozenset[Identity]:
        """The objects in it; worked out once."""
        try:
            return self._held
        except AttributeError:
            self._held = frozenset([identity for value in self.values() for identity in identities(value)])
            return self._held


EMPTY = Shelf()


class Base:
    """Shelves that many stores have in common, by owner; never changed. Equal only to itself."""

    __slots__ = ("_held", "_held_wholes", "_holders", "_kinds", "_named", "_parts", "shelves")

    def __init__(self, shelves: Mapping[Identity, Shelf]) -> None:
        self.shelves = shelves
        self._parts: dict[Identity, list[Identity]] | None = None
        self._kinds: dict[str, tuple[Identity, ...]] = {}
        self._named: dict[str, dict[Hashable, list[tuple[Identity, Abstract]]]] = {}
        self._holders: dict[Hashable, frozenset[Identity]] = {}
        self._held: frozenset[Identity] | None = None
        self._held_wholes: frozenset[Identity] | None = None

    def within(self, whole: Identity) -> Iterator[Identity]:
        """The owners that are an object or parts of it."""
        if self._parts is None:
            self._parts = {}
            for owner in self.shelves:
                self._parts.setdefault(root_of(owner), []).append(owner)
        for owner in self._parts.get(root_of(whole), ()):
            if is_within(owner, whole):
                yield owner

    def of_kind(self, kind: str) -> tuple[Identity, ...]:
        """The owners whose identity begins with that word."""
        if kind not in self._kinds:
            self._kinds[kind] = tuple([owner for owner in self.shelves if owner[0] == kind])
        return self._kinds[kind]

    def named(self, kind: str) -> dict[Hashable, list[tuple[Identity, Abstract]]]:
        """What the owners of that kind hold, by name."""
        if kind not in self._named:
            found = self._named[kind] = {}
            for owner in self.of_kind(kind):
                for name, value in self.shelves[owner].items():
                    found.setdefault(name, []).append((owner, value))
        return self._named[kind]

    def holders(self, name: Hashable) -> frozenset[Identity]:
        """The owners that hold something by that name."""
        if name not in self._holders:
            self._holders[name] = frozenset([owner for owner, shelf in self.shelves.items() if name in shelf])
        return self._holders[name]

    def held(self) -> frozenset[Identity]:
        """All objects that are held."""
        if self._held is None:
            self._held = frozenset().union(*[shelf.held() for shelf in self.shelves.values()])
        return self._held

    def held_wholes(self) -> frozenset[Identity]:
        """The objects that they belong to in the end."""
        if self._held_wholes is None:
            self._held_wholes = frozenset(map(root_of, self.held()))
        return self._held_wholes


NOTHING = Base({})


class Store:
    """A mapping from owner and name to a value."""

    __slots__ = ("_base", "_own", "_shelves")

    def __init__(self) -> None:
        self._base = NOTHING
        # What is other than in the base; an empty shelf where the base has one that was taken away.
        self._shelves: dict[Identity, Shelf] = {}
        # Owners of shelves that no other store has, and of which nothing was worked out.
        self._own: set[Identity] = set()

    def copy(self) -> Store:
        """An independent copy."""
        other = Store.__new__(Store)
        other._base = self._base
        other._shelves = self._shelves.copy()
        other._own = set()
        if self._own:
            self._own = set()
        return other

    def settle(self) -> None:
        """Make what is held now the base of this store and of those that are copied from it, if it is much."""
        if len(self._shelves) >= MANY:
            self._base = Base(dict(self.shelves()))
            self._shelves = {}
            self._own = set()

    def shelf(self, owner: Identity) -> Shelf:
        """What an owner holds, by name; not to be changed."""
        shelf = self._shelves.get(owner)
        return self._base.shelves.get(owner, EMPTY) if shelf is None else shelf

    def of_kind(self, kind: str) -> list[Identity]:
        """All that hold anything whose identity begins with that word: "scope" for scopes."""
        found = [owner for owner, shelf in self._shelves.items() if owner[0] == kind and shelf]
        found += [owner for owner in self._base.of_kind(kind) if owner not in self._shelves]
        return found

    def held_by(self, kind: str, names: Set[Hashable]) -> Iterator[tuple[Identity, Hashable, Abstract]]:
        """What is held by these names, by owners whose identity begins with that word: owner, name and value."""
        for owner, shelf in self._shelves.items():
            if owner[0] == kind:
                for name in names & shelf.keys():
                    yield owner, name, shelf[name]
        known = self._base.named(kind)
        for name in names & known.keys():
            for owner, value in known[name]:
                if owner not in self._shelves:
                    yield owner, name, value

    def holders(self, name: Hashable) -> frozenset[Identity]:
        """All that hold something by that name."""
        own = [owner for owner, shelf in self._shelves.items() if name in shelf]
        return self._base.holders(name).difference(self._shelves).union(own)

    def shelves(self) -> Iterator[tuple[Identity, Shelf]]:
        """All that hold anything, and what; not to be changed."""
        for owner, shelf in self._base.shelves.items():
            if owner not in self._shelves:
                yield owner, shelf
        for owner, shelf in self._shelves.items():
            if shelf:
                yield owner, shelf

    def get(self, key: Key) -> Abstract | None:
        """The value, or None."""
        return self.shelf(key[0]).get(key[1])

    def __getitem__(self, key: Key) -> Abstract:
        return self.shelf(key[0])[key[1]]

    def __contains__(self, key: Key) -> bool:
        return key[1] in self.shelf(key[0])

    def __setitem__(self, key: Key, value: Abstract) -> None:
        owner, name = key
        if owner in self._own:
            self._shelves[owner][name] = value
        elif self.shelf(owner).get(name) is not value:
            self._writable(owner)[name] = value

    def put(self, owner: Identity, shelf: Shelf) -> None:
        """Set all that a shelf holds. It is shared where the owner held nothing, so it is not to be changed."""
        known = self.shelf(owner)
        if not known:
            self._shelves[owner] = shelf
            self._own.discard(owner)
        elif known is not shelf:
            self._writable(owner).update(shelf)

    def discard(self, key: Key) -> None:
        """Take a value away, if there is one."""
        owner, name = key
        shelf = self.shelf(owner)
        if name not in shelf:
            return
        if len(shelf) == 1:
            self._remove(owner)
        else:
            del self._writable(owner)[name]

    def discard_within(self, whole: Identity) -> None:
        """Take away what an object and its parts hold."""
        for owner in [owner for owner in self._shelves if is_within(owner, whole)]:
            self._remove(owner)
        for owner in self._base.within(whole):
            self._remove(owner)

    def different_shelves(self, other: Store) -> Iterator[tuple[Shelf, Shelf]]:
        """What an owner holds here and there, where that is not one shelf."""
        mine: Mapping[Identity, Shelf] = self._shelves
        theirs: Mapping[Identity, Shelf] = other._shelves
        if self._base is not other._base:
            mine, theirs = dict(self.shelves()), dict(other.shelves())
        for owner, shelf in mine.items():
            found = other.shelf(owner)
            if found is not shelf:
                yield shelf, found
        for owner, shelf in theirs.items():
            if owner not in mine:
                found = self.shelf(owner)
                if found is not shelf:
                    yield found, shelf

    def take_over(self, other: Store, united: Callable[[Hashable, Abstract, Abstract], Abstract]) -> None:
        """Hold what the other holds as well; `united` says what holds two different values."""
        if self._base is other._base:
            given = list(other._shelves.items())
            given += [(owner, other.shelf(owner)) for owner in self._shelves if owner not in other._shelves]
        else:
            given = list(other.shelves())
        for owner, theirs in given:
            shelf = self.shelf(owner)
            if not theirs or shelf is theirs:
                continue
            if shelf:
                for name, value in theirs.items():
                    known = shelf.get(name)
                    if known is not value:
                        if known is None:
                            self[owner, name] = value
                        elif known != value:
                            self[owner, name] = united(name, known, value)
                        shelf = self.shelf(owner)
                if shelf is theirs or len(shelf) != len(theirs) or shelf != theirs:
                    continue
            self._share(owner, theirs)
            other._own.discard(owner)

    def items(self) -> Iterator[tuple[Key, Abstract]]:
        """Every owner and name, with the value. Values may be changed meanwhile, nothing added or taken away."""
        for owner, shelf in list(self.shelves()):
            for name, value in shelf.items():
                yield (owner, name), value

    def fingerprint(self) -> Hashable:
        """Equal only for stores that hold the same; for those that hold it on the same base also equal."""
        self._own.clear()
        known = self._base.shelves.get
        return (
            self._base,
            frozenset(
                [
                    (owner, content)
                    for owner, shelf in self._shelves.items()
                    if (content := shelf.content()) != known(owner, EMPTY).content()
                ]
            ),
        )

    def held(self) -> set[Identity]:
        """All objects that are held."""
        self._own.clear()
        own = set[Identity]().union(*[shelf.held() for shelf in self._shelves.values()])
        base = self._base.shelves
        if self._shelves.keys().isdisjoint(base):
            return own | self._base.held()
        return own.union(*[shelf.held() for owner, shelf in base.items() if owner not in self._shelves])

    def led_to(self, wholes: Iterable[Identity]) -> set[Identity]:
        """The objects, as wholes, that can be reached from these, from the variables of functions and from classes."""
        self._own.clear()
        found = {*wholes, *self._base.held_wholes()}
        waiting = [(owner, shelf) for owner, shelf in self._shelves.items() if shelf]
        while True:
            rest: list[tuple[Identity, Shelf]] = []
            for owner, shelf in waiting:
                if owner[0] in ("scope", "class") or root_of(owner) in found:
                    found.update(map(root_of, shelf.held()))
                else:
                    rest.append((owner, shelf))
            if len(rest) == len(waiting):
                return found
            waiting = rest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Store) and all(mine == theirs for mine, theirs in self.different_shelves(other))

    __hash__ = None  # type: ignore[assignment]

    def _writable(self, owner: Identity) -> Shelf:
        """What an owner holds, to be changed: a copy, if another store has it too."""
        if owner not in self._own:
            self._shelves[owner] = Shelf(self.shelf(owner))
            self._own.add(owner)
        return self._shelves[owner]

    def _share(self, owner: Identity, shelf: Shelf) -> None:
        """Hold a shelf that others hold, too."""
        self._own.discard(owner)
        if self._base.shelves.get(owner) is shelf:
            self._shelves.pop(owner, None)
        else:
            self._shelves[owner] = shelf

    def _remove(self, owner: Identity) -> None:
        self._own.discard(owner)
        if owner in self._base.shelves:
            self._shelves[owner] = EMPTY
        else:
            self._shelves.pop(owner, None)
