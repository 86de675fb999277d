"""Programs that nobody wrote: fixtures whose tokens and lines are left out, doubled and changed about.

Whatever comes of it, evalguard does not fail in itself, finds the same twice, and the same whatever the order of the
files. `python -m pytest tests/fuzz --hypothesis-profile=long` tries 50,000.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalguard.check import check_texts
from evalguard.config import Config
from evalguard.finding import Finding
from evalguard.report import Report

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
EVERYTHING = Config(select=("ALL",))
MOST_CHARACTERS = 6_000

settings.register_profile("long", max_examples=50_000)

Mutation = tuple[str, int, int]
mutations = st.lists(
    st.tuples(
        st.sampled_from(
            ["drop", "double", "swap", "move", "replace", "drop line", "double line", "swap lines", "indent"]
        ),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
    ),
    min_size=1,
    max_size=12,
)


@cache
def programs() -> list[str]:
    """The texts of the fixtures, the shorter ones."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(FIXTURES.rglob("*.py"))]
    return [text for text in texts if 0 < len(text) <= MOST_CHARACTERS]


def mutated(text: str, changes: list[Mutation]) -> str:
    """The text after the changes; each says where, by numbers that are taken round and round."""
    for kind, first, second in changes:
        by_lines = "line" in kind or kind == "indent"
        parts = text.splitlines(keepends=True) if by_lines else re.findall(r"\w+|\s+|[^\w\s]", text)
        if not parts:
            return text
        solid = [at for at, part in enumerate(parts) if not part.isspace()] or [0]
        one, other = solid[first % len(solid)], solid[second % len(solid)]
        match kind.split()[0]:
            case "drop":
                parts[one] = ""
            case "double":
                parts[one] += parts[one]
            case "swap":
                parts[one], parts[other] = parts[other], parts[one]
            case "move":
                parts.insert(other, parts.pop(one))
            case "replace":
                parts[one] = parts[other]
            case "indent":
                parts[one] = f"    {parts[one]}" if second % 2 else parts[one].removeprefix("    ")
        text = "".join(parts)
    return text


def judged(texts: dict[str, str]) -> Report:
    """The report on files that stand in one folder."""
    return check_texts(texts, {path: f"/project/{path}" for path in texts}, EVERYTHING).report


def keys(report: Report) -> list[Finding]:
    """All findings, in their order."""
    assert report.problems == (), report.problems[0].traceback
    return list(report.findings)


@given(st.integers(0, 10_000), mutations, st.integers(0, 10_000), mutations)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_fails_and_the_findings_are_always_the_same(
    first: int, changes: list[Mutation], second: int, others: list[Mutation]
) -> None:
    of = programs()
    texts = {
        "a.py": mutated(of[first % len(of)], changes),
        "b.py": f"from a import *\n{mutated(of[second % len(of)], others)}",
    }
    found = keys(judged(texts))
    assert keys(judged(texts)) == found
    assert keys(judged(dict(reversed(texts.items())))) == found
