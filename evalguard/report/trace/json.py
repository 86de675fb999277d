"""A traced run for other programs: schema 1, described in docs/how-to/trace.md. Only ever added to, never changed."""

from __future__ import annotations

import json

from evalguard.report.json import finding_as_json
from evalguard.sightings import Frame, Traced, Unpredicted, Verdict

SCHEMA = 1


def render(traced: Traced) -> str:
    """One JSON object, in ASCII."""
    result = {
        "version": SCHEMA,
        "ended": traced.ended,
        "torch": traced.torch,
        "forwards": traced.forwards,
        "steps": traced.steps,
        "exports": traced.exports,
        "notes": list(traced.notes),
        "verdicts": [_verdict(verdict) for verdict in traced.verdicts],
        "unpredicted": [_unpredicted(each) for each in traced.unpredicted],
    }
    return json.dumps(result, indent=2) + "\n"


def _verdict(verdict: Verdict) -> dict[str, object]:
    return {
        "verdict": verdict.ruling,
        "seen": verdict.seen,
        "wrong": verdict.wrong,
        "first_step": verdict.first_step,
        "reason": verdict.reason,
        "finding": finding_as_json(verdict.finding),
    }


def _unpredicted(each: Unpredicted) -> dict[str, object]:
    sighting = each.sighting
    return {
        "claim": each.claim,
        "kind": sighting.kind,
        "what": sighting.what,
        "count": sighting.count,
        "first_step": sighting.first_step,
        "stack": [_frame(frame) for frame in sighting.stack],
    }


def _frame(frame: Frame) -> dict[str, object]:
    return {"path": frame.path, "function": frame.function, "line": frame.span.line}
