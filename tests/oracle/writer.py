"""What the writers of statements and definitions share: the text so far, the dice, the names in scope."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Known:
    """`parameters` are "module", "x" or "flag"; the name may be dotted."""

    name: str
    parameters: tuple[str, ...]
    tags: tuple[str, ...]
    gives: str = (
        "nothing"  # or "module", "saved", "items" (a generator), "manager", "closure", "holder", "worker", "coroutine"
    )


@dataclass(slots=True)
class Scope:
    """The names that a statement may use, and where it stands. A nested block gets a copy, for what it binds may be
    unbound after it; `own` are the names that belong to this function, so that they may be bound again."""

    modules: list[str]
    own: set[str] = field(default_factory=set)
    flags: list[str] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)
    epochs: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    optimizers: list[str] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    generators: list[str] = field(default_factory=list)
    callables: list[Known] = field(default_factory=list)
    guarded: bool = False
    in_loop: bool = False
    returning: str | None = "return"
    may_raise: bool = True
    may_yield: bool = False
    awaits: bool = False
    recursive_call: str | None = None

    def nested(self, **changes: object) -> Scope:
        copies = {
            name: value.copy()
            for name in ("modules", "own", "flags", "phases", "epochs", "saved", "optimizers", "containers", "tables",
                         "lists", "generators", "callables")
            for value in (getattr(self, name),)
        }  # fmt: skip
        return replace(self, **copies | changes)


class Writer:
    """The program so far. `left` is how many statements the function at hand may still get."""

    def __init__(self, draw: random.Random, features: frozenset[str]) -> None:
        self.draw = draw
        self.features = features
        self.lines: list[str] = []
        self.depth = 0
        self.number = 0
        self.left = 0

    def line(self, text: str, *tags: str) -> None:
        comment = "  # " + ", ".join(dict.fromkeys(tags)) if tags else ""
        self.lines.append(("    " * self.depth + text + comment).rstrip())

    @contextmanager
    def indented(self) -> Iterator[None]:
        self.depth += 1
        yield
        self.depth -= 1

    def apart(self) -> None:
        self.lines += ["", ""]

    def fresh(self) -> int:
        self.number += 1
        return self.number

    def chance(self, probability: float) -> bool:
        return self.draw.random() < probability

    def has(self, feature: str) -> bool:
        return feature in self.features

    @contextmanager
    def without(self, *features: str) -> Iterator[None]:
        before = self.features
        self.features = before - set(features)
        yield
        self.features = before
