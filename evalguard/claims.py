"""The words of what is claimed of modes: at every forward, training step and export, the modes that a module may be in
there, and the way to each. Plain data, for those who show modes beside the code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evalguard.finding import Span, Step


@dataclass(frozen=True, slots=True)
class Way:
    """One mode, "train", "eval" or "unknown" (as the caller left it), and a path that leads to it, from where it was
    set to the place that the claim is of. Without a path nobody was seen to set it. `setter` says what did: the text of
    a call such as `model.eval()`, "" if nothing is known."""

    mode: str
    setter: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """The modes in which `place`, as the user writes it, may be at one place of the code, by all paths that lead there.
    `doubtful` are modes on paths that hardly happen, `cell` is that of a notebook, from 1. `matters` is False where the
    place holds no module, or one of which no layer depends on the mode."""

    path: str
    function: str
    span: Span
    kind: Literal["forward", "step", "export"]
    place: str
    ways: tuple[Way, ...]
    doubtful: tuple[str, ...] = ()
    cell: int | None = None
    matters: bool = True

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes in the order in which they are shown."""
        return tuple(way.mode for way in self.ways)
