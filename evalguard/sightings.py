"""What was seen while a program ran, and what it says of the findings: plain data.

    model(x)              a sighting of a forward: in train mode, gradients off, 12 times, first before step 40
    EVG101 on that line   a verdict: confirmed, 12 times, first before step 40

`trace.recorder` makes sightings, `trace.compare` verdicts, and `report.trace` shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from evalguard.finding import Finding, Span

SeenMode: TypeAlias = Literal["train", "eval", "both", "none"]
"""The mode of the layers that listen to it: "both" if some were in one mode and some in the other (a part that is
frozen, dropout that is kept on), "none" if no layer listens."""

Kind: TypeAlias = Literal["forward", "step", "switch", "export", "function", "deaf"]
Ruling: TypeAlias = Literal["confirmed", "not reached", "contradicted", "not shown"]


@dataclass(frozen=True, slots=True, order=True)
class Frame:
    """A call that was under way in a file of the user. The columns are those of a `Span`; where the interpreter keeps
    no columns (Python 3.10) the span covers its line, and `exact` is False."""

    path: str
    function: str
    span: Span
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Sighting:
    """All events of a run that are alike, and how many there were.

    `stack` holds the user's calls, innermost first. `what` is the class of a module or an optimizer, or the name of a
    function. `whole` is the mode of the outermost module itself. `used` counts the forwards whose output a backward
    used, `first_step` the steps before the first event. The flags:

    gradients  a forward: whether they were on
    leaked     a step in eval mode: its module had been trained in train mode before, and then inferred in eval mode
    chosen     a step, an export: `train()` was called for the module
    trained    a forward, an export: a step changed the module before; of a forward, since it was switched
    active     a function: it dropped, or took the batch's statistics
    then       a switch: what followed, "inference" or "training" in the mode that it set, "thawed" by a later switch;
               "against" if it was to train mode, within a forward of a module in eval mode
    owner      a function, a deaf layer: the class of the module around it
    registered a deaf layer: whether the module around it knows of it
    certain    whether a layer is known to listen; a module of the user that asks its flag may do so for any reason
    given      the mode was there when the recorder first saw the module, and nobody has switched it since
    """

    kind: Kind
    stack: tuple[Frame, ...]
    what: str
    mode: SeenMode
    count: int
    first_step: int
    whole: SeenMode = "none"
    used: int = 0
    gradients: bool = True
    leaked: bool = False
    chosen: bool = False
    trained: bool = False
    active: bool = True
    then: frozenset[str] = frozenset()
    owner: str = ""
    registered: bool = True
    certain: bool = True
    given: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the run says of a finding: `wrong` of `seen` events were as it says, the first of them after `first_step`
    steps; `reason` says more."""

    finding: Finding
    ruling: Ruling
    seen: int = 0
    wrong: int = 0
    first_step: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unpredicted:
    """Events in a wrong mode that no finding speaks of: `claim` says what is wrong with them."""

    sighting: Sighting
    claim: str


@dataclass(frozen=True, slots=True)
class Traced:
    """The result of `evalguard trace`. `ended` says how the program ended; `torch` whether it used PyTorch at all."""

    verdicts: tuple[Verdict, ...] = ()
    unpredicted: tuple[Unpredicted, ...] = ()
    forwards: int = 0
    steps: int = 0
    exports: int = 0
    ended: str = ""
    torch: bool = True
    notes: tuple[str, ...] = field(default=())
