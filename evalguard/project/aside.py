"""What a callee cannot see is taken away during the call, so that more calls are alike.

    if verbose:              the callee never asks for `verbose`
        ...
    y = net(x)               nor does it hold `y`
    validate(net)            one run serves, whatever `verbose` and `y` are

The caller gets back what was set aside, and the callee's steps go on top of its own path.
"""

from __future__ import annotations

from dataclasses import dataclass

from evalguard.modes.frame import Frame
from evalguard.modes.state import EventKey, Guard, State, Trail
from evalguard.modes.values import Abstract, Identity, identities, root_of
from evalguard.project.relevance import Asked


@dataclass(frozen=True, slots=True)
class Aside:
    """What a callee cannot see, taken away during the call so that more calls are alike."""

    taints: dict[Identity, frozenset[EventKey]]
    guards: frozenset[Guard]


def set_aside(entry: State, arguments: dict[str, Abstract], caller: Frame, asked: Asked) -> Aside:
    """Take away the outputs to which only the caller's variables lead, and the tests of values that the callee does
    not test. What decides nothing of modes in the caller is only left where it does in the callee."""
    given = {identity for value in arguments.values() for identity in identities(value)}
    taints: dict[Identity, frozenset[EventKey]] = {}
    if entry.taints:
        roots = entry.store.led_to(map(root_of, given))
        taints = {identity: taint for identity, taint in entry.taints.items() if root_of(identity) not in roots}
        entry.taints = {identity: taint for identity, taint in entry.taints.items() if identity not in taints}
    guards: frozenset[Guard] = frozenset()
    if entry.guards:
        every = asked.deciding | asked.running
        guards = frozenset(
            guard
            for guard in entry.guards
            if not _may_be_tested(guard, given, every if _decides(guard, caller) else asked.deciding)
        )
        entry.guards -= guards
    return Aside(taints, guards)


def spliced(trail: Trail | None, first: Trail | None, base: Trail | None) -> Trail | None:
    """The steps that a callee added to `first`, put on `base`."""
    added: list[Trail] = []
    while trail is not None and trail is not first:
        added.append(trail)
        trail = trail.before
        if len(added) > 200:
            break
    for entry in reversed(added):
        base = Trail(entry.step, base)
    return base


def _decides(guard: Guard, frame: Frame) -> bool:
    """Whether a test decides what happens to modes in a function, or in one that called it."""
    return guard.depth != frame.depth or not guard.paths.isdisjoint(frame.significant)


def _may_be_tested(guard: Guard, given: set[Identity], names: frozenset[str]) -> bool:
    return any(path.rpartition(".")[2] in names for path in guard.paths) or any(
        identity in given or (identity[0] in ("attr", "param", "local", "global") and identity[-1] in names)
        for identity in identities(guard.test)
    )
