"""What a run says of the findings, and what it saw that no finding speaks of.

A finding is about a place: those events belong to it that happened while the place was being called, which is asked of
the user's calls that were under way. It is

    confirmed     one of them was as the finding says
    contradicted  there were some, and none was
    not reached   there was none, or none that could tell
    not shown     the rule speaks of the text, and no event could tell (an override that is never called wrongly)

A contradiction is of this run alone: a finding says what may happen, on one path, and another run may take it. So where
the way to a finding begins with a switch that never ran, the finding was not reached.

Wrong without a finding are, and this list is meant to be short:

    inference   gradients off, the whole module and all of its layers in train mode, in which a step has trained it,
                in a function whose name says that it evaluates; and no code but the user's has switched it last
    training    a step in eval mode, of a module that was trained in train mode before, and has inferred since `eval()`:
                somebody evaluated it and did not switch back
    export      recorded in train mode, after it was trained, without a `train()` of the user's own choice for it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from evalguard.finding import Finding, Span, Step
from evalguard.sightings import Frame, Ruling, Sighting, Unpredicted, Verdict
from evalguard.vocabulary.words import (
    EVALUATION_WORDS,
    MOMENTUM_WORDS,
    ON_PURPOSE_WORDS,
    PREVIEW_WORDS,
    TRAINING_WORDS,
    words,
)

Judge: TypeAlias = Callable[[Sighting], "tuple[int, int]"]
"""How many events of a sighting tell something of a finding, and how many of them are as it says."""

RECORDING_EXPORTERS = ("torch.jit.trace", "torch.jit.trace_module", "torch.export.export")
NOT_SHOWN = "the rule speaks of the text, not of what happens in one run"


def compare(findings: Iterable[Finding], sightings: Sequence[Sighting]) -> tuple[Verdict, ...]:
    """A verdict for each finding, in their order."""
    return tuple(_verdict(finding, sightings) for finding in findings)


def unpredicted(findings: Sequence[Finding], sightings: Sequence[Sighting]) -> tuple[Unpredicted, ...]:
    """The events in a wrong mode of which no finding speaks, by place."""
    found = []
    for sighting in sightings:
        claim = _claim(sighting)
        if claim and sighting.stack and not any(_speaks_of(finding, sighting) for finding in findings):
            found.append(Unpredicted(sighting, claim))
    return tuple(sorted(found, key=lambda each: (_places(each.sighting), each.claim)))


def _places(sighting: Sighting) -> list[tuple[str, Span]]:
    return [(frame.path, frame.span) for frame in sighting.stack]


def _speaks_of(finding: Finding, sighting: Sighting) -> bool:
    """Whether it is a finding of this, or of what lies on the way to it."""
    places = [(finding.path, finding.span), *((step.path, step.span) for step in finding.trace)]
    return any(frame.path == path and _touch(frame, span) for frame in sighting.stack for path, span in places)


def _claim(sighting: Sighting) -> str:
    if not sighting.certain or sighting.given:
        return ""
    match sighting.kind:
        case "forward" if sighting.mode == "train" and sighting.whole == "train" and not sighting.gradients:
            if sighting.trained and _evaluates(sighting.stack):
                return "an evaluation runs in train mode"
        case "step" if sighting.leaked:
            return "training goes on in eval mode after an evaluation"
        case "export" if sighting.what in RECORDING_EXPORTERS and sighting.mode == "train":
            if sighting.trained and not sighting.chosen:
                return "what was trained is recorded in train mode"
    return ""


def _evaluates(stack: Sequence[Frame]) -> bool:
    """Whether a function is named after an evaluation, and none inside it after anything else."""
    other = TRAINING_WORDS | PREVIEW_WORDS | MOMENTUM_WORDS | ON_PURPOSE_WORDS
    for frame in stack:
        said = set(words(frame.function))
        if said & other:
            return False
        if said & EVALUATION_WORDS:
            return True
    return False


# Verdicts


def _verdict(finding: Finding, sightings: Sequence[Sighting]) -> Verdict:
    judges = JUDGES.get(finding.code)
    if judges is None:
        return Verdict(finding, "not shown", reason=NOT_SHOWN)
    events = list(_events(finding, [each for each in sightings if each.kind in judges]))
    seen = wrong = 0
    first = None
    for sighting in events:
        telling, as_said = judges[sighting.kind](sighting)
        seen += telling
        wrong += as_said
        if as_said and (first is None or sighting.first_step < first):
            first = sighting.first_step
    ruling: Ruling = "confirmed" if wrong else "contradicted" if seen else "not reached"
    reason = ""
    if ruling == "contradicted":
        missing = _switch_that_never_ran(finding.trace, sightings)
        if missing is not None:
            ruling = "not reached"
            reason = f"the place was, but not by way of {missing.path}:{missing.span.line}, which never ran"
    elif not seen and events:
        reason = "the place was, but no layer there listens to the mode, or nothing came of it"
    return Verdict(finding, ruling, seen, wrong, first, reason)


def _events(finding: Finding, sightings: Iterable[Sighting]) -> Iterator[Sighting]:
    """Those that happened while the finding's place was being called; if the place itself made a call that can be told
    from its neighbours, only those behind that call."""
    near = [
        (sighting, frame)
        for sighting in sightings
        if (frame := _frame_at(finding.path, finding.span, sighting)) is not None
    ]
    if finding.code in CLASS_CODES:
        owner = _owner(finding)
        yield from (sighting for sighting in sightings if sighting.owner == owner)
        return
    exact = [sighting for sighting, frame in near if frame.span == finding.span]
    yield from exact or [sighting for sighting, _ in near]


def _frame_at(path: str, span: Span, sighting: Sighting) -> Frame | None:
    return next((frame for frame in sighting.stack if frame.path == path and _touch(frame, span)), None)


def _touch(frame: Frame, span: Span) -> bool:
    """Whether a frame stands in a span, or around it in the same statement."""
    if not frame.exact:
        return span.line <= frame.span.line <= max(span.end_line, span.line)
    begin, end = (frame.span.line, frame.span.column), (frame.span.end_line, frame.span.end_column)
    first, last = (span.line, span.column), (span.end_line, span.end_column)
    return (first <= begin and end <= last) or (begin <= first and last <= end)


def _owner(finding: Finding) -> str:
    """The class in which a finding lies."""
    return finding.function.rpartition(".")[0].rpartition(".")[2]


def _switch_that_never_ran(trace: Sequence[Step], sightings: Sequence[Sighting]) -> Step | None:
    """The last call of `train` or `eval` on the way, if it was never seen."""
    switches = [sighting for sighting in sightings if sighting.kind == "switch"]
    for step in reversed(trace):
        if step.mode is None or " sets " not in step.message:
            continue  # no switch: the mode came with the module, or by a library
        seen = any(_frame_at(step.path, step.span, sighting) is not None for sighting in switches)
        return None if seen else step
    return None


def _inference(sighting: Sighting) -> tuple[int, int]:
    """A forward with gradients off, or whose output no backward used."""
    count = sighting.count - sighting.used
    return _in_train(sighting, count)


def _without_gradients(sighting: Sighting) -> tuple[int, int]:
    return _in_train(sighting, 0 if sighting.gradients else sighting.count)


def _any_forward(sighting: Sighting) -> tuple[int, int]:
    return _in_train(sighting, sighting.count)


def _in_train(sighting: Sighting, count: int) -> tuple[int, int]:
    if sighting.mode == "none":
        return 0, 0
    return count, count if sighting.mode in ("train", "both") else 0


def _step_in_eval(sighting: Sighting) -> tuple[int, int]:
    if sighting.mode == "none":
        return 0, 0
    return sighting.count, sighting.count if sighting.mode in ("eval", "both") else 0


def _step_without_train(sighting: Sighting) -> tuple[int, int]:
    return sighting.count, 0 if sighting.chosen else sighting.count


def _export(sighting: Sighting) -> tuple[int, int]:
    return _in_train(sighting, sighting.count)


def _train_before_inference(sighting: Sighting) -> tuple[int, int]:
    wrong = sighting.mode == "train" and sighting.then & {"inference", "against"}
    return (sighting.count, sighting.count if wrong else 0) if sighting.then else (0, 0)


def _thawed(sighting: Sighting) -> tuple[int, int]:
    thawed = sighting.mode == "eval" and "thawed" in sighting.then
    return (sighting.count, sighting.count) if thawed else (0, 0)


def _always_on(sighting: Sighting) -> tuple[int, int]:
    if sighting.mode != "eval":
        return 0, 0
    return sighting.count, sighting.count if sighting.active else 0


def _deaf(sighting: Sighting) -> tuple[int, int]:
    return sighting.count, sighting.count


def _unregistered(sighting: Sighting) -> tuple[int, int]:
    return (sighting.count, sighting.count) if not sighting.registered else (0, 0)


JUDGES: Mapping[str, Mapping[str, Judge]] = {
    "EVG101": {"forward": _without_gradients},
    "EVG102": {"forward": _inference},
    "EVG103": {"forward": _any_forward},
    "EVG104": {"export": _export},
    "EVG105": {"forward": _inference},
    "EVG106": {"switch": _train_before_inference},
    "EVG201": {"step": _step_in_eval},
    "EVG202": {"step": _step_without_train},
    "EVG305": {"switch": _thawed},
    "EVG401": {"function": _always_on},
    "EVG402": {"function": _always_on},
    "EVG403": {"deaf": _deaf},
    "EVG404": {"deaf": _unregistered},
    "EVG405": {"function": _always_on},
}
CLASS_CODES = ("EVG404",)
