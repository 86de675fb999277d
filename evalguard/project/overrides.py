"""The methods `train` and `eval` of a module's own, and what is wrong with them.

def train(self, mode=True):         right: what `torch.nn.Module.eval` calls with False
    super().train(mode)
    self.norm.eval()
    return self

def train(self, loader): ...        a training loop, which `eval()` starts
def train(self, mode=True):
    super().train()                 eval mode is never reached
def train(self, mode=True):
    return super().train(False)     frozen on purpose
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from evalguard.finding import Span
from evalguard.flow.liveness import parts_of, values_of
from evalguard.ir.facts import Parameter
from evalguard.ir.graph import EdgeKind
from evalguard.ir.ops import Assign, Call, Iterate, Return
from evalguard.ir.values import Attribute, Const, Name, Value
from evalguard.modes.values import Cls
from evalguard.project.code import ClassView, Code, CodeView
from evalguard.project.made_modules import made_by
from evalguard.project.module_evidence import text_of
from evalguard.project.parameters import accepts
from evalguard.project.resolve import is_abstract
from evalguard.vocabulary.methods import CHILD_METHODS, SUBMODULE_METHODS
from evalguard.vocabulary.words import words

Flaw: TypeAlias = Literal[
    "loop", "no mode", "other argument", "recursion", "deaf", "always train", "parts", "none", "attribute", "unasked"
]
SWITCHES = ("train", "eval")
MODE_PARAMETERS = frozenset("enable enabled flag is_train istrain mode on status train training value".split())
REACHING = SUBMODULE_METHODS | CHILD_METHODS | {"apply", "getattr", "_apply"}
LEARNING = frozenset({"backward", "zero_grad", "step", "fit"})
FREEZING = frozenset({"eval", "requires_grad_", "parameters", "freeze"})
FROZEN_WORDS = frozenset("fix fixed freeze freezes freezing frozen".split())


@dataclass(frozen=True, slots=True)
class Override:
    """A method `name` of a module, or an attribute in its place, and its flaw. `detail` names what it is about, `at` is
    the call that shows it; `switched` tells whether the class has an `eval` of its own beside a flawed `train`."""

    view: CodeView
    name: str
    span: Span
    flaw: Flaw
    detail: str = ""
    switched: bool = False
    at: Span | None = None


def broken_overrides(cls: ClassView) -> Iterator[Override]:
    """The overrides in the class's own body that do not do what `torch.nn.Module` relies on, one flaw each."""
    if cls.is_unit_test or not cls.is_module:
        return
    methods = cls.own_methods()
    for name in SWITCHES:
        view = methods.get(name)
        if view is None:
            yield from _attributes(cls, name)
            continue
        if is_abstract(view.facts) or view.facts.is_generator or view.facts.decorators:
            continue
        found = _flaw_of_train(view, cls) if name == "train" else _flaw_of_eval(view, cls)
        if found is not None:
            switched = cls.method("eval") is not None
            yield Override(view, name, view.facts.header, *found, switched, _shown_by(found[0], view))


def _shown_by(flaw: Flaw, view: CodeView) -> Span | None:
    """The call in an override that shows its flaw best."""
    for _, call in view.calls():
        name = call.callee.name if isinstance(call.callee, Attribute) else ""
        if flaw == "loop" and name in LEARNING:
            return call.span
        if flaw == "recursion" and _is_own_call(call, "eval", view):
            return call.span
        if flaw in ("other argument", "deaf", "always train", "no mode") and name == "train":
            return call.span
    return None


def _flaw_of_train(view: CodeView, cls: ClassView) -> tuple[Flaw, str] | None:
    positional = [parameter for parameter in view.facts.parameters if parameter.kind == "positional"]
    takes_all = any(parameter.kind == "args" for parameter in view.facts.parameters)
    mode = positional[1] if len(positional) > 1 else None
    if mode is None and takes_all:
        return None
    if mode is None or not _is_mode(mode, view) or not accepts(view.facts, 2, frozenset()):
        if _learns(view):
            return "loop", ""
        if mode is None:
            return ("no mode", "") if not _is_disabled(view) else None
        return "other argument", mode.name
    if _is_disabled(view):
        return None
    away = _reached_in_eval(view, mode.name)
    calls = [call for block, call in view.calls() if block in away]
    if cls.method("eval") is None and any(_is_own_call(call, "eval", view) for call in calls):
        return "recursion", ""
    if not _reads(view, mode.name):
        return None if _only_evals(view) else ("deaf", mode.name)
    above = [call for _, call in view.calls() if _is_call_above(call, "train", view)]
    if above and all(_is_constantly(call, True, view) for call in above) and any(call in calls for call in above):
        return "always train", mode.name
    missed = _missed_parts(view, cls)
    if missed:
        return "parts", ", ".join(f"`self.{name}`" for name in missed[:3])
    return ("none", "") if _may_return_none(view) else None


