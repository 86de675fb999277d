"""What is named and not called, or called and not entered, where a mode or the gradients were to be switched.

model.eval                        named: nothing happens
model.train = False               assigned: the method is gone, the mode is as it was
torch.no_grad()                   made and thrown away: gradients are recorded as before
with torch.no_grad: ...           a class is no manager: `with` fails
torch.set_grad_enabled(False)     switches by itself
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from evalguard.finding import Span
from evalguard.flow.liveness import parts_of, values_of
from evalguard.ir.ops import Assign, Call, Enter, Evaluate
from evalguard.ir.values import Attribute, Const, Value
from evalguard.project.code import CodeView
from evalguard.project.module_evidence import is_probably_module, text_of
from evalguard.vocabulary import lookup

SWITCHES = frozenset({"train", "eval"})


@dataclass(frozen=True, slots=True)
class Idle:
    """Something at `span` that does not switch. `text` is what is named, `kind` how it was left idle."""

    text: str
    span: Span
    kind: Literal["named", "assigned", "thrown away", "entered"]


def uncalled_switches(view: CodeView) -> Iterator[Idle]:
    """`model.eval` as a statement, and `model.eval = True`: the owner is a module by all that is known."""
    if SWITCHES.isdisjoint((*view.said.words, *view.said.assigned)):
        return
    for op in view.ops():
        match op:
            case Evaluate(value=Attribute(value=owner, name=name) as value, span=span) if name in SWITCHES:
                kind: Literal["named", "assigned"] = "named"
            case Assign(target=Attribute(value=owner, name=name) as value, value=Const(value=bool()), span=span) if (
                name in SWITCHES and not view.is_own_object(owner)
            ):
                kind = "assigned"
            case _:
                continue
        if is_probably_module(owner, view):
            yield Idle(text_of(value, view), span, kind)


def idle_gradient_switches(view: CodeView) -> Iterator[Idle]:
    """`torch.no_grad()` whose result nobody takes, `torch.no_grad` as a statement, and `with torch.no_grad:`."""
    read: set[Value] | None = None
    for op in view.ops():
        match op:
            case Call(callee=callee, result=result, span=span, statement=statement) if span == statement:
                if not _turns_gradients(callee, view):
                    continue
                read = _values_read(view) if read is None else read
                if result not in read:
                    yield Idle(f"{text_of(callee, view)}()", span, "thrown away")
            case Evaluate(value=value, span=span) if _turns_gradients(value, view):
                yield Idle(text_of(value, view), span, "named")
            case Enter(manager=manager, span=span) if _turns_gradients(manager, view):
                yield Idle(text_of(manager, view), span, "entered")
            case _:
                pass


def _turns_gradients(value: Value, view: CodeView) -> bool:
    """Whether it is the class of a manager that does nothing before it is entered."""
    dotted = view.dotted(value)
    found = lookup.gradients(dotted) if dotted is not None else None
    return found is not None and found.bare_decorator and not found.acts_when_called


def _values_read(view: CodeView) -> set[Value]:
    read: set[Value] = set()
    waiting = [value for op in view.ops() for value in values_of(op)]
    waiting += [edge.test for block in view.facts.blocks for edge in block.edges if edge.test is not None]
    while waiting:
        value = waiting.pop()
        read.add(value)
        waiting.extend(parts_of(value))
    return read
