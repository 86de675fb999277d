"""Whether a cure holds: the whole project is analysed with it, in memory.

A candidate is proven if, with it, the finding is gone, no file has a finding that it had not, and Python still takes
every file that it changes. What is found before and after is compared by code, file, function and module, and by the
line: that of the text before, which most lines of a mended text still are. Candidates of several findings are proven
together, so a fix is right beside the others that are offered with it.

    before                            after
    evaluate  EVG102  line 7          (gone)
    fit       EVG201  line 19         EVG201  line 20, which was line 19: nothing new
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from evalguard.finding import Applicability, Edit, Finding, Fix, Span
from evalguard.fixes.edits import Part, apply, original_lines, overlap, touched_lines
from evalguard.fixes.script import compiles
from evalguard.ipython import python_of_source

Analyse: TypeAlias = Callable[[Mapping[Part, str]], "Sequence[Finding] | None"]
"""What is found in the project if some of its texts are others; None where the analysis failed."""

_Key: TypeAlias = "tuple[str, str, str, str, int | None, int | None]"

OF_A_SWITCH = "EVG3"  # a switch that is wrong is mended rather than a second one written

GAVE_UP = "too many analyses would be needed"
NOT_ENOUGH = "it would not be enough"
MOST_WIDER_CURES = 4

FAILED = "the file would no longer compile, or could not be analysed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The proven fix of a finding, or why there is none."""

    fix: Fix | None
    reason: str | None = None


@dataclass(slots=True)
class _Case:
    """A finding whose cures are tried: the next one first. `reasons` say what was wrong with those before; `wider` is
    how many more cures it may get that take in what one of its own would bring."""

    finding: Finding
    cures: list[Fix]
    shown: Fix | None
    reasons: list[str]
    wider: int
    proven: Fix | None = None

    def next_cure(self, objection: str) -> None:
        """Give the cure up that was tried."""
        self.reasons.append(f"{self.cures.pop(0).title}: {objection}")

    def verdict(self) -> Verdict:
        fix = self.proven or self.shown
        return Verdict(fix, None if fix else _said(list(dict.fromkeys(self.reasons))))


