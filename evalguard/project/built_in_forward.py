"""The layers that a module makes anew whenever it is called.

def forward(self, x):
    x = nn.Dropout(0.5)(x)              made and used: always in train mode
    drop = nn.Dropout(0.5)
    if self.training:
        x = drop(x)                     only train mode comes here
    if self.head is None:
        self.head = nn.Linear(8, 2)     made once, and registered
    return self.make_norm()(x)          a function that makes a layer for others says nothing of its use
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from evalguard.flow.liveness import parts_of, values_of
from evalguard.ir.ops import Assign, Call, Iterate
from evalguard.ir.values import Attribute, Item, Name, Sequence, Star, Temp, Value
from evalguard.modes.values import Cls
from evalguard.project.code import ClassView, CodeView
from evalguard.project.made_modules import Made, layer_calls
from evalguard.project.mode_flow import guarded_blocks
from evalguard.vocabulary import lookup

MODE_METHODS = frozenset({"eval", "train"})
NEUTRAL = frozenset({"LayerNorm", "GroupNorm", "RMSNorm"})
"""Layers whose weights begin as 1 and 0: untrained they still do what a plain normalisation does."""


@dataclass(frozen=True, slots=True)
class Built:
    """A layer that the function `view` makes and uses; `stored` under an attribute of the object, or not at all."""

    view: CodeView
    call: Call
    made: Made
    stored: str | None


@dataclass(slots=True)
class _Use:
    """What becomes of a layer in the function that makes it."""

    names: set[Value] = field(default_factory=set)  # that may hold it, or what it was put in
    is_called: bool = False
    called_in: set[int] = field(default_factory=set)
    is_switched: bool = False
    is_configured: bool = False
    stored: str | None = None


def built_in_forward(cls: ClassView) -> Iterator[Built]:
    """The layers that matter and that a call of the module makes and uses, whatever the mode."""
    if cls.is_unit_test or not cls.is_module:
        return
    forward = cls.forward()
    if forward is None:
        return
    for reached in cls.reached_by(forward.facts.name, leave_out=lambda view, n: n in guarded_blocks(view, cls)):
        view = reached.view
        guarded = guarded_blocks(view, cls)
        for block, call, made in layer_calls(view, cls):
            if block in guarded or not made.matters or made.name in NEUTRAL:
                continue
            use = _use_of(call.result, view)
            if not use.is_called or use.is_switched or use.called_in <= guarded:
                continue
            found = view.meaning(call.callee)
            if not made.listens and (use.is_configured or isinstance(found, Cls)):
                continue  # its weights are set by hand, or may be
            if isinstance(found, Cls) and _calls_eval_as_made(view.code.class_(found)):
                continue
            if use.stored is not None and not _is_on_every_path(view, block):
                continue  # made once, when it is first needed
            yield Built(view, call, made, use.stored)


def _calls_eval_as_made(cls: ClassView) -> bool:
    """Whether the constructor of a class puts the object in eval mode, or what it is made of."""
    if "calls eval as made" not in cls.kept:
        cls.kept["calls eval as made"] = any(
            isinstance(call.callee, Attribute) and call.callee.name == "eval" and not call.arguments
            for reached in cls.reached_by("__init__")
            for _, call in reached.view.calls()
            if reached.view.dotted(call.callee) is None
        )
    return bool(cls.kept["calls eval as made"])


def _use_of(result: Temp, view: CodeView) -> _Use:
    use = _Use({result})
    before = 0
    while len(use.names) != before:
        before = len(use.names)
        for number, block in enumerate(view.facts.blocks):
            for op in block.ops:
                match op:
                    case Assign(target=target, value=value) if _holds(value, use.names):
                        _take_assignment(target, view, use)
                    case Assign(target=Attribute(value=owner)) if _holds(owner, use.names):
                        use.is_configured = True
                    case Iterate(result=element, iterable=iterable) if _holds(iterable, use.names):
                        use.names.add(element)
                    case Call():
                        _take_call(op, number, view, use)
                    case _:
                        pass
                if any(_reads_part(value, use.names) for value in values_of(op) if not isinstance(op, Call)):
                    use.is_configured = True
    return use


def _take_assignment(target: Value, view: CodeView, use: _Use) -> None:
    name = view.own_attribute(target)
    if name is not None:
        use.stored = name
        use.names.add(target)
    elif isinstance(target, (Name, Temp)):
        use.names.add(target)
    elif isinstance(target, Item):
        use.names.add(target.value)


def _take_call(op: Call, block: int, view: CodeView, use: _Use) -> None:
    callee = op.callee
    if _holds(callee, use.names):
        use.is_called = True
        use.called_in.add(block)
    elif isinstance(callee, Attribute) and _holds(callee.value, use.names):
        if callee.name in MODE_METHODS:
            use.is_switched = True
        elif callee.name == "forward":
            use.is_called = True
            use.called_in.add(block)
        elif callee.name in lookup.SAME_OBJECT_METHODS:
            use.names.add(op.result)
        elif callee.name != "append":
            use.is_configured = True
    for argument in op.arguments:
        if _holds(argument.value, use.names):
            dotted = view.dotted(callee)
            layer = lookup.layer(dotted) if dotted is not None else None
            if layer is not None and layer.sensitivity == "container":
                use.names.add(op.result)
            elif isinstance(callee, Attribute) and callee.name == "append":
                use.names.add(callee.value)
        elif _reads_part(argument.value, use.names):
            use.is_configured = True


def _holds(value: Value, names: set[Value]) -> bool:
    """Whether a value is, or is an element of, or contains one of these."""
    if value in names:
        return True
    match value:
        case Sequence(items=items):
            return any(_holds(item, names) for item in items)
        case Item(value=inner) | Star(value=inner):
            return _holds(inner, names)
        case _:
            return False


def _reads_part(value: Value, names: set[Value]) -> bool:
    """Whether a value reads an attribute of one of these: its weights."""
    if isinstance(value, Attribute) and _holds(value.value, names):
        return True
    return any(_reads_part(part, names) for part in parts_of(value))


def _is_on_every_path(view: CodeView, block: int) -> bool:
    blocks = view.facts.blocks
    seen = {0}
    waiting = [0] if block != 0 else []
    while waiting:
        for edge in blocks[waiting.pop()].edges:
            if edge.target not in seen and edge.target != block:
                seen.add(edge.target)
                waiting.append(edge.target)
    return view.facts.exit not in seen
