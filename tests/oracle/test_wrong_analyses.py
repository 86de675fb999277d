"""The oracle against analyses that are wrong on purpose."""

from __future__ import annotations

import pytest

from .compare import Analysis, Claim, Claims, judge
from .constructs import CORRELATED, NEEDS, OPTIONAL, OPTIONAL_CORRELATED, constructs, is_independent
from .programs import generate
from .run import explore
from .shrink import shrink

BOTH = frozenset({"train", "eval"})

LEAVES_EVAL = """\
import torch.nn as nn
from outside import choice, items, reveal_mode


class Net(nn.Module):
    def __init__(self):
        super().__init__()


def program(x):
    model = Net()
    for v in items(1):
        reveal_mode(model)
        if choice(2):
            model.eval()
            model(x)
    reveal_mode(model)
"""


def test_what_python_does_is_right() -> None:
    """The exploration as an analysis: the oracle agrees with itself."""
    assert not [number for number in range(60) if judge(generate(f"self:{number}"), _observed).failed]


def test_only_train_is_caught() -> None:
    assert judge(LEAVES_EVAL, _everywhere(frozenset({"train"}))).missed == ((13, "eval"), (16, "eval"), (17, "eval"))


def test_all_modes_always_is_caught() -> None:
    verdict = judge(LEAVES_EVAL, _everywhere(BOTH))
    assert not verdict.missed
    assert (16, "train") in verdict.false
    assert (13, "train") not in verdict.false


def test_no_claim_is_a_miss() -> None:
    assert (13, "train") in judge(LEAVES_EVAL, lambda text: {}).missed


def test_unknown_covers_any_mode() -> None:
    verdict = judge(LEAVES_EVAL, _everywhere(frozenset({"unknown"})))
    assert not verdict.failed
    assert (13, "train") in verdict.unknown


def test_doubt_covers_a_mode_but_is_counted() -> None:
    doubting = {line: Claim(frozenset(), BOTH) for line in range(1, 30)}
    verdict = judge(LEAVES_EVAL, lambda text: doubting)
    assert not verdict.failed
    assert (13, "train") in verdict.understated


def test_who_is_never_called_may_be_called() -> None:
    uncalled = LEAVES_EVAL + "\n\ndef helper(m):\n    reveal_mode(m)\n\n\ndef unused():\n    helper(Net().eval())\n"
    called = uncalled.replace("    reveal_mode(model)\n\n\ndef", "    helper(model)\n\n\ndef")
    kept = LEAVES_EVAL + "\n\n\nact = lambda m: reveal_mode(m)\n"
    for text in (uncalled, called, kept):
        assert not judge(text, _observed_and(21)).false


def test_a_crash_is_a_failure() -> None:
    def broken(text: str) -> Claims:
        raise KeyError("place")

    assert judge(LEAVES_EVAL, broken).crash == "KeyError: 'place'"


def test_a_correlated_program_has_no_false_alarms() -> None:
    text = LEAVES_EVAL.replace("program(x)", "program(x, flag_a)").replace("choice(2):", "flag_a:  # flag-test")
    verdict = judge(text, _everywhere(BOTH))
    assert not verdict.false
    assert verdict.spurious


def test_wrong_analyses_are_caught_on_generated_programs() -> None:
    for wrong in (frozenset({"train"}), frozenset({"eval"}), BOTH):
        assert sum(judge(generate(f"wrong:{number}"), _everywhere(wrong)).failed for number in range(40)) >= 10


def test_an_analysis_that_forgets_the_back_edge_is_caught() -> None:
    forgets = {13: Claim(frozenset({"train"})), 16: Claim(frozenset({"eval"})), 17: Claim(BOTH)}
    assert judge(LEAVES_EVAL, lambda text: forgets).missed == ((13, "eval"),)


def test_shrinking_keeps_what_fails() -> None:
    text = next(text for text in map(generate, _seeds()) if judge(text, _everywhere(frozenset({"train"}))).missed)
    shrunk = shrink(text, lambda candidate: bool(judge(candidate, _everywhere(frozenset({"train"}))).missed))
    assert judge(shrunk, _everywhere(frozenset({"train"}))).missed
    assert len(shrunk.splitlines()) <= 20


def test_generation_is_reproducible_and_uses_every_construct() -> None:
    assert generate("1:7") == generate("1:7")
    used = frozenset[str]().union(*(constructs(generate(f"1:{number}")) for number in range(1500)))
    assert set(OPTIONAL) | set(OPTIONAL_CORRELATED) <= used
    assert set(NEEDS) <= set(OPTIONAL) | set(OPTIONAL_CORRELATED)
    assert set(OPTIONAL_CORRELATED) >= CORRELATED


def test_both_kinds_of_programs_are_common_and_most_are_explored_in_full() -> None:
    texts = [generate(f"kinds:{number}") for number in range(100)]
    assert 30 <= sum(map(is_independent, texts)) <= 80
    assert sum(explore(text).complete for text in texts) >= 75


@pytest.mark.parametrize(
    ("statement", "modes"),
    [
        ("model.train(choice(3))", {"train", "eval"}),
        ("model.eval().train()", {"train"}),
        ("[model.eval() for v in (1, 2)]", {"eval"}),
        ("for v in items(3): model.eval()", {"train", "eval"}),
    ],
)
def test_the_stub_behaves_like_a_module(statement: str, modes: set[str]) -> None:
    inserted = f"    {statement}\n    reveal_mode(model)\n"
    text = LEAVES_EVAL.replace("    for v in items(1):", inserted + "    for v in items(1):")
    assert explore(text).modes[13] == modes


def _everywhere(modes: frozenset[str]) -> Analysis:
    def claims(text: str) -> Claims:
        return dict.fromkeys(range(1, len(text.splitlines()) + 1), Claim(modes))

    return claims


def _observed(text: str) -> Claims:
    return {line: Claim(frozenset(modes)) for line, modes in explore(text).modes.items()}


def _observed_and(line: int) -> Analysis:
    return lambda text: {**_observed(text), line: Claim(BOTH)}


def _seeds() -> list[str]:
    return [f"shrink:{number}" for number in range(100)]
