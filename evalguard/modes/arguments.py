"""The arguments of a call, evaluated: `f(model, *rest, lr=0.1)`.

`*rest` and `**options` are taken apart where their content is known; where it is not, `complete` is False. Of a list
that grew in a loop nobody knows how many items there are, but which there may be: those are given, and `covered` says
that no others are.
"""

from __future__ import annotations

from dataclasses import dataclass

from evalguard.flow.liveness import Paths, paths_in
from evalguard.ir.ops import Argument, Call
from evalguard.modes.evaluate import evaluate
from evalguard.modes.frame import Frame, source_of
from evalguard.modes.state import State
from evalguard.modes.values import LONGEST, Abstract, Identity, Known, Map, Seq, params_in


@dataclass(slots=True)
class Given:
    """A call's arguments, evaluated."""

    op: Call
    positional: list[Abstract]
    keywords: list[tuple[str, Abstract]]
    complete: bool  # no `*` or `**` of unknown content
    tag: str = ""  # tells what one call makes on several paths apart: see `choices`
    covered: bool = False  # whatever is given is among these, in whatever number

    def all(self) -> list[Abstract]:
        """Every argument."""
        return [*self.positional, *(value for _, value in self.keywords)]

    def get(self, position: int | None, keyword: str) -> Abstract | None:
        """The argument at that place or of that name."""
        for name, value in self.keywords:
            if name == keyword:
                return value
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return None

    def shape(self) -> tuple[int, frozenset[str]] | None:
        """How many are given by position, and which by name; None if that is not known."""
        return (len(self.positional), frozenset(name for name, _ in self.keywords)) if self.complete else None

    def paths(self) -> Paths:
        """The names that the arguments read."""
        return frozenset(path for argument in self.op.arguments for path in paths_in(argument.value))


def arguments_of(op: Call, state: State, frame: Frame) -> Given:
    """The arguments of a call, with `*` and `**` of known content taken apart."""
    positional: list[Abstract] = []
    keywords: list[tuple[str, Abstract]] = []
    complete = covered = True
    for argument in op.arguments:
        value = evaluate(argument.value, state, frame)
        if argument.stars == 1:
            if isinstance(value, Seq) and value.kind != "grown":
                positional.extend(value.items)
            else:
                complete = False
                covered = covered and isinstance(value, Seq) and len(value.items) < LONGEST
                if params_in(value) is not None or isinstance(value, Seq):
                    positional.extend(value.items if isinstance(value, Seq) else (value,))
        elif argument.stars == 2:
            if isinstance(value, Map) and all(isinstance(key, Known) for key, _ in value.items):
                keywords.extend((str(key.value), held) for key, held in value.items if isinstance(key, Known))
            else:
                complete = covered = False
        elif argument.keyword is not None:
            keywords.append((argument.keyword, value))
        else:
            positional.append(value)
    return Given(op, positional, keywords, complete, covered=covered)


def named_too(given: Given, parameters: tuple[str, ...]) -> Given:
    """The same arguments, each to be had by its position and by its name, for a function whose parameters are known."""
    named = dict(given.keywords)
    positional = list(given.positional)
    for name in parameters[len(positional) :]:
        if name not in named:
            break
        positional.append(named[name])
    named = {**dict(zip(parameters, positional, strict=False)), **named}
    return Given(given.op, positional, list(named.items()), given.complete, given.tag)


def params_of(given: Given) -> frozenset[Identity] | None:
    """The modules whose parameters are among the arguments; None if there are none."""
    found: set[Identity] = set()
    any_found = False
    for value in given.all():
        held = params_in(value)
        if held is not None:
            any_found = True
            found |= held
    return frozenset(found) if any_found else None


def call_text(op: Call, frame: Frame) -> str:
    """A call as the user wrote it: `net.train(mode=False)`."""
    return f"{source_of(op.callee, frame)}({', '.join(argument_text(argument, frame) for argument in op.arguments)})"


def argument_text(argument: Argument, frame: Frame) -> str:
    """An argument as the user wrote it: `mode=False`."""
    prefix = "*" * argument.stars + (f"{argument.keyword}=" if argument.keyword else "")
    return prefix + source_of(argument.value, frame)