def _flaw_of_eval(view: CodeView, cls: ClassView) -> tuple[Flaw, str] | None:
    if not accepts(view.facts, 1, frozenset()):
        required = [
            p.name for p in view.facts.parameters[1:] if p.default is None and p.kind in ("positional", "keyword")
        ]
        return "other argument", required[0] if required else "self"
    if _is_disabled(view):
        return None
    missed = _missed_parts(view, cls)
    if missed:
        return "parts", ", ".join(f"`self.{name}`" for name in missed[:3])
    outer = _around(cls) if not _only_calls_above(view) and not _train_does_its_own_in_eval_mode(cls) else None
    if outer is not None:
        return "unasked", outer
    return ("none", "") if _may_return_none(view) else None


def _train_does_its_own_in_eval_mode(cls: ClassView) -> bool:
    """Whether the class has a `train` that may do for False what its `eval` does: it asks for its mode, or gives it to
    something else than the `train` above."""
    view = cls.method("train")
    if view is None:
        return False
    mode = next((parameter.name for parameter in view.facts.parameters[1:]), None)
    if mode is None:
        return True
    tests = [edge.test for block in view.facts.blocks for edge in block.edges if edge.test is not None]
    given = [
        value
        for op in view.ops()
        if not (isinstance(op, Call) and _is_call_above(op, "train", view))
        for value in values_of(op)
    ]
    return any(_is_own_call(call, "eval", view) for _, call in view.calls()) or any(
        _mentions(value, mode) for value in (*tests, *given)
    )


def _is_mode(parameter: Parameter, view: CodeView) -> bool:
    if isinstance(parameter.default, Const) and isinstance(parameter.default.value, bool):
        return True
    if (
        parameter.annotation is not None
        and "bool" in parameter.annotation
        and "dict" not in parameter.annotation.lower()
    ):
        return True
    if parameter.name.lower() in MODE_PARAMETERS or (
        {"mode", "training"} & set(words(parameter.name)[-1:]) and (parameter.default is None)
    ):
        return True
    return any(
        isinstance(call.callee, Attribute)
        and call.callee.name == "train"
        and any(argument.value == Name(parameter.name) for argument in call.arguments)
        for _, call in view.calls()
    )


def _learns(view: CodeView) -> bool:
    """Whether a method is a training loop: it computes gradients, or steps an optimizer, or has others do so in a
    loop."""
    for _, call in view.calls():
        if isinstance(call.callee, Attribute) and call.callee.name in LEARNING:
            return True
    for block in view.facts.blocks:
        for op in block.ops:
            name = op.callee.name if isinstance(op, Call) and isinstance(op.callee, Attribute) else ""
            if block.loops and {"train", "training", "optimize", "update"} & set(words(name)) and name != "train":
                return True
    return False


def _is_disabled(view: CodeView) -> bool:
    """Whether the method does nothing at all: the part is kept from its parent's switches on purpose."""
    return not any(isinstance(op, (Call, Assign)) for op in view.ops())


def _only_evals(view: CodeView) -> bool:
    """Whether all that the method switches is put in eval mode: a part that is frozen for good."""
    switches = [call for _, call in view.calls() if isinstance(call.callee, Attribute) and call.callee.name in SWITCHES]
    return all(
        isinstance(call.callee, Attribute) and (call.callee.name == "eval" or _is_constantly(call, False, view))
        for call in switches
    )


def _is_constantly(call: Call, mode: bool, view: CodeView) -> bool:
    """Whether a call of `train` gives this constant, or leaves it out where that means True."""
    given = [argument.value for argument in call.arguments if argument.value != Name("self")]
    return (mode and not given) or given == [Const(mode)]


def _reads(view: CodeView, name: str) -> bool:
    tests = [edge.test for block in view.facts.blocks for edge in block.edges if edge.test is not None]
    return any(_mentions(value, name) for op in view.ops() for value in values_of(op)) or any(
        _mentions(test, name) for test in tests
    )


def _mentions(value: Value, name: str) -> bool:
    return value == Name(name) or any(_mentions(part, name) for part in parts_of(value))


def _reached_in_eval(view: CodeView, mode: str) -> set[int]:
    """The blocks that a call with False may reach."""
    seen, waiting = {0}, [0]
    while waiting:
        for edge in view.facts.blocks[waiting.pop()].edges:
            asks = edge.test == Name(mode) and edge.kind is EdgeKind.TRUE
            if not asks and edge.target not in seen:
                seen.add(edge.target)
                waiting.append(edge.target)
    return seen


def _is_own_call(call: Call, name: str, view: CodeView) -> bool:
    """`self.eval()` or `super().eval()`."""
    if not isinstance(call.callee, Attribute) or call.callee.name != name:
        return False
    return view.is_own_object(call.callee.value) or _is_super(call.callee.value, view)


def _is_super(value: Value, view: CodeView) -> bool:
    made = view.call_of(value)
    return made is not None and made.callee == Name("super")


def _is_call_above(call: Call, name: str, view: CodeView) -> bool:
    """`super().train(...)`, `nn.Module.train(self, ...)`, `Base.train(self, ...)`."""
    if not isinstance(call.callee, Attribute) or call.callee.name != name:
        return False
    if _is_super(call.callee.value, view):
        return True
    return bool(call.arguments) and view.is_own_object(call.arguments[0].value)


