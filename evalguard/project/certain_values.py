"""What the parameters of a function certainly are at one call of it, and which of its blocks that leaves.

    Block(3, 8)                 def __init__(self, width, out, norm=False):     `norm` is False, for nobody gives it
    Block(3, 8, norm=wanted)    what `wanted` certainly is where the call stands, if that is known
    Block(**options)            options = {"width": 3}, and nothing is put in later: `norm` is False
    if norm: ...                is never entered then, and neither is `if self.norm:` where only `self.norm = norm`
                                assigns to it

A parameter that the function assigns to again is not certain.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping

from evalguard.flow.liveness import parts_of
from evalguard.ir.facts import FunctionFacts
from evalguard.ir.graph import EdgeKind
from evalguard.ir.ops import Assign, Call
from evalguard.ir.values import Attribute, Binary, Compare, Const, Item, Literals, Name, Not, Value
from evalguard.ir.values import Mapping as Dict

Certain = Mapping[Value, Const]
"""Names and attributes of the object, and the constants that they certainly are."""

Given = tuple[tuple[str, Literals], ...]
"""The parameters of a function that are certain at a call of it."""

NOTHING: Certain = {}
KEEPERS_OF_ITEMS = frozenset({"copy", "get", "items", "keys", "values"})  # methods of a dict that put nothing in
COMPARISONS: Mapping[str, Callable[[Literals, Literals], object]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "is": lambda left, right: left is right if left in (None, True, False) else left == right,
    "is not": lambda left, right: left is not right if left in (None, True, False) else left != right,
    "<": lambda left, right: left < right,  # type: ignore[operator]
    "<=": lambda left, right: left <= right,  # type: ignore[operator]
    ">": lambda left, right: left > right,  # type: ignore[operator]
    ">=": lambda left, right: left >= right,  # type: ignore[operator]
}


def arguments_of(
    call: Call, callee: FunctionFacts, bound: bool, caller: FunctionFacts
) -> dict[str, tuple[Value, bool]] | None:
    """What each parameter of a function is given where `caller` calls it, and whether it is from there: the others have
    their defaults. `bound` if its first parameter is the object; None if nobody knows which parameter is given what."""
    named: dict[str | None, Value] = {}
    position = 0
    for argument in call.arguments:
        if argument.stars == 2 and (items := _items(argument.value, caller)) is not None:
            named |= items
        elif argument.stars:
            return None
        elif argument.keyword is not None:
            named[argument.keyword] = argument.value
        else:
            position += 1
    positional = [argument.value for argument in call.arguments if argument.keyword is None and not argument.stars]
    found: dict[str, tuple[Value, bool]] = {}
    for number, parameter in enumerate(callee.parameters[1 if bound else 0 :]):
        value = named.get(parameter.name, parameter.default)
        if parameter.kind == "positional" and number < position:
            value = positional[number]
        elif parameter.kind in ("args", "kwargs"):
            continue
        if value is not None:
            found[parameter.name] = value, value is not parameter.default
    return found


def given_by(call: Call, callee: FunctionFacts, bound: bool, caller: FunctionFacts, certain: Certain) -> Given:
    """The parameters of a function that are certain where `caller`, of whose names `certain` knows some, calls it;
    `bound` if its first parameter is the object."""
    found: dict[str, Literals] = {}
    for name, (value, is_from_here) in (arguments_of(call, callee, bound, caller) or {}).items():
        known = value if isinstance(value, Const) else constant(value, certain) if is_from_here else None
        if known is not None:
            found[name] = known.value
    return tuple(sorted(found.items()))


def at_entry(callee: FunctionFacts, given: Given) -> dict[Value, Const]:
    """The parameters that are what they are given wherever the function reads them."""
    assigned = {op.target for block in callee.blocks for op in block.ops if isinstance(op, Assign)}
    return {Name(name): Const(value) for name, value in given if Name(name) not in assigned}


def kept_attributes(
    constructor: FunctionFacts, certain: Certain, methods: Iterable[FunctionFacts]
) -> dict[Value, Const]:
    """The attributes of the object that hold such a parameter, as its methods write them, which give them nothing
    else."""
    own = constructor.parameters[0].name if constructor.parameters else ""
    found: dict[Value, Const] = {}
    seen: dict[Value, int] = {}
    for facts in methods:
        for block in facts.blocks:
            for op in block.ops:
                if isinstance(op, Assign) and isinstance(op.target, Attribute) and op.target.value == Name(own):
                    seen[op.target] = seen.get(op.target, 0) + 1
                    known = constant(op.value, certain) if facts is constructor else None
                    if known is not None and not op.augmented:
                        found[op.target] = known
    return {target: value for target, value in found.items() if seen[target] == 1}


def live_blocks(facts: FunctionFacts, certain: Certain) -> frozenset[int] | None:
    """The blocks of a function that can be reached, all (None) if nothing is certain."""
    if not certain:
        return None
    reached = {0}
    waiting = [0]
    while waiting:
        for edge in facts.blocks[waiting.pop()].edges:
            holds = constant(edge.test, certain) if edge.test is not None else None
            if holds is not None and bool(holds.value) is not (edge.kind is EdgeKind.TRUE):
                continue
            if edge.target not in reached:
                reached.add(edge.target)
                waiting.append(edge.target)
    return frozenset(reached)


def constant(value: Value, certain: Certain) -> Const | None:
    """What a value certainly is, if it is a constant."""
    match value:
        case Const():
            return value
        case Name() | Attribute():
            return certain.get(value)
        case Not(value=inner):
            known = constant(inner, certain)
            return None if known is None else Const(not known.value)
        case Binary(operator="and" | "or" as sign, left=left, right=right):
            first, second = constant(left, certain), constant(right, certain)
            decides = [each for each in (first, second) if each is not None and bool(each.value) is (sign == "or")]
            if decides:
                return Const(sign == "or")
            return second if first is not None else None
        case Compare(operator=sign, left=left, right=right) if sign in COMPARISONS:
            first, second = constant(left, certain), constant(right, certain)
            if first is None or second is None:
                return None
            try:
                return Const(bool(COMPARISONS[sign](first.value, second.value)))
            except TypeError:  # the program would fail there
                return None
        case _:
            return None


def _items(value: Value, facts: FunctionFacts) -> dict[str | None, Value] | None:
    """What `**value` gives, if it is a dict written out in the function into which nothing else is put."""
    ops = [op for block in facts.blocks for op in block.ops]
    if isinstance(value, Name) and all(parameter.name != value.id for parameter in facts.parameters):
        given = [op.value for op in ops if isinstance(op, Assign) and op.target == value]
        if len(given) != 1 or any(_may_put_in(op, value) for op in ops if isinstance(op, (Assign, Call))):
            return None
        value = given[0]
    if not isinstance(value, Dict):
        return None
    found: dict[str | None, Value] = {}
    for key, held in value.items:
        if not isinstance(key, Const) or not isinstance(key.value, str):
            return None
        found[key.value] = held
    return found


def _may_put_in(op: Assign | Call, held: Name) -> bool:
    if isinstance(op, Assign):
        return (isinstance(op.target, Item) and op.target.value == held) or (
            op.target != held and _mentions(op.value, held)
        )
    if isinstance(op.callee, Attribute) and op.callee.value == held:
        return op.callee.name not in KEEPERS_OF_ITEMS
    return any(not argument.stars and _mentions(argument.value, held) for argument in op.arguments)


def _mentions(value: Value, held: Name) -> bool:
    if isinstance(value, Item) and value.value == held:
        return False  # one of its items
    return value == held or any(_mentions(part, held) for part in parts_of(value))
