"""What evalguard thinks happens, as plain data: functions, the modes that they find and leave, and who calls whom.

    engine.py   3 validate(model)     model: train -> eval          called by train.py, line 7
    train.py    1 main()              model: made here -> eval      calls validate, line 7

It is what `evalguard graph` shows. `project.explain` makes it, and each form of it is a module of `report.graph`.
Everything is sorted by file and line, so that equal projects give equal bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from evalguard.finding import Finding

Key: TypeAlias = tuple[str, str]  # the path and the qualified name of a function
BODY = "<module>"  # the qualified name of a file's own body
MODES = ("train", "eval", "unknown")  # in the order in which they are shown


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """A place of the code; `function` is the qualified name around it, "" where nobody asks for it."""

    path: str
    line: int
    column: int
    function: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Cause:
    """A mode that a place may be in, and why: `text` is the call that gave it, at `site`, reached through the calls of
    `chain`. An unknown mode, as the caller left it, has no site."""

    mode: str
    text: str = ""
    site: Site | None = None
    chain: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceModes:
    """A place, as the function names it, with its modes on entry and on exit: None where it is not there yet, or
    no longer (made in the function; no path to the end). `listens` says whether a layer of it depends on the mode, None
    if that is not known; `layer` names one."""

    place: str
    before: tuple[Cause, ...] | None
    after: tuple[Cause, ...] | None
    listens: bool | None
    layer: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """A function, entered by one chain of calls (none: on its own) in one way. `ends` is False if no path leaves it
    normally; `resumed` if it is a generator that goes on after a `yield`."""

    chain: tuple[Site, ...]
    places: tuple[PlaceModes, ...]
    ends: bool
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Switch:
    """A call that gave a place its mode: `model.eval()`, `Net()`, `from_pretrained(...)`."""

    line: int
    column: int
    mode: str
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Use:
    """A forward or a training step, with all that decides whether it is reported. `doubtful` are modes that it finds on
    paths only that hardly happen; `verdict` says how it was judged."""

    line: int
    column: int
    kind: Literal["forward", "step"]
    place: str
    modes: tuple[Cause, ...]
    doubtful: tuple[str, ...]
    notes: tuple[str, ...]
    verdict: str


@dataclass(frozen=True, slots=True)
class CallEdge:
    """A call that was resolved: `text` is the callee as written, `kind` says what sort of call it is, `unfollowed` why
    nobody looked into it, None if somebody did."""

    site: Site
    text: str
    kind: str
    callee: Key
    unfollowed: str | None


@dataclass(frozen=True, slots=True)
class UnknownCall:
    """A call of something that nobody knows; `given` are the modules that it gets, and whose modes it is taken to
    keep."""

    line: int
    column: int
    text: str
    why: str
    given: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FunctionNode:
    """A function that was followed. `alone` if nobody in the project calls it; `plain_unknowns` counts the calls of
    something unknown that get no module."""

    path: str
    qualname: str
    line: int
    parameters: tuple[str, ...]
    alone: bool
    runs: tuple[Run, ...]
    switches: tuple[Switch, ...]
    uses: tuple[Use, ...]
    calls: tuple[CallEdge, ...]
    unknowns: tuple[UnknownCall, ...]
    plain_unknowns: int
    findings: tuple[Finding, ...]

    @property
    def key(self) -> Key:
        """Path and qualified name."""
        return (self.path, self.qualname)

    def tells(self) -> bool:
        """Whether a module is seen in it."""
        return bool(self.uses or self.findings or self.unknowns or any(run.places for run in self.runs))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Functions, or files (with an empty qualified name), that were not followed, and why."""

    reason: str
    what: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class CallGraph:
    """The functions that were followed, and what was not."""

    functions: tuple[FunctionNode, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def callers(self, key: Key) -> list[CallEdge]:
        """The calls of a function that were followed."""
        calls = (call for function in self.functions for call in function.calls if call.callee == key)
        return [call for call in calls if call.unfollowed is None]

    def telling(self) -> set[Key]:
        """The functions that see a module, and those that call them."""
        found = {node.key for node in self.functions if node.tells()}
        waiting = list(found)
        calling: dict[Key, set[Key]] = {}
        for node in self.functions:
            for call in node.calls:
                calling.setdefault(call.callee, set()).add(node.key)
        while waiting:
            news = calling.get(waiting.pop(), set()) - found
            found |= news
            waiting.extend(news)
        return found

    def named(self, name: str) -> list[FunctionNode]:
        """The functions of that name: a qualified name or its tail, after a path or its tail and a colon if there
        is one. Whole names come before tails."""
        path, _, qualname = name.rpartition(":")
        fitting = [node for node in self.functions if is_tail(path.replace("\\", "/"), node.path, "/")]
        whole = [node for node in fitting if node.qualname == qualname]
        return whole or [node for node in fitting if is_tail(qualname, node.qualname, ".")]

    def reason_of(self, name: str) -> list[tuple[str, Key]]:
        """The functions of that name that were left out, with the reason."""
        path, _, qualname = name.rpartition(":")
        return [
            (left.reason, key)
            for left in self.left_out
            for key in left.what
            if key[1] and is_tail(qualname, key[1], ".") and is_tail(path.replace("\\", "/"), key[0], "/")
        ]

    def around(self, keys: Collection[Key]) -> CallGraph:
        """These functions with those that call them and those that they call."""
        near = set(keys) | {call.callee for node in self.functions if node.key in keys for call in node.calls}
        near |= {node.key for node in self.functions if any(call.callee in keys for call in node.calls)}
        return CallGraph(tuple(node for node in self.functions if node.key in near))


def is_tail(tail: str, whole: str, separator: str) -> bool:
    """Whether a dotted name or path ends with another: `fit` and `Trainer.fit` are tails of `Trainer.fit`."""
    return tail in ("", whole) or whole.endswith(separator + tail)


def modes_of(causes: Iterable[Cause]) -> tuple[str, ...]:
    """The modes alone, in a fixed order."""
    found = {cause.mode for cause in causes}
    return tuple(mode for mode in MODES if mode in found)
