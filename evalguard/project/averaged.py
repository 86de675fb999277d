"""Which networks a function turns into a moving average of another one, as the step of a mean teacher does.

for fast, slow in zip(student.parameters(), teacher.parameters()):     pairs the parameters of two networks,
    slow.data.mul_(m).add_((1 - m) * fast.detach())                    and writes in place: `teacher` follows

Papers run such a network in train mode on purpose: <https://arxiv.org/abs/1703.01780>,
<https://arxiv.org/abs/2104.14294>.
"""

from __future__ import annotations

from evalguard.flow.liveness import path_of
from evalguard.ir.facts import FunctionFacts
from evalguard.ir.ops import Assign, Call
from evalguard.ir.values import Attribute, Name, Value
from evalguard.vocabulary.words import words

PARAMETERS = frozenset({"buffers", "named_parameters", "parameters"})
IN_PLACE = frozenset({"add_", "copy_", "lerp_", "mul_"})


def follows_another(facts: FunctionFacts, place: str) -> bool:
    """Whether a function makes the network that it calls `place`, or one named after it (`teacher_without_ddp`), follow
    another one."""
    ops = [op for block in facts.blocks for op in block.ops]
    calls = [op for op in ops if isinstance(op, Call)]
    owners: dict[Value, str] = {
        op.result: path_of(op.callee.value) or ""
        for op in calls
        if isinstance(op.callee, Attribute) and op.callee.name in PARAMETERS
    }
    paired = [
        owners[argument.value]
        for op in calls
        if op.callee == Name("zip") and sum(argument.value in owners for argument in op.arguments) > 1
        for argument in op.arguments
        if argument.value in owners
    ]
    if not any(set(words(place)) <= set(words(owner)) for owner in paired):
        return False
    return any(
        (isinstance(op, Call) and isinstance(op.callee, Attribute) and op.callee.name in IN_PLACE)
        or (isinstance(op, Assign) and isinstance(op.target, Attribute) and op.target.name == "data")
        for op in ops
    )