def _only_calls_above(view: CodeView) -> bool:
    """Whether an `eval` does nothing that the parent's `train(False)` would not do as well."""
    return all(
        call.callee == Name("super") or _is_call_above(call, "eval", view) or _is_own_call(call, "train", view)
        for _, call in view.calls()
    ) and not any(isinstance(op, Assign) for op in view.ops())


def _missed_parts(view: CodeView, cls: ClassView) -> list[str]:
    """The parts that the override certainly does not switch, unless something says that they are frozen."""
    name = view.facts.name
    for reached in _with_helpers(view, cls):
        for op in reached.ops():
            if isinstance(op, Iterate):
                return []
            if not isinstance(op, Call):
                continue
            if any(_is_call_above(op, switch, reached) for switch in SWITCHES) or op.callee == Name("getattr"):
                return []
            if isinstance(op.callee, Attribute) and op.callee.name in REACHING:
                return []
            if name == "eval" and _is_own_call(op, "train", reached):
                return []
    switched = {
        part
        for reached in _with_helpers(view, cls)
        for _, call in reached.calls()
        if isinstance(call.callee, Attribute) and call.callee.name in SWITCHES
        for part in [reached.own_attribute(call.callee.value)]
        if part is not None
    }
    if not switched and name == "eval":
        return []  # it may be no switch at all
    return [part for part in _parts_that_listen(cls) if part not in switched and not _is_frozen(part, cls)]


def _with_helpers(view: CodeView, cls: ClassView) -> list[CodeView]:
    """The override and the functions that it calls."""
    return [reached.view for reached in cls.reached_by(view.facts.name)] or [view]


def _parts_that_listen(cls: ClassView) -> list[str]:
    found: dict[str, None] = {}
    for method in cls.methods().values():
        for op in method.ops():
            name = method.own_attribute(op.target) if isinstance(op, Assign) else None
            if isinstance(op, Assign) and name is not None:
                made = made_by(op.value, method, cls)
                if made is not None and made.listens:
                    found[name] = None
    return list(found)


def _is_frozen(part: str, cls: ClassView) -> bool:
    """Whether the class puts a part in eval mode somewhere, takes its gradients, or its name says so."""
    if FROZEN_WORDS & set(words(part)):
        return True
    for name, method in cls.methods().items():
        for _, call in method.calls():
            if name in SWITCHES or not isinstance(call.callee, Attribute) or call.callee.name not in FREEZING:
                continue
            if method.own_attribute(call.callee.value) == part:
                return True
            if any(method.own_attribute(op.target) == part and op.value == call.result for op in _assignments(method)):
                return True
    return False


def _assignments(view: CodeView) -> Iterator[Assign]:
    return (op for op in view.ops() if isinstance(op, Assign))


def _may_return_none(view: CodeView) -> bool:
    blocks = view.facts.blocks
    seen, waiting = {0}, [0]
    while waiting:
        number = waiting.pop()
        block = blocks[number]
        last = block.ops[-1] if block.ops else None
        if isinstance(last, Return) and last.value == Const(None):
            return True
        for edge in block.edges:
            if edge.target == view.facts.exit and not isinstance(last, Return):
                return True
            if edge.target not in seen:
                seen.add(edge.target)
                waiting.append(edge.target)
    return False


def _around(cls: ClassView) -> str | None:
    """The name of a module of the project of which one of this class is a part."""
    if "owners" not in cls.code.kept:
        cls.code.kept["owners"] = _owners(cls.code)
    owners: dict[Cls, list[ClassView]] = cls.code.kept["owners"]
    return next((outer.facts.name for outer in owners.get(cls.cls, ()) if outer.cls != cls.cls), None)


def _owners(code: Code) -> dict[Cls, list[ClassView]]:
    """Of each class the modules of the project that make a part of it."""
    owners: dict[Cls, list[ClassView]] = {}
    for outer in code.classes():
        for method in outer.own_methods().values() if outer.is_module else ():
            for op in method.ops() if method.said.assigned else ():
                if isinstance(op, Assign) and method.own_attribute(op.target) is not None:
                    call = method.call_of(op.value)
                    made = method.meaning(call.callee) if call is not None else None
                    if isinstance(made, Cls):
                        owners.setdefault(made, []).append(outer)
    return owners


def _attributes(cls: ClassView, name: str) -> Iterator[Override]:
    """`self.train = True`, or a parameter that is one."""
    for view, value in cls.given(name):
        if view.owner != cls.cls and view.qualname != cls.facts.parent:
            continue
        if not _is_flag(value, view):
            continue
        for op in view.ops():
            if (
                isinstance(op, Assign)
                and op.value == value
                and isinstance(op.target, Attribute)
                and op.target.name == name
            ):
                yield Override(view, name, op.span, "attribute", text_of(value, view))
                break


def _is_flag(value: Value, view: CodeView) -> bool:
    if isinstance(value, Const):
        return isinstance(value.value, bool)
    for parameter in view.facts.parameters:
        if value == Name(parameter.name) and not view.values_given(value):
            said = parameter.annotation or "bool"
            return "bool" in said and (parameter.default is None or isinstance(parameter.default, Const))
    return False
