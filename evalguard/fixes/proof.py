"""Whether a cure holds: the whole project is analysed with it, in memory.

A candidate is proven if, with it, the finding is gone, no file has a finding that it had not, and every file that it
changes can still be parsed (EVG901 would be new). What is found before and after is compared by code, file, function
and module, and by the line: that of the text before, which most lines of a mended text still are.

    before                            after
    evaluate  EVG102  line 7          (gone)
    fit       EVG201  line 19         EVG201  line 20, which was line 19: nothing new
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from evalguard.finding import Applicability, Finding, Fix
from evalguard.fixes.edits import apply, original_lines

Analyse: TypeAlias = Callable[[Mapping[str, str]], "Sequence[Finding] | None"]
"""What is found in the project if some of its files have other texts; None where the analysis failed."""

_Key: TypeAlias = "tuple[str, str, str, str, int | None, int | None]"

NO_CANDIDATE = "no cure is known for this place"
GAVE_UP = "too many other findings were tried before it"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The proven fix of a finding, or why there is none."""

    fix: Fix | None
    reason: str | None = None


@dataclass(slots=True)
class Court:
    """Proves cures of one state of the texts. `before` is what is found in it; `left` is how many analyses there may
    still be."""

    texts: Mapping[str, str]
    before: Sequence[Finding]
    analyse: Analyse
    left: int

    def verdict(self, finding: Finding, cures: Sequence[Fix], allowed: frozenset[Applicability]) -> Verdict:
        """The first of the cures that is allowed and holds."""
        reasons: list[str] = []
        shown: Fix | None = None
        for cure in cures:
            if not cure.edits:
                shown = shown or cure
                continue
            if cure.applicability not in allowed:
                reasons.append(f"unsafe: {cure.title}")
                continue
            if self.left <= 0:
                return Verdict(None, GAVE_UP)
            reason = self.objection([finding], [cure])
            if reason is None:
                return Verdict(cure)
            reasons.append(f"{cure.title}: {reason}")
        if shown is not None:
            return Verdict(shown)
        return Verdict(None, _said(list(dict.fromkeys(reasons))))

    def objection(self, findings: Sequence[Finding], cures: Sequence[Fix]) -> str | None:
        """What is wrong with cures that are applied together; None if they hold."""
        self.left -= 1
        edits = [edit for cure in cures for edit in cure.edits]
        changed = apply(self.texts, edits)
        after = self.analyse(changed)
        if after is None:
            return "the analysis failed"
        lines = {path: original_lines(self.texts[path], [e for e in edits if e.path == path]) for path in changed}
        was, now = Counter(map(_key, self.before)), Counter(_key(finding, lines) for finding in after)
        for key, number in now.items():
            if number > was[key]:
                code, path, *_ = key
                return f"it would bring {code} in {path}"
        if any(now[_key(finding)] >= was[_key(finding)] for finding in findings):
            return "it would not be enough"
        return None


def _said(reasons: Sequence[str]) -> str:
    """Why no cure holds, in a line: what is wrong with the first ones."""
    if not reasons:
        return NO_CANDIDATE
    more = f"; and {len(reasons) - 2} more" if len(reasons) > 2 else ""
    return "; ".join(reasons[:2]) + more


def _key(finding: Finding, lines: Mapping[str, Mapping[int, int]] | None = None) -> _Key:
    line: int | None = finding.span.line
    if lines is not None and finding.path in lines:
        line = lines[finding.path].get(finding.span.line)
    function = re.sub(r":\d+:\d+", "", finding.function)  # of a lambda, whose name says where it stands
    return finding.code, finding.path, function, finding.model or "", finding.cell, line
