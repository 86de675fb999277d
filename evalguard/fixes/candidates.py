"""Which cures are tried for which finding, in which order. Only the proof says whether one holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from evalguard.finding import Finding, Fix
from evalguard.fixes import arguments, containers, idle, overrides, suppressions, switches
from evalguard.fixes.script import Script

Cure: TypeAlias = Callable[[Finding, Script], Iterator[Fix]]

CURES: Mapping[str, tuple[Cure, ...]] = {
    "EVG101": (switches.missing_eval, switches.eval_after_loading),
    "EVG102": (switches.missing_eval, switches.eval_after_loading),
    "EVG103": (switches.missing_eval_of_a_helper,),
    "EVG104": (switches.missing_eval_before_export,),
    "EVG105": (switches.eval_after_loading, switches.missing_eval),
    "EVG106": (switches.train_call_in_evaluation,),
    "EVG201": (switches.missing_train,),
    "EVG301": (idle.called_switch,),
    "EVG302": (idle.entered_switch,),
    "EVG303": (idle.switch_for_a_flag,),
    "EVG304": (overrides.mended_override,),
    "EVG305": (overrides.frozen_again,),
    "EVG401": (arguments.flag_that_follows_the_mode,),
    "EVG402": (arguments.probability_that_follows_the_mode,),
    "EVG404": (containers.registering_container,),
    "EVG405": (arguments.flag_that_follows_the_mode,),
    "EVG902": (suppressions.without_code,),
    "EVG903": (suppressions.without_code,),
}

MOST_CANDIDATES = 10  # for one finding: each costs an analysis of the project


def candidates(finding: Finding, script: Script) -> list[Fix]:
    """The cures for a finding, the likeliest first, no two of them with the same edits."""
    found: dict[object, Fix] = {}
    for cure in CURES.get(finding.code, ()):
        for fix in cure(finding, script):
            found.setdefault((fix.edits, fix.title) if not fix.edits else fix.edits, fix)
    return list(found.values())[:MOST_CANDIDATES]
