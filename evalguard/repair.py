"""Mends what is found: proves cures for findings, and applies them in rounds until nothing changes any more.

    round 1   evaluate: `net.eval()` and fit: `net.train()`, proven together
    round 2   what was waiting, because it overlaps with a cure of round 1; nothing is left: the fixpoint

A cure is proven with every rule that is on by default, whatever codes were selected: one that mends EVG102 may not
bring an EVG201 that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from evalguard.check import Checked, contained
from evalguard.config import Config
from evalguard.finding import Applicability, Finding, Fix
from evalguard.fixes.candidates import candidates
from evalguard.fixes.edits import apply, overlap
from evalguard.fixes.proof import Court, Verdict
from evalguard.fixes.script import Script, script_of
from evalguard.fixes.suppressions import silencing_edits
from evalguard.report import Problem, Report
from evalguard.suppress import last_lines

MOST_ROUNDS = 10
MOST_PROOFS = 100  # analyses of the project in one run: some minutes for a large one

ANY = frozenset(Applicability)
SAFE_ONLY = frozenset({Applicability.SAFE})
APPLIED = frozenset({Applicability.SAFE, Applicability.UNSAFE})

UNREADABLE = "the file cannot be read"
IN_A_NOTEBOOK = "it stands in a notebook, which evalguard does not change"
NOT_PARSED = "the Python that runs evalguard cannot parse the file"


@dataclass(frozen=True, slots=True)
class Repaired:
    """What is left after all fixes: the report, `fixed` with the findings that are gone, each with its fix, and the new
    `texts` of the files that are changed."""

    report: Report
    fixed: tuple[Finding, ...]
    texts: Mapping[str, str]
    before: Mapping[str, str]


def with_fixes(checked: Checked, allowed: frozenset[Applicability] = ANY) -> Report:
    """The report with the proven fix of each finding, or the reason why it has none."""
    court = _court(_analyses(checked), MOST_PROOFS)
    verdicts = _verdicts(checked, court, allowed)
    findings = tuple(replace(finding, fix=verdict.fix, no_fix_reason=verdict.reason) for finding, verdict in verdicts)
    return replace(checked.asked, findings=findings)


def repaired(checked: Checked, allowed: frozenset[Applicability]) -> Repaired:
    """The project with all proven fixes that are allowed, in memory."""
    start = checked
    fixed: list[Finding] = []
    texts: dict[str, str] = {}
    left = MOST_PROOFS
    for _ in range(MOST_ROUNDS):
        analyses = _analyses(checked)
        court = _court(analyses, left)
        verdicts = _verdicts(checked, court, allowed & APPLIED)
        chosen = _together(court, [(finding, verdict.fix) for finding, verdict in verdicts if verdict.fix is not None])
        left = court.left
        if not chosen:
            break
        changed = apply(court.texts, [edit for _, fix in chosen for edit in fix.edits])
        texts |= changed
        fixed += [replace(finding, fix=fix) for finding, fix in chosen]
        checked = _with_texts(checked, changed, analyses)
    before = {path: start.documents[path].text for path in texts}
    return Repaired(checked.asked, tuple(fixed), texts, before)


def silenced(checked: Checked) -> Repaired:
    """The project with a comment for all that is found today, in memory; what cannot have one is left in the report."""
    texts: dict[str, str] = {}
    before: dict[str, str] = {}
    fixed: list[Finding] = []
    for path, document in checked.documents.items():
        some = [finding for finding in checked.report.findings if finding.path == path and not _is_own(finding)]
        if not some or document.cells is not None:
            continue
        ends = last_lines(document.text)
        codes_of: dict[int, list[str]] = {}
        for finding in some:
            codes_of.setdefault(ends.get(finding.span.line, finding.span.line), []).append(finding.code)
        before[path] = document.text
        texts |= apply({path: document.text}, silencing_edits(path, document.text, codes_of))
        fixed += some
    return Repaired(checked.again(texts).report, tuple(fixed), texts, before)


def _is_own(finding: Finding) -> bool:
    return finding.code.startswith("EVG9")


@dataclass(slots=True)
class _Analyses:
    """The project with other texts. The last answer is kept: what holds is asked for again when it is applied."""

    base: Checked
    asked: dict[str, str] | None = None
    answer: Checked | None = None

    def of(self, changed: Mapping[str, str]) -> Checked | None:
        """The project with these texts; None where the analysis fails although it did not without them."""
        if self.asked != changed:
            result = contained(lambda: self.base.again(changed))
            failed = isinstance(result, Problem) or len(result.report.problems) > len(self.base.report.problems)
            self.asked, self.answer = dict(changed), None if failed or isinstance(result, Problem) else result
        return self.answer

    def findings(self, changed: Mapping[str, str]) -> Sequence[Finding] | None:
        """What is found with these texts."""
        checked = self.of(changed)
        return None if checked is None else checked.report.findings


def _analyses(checked: Checked) -> _Analyses:
    config = _every_rule(checked.config)
    return _Analyses(checked if config == checked.config else checked.again({}, config))


def _court(analyses: _Analyses, left: int) -> Court:
    """A court for the texts as they are."""
    texts = {path: document.text for path, document in analyses.base.documents.items()}
    return Court(texts, analyses.base.report.findings, analyses.findings, left)


def _with_texts(checked: Checked, changed: Mapping[str, str], analyses: _Analyses) -> Checked:
    if analyses.base is checked:
        return analyses.of(changed) or checked.again(changed)
    return checked.again(changed)


def _every_rule(config: Config) -> Config:
    """The configuration of a proof: all that is on by default, and all that the user asks for besides."""
    return replace(
        config,
        select=None,
        extend_select=(*(config.select or ()), *config.extend_select),
        ignore=(),
        per_file_ignores=(),
    )


def _verdicts(checked: Checked, court: Court, allowed: frozenset[Applicability]) -> list[tuple[Finding, Verdict]]:
    """Each finding with its proven fix, or the reason why it has none."""
    asked = checked.asked.findings
    scripts: dict[str, Script | None] = {}
    impossible: dict[int, Verdict] = {}
    cures: list[tuple[Finding, list[Fix]]] = []
    for number, finding in enumerate(asked):
        document = checked.documents.get(finding.path)
        reason = None
        if document is None or document.cells is not None:
            reason = UNREADABLE if document is None else IN_A_NOTEBOOK
        elif finding.path not in scripts:
            scripts[finding.path] = script_of(finding.path, document.text)
        script = scripts.get(finding.path)
        if reason is not None or script is None:
            impossible[number] = Verdict(None, reason or NOT_PARSED)
        else:
            cures.append((finding, candidates(finding, script)))
    tried = iter(court.verdicts(cures, allowed))
    return [(finding, impossible.get(number) or next(tried)) for number, finding in enumerate(asked)]


def _together(court: Court, proven: Sequence[tuple[Finding, Fix]]) -> list[tuple[Finding, Fix]]:
    """Those of the proven fixes that also hold together. What overlaps with an earlier one waits for the next round."""
    chosen: list[tuple[Finding, Fix]] = []
    for finding, fix in proven:
        if fix.edits and not any(overlap(fix.edits, other.edits) for _, other in chosen):
            chosen.append((finding, fix))
    if not chosen or _hold(court, chosen):
        return chosen
    kept: list[tuple[Finding, Fix]] = []
    for finding, fix in chosen:
        if court.left > 0 and _hold(court, [*kept, (finding, fix)]):
            kept.append((finding, fix))
    return kept


def _hold(court: Court, chosen: Sequence[tuple[Finding, Fix]]) -> bool:
    return court.holds([finding for finding, _ in chosen], [fix for _, fix in chosen])
