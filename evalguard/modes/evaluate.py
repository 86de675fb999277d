"""The value of an operand: reads names, attributes and items, calls nothing but properties."""

from __future__ import annotations

from evalguard.ir import values as ir
from evalguard.ir.facts import MODULE
from evalguard.ir.plain import changed
from evalguard.modes.frame import Frame
from evalguard.modes.guards import compare, negate, truth
from evalguard.modes.state import State
from evalguard.modes.values import (
    LONGEST,
    MOST_PAIRS,
    Abstract,
    Cls,
    Expr,
    Ext,
    Fn,
    Identity,
    Iteration,
    Known,
    Map,
    Mod,
    ModeFlag,
    Obj,
    Params,
    Seq,
    Super,
    is_computed_from_items,
    params_in,
    part_of,
)
from evalguard.vocabulary import lookup
from evalguard.vocabulary.lookup import SAME_ATTRIBUTES, layers_of_part

PROPERTIES_OF = "property"  # marks the owner of what the properties of an object gave, while an op reads them
DEEPEST = 5  # of nested expressions; deeper ones are one unknown value
BUILTINS = frozenset(dir(__builtins__)) if not isinstance(__builtins__, dict) else frozenset(__builtins__)


def evaluate(value: ir.Value, state: State, frame: Frame) -> Abstract:
    """What an operand holds in this state."""
    match value:
        case ir.Const(value=constant):
            return Known(constant)
        case ir.Name(id=name):
            return read_name(name, state, frame)
        case ir.Temp(number=number):
            return state.env.get(f"%{number}", Obj(("temp", frame.path, frame.function.qualname, number)))
        case ir.Attribute(value=inner, name=name):
            return attribute(evaluate(inner, state, frame), name, state, frame)
        case ir.Item(value=inner, index=index):
            return item(evaluate(inner, state, frame), evaluate(index, state, frame), state)
        case ir.Sequence(kind=kind, items=items):
            return _display(kind, items, state, frame)
        case ir.Star(value=inner):
            return Expr("*", (evaluate(inner, state, frame),))
        case ir.Mapping(items=pairs):
            return _mapping(pairs, state, frame)
        case ir.Compare(operator=operator, left=left, right=right):
            return compare(operator, evaluate(left, state, frame), evaluate(right, state, frame))
        case ir.Not(value=inner):
            return negate(evaluate(inner, state, frame))
        case ir.Binary(operator="and" | "or" as operator, left=left, right=right):
            return _either(operator, evaluate(left, state, frame), evaluate(right, state, frame), state)
        case ir.Binary(operator=operator, left=left, right=right):
            return binary(operator, evaluate(left, state, frame), evaluate(right, state, frame))
        case ir.Closure(function=qualname):
            return frame.linker.function_value(frame.path, qualname, state, frame)
        case ir.Opaque(parts=inner_parts):
            return shallow(Expr("opaque", tuple(evaluate(part, state, frame) for part in inner_parts)))


ANY_NAME = "any_name"  # as a function of a package may be called


def read_name(name: str, state: State, frame: Frame) -> Abstract:
    """What a variable holds: private ones are in `env`, those that other functions can reach in `store`."""
    scope = frame.linker.scope_of(frame.path, frame.function.qualname, name)
    if scope is None:
        found = state.env.get(name)
        return Obj(("local", frame.path, frame.function.qualname, name)) if found is None else found
    found = state.store.get((("scope", frame.path, scope), name))
    if found is not None:
        return found
    known = frame.linker.lookup_global(frame.path, name, state)
    if known is not None:
        return known
    if name == "__name__" and frame.depth and frame.function.qualname == MODULE:
        return Known(frame.path)  # imported: not "__main__"
    if name in BUILTINS:
        return Ext(f"builtins.{name}")
    return Obj(("global", frame.path, scope, name))


def write_name(name: str, value: Abstract, state: State, frame: Frame) -> None:
    """Bind a variable."""
    scope = frame.linker.scope_of(frame.path, frame.function.qualname, name)
    if scope is None:
        state.env[name] = value
    elif frame.linker.is_bound_once(frame.path, name) and value == frame.linker.lookup_global(frame.path, name, state):
        state.store.discard((("scope", frame.path, scope), name))  # what the name means anyway
    else:
        state.store[(("scope", frame.path, scope), name)] = value
    if isinstance(value, Obj) and value.id[0] == "new":
        info = frame.info(value.id)
        if info.name is None and not name.startswith("%"):
            info.name = name


