"""Tests: what is known of them on a path, and what passing one says.

A test is stable by construction: its operands are values, not names, and a value that is made anew gets forgotten with
the tests on it. So `phase == "train"` asked twice has one answer as long as `phase` holds the same value.
"""

from __future__ import annotations

from evalguard.flow.liveness import Paths
from evalguard.modes.state import Guard, State, modes_of
from evalguard.modes.values import (
    NONE,
    Abstract,
    Cls,
    Expr,
    Ext,
    Fn,
    Generator,
    Grad,
    Known,
    Map,
    Mod,
    Mode,
    ModeFlag,
    Obj,
    Optim,
    Origin,
    OriginKind,
    Origins,
    Params,
    Partial,
    Seq,
    Switching,
)

MADE = frozenset({"new", "joined"})  # identities of objects made in sight, one of several included: never None
OPPOSITE = {"!=": "==", "is not": "is", "not in": "in"}


def compare(operator: str, left: Abstract, right: Abstract) -> Abstract:
    """The value of a comparison; `!=`, `is not` and `not in` become the negation of their opposite."""
    if operator in OPPOSITE:
        return negate(compare(OPPOSITE[operator], left, right))
    match right:
        case Known(value=bool() as wanted) if operator in ("==", "is") and _is_truth(left):
            return left if wanted else negate(left)
        case Seq(items=items) if operator == "in" and isinstance(left, Known):
            if all(isinstance(item, Known) for item in items):
                return Known(left in items)
        case _:
            pass
    if isinstance(left, Known) and isinstance(right, Known):
        folded = _fold(operator, left, right)
        if folded is not None:
            return Known(folded)
    if (
        operator == "is"
        and right == NONE
        and isinstance(left, (Fn, Cls, Ext, Seq, Map, Params, Optim, Partial, Generator, Grad))
    ):
        return Known(False)
    if operator in ("==", "is") and left == right and not isinstance(left, Obj):
        return Known(True)
    if operator in ("==", "is") and isinstance(left, Known) and not isinstance(right, Known):
        left, right = right, left
    return Expr(operator, (left, right))


def negate(value: Abstract) -> Abstract:
    """`not value`."""
    match value:
        case Known(value=constant):
            return Known(not constant)
        case Expr(operator="not", operands=(inner,)):
            return inner
        case ModeFlag(id=identity, origins=origins, negated=negated):
            return ModeFlag(identity, origins, not negated)
        case _:
            return Expr("not", (value,))


def truth(value: Abstract, state: State) -> bool | None:
    """Whether a test holds on this path; None if both are possible."""
    match value:
        case Known(value=constant):
            return bool(constant)
        case Seq(kind=kind, items=items):
            if kind == "grown":
                return True if items else None
            return bool(items)
        case Map(items=items):
            return True if items else None
        case Fn() | Cls() | Ext() | Mod() | Params() | Optim() | Partial() | Generator() | Grad() | Switching():
            return True
        case ModeFlag(origins=origins, negated=negated):
            modes = modes_of(origins)
            if modes == {Mode.TRAIN}:
                return not negated
            if modes == {Mode.EVAL}:
                return negated
        case Obj(id=identity) if identity in state.modes and identity[0] in MADE:
            return True  # a module
        case Expr(operator="is", operands=(Obj(id=identity), Known(value=None))):
            if identity in state.modes and identity[0] in MADE:
                return False
        case Expr(operator="not", operands=(inner,)):
            known = truth(inner, state)
            return None if known is None else not known
        case Expr(operator="and" | "or" as operator, operands=(left, right)):
            a, b = truth(left, state), truth(right, state)
            if operator == "and":
                return False if a is False or b is False else True if a and b else None
            return True if a or b else False if a is False and b is False else None
        case _:
            pass
    for guard in state.guards:
        said = _implied(guard, value)
        if said is not None:
            return said
    return None