@dataclass(frozen=True, slots=True)
class _Objections:
    """What is wrong with cures that are applied together: the findings that are still there, and the new ones, each
    with the places at which its trace goes through a line that an edit has changed or made. `lines` are those of the
    mended texts in the texts before."""

    left: tuple[Finding, ...] = ()
    new: tuple[tuple[Finding, frozenset[Edit]], ...] = ()
    failed: bool = False
    lines: Mapping[Part, Mapping[int, int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.left or self.new or self.failed)


@dataclass(slots=True)
class Court:
    """Proves cures of one state of the texts. `before` is what is found in it; `left` is how many analyses there may
    still be; `cures_of` are the cures of a finding that another cure would bring."""

    texts: Mapping[Part, str]
    before: Sequence[Finding]
    analyse: Analyse
    left: int
    cures_of: Callable[[Finding], Sequence[Fix]] = lambda finding: ()

    def verdicts(
        self, findings: Sequence[tuple[Finding, Sequence[Fix]]], allowed: frozenset[Applicability]
    ) -> list[Verdict]:
        """For each finding the first of its cures that is allowed and holds.

        Cures are tried together, since an analysis costs the same for one and for many: a finding that stays blames its
        own cure, a new one that whose line its trace goes through, and where nobody can be blamed, halves are tried.
        A cure with which nothing is wrong but that it brings one finding is tried again at last with the cures of that:
        a rule names the first inference of several that one cause reaches, and `eval()` in a helper may need `train()`
        behind its call.
        Switches that are written wrong come first: to mend one of them may be all that another finding needs."""
        cases = [_case(finding, cures, allowed) for finding, cures in findings]
        for some in ([case for case in cases if case.finding.code.startswith(OF_A_SWITCH)], cases):
            while pending := [case for case in some if case.cures and case.proven is None]:
                if self.left <= 0:
                    for case in pending:
                        case.cures.clear()
                        case.reasons.append(GAVE_UP)
                    break
                self._settle(_compatible(pending), cases)
        return [case.verdict() for case in cases]

    def holds(self, findings: Sequence[Finding], cures: Sequence[Fix]) -> bool:
        """Whether cures hold together."""
        return not self._objections(findings, cures)

    def _settle(self, batch: Sequence[_Case], cases: Sequence[_Case]) -> None:
        """Try the next cures of a batch on top of those proven, and prove them all, or give some up."""
        if not batch or self.left <= 0:
            return
        edits = [edit for case in batch for edit in case.cures[0].edits]
        base = [case for case in cases if case.proven is not None and not overlap(case.proven.edits, edits)]
        objections = self._objections(
            [case.finding for case in batch],
            [*(case.cures[0] for case in batch), *(case.proven for case in base if case.proven is not None)],
        )
        if not objections:
            for case in batch:
                case.proven = case.cures[0]
            return
        blamed = {
            number: objection
            for number, case in enumerate(batch)
            if (objection := _objection_to(case, objections)) is not None
        }
        if not blamed and len(batch) == 1:
            blamed = {0: _in_general(objections)}
        for number, objection in blamed.items():
            if len(batch) == 1:
                self._widen(batch[0], objections)
            batch[number].next_cure(objection)
        if not blamed:
            half = len(batch) // 2
            self._settle(batch[:half], cases)
            self._settle(batch[half:], cases)

    def _widen(self, case: _Case, objections: _Objections) -> None:
        """Give a case more cures: the one that was tried, with those of the finding that it would bring."""
        if objections.failed or objections.left or len(objections.new) != 1:
            return
        brought = _as_before(objections.new[0][0], objections.lines)
        cure = case.cures[0]
        for more in self.cures_of(brought)[: case.wider] if brought is not None else ():
            if more.edits and not overlap(more.edits, cure.edits):
                case.wider -= 1
                unsafe = Applicability.UNSAFE in (cure.applicability, more.applicability)
                case.cures.append(
                    Fix(
                        f"{cure.title}, {'here and further on' if more.title == cure.title else f'and {more.title}'}",
                        Applicability.UNSAFE if unsafe else Applicability.SAFE,
                        tuple(dict.fromkeys((*cure.edits, *more.edits))),
                    )
                )

    def _objections(self, findings: Sequence[Finding], cures: Sequence[Fix]) -> _Objections:
        self.left -= 1
        edits = [edit for cure in cures for edit in cure.edits]
        changed = apply(self.texts, edits)
        if any(_compiles(part, self.texts[part]) and not _compiles(part, text) for part, text in changed.items()):
            return _Objections(failed=True)
        after = self.analyse(changed)
        if after is None:
            return _Objections(failed=True)
        edits_of = {part: [edit for edit in edits if (edit.path, edit.cell) == part] for part in changed}
        lines = {part: original_lines(self.texts[part], some) for part, some in edits_of.items()}
        touched = {part: touched_lines(self.texts[part], some) for part, some in edits_of.items()}
        was = Counter(map(_key, self.before))
        now = Counter(_key(finding, lines) for finding in after)
        new = [finding for finding in after if now[_key(finding, lines)] > was[_key(finding, lines)]]
        return _Objections(
            tuple(finding for finding in findings if now[_key(finding)] >= was[_key(finding)]),
            tuple((finding, _edits_in(finding, touched)) for finding in new),
            lines=lines,
        )


def _compiles(part: Part, text: str) -> bool:
    return compiles(text) if part[1] is None else compiles(python_of_source(text), is_cell=True)


def _case(finding: Finding, cures: Sequence[Fix], allowed: frozenset[Applicability]) -> _Case:
    refused = [f"unsafe: {cure.title}" for cure in cures if cure.edits and cure.applicability not in allowed]
    return _Case(
        finding,
        [cure for cure in cures if cure.edits and cure.applicability in allowed],
        next((cure for cure in cures if not cure.edits), None),
        refused,
        MOST_WIDER_CURES,
    )


def _as_before(finding: Finding, lines: Mapping[Part, Mapping[int, int]]) -> Finding | None:
    """A finding in mended texts with its places in the texts before; None if it stands in what an edit has made."""

    def span(part: Part, span: Span) -> Span | None:
        known = lines.get(part)
        first, last = (span.line, span.end_line) if known is None else (known.get(span.line), known.get(span.end_line))
        return None if first is None or last is None else span._replace(line=first, end_line=last)

    own = span((finding.path, finding.cell), finding.span)
    steps = [(step, span((step.path, step.cell), step.span)) for step in finding.trace]
    if own is None:
        return None
    return replace(finding, span=own, trace=tuple(replace(step, span=new) for step, new in steps if new is not None))


def _compatible(pending: Sequence[_Case]) -> list[_Case]:
    """Those whose next cures do not overlap, the first ones by preference."""
    batch: list[_Case] = []
    taken: list[Edit] = []
    for case in pending:
        if not overlap(case.cures[0].edits, taken):
            batch.append(case)
            taken += case.cures[0].edits
    return batch


def _objection_to(case: _Case, objections: _Objections) -> str | None:
    """What is wrong with the next cure of a case, as far as it alone is to blame."""
    if case.finding in objections.left:
        return NOT_ENOUGH
    own = frozenset(case.cures[0].edits)
    return next((_brings(finding) for finding, edits in objections.new if edits & own), None)


def _in_general(objections: _Objections) -> str:
    return _brings(objections.new[0][0]) if objections.new else FAILED


def _brings(finding: Finding) -> str:
    return f"it would bring {finding.code} in {finding.path}"


def _edits_in(finding: Finding, touched: Mapping[Part, Mapping[int, Edit]]) -> frozenset[Edit]:
    """The edits on whose lines a finding or a step of its trace stands."""
    places = [((finding.path, finding.cell), finding.span.line)]
    places += [((step.path, step.cell), step.span.line) for step in finding.trace]
    return frozenset(touched[part][line] for part, line in places if line in touched.get(part, ()))


def _said(reasons: Sequence[str]) -> str:
    """Why no cure holds, in a line: what is wrong with the first ones."""
    if not reasons:
        return GAVE_UP
    more = f"; and {len(reasons) - 2} more" if len(reasons) > 2 else ""
    return "; ".join(reasons[:2]) + more


def _key(finding: Finding, lines: Mapping[Part, Mapping[int, int]] | None = None) -> _Key:
    line: int | None = finding.span.line
    part = finding.path, finding.cell
    if lines is not None and part in lines:
        line = lines[part].get(finding.span.line)
    function = re.sub(r":\d+:\d+", "", finding.function)  # of a lambda, whose name says where it stands
    return finding.code, finding.path, function, finding.model or "", finding.cell, line
