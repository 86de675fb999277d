"""Lists, dicts and attributes: what binding, storing and their methods do.

    nets = [a]           a list whose items are known
    nets.append(b)       `nets` is bound anew, to a list of two
    nets[0] = c          the same
    self.head = head     an attribute: the head belongs to `self` from here on

In a loop a list may grow without end, so there it becomes one of kind "grown": some of these items, in any number.
"""

from __future__ import annotations

from evalguard.ir import values as ir
from evalguard.ir.facts import MODULE
from evalguard.modes.arguments import Given
from evalguard.modes.evaluate import evaluate, shallow, write_name
from evalguard.modes.frame import Frame, Outcome, renew, source_of
from evalguard.modes.objects import add_item, is_list_of_modules
from evalguard.modes.state import NO_TAINT, State, unite_origins
from evalguard.modes.switch import is_chosen, put, silence
from evalguard.modes.unknown import unknown
from evalguard.modes.values import (
    LONGEST,
    MOST_PAIRS,
    NONE,
    Abstract,
    Cls,
    Expr,
    Identity,
    Iteration,
    Known,
    Map,
    Mod,
    Mode,
    Obj,
    Origin,
    OriginKind,
    Seq,
    bounded,
    identities,
    is_within,
    params_in,
)


def container_method(base: Seq | Map | Iteration, name: str, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """A method of a list, set or dict whose items are known: what changes one binds the changed one anew."""
    op = given.op
    match base, name:
        case Seq(kind=kind, items=items), "append" | "add" | "insert" if given.positional:
            added = given.positional[-1]
            if isinstance(added, Obj) and added.id[0] == "some" and is_chosen(added.id, state):
                added = Obj(("few", added.id[1]))
            looping = bool(frame.blocks[frame.block].loops)
            if looping:
                grown = items if added in items else (*items, added)
                kind = "grown"
            else:
                grown = (*items, added)
            rebind(op.callee, Seq(kind, grown[-LONGEST:]), state, frame)
            return [Outcome(state, NONE)]
        case Seq(items=items), "extend" if given.positional:
            added_items = given.positional[0].items if isinstance(given.positional[0], Seq) else (given.positional[0],)
            grown = (*items, *(entry for entry in added_items if entry not in items))
            exact = isinstance(given.positional[0], Seq) and base.kind == "list" and not frame.loops()
            rebind(op.callee, Seq("list" if exact else "grown", grown[:LONGEST]), state, frame)
            return [Outcome(state, NONE)]
        case Seq(items=items), "pop" if items:
            return [Outcome(state, items[-1] if len(items) == 1 else shallow(Expr("opaque", items)))]
        case Seq(), "copy":
            return [Outcome(state, base)]
        case Seq(), "clear":
            rebind(op.callee, Seq("grown", ()), state, frame)
            return [Outcome(state, NONE)]
        case Map(), "values" | "items" | "keys":
            return [Outcome(state, Iteration(name, (base,)))]
        case Map(items=pairs), "get" if given.positional:
            for key, value in pairs:
                if key == given.positional[0]:
                    return [Outcome(state, value)]
            if not isinstance(given.positional[0], Known):
                return [Outcome(state, shallow(Expr("[]", (base, given.positional[0]))))]
        case Map(items=pairs), "update" if given.positional and isinstance(given.positional[0], Map):
            new = dict(pairs) | dict(given.positional[0].items)
            rebind(op.callee, Map(tuple(new.items())[:MOST_PAIRS]), state, frame)
            return [Outcome(state, NONE)]
        case Map(), "copy":
            return [Outcome(state, base)]
        case _:
            pass
    return unknown(given, state, frame, receiver=base)


def store(target: ir.Value, value: Abstract, state: State, frame: Frame) -> None:
    """Bind a name, attribute or item."""
    value = bounded(value)
    match target:
        case ir.Name(id=name):
            write_name(name, value, state, frame)
        case ir.Temp(number=number):
            state.env[f"%{number}"] = value
        case ir.Attribute(value=inner, name=name):
            owner = evaluate(inner, state, frame)
            match owner:
                case Obj(id=identity) if name == "training" and identity[0] == "some":
                    if not is_chosen(identity, state):  # `for m in model.modules(): m.training = saved[m]`
                        put(identity, frozenset({Origin(Mode.UNKNOWN, OriginKind.ENTRY)}), state, frame)
                case Obj(id=identity):
                    silence(identity, name, value, state, frame)
                    _store_attribute(identity, name, value, source_of(target, frame), state, frame)
                case Cls(path=path, qualname=qualname):
                    state.store[(("class", path, qualname), name)] = value
                case Mod(path=path):
                    state.store[(("scope", path, MODULE), name)] = value
                case _:
                    pass
        case ir.Item(value=inner, index=index):
            _store_item(inner, evaluate(inner, state, frame), evaluate(index, state, frame), value, state, frame)
        case _:
            pass


def _store_attribute(identity: Identity, name: str, value: Abstract, text: str, state: State, frame: Frame) -> None:
    _forget(identity, name, state)
    state.store[(identity, name)] = value
    if isinstance(value, Obj) and value.id != identity:
        frame.info(value.id).owners.add(identity)
    if isinstance(value, Obj) and value.id[0] == "new" and frame.info(value.id).name is None:
        frame.info(value.id).name = text


def store_attributes(identity: Identity, given: Given, state: State, frame: Frame) -> None:
    """`self.__dict__.update(locals())`, `vars(self).update(net=net)`: each becomes an attribute."""
    pairs = list(given.keywords)
    for value in given.positional:
        if isinstance(value, Map):
            pairs += [(key.value, v) for key, v in value.items if isinstance(key, Known) and isinstance(key.value, str)]
    for name, held in pairs:
        if held != Obj(identity):
            _store_attribute(identity, name, held, name, state, frame)


def rebind(callee: ir.Value, value: Abstract, state: State, frame: Frame) -> None:
    """A container was changed: the variable or attribute that holds it holds the changed one."""
    if isinstance(callee, ir.Attribute):
        store(callee.value, value, state, frame)


def grow(identity: Identity, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """An unknown container takes something in: from now on it stems from the same forwards. What a list of modules
    takes in keeps its mode; if it was just built, so was the list."""
    taint = NO_TAINT
    for value in given.all():
        taint |= state.taint_of(value)
        if isinstance(value, Obj) and is_list_of_modules(frame.info(identity), frame):
            origins = state.origins(value.id)
            if all(origin.kind is OriginKind.BUILT for origin in origins):
                state.modes[identity] = unite_origins(state.modes.get(identity, frozenset()), origins)
            add_item(identity, value, state, frame)
            frame.info(value.id).owners.add(identity)
    if taint:
        state.taints[identity] = state.taints.get(identity, NO_TAINT) | taint
    return [Outcome(state, NONE)]


def _store_item(target: ir.Value, owner: Abstract, key: Abstract, value: Abstract, state: State, frame: Frame) -> None:
    match owner:
        case Map(items=pairs):
            if not isinstance(key, Known) and frame.blocks[frame.block].loops:
                taint = state.taint_of(value) | state.taint_of(owner)
                if not any(_holds_module(held, frame) for held in (value, *(v for _, v in pairs))):
                    identity = ("attr", ("dict", frame.path, frame.function.qualname), source_of(target, frame))
                    state.taints[identity] = taint
                    store(target, Obj(identity), state, frame)
                    return
            new = (*tuple(pair for pair in pairs if pair[0] != key), (key, value))
            store(target, Map(new[-MOST_PAIRS:]), state, frame)
        case Seq(kind=kind, items=items):
            if isinstance(key, Known) and isinstance(key.value, int) and -len(items) <= key.value < len(items):
                changed = list(items)
                changed[key.value] = value
                store(target, Seq(kind, tuple(changed)), state, frame)
            elif value not in items:
                store(target, Seq("grown", (*items, value)[:LONGEST]), state, frame)
        case Obj(id=identity):
            name = ("item", key.value if isinstance(key, Known) else key)
            if isinstance(key, Known) or _holds_module(value, frame):
                _forget(identity, name, state)
                state.store[(identity, name)] = value
            if isinstance(value, Obj) and is_list_of_modules(frame.info(identity), frame):
                frame.info(value.id).owners.add(identity)
            taint = state.taint_of(value)
            if taint:
                state.taints[identity] = state.taints.get(identity, NO_TAINT) | taint
        case _:
            pass


def _holds_module(value: Abstract, frame: Frame) -> bool:
    return params_in(value) is not None or any(
        frame.info(identity).module or frame.info(identity).evidence for identity in identities(value)
    )


def _forget(identity: Identity, name: object, state: State) -> None:
    """An attribute gets a new value: what was known of the old one under that name is gone."""
    if isinstance(name, str):
        old: Identity = ("attr", identity, name)
        if any(is_within(known, old) for known in state.modes) or state.guards:
            renew(state, old)