def attribute(base: Abstract, name: str, state: State, frame: Frame) -> Abstract:
    """`base.name`."""
    match base:
        case Mod(path=path) if name == "__dict__":
            return frame.linker.members(path, state)
        case Ext() | Mod():
            return frame.linker.member(frame.path, base, name, state)
        case Obj(id=identity):
            return _object_attribute(base, identity, name, state, frame)
        case Cls(qualname=qualname) | Fn(qualname=qualname) if name == "__name__":
            return Known(qualname.rpartition(".")[2])
        case Cls() as cls:
            stored = state.store.get((("class", cls.path, cls.qualname), name))
            if stored is not None:
                return stored
            method = frame.linker.method(cls, name) or frame.linker.nested_class(cls, name)
            if isinstance(method, Fn) and frame.linker.is_class_method(method):
                return changed(method, bound=cls)
            return method if method is not None else Obj(("attr", ("class", cls.path, cls.qualname), name))
        case Super(cls=cls, receiver=receiver):
            receiver_cls = frame.info(receiver.id).cls if isinstance(receiver, Obj) else None
            receiver_cls = receiver if isinstance(receiver, Cls) else receiver_cls
            method = frame.linker.method_after(cls, receiver_cls or cls, name)
            if method is not None:
                return changed(method, bound=receiver)
            return Expr(f"super.{name}", (receiver,))
        case Params():
            return base if name in ("data", "grad") else Expr(f".{name}", (base,))
        case _:
            return shallow(Expr(f".{name}", (base,)))


def _object_attribute(base: Obj, identity: Identity, name: str, state: State, frame: Frame) -> Abstract:
    stored = state.store.get((identity, name))
    if stored is not None:
        return stored
    info = frame.info(identity)
    if info.cls is not None:
        method = frame.linker.method(info.cls, name)
        if method is not None:
            if frame.linker.is_static(method):
                return method
            if frame.linker.is_class_method(method):
                return changed(method, bound=info.cls)
            bound = changed(method, bound=base)
            if not frame.linker.is_property(method):
                return bound
            computed = state.store.get(((PROPERTIES_OF, identity), name))  # see `properties`
            return computed if computed is not None else Obj(("attr", identity, name))
        owner = info.cls
        view = frame.linker.class_view(owner)
        stored = state.store.get((("class", owner.path, owner.qualname), name))
        if stored is not None:
            return stored
        if name == "training" and view.module is not False:
            return ModeFlag(identity, state.origins(identity))
        if name in SAME_ATTRIBUTES and view.module is False:
            return Obj(("attr", identity, name))
    elif name == "requires_grad" and state.grads is False and state.taint_of(base):
        return Known(False)  # made under `no_grad`
    elif name == "training":
        return ModeFlag(identity, state.origins(identity))
    if name in SAME_ATTRIBUTES and info.module is not False and identity[0] != "self":
        return base
    part = part_of(identity, "attr", name)
    layers = layers_of_part(info.external, name) if info.external is not None else None
    if layers is not None:
        frame.info(part).sensitive, frame.info(part).layer = bool(layers), layers[0] if layers else None
    return Obj(part)


def item(base: Abstract, index: Abstract, state: State) -> Abstract:
    """`base[index]`."""
    match base, index:
        case Seq(kind="tuple" | "list", items=items), Known(value=int() as number):
            if -len(items) <= number < len(items):
                return items[number]
            return Obj(("unknown",))
        case Seq(items=items), _ if len(items) == 1:
            return items[0]
        case Map(items=pairs), _:
            for key, held in pairs:
                if key == index:
                    return held
            if len({held for _, held in pairs}) == 1:
                return pairs[0][1]
            return shallow(Expr("[]", (base, index)))
        case Params(), _:
            return base
        case Ext(name=name), _ if name.endswith(".__dict__"):
            found = member_by_name(name.removesuffix(".__dict__"), index)
            return found if found is not None else shallow(Expr("[]", (base, index)))
        case Obj(id=identity), Known(value=key):
            stored = state.store.get((identity, ("item", key)))
            if stored is None and isinstance(key, int) and key < 0:
                stored = _from_the_end(identity, key, state)
            return stored if stored is not None else Obj(part_of(identity, "item", key))
        case Obj(id=identity), _:
            stored = state.store.get((identity, ("item", index)))
            if stored is None and is_computed_from_items(index):
                return Obj(part_of(identity, "each"))
            return stored if stored is not None else Obj(part_of(identity, "item", index))
        case Iteration(of=inner), _ if params_in(base) is not None:
            return Params(params_in(base) or frozenset()) if inner else base
        case _:
            return shallow(Expr("[]", (base, index)))