def assume(value: Abstract, holds: bool, state: State, paths: Paths, depth: int) -> bool:
    """Note that a test came out so. False if that cannot be on this path."""
    known = truth(value, state)
    if known is not None:
        return known is holds
    match value:
        case Expr(operator="not", operands=(inner,)):
            return assume(inner, not holds, state, paths, depth)
        case Expr(operator="and", operands=operands) if holds:
            return all(assume(operand, True, state, paths, depth) for operand in operands)
        case Expr(operator="or", operands=operands) if not holds:
            return all(assume(operand, False, state, paths, depth) for operand in operands)
        case ModeFlag():
            return _assume_mode(value, holds, state)
        case _:
            state.guards |= {Guard(value, holds, paths, depth)}
            return True


def _assume_mode(flag: ModeFlag, holds: bool, state: State) -> bool:
    mode = Mode.TRAIN if holds is not flag.negated else Mode.EVAL
    kept: set[Origin] = set()
    for origin in flag.origins:
        if origin.mode is mode:
            kept.add(origin)
        elif origin.mode is Mode.UNKNOWN:
            kept.add(Origin(mode, origin.kind, origin.path, origin.site, origin.chain, origin.function, origin.text))
            if mode is Mode.EVAL and origin.kind is OriginKind.ENTRY:
                state.doubt = True  # nobody says that the caller's module is in eval mode
    if not kept:
        return False
    refined: Origins = frozenset(kept)
    if state.origins(flag.id) == flag.origins:
        state.modes[flag.id] = refined
    for name, held in state.env.items():
        if isinstance(held, ModeFlag) and held.id == flag.id and held.origins == flag.origins:
            state.env[name] = ModeFlag(flag.id, refined, held.negated)
    for key, held in state.store.items():
        if isinstance(held, ModeFlag) and held.id == flag.id and held.origins == flag.origins:
            state.store[key] = ModeFlag(flag.id, refined, held.negated)
    return True


def _implied(guard: Guard, value: Abstract) -> bool | None:
    """What a passed test says about another."""
    test, holds = guard.test, guard.holds
    if test == value:
        return holds
    match test, value:
        case Expr(operator="==" | "is", operands=(x, Known() as a)), Expr(
            operator="==" | "is", operands=(y, Known() as b)
        ):
            if x == y and holds and a != b:
                return False
        case Expr(operator="==", operands=(x, Known() as a)), Expr(operator="in", operands=(y, Seq(items=items))):
            if x == y and holds and all(isinstance(item, Known) for item in items):
                return a in items
        case Expr(operator="in", operands=(x, Seq(items=items))), Expr(operator="==", operands=(y, Known() as a)):
            if x == y and holds and all(isinstance(item, Known) for item in items) and a not in items:
                return False
        case Expr(operator="is" | "==", operands=(x, Known(value=constant))), _ if x == value:
            if holds:
                return bool(constant)
        case _, Expr(operator="is" | "==", operands=(y, Known(value=None))) if test == y:
            if holds:
                return False
        case _, Expr(operator="==" | "is", operands=(y, Known(value=bool() as constant))) if test == y:
            return holds is constant
        case Expr(operator=one, operands=(x, Known() as a)), Expr(operator=other, operands=(y, Known() as b)):
            if x == y and a == b and {one, other} in ({"<", ">="}, {">", "<="}):
                return not holds
        case _:
            pass
    return None


def _is_truth(value: Abstract) -> bool:
    return isinstance(value, ModeFlag) or (
        isinstance(value, Expr) and value.operator in ("==", "is", "in", "<", "<=", ">", ">=", "not", "and", "or")
    )


def _fold(operator: str, left: Known, right: Known) -> bool | None:
    a, b = left.value, right.value
    try:
        match operator:
            case "==":
                return a == b
            case "is":
                return a is b if a is None or b is None or isinstance(a, bool) or isinstance(b, bool) else a == b
            case "<":
                return bool(a < b)  # type: ignore[operator]
            case "<=":
                return bool(a <= b)  # type: ignore[operator]
            case ">":
                return bool(a > b)  # type: ignore[operator]
            case ">=":
                return bool(a >= b)  # type: ignore[operator]
            case "in":
                return a in b  # type: ignore[operator]
            case _:
                return None
    except TypeError:
        return None
