"""What must be looked at to judge an edit: a small project, made of the definitions that have to do with it.

    def main(): fit(Net())        leads to `fit`: its callers bring modes
    def fit(net): ...             edited
    def validate(net): ...        used by `fit`: it may leave another mode
    def plot(history): ...        left out: an empty stretch

Who leads to whom is told by names alone, so the answer may differ from that of the whole project, which soon follows.
What is judged anew are findings that the edited definitions, or those that lead to them, have a part in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TypeAlias

from evalguard.lsp.outline import Outline, Part, words_of

Place: TypeAlias = tuple[str, Part]

MOST_LINES = 300  # in the definitions of a neighbourhood: about 50 ms
MANY = 3  # definitions of one name, from which on it only means those of the same file


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Parts by file: `leading`, those that were edited and those that lead to them, and all that are needed, `kept`.
    Of the files of `rests`, what stands between the parts was edited or leads to them. It is not `complete` if some
    had to be left out, for they are too many."""

    leading: Mapping[str, frozenset[Part]]
    kept: Mapping[str, frozenset[Part]]
    rests: frozenset[str]
    complete: bool


class Outlines:
    """The outlines of all files, and who defines a name."""

    def __init__(self, outlines: Mapping[str, Outline]) -> None:
        self.of: dict[str, Outline] = {}
        self._definers: dict[str, dict[str, list[Part]]] = {}
        self._binders: dict[str, set[str]] = {}
        for path, outline in outlines.items():
            self.put(path, outline)

    def put(self, path: str, outline: Outline) -> None:
        """A file has another outline now."""
        for part in self.of[path].parts if path in self.of else ():
            for name in part.names:
                self._definers[name].pop(path, None)
        for name in self.of[path].bound if path in self.of else ():
            self._binders[name].discard(path)
        self.of[path] = outline
        for name in outline.bound:
            self._binders.setdefault(name, set()).add(path)
        for part in outline.parts:
            for name in part.names:
                self._definers.setdefault(name, {}).setdefault(path, []).append(part)

    def leading_to(self, parts: Iterable[Place]) -> Iterator[Place]:
        """The parts that speak of some, maybe by another name."""
        names = frozenset(name for _, part in parts for name in part.names)
        names |= {
            name for outline in self.of.values() for name, words in outline.bound.items() if not names.isdisjoint(words)
        }
        for path, outline in self.of.items():
            for part in outline.parts:
                if not names.isdisjoint(part.words):
                    yield path, part

    def used(self, path: str, words: Iterable[str]) -> Iterator[Place]:
        """The parts of which the words of a part may speak: of its own file, or else of few others."""
        for word in sorted(words):
            places = self._definers.get(word, {})
            near = {path: places[path]} if path in places else places
            if len(near) <= MANY:
                yield from ((at, part) for at, found in sorted(near.items()) for part in found)

    def bound(self, path: str, words: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The files, with the name, that bind a word between their parts: the own one, and few of those that it seems
        to import."""
        imports = self.of[path].imports
        for word in sorted(words):
            places = self._binders.get(word, set())
            others = {at for at in places if at != path and _module_name(at) in imports}
            yield from ((at, word) for at in sorted((others if len(others) <= MANY else set()) | (places & {path})))


def _module_name(path: str) -> str:
    name = PurePath(path)
    return name.parent.name if name.stem == "__init__" else name.stem


@dataclass(slots=True)
class _Search:
    leading: dict[str, set[Part]] = field(default_factory=dict)
    kept: dict[str, set[Part]] = field(default_factory=dict)
    lines: int = 0
    complete: bool = True

    def keep(self, path: str, part: Part) -> bool:
        """Take a part in, if it is new and there is room."""
        if part in self.kept.get(path, ()):
            return False
        if self.lines + part.size > MOST_LINES:
            self.complete = False
            return False
        self.lines += part.size
        self.kept.setdefault(path, set()).add(part)
        return True

    def lead(self, path: str, part: Part) -> bool:
        """Take a part in that leads to the edited ones."""
        if part in self.leading.get(path, ()):
            return False
        if part not in self.kept.get(path, ()) and not self.keep(path, part):
            return False
        self.leading.setdefault(path, set()).add(part)
        return True


def neighbourhood(path: str, before: Outline | None, outlines: Outlines) -> Neighbourhood:
    """What has to do with the edit of a file, whose outline was another `before`."""
    search = _Search()
    now = outlines.of[path]
    edited, changed = _edited(before, now)
    search.kept[path] = set()
    new = [(path, part) for part in edited if search.lead(path, part)]
    using = list(new)
    while new:
        new = [found for found in outlines.leading_to(new) if search.lead(*found)]
        using += new
    names = {name for parts in search.leading.values() for part in parts for name in part.names}
    rests = {at for at, outline in outlines.of.items() if not names.isdisjoint(outline.calls)}
    words = [(at, outlines.of[at].calls) for at in sorted(rests)] + [(path, changed)]
    rests |= {path} if changed else set()
    words += [(at, part.words) for at, part in using]
    bound: set[tuple[str, str]] = set()
    while words:
        found = [place for at, some in words for place in outlines.used(at, some) if search.keep(*place)]
        new_names = {name for at, some in words for name in outlines.bound(at, some)} - bound
        bound |= new_names
        words = [(at, part.words) for at, part in found]
        words += [(at, outlines.of[at].bound[name]) for at, name in sorted(new_names)]
    return Neighbourhood(
        {at: frozenset(parts) for at, parts in search.leading.items()},
        {at: frozenset(search.kept.get(at, ())) for at in sorted(rests | search.kept.keys() | {at for at, _ in bound})},
        frozenset(rests),
        search.complete,
    )


def _edited(before: Outline | None, now: Outline) -> tuple[list[Part], frozenset[str]]:
    """The parts that are new, or that use a name which a line between the parts has in another way than before; and the
    words of such lines."""
    if before is None:
        return list(now.parts), words_of(now.rest)
    known, left = {part.text for part in before.parts}, {part.text for part in now.parts}
    gone = {name for part in before.parts if part.text not in left for name in part.names}
    gone -= {name for part in now.parts for name in part.names}
    changed = words_of(set(now.rest) ^ set(before.rest))
    names = changed | gone
    return [part for part in now.parts if part.text not in known or not part.words.isdisjoint(names)], changed
