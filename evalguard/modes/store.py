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

from collections.abc import Callable, Hashable, Iterator
from typing import TypeAlias

from evalguard.modes.values import Abstract, Identity, identities, is_within

Key: TypeAlias = tuple[Identity, Hashable]


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


class Store:
    """A mapping from owner and name to a value."""

    __slots__ = ("_own", "_shelves")

    def __init__(self) -> None:
        self._shelves: dict[Identity, Shelf] = {}
        # Owners of shelves that no other store has, and of which nothing was worked out.
        self._own: set[Identity] = set()

    def copy(self) -> Store:
        """An independent copy."""
        other = Store.__new__(Store)
        other._shelves = self._shelves.copy()
        other._own = set()
        if self._own:
            self._own = set()
        return other

    def shelf(self, owner: Identity) -> Shelf:
        """What an owner holds, by name; not to be changed."""
        return self._shelves.get(owner, EMPTY)

    def owners(self) -> Iterator[Identity]:
        """All that hold anything."""
        return iter(self._shelves)

    def shelves(self) -> Iterator[tuple[Identity, Shelf]]:
        """All that hold anything, and what; not to be changed."""
        return iter(self._shelves.items())

    def get(self, key: Key) -> Abstract | None:
        """The value, or None."""
        shelf = self._shelves.get(key[0])
        return None if shelf is None else shelf.get(key[1])

    def __getitem__(self, key: Key) -> Abstract:
        return self._shelves[key[0]][key[1]]

    def __contains__(self, key: Key) -> bool:
        shelf = self._shelves.get(key[0])
        return shelf is not None and key[1] in shelf

    def __setitem__(self, key: Key, value: Abstract) -> None:
        owner, name = key
        shelf = self._shelves.get(owner)
        if shelf is None:
            self._shelves[owner] = Shelf({name: value})
            self._own.add(owner)
        elif owner in self._own:
            shelf[name] = value
        elif shelf.get(name) is not value:
            self._writable(owner, shelf)[name] = value

    def discard(self, key: Key) -> None:
        """Take a value away, if there is one."""
        owner, name = key
        shelf = self._shelves.get(owner)
        if shelf is None or name not in shelf:
            return
        if len(shelf) == 1:
            del self._shelves[owner]
            self._own.discard(owner)
        else:
            del self._writable(owner, shelf)[name]

    def discard_within(self, whole: Identity) -> None:
        """Take away what an object and its parts hold."""
        for owner in [owner for owner in self._shelves if is_within(owner, whole)]:
            del self._shelves[owner]
            self._own.discard(owner)

    def different_shelves(self, other: Store) -> Iterator[tuple[Shelf, Shelf]]:
        """What an owner holds here and there, where that is not one shelf."""
        for owner, shelf in self._shelves.items():
            theirs = other._shelves.get(owner, EMPTY)
            if theirs is not shelf:
                yield shelf, theirs
        for owner, theirs in other._shelves.items():
            if owner not in self._shelves:
                yield EMPTY, theirs

    def take_over(self, other: Store, united: Callable[[Hashable, Abstract, Abstract], Abstract]) -> None:
        """Hold what the other holds as well; `united` says what holds two different values."""
        for owner, theirs in other._shelves.items():
            shelf = self._shelves.get(owner)
            if shelf is None:
                self._shelves[owner] = theirs
                other._own.discard(owner)
            elif shelf is not theirs:
                for name, value in theirs.items():
                    known = shelf.get(name)
                    if known is not value:
                        if known is None:
                            self[owner, name] = value
                        elif known != value:
                            self[owner, name] = united(name, known, value)
                        shelf = self._shelves[owner]
                if shelf is not theirs and len(shelf) == len(theirs) and shelf == theirs:
                    self._shelves[owner] = theirs
                    self._own.discard(owner)
                    other._own.discard(owner)

    def items(self) -> Iterator[tuple[Key, Abstract]]:
        """Every owner and name, with the value. Values may be changed meanwhile, nothing added or taken away."""
        for owner, shelf in list(self._shelves.items()):
            for name, value in shelf.items():
                yield (owner, name), value

    def values(self) -> Iterator[Abstract]:
        """Every value."""
        for shelf in self._shelves.values():
            yield from shelf.values()

    def fingerprint(self) -> Hashable:
        """Equal for stores that hold the same."""
        self._own.clear()
        return frozenset([(owner, shelf.content()) for owner, shelf in self._shelves.items()])

    def held(self) -> set[Identity]:
        """All objects that are held."""
        self._own.clear()
        return set[Identity]().union(*[shelf.held() for shelf in self._shelves.values()])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Store) and self._shelves == other._shelves

    __hash__ = None  # type: ignore[assignment]

    def _writable(self, owner: Identity, shelf: Shelf) -> Shelf:
        """The shelf, or a copy of it if another store has it too."""
        if owner not in self._own:
            shelf = self._shelves[owner] = Shelf(shelf)
            self._own.add(owner)
        return shelf
