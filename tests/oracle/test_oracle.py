"""The tool against Python."""

from __future__ import annotations

from .compare import judge
from .programs import generate
from .tool import evalguard_claims

COUNT = 300


def test_evalguard_misses_nothing_and_invents_nothing() -> None:
    failures = []
    for number in range(COUNT):
        text = generate(f"test:{number}")
        verdict = judge(text, evalguard_claims)
        assert verdict.bad is None, verdict.bad
        if verdict.failed:
            failures.append(f"{number}: missed {verdict.missed}, false {verdict.false}, {verdict.crash}\n{text}")
    assert not failures, f"{len(failures)} of {COUNT}, first:\n{failures[0]}"
