"""Mends what is found: proves cures for findings, and applies them in rounds until nothing changes any more.

    round 1   evaluate: `net.eval()` and fit: `net.train()`, proven together
    round 2   what was waiting, because it overlaps with a cure of round 1; nothing is left: the fixpoint

A cure is proven with every rule that is on by default, whatever codes were selected: one that mends EVG102 may not
bring an EVG201 that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from evalguard.check import Checked, contained
from evalguard.config import Config
from evalguard.finding import Applicability, Finding, Fix
from evalguard.fixes.candidates import candidates, reason_for_none
from evalguard.fixes.cells import fix_of_cells, parts_of
from evalguard.fixes.edits import Part, apply, overlap
from evalguard.fixes.notebook_json import NotWritable, with_sources
from evalguard.fixes.proof import OF_A_SWITCH, Court, Verdict
from evalguard.fixes.script import Script, root_of, script_of
from evalguard.fixes.suppressions import silencing_edits
from evalguard.ipython import python_of_source
from evalguard.notebook import in_text, is_notebook, notebook_of
from evalguard.report import Problem, Report
from evalguard.source import Document, SourceProblem
from evalguard.suppress import last_lines

MOST_ROUNDS = 10
MOST_PROOFS = 100  # analyses of the project in one run: some minutes for a large one

ANY = frozenset(Applicability)
SAFE_ONLY = frozenset({Applicability.SAFE})
APPLIED = frozenset({Applicability.SAFE, Applicability.UNSAFE})

UNREADABLE = "the file cannot be read"
NOT_PARSED = "the Python that runs evalguard cannot parse the file"
NOT_IN_CELLS = "the cell cannot be changed so: what stands there in the notebook is not the Python that it means"


@dataclass(frozen=True, slots=True)
class Repaired:
    """What is left after all fixes: the report, `fixed` with the findings that are gone, each with its fix, or without
    one if it went with that of another, and the new `texts` of the files that are changed; those of notebooks are JSON.
    """

    report: Report
    fixed: tuple[Finding, ...]
    texts: Mapping[str, str]
    before: Mapping[str, str]

    def differences(self) -> Iterator[tuple[str, str, str]]:
        """What is changed, as people read it: the name of a file or of a cell, its text before, and its text now."""
        for path, text in sorted(self.texts.items()):
            if not is_notebook(path):
                yield path, self.before[path], text
                continue
            cells = zip(notebook_of(self.before[path], path).sources, notebook_of(text, path).sources, strict=True)
            for number, (before, after) in enumerate(cells, 1):
                if before != after:
                    yield f"{path}:cell {number}", before, after


def with_fixes(checked: Checked, allowed: frozenset[Applicability] = ANY) -> Report:
    """The report with the proven fix of each finding, or the reason why it has none. The fixes hold together; for one
    that is applied alone ask `with_fix_proven_alone`."""
    analyses = _analyses(checked)
    verdicts = _verdicts(checked, analyses, _court(analyses, MOST_PROOFS), allowed)
    findings = tuple(replace(finding, fix=verdict.fix, no_fix_reason=verdict.reason) for finding, verdict in verdicts)
    return replace(checked.asked, findings=findings)


def with_fix_proven_alone(checked: Checked, finding: Finding, allowed: frozenset[Applicability] = ANY) -> Finding:
    """One finding of the report with a fix that holds if it alone is applied, as an editor does, or the reason why it
    has none. The fixes of `with_fixes` are proven beside one another, as `repaired` applies them: one of them may rely
    on another. Costs an analysis for each cure that is tried, and one more if some rules are switched off."""
    analyses = _analyses(checked)
    court = _court(analyses, MOST_PROOFS)
    ((_, verdict),) = _verdicts(checked, analyses, court, allowed, [finding])
    return replace(finding, fix=verdict.fix, no_fix_reason=verdict.reason)


def repaired(checked: Checked, allowed: frozenset[Applicability]) -> Repaired:
    """The project with all proven fixes that are allowed, in memory."""
    fixed: list[Finding] = []
    texts: dict[str, str] = {}
    before: dict[str, str] = {}
    left = MOST_PROOFS
    for _ in range(MOST_ROUNDS):
        analyses = _analyses(checked)
        court = _court(analyses, left)
        verdicts = _verdicts(checked, analyses, court, allowed & APPLIED)
        chosen = _together(court, [(finding, verdict.fix) for finding, verdict in verdicts if verdict.fix is not None])
        chosen, gone_as_well = _without_idle(court, chosen)
        left = court.left
        if not chosen:
            break
        changed = apply(court.texts, [edit for _, fix in chosen for edit in fix.edits])
        contents = analyses.contents(changed)
        before = {path: analyses.content(path) for path in contents} | before
        texts |= contents
        fixed += [*(replace(finding, fix=fix) for finding, fix in chosen), *gone_as_well]
        known = analyses.of(changed) if analyses.base is checked else None
        checked = known or checked.again(contents)
    return Repaired(checked.asked, tuple(fixed), texts, before)


def silenced(checked: Checked) -> Repaired:
    """The project with a comment for all that is found today, in memory; what cannot have one is left in the report."""
    fixed: list[Finding] = []
    changed: dict[Part, str] = {}
    analyses = _Analyses(checked)
    named = {finding.path for finding in checked.report.findings}
    for document in checked.documents.values():
        if document.path not in named or (document.cells is not None and analyses.changed_meanwhile(document.path)):
            continue
        for part, text in parts_of(document).items():
            some = [f for f in checked.report.findings if (f.path, f.cell) == part and not _is_own(f)]
            if not some:
                continue
            ends = last_lines(text if document.cells is None else python_of_source(text))
            codes_of: dict[int, list[str]] = {}
            for finding in some:
                codes_of.setdefault(ends.get(finding.span.line, finding.span.line), []).append(finding.code)
            changed |= apply({part: text}, silencing_edits(part, text, codes_of))
            fixed += some
    texts = analyses.contents(changed)
    before = {path: analyses.content(path) for path in texts}
    return Repaired(checked.again(texts).report, tuple(fixed), texts, before)


def _is_own(finding: Finding) -> bool:
    return finding.code.startswith("EVG9")


@dataclass(slots=True)
class _Analyses:
    """The project with other texts. The last answer is kept: what holds is asked for again when it is applied."""

    base: Checked
    asked: dict[Part, str] | None = None
    answer: Checked | None = None
    known: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, Script | None] = field(default_factory=dict)

    def of(self, changed: Mapping[Part, str]) -> Checked | None:
        """The project with these texts; None where the analysis fails although it did not without them."""
        if self.asked != changed:
            result = contained(lambda: self.base.again(self.contents(changed)))
            failed = isinstance(result, Problem) or len(result.report.problems) > len(self.base.report.problems)
            self.asked, self.answer = dict(changed), None if failed or isinstance(result, Problem) else result
        return self.answer

    def findings(self, changed: Mapping[Part, str]) -> Sequence[Finding] | None:
        """What is found with these texts."""
        checked = self.of(changed)
        return None if checked is None else checked.report.findings

    def contents(self, changed: Mapping[Part, str]) -> dict[str, str]:
        """The contents of the files that have such texts."""
        contents = {path: text for (path, cell), text in changed.items() if cell is None}
        sources: dict[str, dict[int, str]] = {}
        for (path, cell), text in changed.items():
            if cell is not None:
                sources.setdefault(path, {})[cell] = text
        for path, cells in sources.items():
            contents[path] = with_sources(self.content(path), self.base.documents[path].sources, cells)
        return contents

    def cures_of(self, finding: Finding) -> tuple[Sequence[Fix], str]:
        """What may be tried for a finding; if that is nothing, why."""
        document = self.base.documents.get(finding.path)
        if document is None:
            return (), UNREADABLE
        if finding.path not in self.scripts:
            self.scripts[finding.path] = _script(document)
        script = self.scripts[finding.path]
        if script is None:
            return (), NOT_PARSED
        if document.cells is None:
            return candidates(finding, script), reason_for_none(finding)
        found = candidates(in_text(finding, {finding.path: document.cells}), script)
        reason = self.changed_meanwhile(finding.path) or NOT_IN_CELLS if found else reason_for_none(finding)
        return _of_cells(found, document, self), reason

    def changed_meanwhile(self, path: str) -> str | None:
        """Why a notebook cannot be written any more."""
        try:
            self.content(path)
        except SourceProblem as problem:
            return f"the notebook {problem.message}"
        return None

    def content(self, path: str) -> str:
        """The content of a file; SourceProblem if it is a notebook that cannot be read any more, or has changed."""
        if path not in self.known:
            self.known[path] = self.base.content(path)
        return self.known[path]


def _analyses(checked: Checked) -> _Analyses:
    config = _every_rule(checked.config)
    return _Analyses(checked if config == checked.config else checked.again({}, config))


def _court(analyses: _Analyses, left: int) -> Court:
    """A court for the texts as they are."""
    texts: dict[Part, str] = {}
    for document in analyses.base.documents.values():
        texts |= parts_of(document)
    return Court(texts, analyses.base.report.findings, analyses.findings, left, lambda f: analyses.cures_of(f)[0])


def _every_rule(config: Config) -> Config:
    """The configuration of a proof: all that is on by default, and all that the user asks for besides."""
    return replace(
        config,
        select=None,
        extend_select=(*(config.select or ()), *config.extend_select),
        ignore=(),
        per_file_ignores=(),
    )


def _verdicts(
    checked: Checked,
    analyses: _Analyses,
    court: Court,
    allowed: frozenset[Applicability],
    findings: Sequence[Finding] | None = None,
) -> list[tuple[Finding, Verdict]]:
    """Each finding that was asked for, or of those given, with its proven fix, or the reason why it has none."""
    asked = checked.asked.findings if findings is None else findings
    impossible: dict[int, Verdict] = {}
    cures: list[tuple[Finding, Sequence[Fix]]] = []
    for number, finding in enumerate(asked):
        found, reason = analyses.cures_of(finding)
        if found:
            cures.append((finding, found))
        else:
            impossible[number] = Verdict(None, reason)
    tried = iter(court.verdicts(cures, allowed))
    return [(finding, impossible.get(number) or next(tried)) for number, finding in enumerate(asked)]


def _script(document: Document) -> Script | None:
    if document.cells is None:
        return script_of(document.path, document.text)
    from evalguard.frontend import without_broken_cells  # LibCST is slow to import

    return script_of(document.path, without_broken_cells(document)[0].text, is_notebook=True)


def _of_cells(cures: Sequence[Fix], document: Document, analyses: _Analyses) -> list[Fix]:
    """The cures of a notebook that can be written to its cells."""
    kept: list[Fix] = []
    for cure in cures:
        placed = fix_of_cells(cure, document)
        if placed is None:
            continue
        with suppress(NotWritable, SourceProblem):
            analyses.contents(apply(parts_of(document), placed.edits))
            kept.append(placed)
    return kept


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


def _without_idle(
    court: Court, chosen: Sequence[tuple[Finding, Fix]]
) -> tuple[list[tuple[Finding, Fix]], list[Finding]]:
    """Those of the fixes that hold together which are needed, and the findings that go without their own: where two
    have one cause, the cure of the one cures the other."""
    first: dict[tuple[str, str, str], tuple[Finding, Fix]] = {}
    idle: list[tuple[Finding, Fix]] = []
    for finding, fix in sorted(chosen, key=lambda each: not each[0].code.startswith(OF_A_SWITCH)):
        root = root_of(finding.model or "")
        if root is not None and first.setdefault((finding.path, finding.function, root), (finding, fix))[0] != finding:
            idle.append((finding, fix))
    if not idle:
        return list(chosen), []
    findings = [finding for finding, _ in chosen]
    if court.left <= 0 or not court.holds(findings, [fix for finding, fix in chosen if (finding, fix) not in idle]):
        tried, idle = idle, []
        for each in reversed(tried):
            if court.left > 0 and court.holds(
                findings, [fix for finding, fix in chosen if (finding, fix) not in (*idle, each)]
            ):
                idle.append(each)
    return [each for each in chosen if each not in idle], [finding for finding, _ in idle]


def _hold(court: Court, chosen: Sequence[tuple[Finding, Fix]]) -> bool:
    return court.holds([finding for finding, _ in chosen], [fix for _, fix in chosen])
