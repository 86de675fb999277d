"""Where gradients are off by what is written: by a decorator, and between the head and the end of a `with`.

@torch.no_grad()
def embed(net, x): ...              off

def for_inference(function):
    @wraps(function)
    def inner(*args):
        with torch.inference_mode():
            return function(*args)
    return inner

@for_inference
def embed(net, x): ...              off as well
"""

from __future__ import annotations

from collections.abc import Callable

from evalguard.flow.solver import solve_forward
from evalguard.ir import values as ir
from evalguard.ir.facts import Decorator, FunctionFacts
from evalguard.ir.ops import Call, Define, Enter, Exit
from evalguard.modes.values import Fn
from evalguard.project.decorators import only_returned
from evalguard.project.resolve import Index
from evalguard.vocabulary import lookup

SETTERS_OF_GRADIENTS = ("off", "on")


def gradient_effect(path: str, facts: FunctionFacts, index: Index) -> bool | None:
    """What a function's decorators do to gradients: off (False), on (True) or nothing (None)."""
    for decorator in facts.decorators:
        found = index.resolve(path, ir.as_value(decorator.name)) if decorator.name else None
        if isinstance(found, Fn) and _runs_without_gradients(found.path, index.facts(found), decorator, index):
            return False
        if not isinstance(found, str):
            continue
        gradients = lookup.gradients(found)
        if gradients is None:
            continue
        if gradients.effect in SETTERS_OF_GRADIENTS:
            return gradients.effect == "on"
        flag = decorator.arguments[0].value if decorator.arguments else None
        constant = flag.value if isinstance(flag, ir.Const) else None
        if lookup.canonical(found) == "torch.inference_mode":
            return constant is False
        return bool(constant)
    return None


def _runs_without_gradients(path: str, facts: FunctionFacts, decorator: Decorator, index: Index) -> bool:
    """Whether a decorator of the project gives back a function that calls the one it is put on, and that never outside
    of a `no_grad()`."""
    inner = _given_back(path, facts, index)
    if decorator.called and inner is not None:
        facts, inner = inner, _given_back(path, inner, index)
    if inner is None or not facts.parameters:
        return False
    given = ir.Name(facts.parameters[0].name)
    made = {op.result: op for block in inner.blocks for op in block.ops if isinstance(op, Call)}
    calls = {result for result, op in made.items() if op.callee == given}

    def stops(manager: ir.Value) -> bool:
        call = made.get(manager) if isinstance(manager, ir.Temp) else None
        found = index.resolve(path, call.callee) if call is not None else None
        return call is not None and isinstance(found, str) and stops_gradients(call, found)

    return bool(calls) and calls.isdisjoint(graded_calls(inner, stops))


def _given_back(path: str, facts: FunctionFacts, index: Index) -> FunctionFacts | None:
    """The function that another one defines in itself and returns."""
    name = only_returned(facts)
    defined = [
        op.qualname for block in facts.blocks for op in block.ops if isinstance(op, Define) and op.name.id == name
    ]
    return index.files[path].functions.get(defined[0]) if name is not None and len(defined) == 1 else None


def graded_calls(facts: FunctionFacts, stops: Callable[[ir.Value], bool]) -> frozenset[ir.Temp]:
    """The results of the calls in a function that some path makes outside of each `with` of which the manager `stops`
    gradients."""
    graded: set[ir.Temp] = set()

    def step(number: int, inside: frozenset[ir.Temp]) -> list[tuple[int, frozenset[ir.Temp]]]:
        for op in facts.blocks[number].ops:
            match op:
                case Enter(result=result, manager=manager) if stops(manager):
                    inside |= {result}
                case Exit(enter=enter):
                    inside -= {enter}
                case Call(result=result) if not inside:
                    graded.add(result)
                case _:
                    pass
        return [(edge.target, inside) for edge in facts.blocks[number].edges]

    def take_in(number: int, known: list[frozenset[ir.Temp]], new: frozenset[ir.Temp]) -> frozenset[ir.Temp] | None:
        if new in known:
            return None
        known.append(new)
        return new

    solve_forward([(0, frozenset[ir.Temp]())], step, take_in)
    return frozenset(graded)


def stops_gradients(call: Call, meaning: str) -> bool:
    """Whether a call of something of a library, used as a manager, surely switches gradients off."""
    found = lookup.gradients(meaning)
    if found is None:
        return False
    return found.effect == "off" or (found.flag is not None and found.flag.default is True and not call.arguments)
