"""What may mend a finding, and the proof that it does, alone."""

from __future__ import annotations

from collections.abc import Sequence

from evalguard.check import Checked
from evalguard.finding import Finding, Fix
from evalguard.fixes.candidates import candidates
from evalguard.fixes.script import script_of
from evalguard.repair import APPLIED, with_fix_proven_alone


def cures_of(findings: Sequence[Finding], text: str) -> list[str]:
    """For each finding of a text a word for what may mend it, "" where no cure is known."""
    script = script_of(findings[0].path, text) if findings and text else None
    if script is None:
        return [""] * len(findings)
    return [_title([fix for fix in candidates(finding, script) if fix.edits], finding) for finding in findings]


def _title(fixes: Sequence[Fix], finding: Finding) -> str:
    titles = {fix.title for fix in fixes}
    return titles.pop() if len(titles) == 1 else (finding.help or f"mend {finding.code}") if titles else ""


def proven(checked: Checked, finding: Finding) -> tuple[Fix | None, str | None]:
    """The first cure of a finding that holds, no other fix beside it; or why none does."""
    if finding not in checked.report.findings:
        return None, "it is not found any more"
    found = with_fix_proven_alone(checked, finding, APPLIED)
    return found.fix, found.no_fix_reason
