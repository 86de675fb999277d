"""What is known of a project is given free after a check: a server checks the same project all day."""

from __future__ import annotations

import gc
from pathlib import Path

from evalguard import check_paths
from evalguard.project.code import Code, CodeView

RULES = Path(__file__).parents[2] / "fixtures" / "rules"


def _held() -> int:
    gc.collect()
    return sum(isinstance(each, (Code, CodeView)) for each in gc.get_objects())


def test_nothing_of_a_project_is_held_after_a_check() -> None:
    before = _held()
    check_paths([RULES / "EVG401", RULES / "EVG402", RULES / "EVG101"])
    assert _held() <= before
