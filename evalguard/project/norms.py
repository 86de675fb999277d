"""The normalising functions that use the batch, and change statistics of the module, in both modes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evalguard.flow.liveness import parts_of
from evalguard.ir.ops import Call
from evalguard.ir.values import Attribute, Const, Item, Name, Value
from evalguard.project.code import ClassView, CodeView
from evalguard.project.mode_flow import guarded_blocks, sources
from evalguard.vocabulary import lookup
from evalguard.vocabulary.terms import Functional, Parameter

RUNNING_MEAN = Parameter("running_mean", 1)
WEIGHT = Parameter("weight", 3)
NORMS = ("torch.nn.functional.batch_norm", "torch.nn.functional.instance_norm")


@dataclass(frozen=True, slots=True)
class FixedNorm:
    """A call in the function `view` of a normalising `function`, whose flag is true in both modes. `statistics` is the
    place of the running mean that it changes."""

    view: CodeView
    call: Call
    function: Functional
    statistics: str


def fixed_norms(cls: ClassView) -> Iterator[FixedNorm]:
    """The calls in what a module does that change its running statistics whatever the mode."""
    if cls.is_unit_test or not cls.is_module or cls.forward() is None:
        return
    for reached in cls.reached_by_forward():
        view = reached.view
        if _asks_for_statistics(view):
            continue  # without them there is nothing to change
        guarded = guarded_blocks(view, cls)
        for block, call in view.calls():
            dotted = view.dotted(call.callee)
            function = lookup.functional(dotted) if dotted in NORMS and dotted is not None else None
            if function is None or block in guarded or any(argument.stars for argument in call.arguments):
                continue
            positional = [argument.value for argument in call.arguments if argument.keyword is None]
            keywords = {argument.keyword: argument.value for argument in call.arguments if argument.keyword is not None}
            flag = lookup.argument_of(function.flag, positional, keywords) or Const(function.flag.default)
            found = sources(flag, view, cls)
            if not found.is_deaf or found.fixed or found.parameters or found.constants != frozenset({True}):
                continue
            statistics = _own_place(lookup.argument_of(RUNNING_MEAN, positional, keywords), view, cls)
            weight = lookup.argument_of(WEIGHT, positional, keywords)
            if statistics is None or (weight is not None and sources(weight, view, cls).parameters):
                continue  # weights that are given: the statistics are those of the task at hand
            yield FixedNorm(view, call, function, statistics)


def _asks_for_statistics(view: CodeView) -> bool:
    """Whether a function tests `self.track_running_stats`, as the layers of PyTorch do."""
    waiting = [edge.test for block in view.facts.blocks for edge in block.edges if edge.test is not None]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Attribute) and value.name == "track_running_stats":
            return True
        waiting += parts_of(value)
    return False


def _own_place(value: Value | None, view: CodeView, cls: ClassView) -> str | None:
    """`self.running_mean`, `self.norm.running_mean`; None for all that may be something else, or None."""
    if isinstance(value, Item) and (item := view.item_given(value)) is not None:
        return _own_place(item, view, cls)
    if isinstance(value, Name):
        places = {_own_place(given, view, cls) for given in view.values_given(value)}
        return places.pop() if len(places) == 1 else None
    names: list[str] = []
    inner: Value | None = value
    while isinstance(inner, Attribute):
        names.append(inner.name)
        inner = inner.value
    if inner is None or not names or not view.is_own_object(inner):
        return None
    given = [found for _, found in cls.given(names[-1])]
    if given and all(found == Const(None) for found in given):
        return None
    return ".".join(["self", *reversed(names)])
