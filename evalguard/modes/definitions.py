"""What `def` and `class` bind, and what the project's decorators do on the way.

@register("small")        runs `register`, and then what it returns, with the class
class Small(nn.Module):   `NETS["small"]` is `Small` from here on, and so is `Small`
"""

from __future__ import annotations

from functools import partial

from evalguard.ir import values as ir
from evalguard.ir.facts import MODULE, Decorator
from evalguard.ir.ops import Call, Define
from evalguard.modes.arguments import Given, arguments_of
from evalguard.modes.calls import call_value
from evalguard.modes.evaluate import evaluate
from evalguard.modes.frame import Frame, Outcome
from evalguard.modes.state import State
from evalguard.modes.values import Abstract, Cls, Fn, Partial


def define(op: Define, state: State, frame: Frame) -> list[Outcome]:
    """The paths through a definition, each with what it binds."""
    if not op.is_class and frame.function.qualname != MODULE:
        return [Outcome(state, frame.linker.function_value(frame.path, op.qualname, state, frame))]
    plain: Abstract = Cls(frame.path, op.qualname) if op.is_class else Fn(frame.path, op.qualname)
    outcomes = [Outcome(state, plain)]
    for decorator in reversed(frame.linker.decorators(frame.path, op.qualname)):
        outcomes = frame.linker.decorating(partial(_all_decorated, outcomes, decorator, frame), frame) or outcomes
    return outcomes


def _all_decorated(befores: list[Outcome], decorator: Decorator, frame: Frame) -> list[Outcome]:
    return [after for before in befores for after in _decorated(before, decorator, frame)]


def _decorated(before: Outcome, decorator: Decorator, frame: Frame) -> list[Outcome]:
    """The definition through one more decorator; as it was, where that is none of the project."""
    name = ir.as_value(decorator.name)
    if not decorator.name or not isinstance(evaluate(name, before.state, frame), Fn):
        return [before]
    op = Call(ir.Temp(-1), ir.Const(None), decorator.arguments, decorator.span, decorator.span)
    state = before.state.copy()
    made = [Outcome(state, evaluate(name, state, frame))]
    if decorator.called:
        made = call_value(made[0].value, arguments_of(op, state, frame), state, frame)
    results: list[Outcome] = []
    for wrapping in made:
        if not wrapping.raised and isinstance(wrapping.value, Fn):
            for after in call_value(wrapping.value, Given(op, [before.value], [], True), wrapping.state, frame):
                if not after.raised:
                    is_followed = isinstance(after.value, (Fn, Cls, Partial))
                    results.append(Outcome(after.state, after.value if is_followed else before.value))
    return results or [before]
