"""Is `x.train(...)` a switch of a module's mode? And if so, what does it do?

    model.train()  model.train(False)  model.train(mode=phase == "train")     switches
    trainer.train(loader)  booster.train(data, 100)  frame.eval("a + b")       none

Where the arguments do not tell, the names do: `x.train(epoch)` is given no flag.
"""

from __future__ import annotations

from evalguard.ir import values as ir
from evalguard.modes.arguments import Given, call_text
from evalguard.modes.frame import Frame, Outcome
from evalguard.modes.objects import is_assigned_part
from evalguard.modes.state import State
from evalguard.modes.switch import switch, switch_by
from evalguard.modes.values import Expr, Identity, Known, Mode, ModeFlag, Obj
from evalguard.vocabulary import lookup
from evalguard.vocabulary.methods import EVIDENCE_METHODS
from evalguard.vocabulary.words import MODULE_WORDS, NOT_MODULE_WORDS, words

NOT_A_FLAG = frozenset("epoch epochs data loader dataset x steps batch model num iterations timesteps".split())


def is_mode_call(name: str, given: Given, identity: Identity, frame: Frame) -> bool:
    """Whether `.train(...)` or `.eval(...)` is called as of a module: with no argument, or with a flag."""
    if name == "eval":
        return not given.op.arguments
    if not given.op.arguments:
        return True
    if len(given.op.arguments) != 1 or given.op.arguments[0].stars:
        return False
    argument = given.op.arguments[0]
    if argument.keyword not in (None, "mode"):
        return False
    value = given.all()[0]
    match value:
        case Known(value=bool() | int()) | ModeFlag() | Expr():
            return not (isinstance(value, Known) and not isinstance(value.value, bool) and value.value not in (0, 1))
        case Obj():
            text = argument.value
            if isinstance(text, ir.Not):
                return True
            if not isinstance(text, (ir.Name, ir.Attribute)):
                cls, is_module = frame.info(identity).cls, frame.info(identity).module is True
                is_module |= cls is not None and frame.linker.class_view(cls).module is True
                return is_module or is_assigned_part(identity, frame)
            return not set(words(_last_name(text))) & NOT_A_FLAG
        case _:
            return False


def may_be_module(identity: Identity, text: str, frame: Frame) -> bool:
    """Whether `.train()` or `.eval()` of this object can be a mode switch."""
    info = frame.info(identity)
    if info.module is not None:
        return info.module
    if info.cls is not None:
        return frame.linker.class_view(info.cls).module is not False
    if info.evidence & EVIDENCE_METHODS:
        return True  # whatever an annotation says: it may be that of another function that the object is given to
    if info.external is not None and lookup.makes_no_module(info.external):
        return False
    owner = text.rpartition(".")[0]
    last = set(words(owner.rpartition(".")[2]))
    return not (last & NOT_MODULE_WORDS and not last & MODULE_WORDS)


def switch_called(base: Obj, name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """`x.train()`, `x.eval()`, `x.train(flag)`: the outcomes hand back `x`, in its new mode."""
    identity = base.id
    op = given.op
    text = call_text(op, frame)
    if frame.info(identity).module is None:
        frame.info(identity).evidence.add(name)
    if name == "eval" or not given.all():
        switch(identity, Mode.EVAL if name == "eval" else Mode.TRAIN, op.span, text, state, frame)
        return [Outcome(state, base)]
    flag = given.all()[0]
    return [Outcome(after, base) for after in switch_by(identity, flag, op.span, text, given.paths(), state, frame)]


def _last_name(value: ir.Value) -> str:
    match value:
        case ir.Name(id=name) | ir.Attribute(name=name):
            return name
        case _:
            return ""
