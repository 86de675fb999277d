"""Which cures are tried for which finding, in which order. Only the proof says whether one holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from evalguard.finding import Finding, Fix
from evalguard.fixes import arguments, containers, flags, idle, layers, overrides, suppressions, switches
from evalguard.fixes.script import Script

Cure: TypeAlias = Callable[[Finding, Script], Iterator[Fix]]

CURES: Mapping[str, tuple[Cure, ...]] = {
    "EVG101": (switches.eval_of_a_global, switches.missing_eval, switches.eval_after_loading),
    "EVG102": (switches.eval_of_a_global, switches.missing_eval, switches.eval_after_loading),
    "EVG103": (overrides.frozen_inside, switches.missing_eval_of_a_helper),
    "EVG104": (switches.missing_eval_before_export,),
    "EVG105": (switches.eval_after_loading, switches.eval_of_a_global, switches.missing_eval),
    "EVG106": (switches.train_call_in_evaluation, switches.eval_behind_a_train_call),
    "EVG201": (switches.missing_train,),
    "EVG301": (idle.called_switch,),
    "EVG302": (idle.entered_switch,),
    "EVG303": (idle.switch_for_a_flag,),
    "EVG304": (overrides.mended_override,),
    "EVG305": (overrides.frozen_again,),
    "EVG306": (flags.flag_of_a_call, flags.read_where_it_is_asked),
    "EVG401": (arguments.flag_that_follows_the_mode,),
    "EVG402": (arguments.probability_that_follows_the_mode,),
    "EVG403": (
        layers.function_in_place_of_a_layer,
        layers.layer_kept_under_an_attribute,
        layers.layer_in_the_mode_of_the_whole,
    ),
    "EVG404": (containers.registering_container,),
    "EVG405": (arguments.flag_that_follows_the_mode,),
    "EVG902": (suppressions.without_code,),
    "EVG903": (suppressions.without_code,),
}

NO_CANDIDATE = "no cure is known for this place"
NO_NAME = "no statement was found before which the module has a name and a switch would be in its place"
WHY_THERE_IS_NONE: Mapping[str, str] = {
    "EVG106": "the function computes a loss, by which somebody may train",
    "EVG301": "what the assignment was to do is not known",
    "EVG304": "the loop wants another name, and so does each call of it, which may stand in any file",
    "EVG305": "where the part would have to be frozen again is not seen from here",
    "EVG306": "what is decided in the constructor would have to be decided in each forward",
    "EVG401": "the module whose mode counts has no name here",
    "EVG402": "the module whose mode counts has no name here",
    "EVG403": "which attribute is to hold the layer, and how large it has to be, is not known in `__init__`",
    "EVG404": "the items are no modules that a container of torch.nn could hold as they are",
}

MOST_CANDIDATES = 10  # for one finding: each costs an analysis of the project


def reason_for_none(finding: Finding) -> str:
    """Why there is no cure at all for a finding."""
    return WHY_THERE_IS_NONE.get(finding.code, NO_NAME if finding.model else NO_CANDIDATE)


def candidates(finding: Finding, script: Script) -> list[Fix]:
    """The cures for a finding, the likeliest first, no two of them with the same edits."""
    found: dict[object, Fix] = {}
    for cure in CURES.get(finding.code, ()):
        for fix in cure(finding, script):
            found.setdefault((fix.edits, fix.title) if not fix.edits else fix.edits, fix)
    return list(found.values())[:MOST_CANDIDATES]
