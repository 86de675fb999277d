"""What happens to modules along the paths: forwards, training steps and exports, each with the modes it may find.

An event is recorded once per call chain, module, modes and tests passed; what becomes of a forward's output (a
backward, a caller, an environment) is learned later on the same path and added to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from evalguard.finding import Span
from evalguard.modes.state import EventKey, Trail, unite_origins
from evalguard.modes.values import Chain, Cls, Identity, Origins, Site
from evalguard.vocabulary.terms import ExportEffect


@dataclass(slots=True)
class Forward:
    """A use of a module that runs its layers.

    `reason` says why it stands in evaluation code ("function `validate`"), None if it does not; `sure` is False for a
    method that may run layers (`model.sample()`), True for `model(x)` and kin. `fate` collects what becomes of the
    output: "backward" (with gradients), "target" (used by a loss, but without gradients), "returned", "acted" (given to
    an environment), "numpy" and "number" (taken out of PyTorch as such), "kept" (anything read it at all).
    """

    key: EventKey
    path: str
    function: str
    span: Span
    chain: Chain
    loops: tuple[Span, ...]
    place: str
    id: Identity
    origins: Origins
    grads_off: bool
    reason: str | None
    is_only_named: bool  # nothing but the name of its function gives that reason
    sure: bool
    in_forward: bool
    arguments: tuple[str, ...]
    dummy: bool  # it is given nothing but random or constant tensors made on the spot, or what comes of such
    in_making: bool  # the constructor of a module is at work
    doubt: bool
    trail: Trail | None
    fate: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Export:
    """A module is written down for use elsewhere by `exporter`, a name of the tables; `effect` is what this call does
    about the mode.

    `result` is the module that the call gives, None if it gives none.
    """

    key: EventKey
    path: str
    function: str
    span: Span
    chain: Chain
    loops: tuple[Span, ...]
    place: str
    id: Identity
    origins: Origins
    exporter: str
    effect: ExportEffect
    in_forward: bool
    doubt: bool
    trail: Trail | None
    result: Identity | None = None


def meet(event: Forward | Export, origins: Origins, doubt: bool, trail: Trail | None) -> None:
    """Note that another path comes to an event. What paths that hardly happen brought does not become sure with it."""
    if event.doubt == doubt:
        event.origins = unite_origins(event.origins, origins)
    elif event.doubt:
        event.origins, event.doubt, event.trail = origins, doubt, trail


@dataclass(slots=True)
class TrainingStep:
    """Weights change: those of the module `id`. `origins` say in which modes it was at its last forward (at the step
    where no forward was seen), `now` in which it is at the step itself; `held` if the optimizer is known to hold it."""

    key: EventKey
    path: str
    function: str
    span: Span
    chain: Chain
    loops: tuple[Span, ...]
    place: str
    id: Identity
    origins: Origins
    now: Origins
    held: bool
    doubt: bool
    trail: Trail | None
    exercised: bool  # a forward of the module went into the backward before this step
    fitted: Cls | None = None  # the class of what a framework trains so, in the modes that it finds


@dataclass(slots=True)
class Reveal:
    """A call of `reveal_mode(place)` in a test."""

    path: str
    function: str
    span: Span
    place: str
    origins: Origins
    doubt: bool


@dataclass(slots=True)
class Backward:
    """Gradients are computed: `loops` around it, its function, and the `calls` that led to it tell which forwards stand
    in training code."""

    path: str
    function: str
    span: Span
    loops: tuple[Span, ...]
    calls: set[Site] = field(default_factory=set)


@dataclass(slots=True)
class Events:
    """All that was recorded."""

    forwards: dict[EventKey, Forward] = field(default_factory=dict)
    exports: dict[EventKey, Export] = field(default_factory=dict)
    steps: dict[EventKey, TrainingStep] = field(default_factory=dict)
    reveals: dict[EventKey, Reveal] = field(default_factory=dict)
    backwards: dict[tuple[str, str, Span], Backward] = field(default_factory=dict)
    gave_up: list[tuple[str, str]] = field(default_factory=list)  # path and function whose fixpoint was cut off
