"""The parts of a module that it only ever runs without gradients, and that have the mode of the whole.

class Tagger(nn.Module):
    def __init__(self):
        self.backbone = resnet18(weights="DEFAULT")
        self.head = nn.Linear(1000, 2)

    def forward(self, x):
        with torch.no_grad():
            x = self.backbone(x)            never trained, but in train mode whenever the head is
        return self.head(x)

Silent where anything speaks of the part's mode, and where its weights may follow those of another network: where it is
mentioned in any other way than here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evalguard.flow.liveness import parts_of, values_of
from evalguard.ir.ops import Assign, Call, Op
from evalguard.ir.values import Attribute, Name, Temp, Value
from evalguard.project.code import ClassView, CodeView
from evalguard.project.gradients import graded_calls, gradient_effect, stops_gradients
from evalguard.project.made_modules import Made, made_by
from evalguard.project.module_evidence import is_leaf_layer
from evalguard.vocabulary.methods import CHILD_METHODS, PARAMETER_METHODS, SUBMODULE_METHODS
from evalguard.vocabulary.words import MOMENTUM_WORDS, words

CONSTRUCTOR = "__init__"
OF_THE_MODE = frozenset({"eval", "train"})
SAID_WHEN_MADE = PARAMETER_METHODS | SUBMODULE_METHODS | CHILD_METHODS | {"requires_grad_", "load_state_dict"}
"""What a constructor may say of a part that it freezes by its gradients."""


@dataclass(frozen=True, slots=True)
class Ungraded:
    """The part that the function `view` runs without gradients by `call`."""

    view: CodeView
    call: Call
    part: str


@dataclass(frozen=True, slots=True)
class _Use:
    view: CodeView
    call: Call
    is_graded: bool


def parts_without_gradients(cls: ClassView) -> tuple[Ungraded, ...]:
    """The parts of a class that learn nothing while others of it do, and listen to the mode all the same."""
    if "parts without gradients" not in cls.kept:
        cls.kept["parts without gradients"] = tuple(_found(cls))
    found: tuple[Ungraded, ...] = cls.kept["parts without gradients"]
    return found


def _found(cls: ClassView) -> Iterator[Ungraded]:
    if cls.is_unit_test or not cls.is_module or cls.index.subclasses(cls.cls):
        return
    if cls.method("train") is not None or cls.given("train"):
        return
    uses = _uses(cls)
    if not any(use.is_graded for found in uses.values() for use in found):
        return  # all of it is only inferred
    quiet = {part for part, found in uses.items() if found and not any(use.is_graded for use in found)}
    for part in sorted(quiet):
        made = _made(part, cls)
        if made is None or not (made.listens and made.has_weights) or set(words(part)) & MOMENTUM_WORDS:
            continue
        if _pairs_parameters(cls) or _is_spoken_of(part, cls) or _is_mentioned_outside(part, cls):
            continue
        yield Ungraded(uses[part][0].view, uses[part][0].call, part)


def _uses(cls: ClassView) -> dict[str, list[_Use]]:
    """The calls of the parts, in all that a call of the module runs."""
    found: dict[str, list[_Use]] = {}
    for reached in cls.reached_by_forward():
        view = reached.view
        graded = _graded_calls(view)
        for _, call in view.calls():
            part = view.own_attribute(call.callee)
            if part is not None and cls.method(part) is None:
                found.setdefault(part, []).append(_Use(view, call, call.result in graded))
    return found


def _graded_calls(view: CodeView) -> frozenset[Temp]:
    """The results of the calls that some path makes outside of any `no_grad()`."""
    if gradient_effect(view.path, view.facts, view.index) is False:
        return frozenset()
    return graded_calls(view.facts, lambda manager: _stops_gradients(manager, view))


def _stops_gradients(manager: Value, view: CodeView) -> bool:
    call = view.call_of(manager)
    dotted = view.dotted(call.callee) if call is not None else None
    return call is not None and dotted is not None and stops_gradients(call, dotted)


def _made(part: str, cls: ClassView) -> Made | None:
    """What a part is, where that is certain. A single layer, such as a norm of the input, learns by its mode."""
    given = cls.given(part)
    if len(given) != 1 or is_leaf_layer(given[0][1], given[0][0]):
        return None
    return made_by(given[0][1], given[0][0], cls)


def _pairs_parameters(cls: ClassView) -> bool:
    """Whether a method goes over the parameters of two networks at once: one follows the other."""
    return any(call.callee == Name("zip") and _reads_parameters(call, view) for view, call in _calls(cls))


def _reads_parameters(call: Call, view: CodeView) -> bool:
    inner = [view.call_of(argument.value) for argument in call.arguments]
    return any(
        isinstance(made.callee, Attribute) and made.callee.name in PARAMETER_METHODS
        for made in inner
        if made is not None
    )


def _is_spoken_of(part: str, cls: ClassView) -> bool:
    """Whether the class chooses a mode, or mentions the part otherwise than to make it, to freeze it or to run it."""
    if any(isinstance(call.callee, Attribute) and call.callee.name in OF_THE_MODE for _, call in _calls(cls)):
        return True
    constructing = {(reached.view.path, reached.view.qualname) for reached in cls.reached_by(CONSTRUCTOR)}
    return any(
        _mentions(op, part, view, may_freeze=(view.path, view.qualname) in constructing)
        for view in _views(cls)
        for op in view.ops()
    )


def _mentions(op: Op, part: str, view: CodeView, may_freeze: bool) -> bool:
    match op:
        case Assign(target=target, value=value) if view.own_attribute(target) == part:
            values = [value]
        case Call(callee=callee, arguments=arguments) if view.own_attribute(callee) == part:
            values = [argument.value for argument in arguments]
        case Call(callee=Attribute(value=owner, name=name), arguments=arguments) if (
            may_freeze and name in SAID_WHEN_MADE and view.own_attribute(owner) == part
        ):
            values = [argument.value for argument in arguments]
        case _:
            values = list(values_of(op))
    return any(view.own_attribute(value) == part for value in _all_parts(values))


def _is_mentioned_outside(part: str, cls: ClassView) -> bool:
    """Whether code around the class names an attribute like the part, other than one of an object of its own."""
    family = cls.index.ancestry(cls.cls)[0]
    return any(
        isinstance(value, Attribute) and value.name == part and view.own_attribute(value) is None
        for view in cls.code.functions()
        if view.owner not in family and part in view.said.words
        for op in view.ops()
        for value in _all_parts(list(values_of(op)))
    )


def _calls(cls: ClassView) -> Iterator[tuple[CodeView, Call]]:
    for view in _views(cls):
        for _, call in view.calls():
            yield view, call


def _views(cls: ClassView) -> Iterator[CodeView]:
    """All that the methods of a class reach."""
    yield from (reached.view for reached in cls.reached_by(*cls.methods()))


def _all_parts(values: list[Value]) -> Iterator[Value]:
    for value in values:
        yield value
        yield from _all_parts(list(parts_of(value)))
