"""Which networks a function makes follow another one."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from evalguard.frontend import lower
from evalguard.project.averaged import follows_another
from evalguard.source import document_of

AVERAGE = """
for fast, slow in zip(net.parameters(), {owner}.parameters()):
    {update}
"""


@pytest.mark.parametrize(
    ("place", "owner", "update", "follows"),
    [
        ("teacher", "teacher", "slow.data.mul_(m).add_(fast.data)", True),
        ("teacher", "teacher", "slow.data = m * slow.data + fast.data", True),
        ("teacher", "teacher_without_ddp", "slow.lerp_(fast, m)", True),
        ("self.teacher", "self.teacher.module", "slow.copy_(fast)", True),
        ("teacher", "other", "slow.copy_(fast)", False),
        ("teacher", "teacher", "total += (fast - slow).norm()", False),
    ],
)
def test_what_is_averaged_in_place_follows(place: str, owner: str, update: str, follows: bool) -> None:
    body = indent(AVERAGE.format(owner=owner, update=update), "    ")
    facts = lower(document_of(dedent(f"def step(self, net, teacher, m):\n{body}"), "a.py")).functions["step"]
    assert follows_another(facts, place) is follows


def test_parameters_of_one_network_follow_none() -> None:
    text = "def step(teacher):\n    for p in teacher.parameters():\n        p.data.mul_(0.9)\n"
    assert not follows_another(lower(document_of(text, "a.py")).functions["step"], "teacher")
