"""What a project claims of the modes at its forwards, steps and exports, in words for those who show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from evalguard.claims import Claim, Way
from evalguard.finding import Span, Step
from evalguard.modes.events import Events, Export, Forward, TrainingStep
from evalguard.modes.frame import Info
from evalguard.modes.values import PARTS, Identity, Mode, Origin, Origins
from evalguard.project.view import witness

_ORDER = (Mode.TRAIN, Mode.EVAL, Mode.UNKNOWN)
_HAPPENS = {"forward": "runs `{place}`", "step": "the step trains `{place}`", "export": "exports `{place}`"}

Kind = Literal["forward", "step", "export"]

LEAVE_THE_MODE = ("keeps", "preserves")  # the exporters that do not switch by themselves


@dataclass(slots=True)
class _Place:
    """One place of the code: for each mode that is sure the shortest way that was seen, and the `doubtful` modes."""

    sure: dict[Mode, tuple[Origin, Forward | TrainingStep | Export]] = field(default_factory=dict)
    doubtful: set[Mode] = field(default_factory=set)

    def add(self, event: Forward | TrainingStep | Export, origins: Origins) -> None:
        for origin in origins:
            if event.doubt:
                self.doubtful.add(origin.mode)
            elif origin.mode not in self.sure or _length(origin, event) < _length(*self.sure[origin.mode]):
                self.sure[origin.mode] = (origin, event)


def claims(events: Events, infos: Mapping[Identity, Info]) -> Iterator[Claim]:
    """Every claim, by file and place. Of calls that only may run layers nothing is claimed."""
    places: dict[tuple[str, Span, Kind, str, str], _Place] = {}
    matter: set[tuple[str, Span, Kind, str, str]] = set()

    def add(kind: Kind, event: Forward | TrainingStep | Export, origins: Origins) -> None:
        key = (event.path, event.span, kind, event.place, event.function)
        places.setdefault(key, _Place()).add(event, origins)
        if _matters(event.id, infos) and not (isinstance(event, Export) and event.effect not in LEAVE_THE_MODE):
            matter.add(key)

    for forward in events.forwards.values():
        if forward.sure:
            add("forward", forward, forward.origins)
    for step in events.steps.values():
        add("step", step, step.now)
    for export in events.exports.values():
        add("export", export, export.origins)
    for key, found in sorted(places.items(), key=lambda item: item[0]):
        path, span, kind, place, function = key
        ways = tuple(_way(mode, *found.sure[mode], kind) for mode in _ORDER if mode in found.sure)
        doubtful = tuple(mode.value for mode in _ORDER if mode in found.doubtful and mode not in found.sure)
        yield Claim(path, function, span, kind, place, ways, doubtful, matters=key in matter)


def _matters(identity: Identity, infos: Mapping[Identity, Info]) -> bool:
    """Whether the object may be a module that behaves differently in the two modes, as far as is known."""
    info = infos.get(identity)
    if info is not None and (info.module is False or info.sensitive is False or info.never_minds):
        return False
    wholes = [identity]
    while wholes[-1][0] in PARTS:
        wholes.append(wholes[-1][1])
    return not any(infos[whole].sensitive is False for whole in wholes if whole in infos)


def _way(mode: Mode, origin: Origin, event: Forward | TrainingStep | Export, kind: Kind) -> Way:
    if origin.site is None:
        return Way(mode.value, origin.text, ())
    last = Step(event.path, event.span, f"{_HAPPENS[kind].format(place=event.place)}, in {mode.value} mode", mode.value)
    return Way(mode.value, origin.text, witness(event.trail, event.chain, origin, last))


def _length(origin: Origin, event: Forward | TrainingStep | Export) -> tuple[object, ...]:
    """By what one way is preferred to another: fewer calls, and then any order that is always the same."""
    return (len(origin.chain) + len(event.chain), origin.site or (), origin.chain, repr(event.chain))