def member_by_name(package: str, name: Abstract) -> Ext | None:
    """What `models.__dict__[name]` and `getattr(models, name)` give, for a package of a library; where the name is not
    known, and all functions of the package make modules, one of those."""
    if isinstance(name, Known):
        return Ext(f"{package}.{name.value}") if isinstance(name.value, str) else None
    some = f"{package}.{ANY_NAME}"
    return Ext(some) if lookup.factory(some) is not None else None


def _from_the_end(identity: Identity, key: int, state: State) -> Abstract | None:
    """`modules[-1]`: the last that was added."""
    shelf = state.store.shelf(identity)
    if ("item", None) in shelf:
        return shelf[("item", None)] if key == -1 else None
    numbers = [name[1] for name in shelf if isinstance(name, tuple) and name[0] == "item" and isinstance(name[1], int)]
    return shelf.get(("item", max(numbers) + 1 + key)) if numbers else None


def _either(operator: str, left: Abstract, right: Abstract, state: State) -> Abstract:
    """`left or right`, `left and right`: one of them, if it is known whether the first one is true."""
    is_true = truth(left, state)
    if is_true is None:
        return Expr(operator, (left, right))
    return right if is_true is (operator == "and") else left


def binary(operator: str, left: Abstract, right: Abstract) -> Abstract:
    """A calculation. Lists are joined, parameters collected, constants computed where that is harmless."""
    if operator == "+" and isinstance(left, Seq) and isinstance(right, Seq) and left.kind == right.kind != "grown":
        return Seq(left.kind, (left.items + right.items)[:LONGEST])
    if operator in ("+", "|"):
        held = [found for found in (params_in(left), params_in(right)) if found is not None]
        if held:
            return Params(frozenset().union(*held))
    match left, right:
        case Known(value=str() as a), Known(value=str() as b) if operator == "+" and len(a) + len(b) < 80:
            return Known(a + b)
        case Known(value=int() as a), Known(value=int() as b) if operator == "%" and b != 0:
            return Known(a % b)
        case _:
            return shallow(Expr(operator, (left, right)))


def shallow(value: Expr) -> Abstract:
    """The expression, or, nested too deeply, an unknown value that keeps its parts for what they stem from."""
    if _depth(value) <= DEEPEST:
        return value
    return Expr("deep", tuple(sorted(_leaves(value), key=repr))[:8])


def _depth(value: Abstract) -> int:
    match value:
        case Expr(operands=operands):
            return 1 + max((_depth(operand) for operand in operands), default=0)
        case _:
            return 0


def _leaves(value: Abstract) -> set[Abstract]:
    match value:
        case Expr(operands=operands):
            return set().union(*(_leaves(operand) for operand in operands)) if operands else set()
        case Known():
            return set()
        case _:
            return {value}


def _display(kind: str, items: tuple[ir.Value, ...], state: State, frame: Frame) -> Abstract:
    found: list[Abstract] = []
    for entry in items:
        held = evaluate(entry, state, frame)
        match held:
            case Expr(operator="*", operands=(Seq(items=inner),)) if isinstance(entry, ir.Star):
                found.extend(inner)
            case Expr(operator="*", operands=(Params() as params,)) if isinstance(entry, ir.Star):
                found.append(params)
            case Expr(operator="*") if isinstance(entry, ir.Star):
                kind = "grown"
                found.extend(held.operands)
            case _:
                found.append(held)
    return Seq(kind, tuple(found)) if len(found) <= LONGEST else shallow(Expr("opaque", tuple(found[:LONGEST])))


def _mapping(pairs: tuple[tuple[ir.Value | None, ir.Value], ...], state: State, frame: Frame) -> Abstract:
    found: list[tuple[Abstract, Abstract]] = []
    for key, value in pairs:
        held = evaluate(value, state, frame)
        if key is None:
            if isinstance(held, Map):
                found.extend(held.items)
                continue
            return Expr("opaque", (held, *(inner for pair in found for inner in pair))[:16])
        found.append((evaluate(key, state, frame), held))
    return Map(tuple(found[:MOST_PAIRS]))
