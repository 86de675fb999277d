"""The result of a traced run, from findings and sightings."""

from __future__ import annotations

from collections.abc import Sequence

from evalguard.finding import Finding
from evalguard.sightings import Sighting, Traced
from evalguard.trace.compare import compare, unpredicted

COMPILED = "`torch.compile` compiled nothing in this run: what is recorded happens in Python (`force_eager`)"
NO_TORCH = "the program did not import PyTorch, so nothing was recorded"


def result(
    findings: Sequence[Finding], sightings: Sequence[Sighting], ended: str, used_torch: bool, compiled: bool
) -> Traced:
    """What is shown at the end of a run."""
    counts = {
        kind: sum(each.count for each in sightings if each.kind == kind) for kind in ("forward", "step", "export")
    }
    notes = [note for note, holds in ((NO_TORCH, not used_torch), (COMPILED, compiled)) if holds]
    return Traced(
        compare(findings, sightings),
        unpredicted(findings, sightings),
        counts["forward"],
        counts["step"],
        counts["export"],
        ended[:1].upper() + ended[1:],
        used_torch,
        tuple(notes),
    )
