"""The parts that a module puts back in train mode whenever it is called, whatever mode it is in itself.

def forward(self, x):
    self.embedder.eval()
    features = self.embedder(x)
    self.embedder.train()               forced: the next call in eval mode finds it in train mode
    self.head.train(self.training)      heard
    if self.training:
        self.norm.train()               only train mode comes here
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evalguard.ir.ops import Call
from evalguard.ir.values import Attribute, Const, Value
from evalguard.project.code import ClassView, CodeView
from evalguard.project.mode_flow import guarded_blocks
from evalguard.vocabulary.words import words


@dataclass(frozen=True, slots=True)
class ForcedTrain:
    """`self.part.train()` in the function `view`, which a call of the module reaches, after `part.eval()` there."""

    view: CodeView
    part: str
    paused: Call
    call: Call


def forced_into_train_mode(cls: ClassView) -> Iterator[ForcedTrain]:
    """The parts of a module that its forward puts in eval mode for a while, and then in train mode for good."""
    if cls.is_unit_test or not cls.is_module:
        return
    reached = {(found.view.path, found.view.qualname) for found in cls.reached_by_forward()}
    for name, view in cls.own_methods().items():
        if "forward" in words(name) or (view.path, view.qualname) in reached:
            yield from _in_method(view, cls)


def _in_method(view: CodeView, cls: ClassView) -> Iterator[ForcedTrain]:
    switches = [
        (number, call, owner, mode)
        for number, call in view.calls()
        if isinstance(call.callee, Attribute)
        and (owner := view.own_attribute(call.callee.value)) is not None
        and (mode := _mode_set(call, call.callee)) is not None
    ]
    paused = {owner: call for _, call, owner, mode in reversed(switches) if not mode}
    for number, call, owner, mode in switches:
        if mode and owner in paused and number not in guarded_blocks(view, cls):
            yield ForcedTrain(view, owner, paused[owner], call)


def _mode_set(call: Call, callee: Attribute) -> bool | None:
    """Whether a call puts its receiver in train mode, not in eval mode; None for other calls, or if a variable says."""
    given: list[Value] = [argument.value for argument in call.arguments]
    match callee.name, given:
        case "eval", []:
            return False
        case "train", []:
            return True
        case "train", [Const(value=bool(mode))]:
            return mode
        case _:
            return None
