"""Things that belong together, because one has led to the other.

Disjoint sets with path halving: Tarjan and van Leeuwen, "Worst-case analysis of set union algorithms", J. ACM 31(2),
1984.
"""

from __future__ import annotations

from collections.abc import Iterable


class Groups:
    """Items in groups, each alone at first. The first item of a group, in the order in which they are given, stands for
    it."""

    def __init__(self, items: Iterable[str]) -> None:
        self._parent = {item: item for item in items}
        self._place = {item: place for place, item in enumerate(self._parent)}

    def unite(self, one: str, other: str) -> None:
        """From here on the groups of both items are one."""
        first, second = sorted((self.first(one), self.first(other)), key=self._place.__getitem__)
        self._parent[second] = first

    def first(self, item: str) -> str:
        """The item that stands for the group of another."""
        parent = self._parent
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    def all(self) -> list[list[str]]:
        """The groups, and the items in each, in the order in which they were given."""
        found: dict[str, list[str]] = {}
        for item in self._parent:
            found.setdefault(self.first(item), []).append(item)
        return list(found.values())
