"""Modules and other objects are made, copied and filled with weights; and what proves that an object is a module.

    net = Net(10)                  made: in train mode, by this call
    twin = copy.deepcopy(net)      copied: another module, in the same mode
    net.load_state_dict(weights)   loaded: the mode stays; if nobody has chosen it, that is noted

The proof is monotone and lives in `frame.Info`; the mode and its origin live in the state.
"""

from __future__ import annotations

from collections.abc import Sequence

from evalguard.ir.ops import Call
from evalguard.ir.plain import changed
from evalguard.modes.arguments import Given
from evalguard.modes.frame import Frame, Info, Outcome, fresh, new_identity, renew, source_of
from evalguard.modes.state import State
from evalguard.modes.values import Abstract, Cls, Identity, Mode, Obj, Origin, OriginKind, Seq, identities, root_of
from evalguard.vocabulary import lookup
from evalguard.vocabulary.methods import LISTS_OF_MODULES
from evalguard.vocabulary.words import MODULE_WORDS, words


def construct(cls: Cls, given: Given, state: State, frame: Frame) -> list[Outcome]:
    """`Cls(...)`: a new object, and its `__init__`."""
    view = frame.linker.class_view(cls)
    obj = fresh(frame, state, given.op.span, given.tag)
    info = frame.info(obj.id)
    info.cls, info.module = cls, view.module
    info.take_layers(view)
    if view.module is True and not given.all() and not view.sensitive and is_list_of_modules(info, frame):
        pass  # empty: it takes the mode of what is put in
    elif view.module is True:
        state.modes[obj.id] = frozenset({origin_of(Mode.TRAIN, OriginKind.BUILT, given.op, frame)})
    elif view.module is None and set(words(cls.qualname)) & MODULE_WORDS:  # an unknown base, a module's name
        state.modes[obj.id] = frozenset({origin_of(Mode.TRAIN, OriginKind.ASSUMED, given.op, frame)})
    init = frame.linker.method(cls, "__init__")
    if init is None:
        for position, value in enumerate(given.positional):
            state.store[(obj.id, f"<{position}>")] = value
        for name, value in given.keywords:
            state.store[(obj.id, name)] = value  # dataclasses and named tuples
        return [Outcome(state, obj)]
    if view.module is True and not frame.linker.tells(init, given.all(), state):
        return [Outcome(state, obj)]  # it only makes layers: see `project.sensitivity`
    bound = changed(init, bound=obj)
    outcomes = frame.linker.call(bound, given.positional, given.keywords, state, frame, given.op)
    if info.sensitive is False and any(_was_given_a_listener(obj, given, o.state, frame) for o in outcomes):
        info.sensitive = None  # by its class it has no layer that listens, but it was given one that may
    return [Outcome(o.state, o.value if o.raised else obj, o.raised) for o in outcomes]


def _was_given_a_listener(obj: Obj, given: Given, state: State, frame: Frame) -> bool:
    """Whether an object keeps a module that it was given and that may depend on the mode, be it by a name that says
    nothing of layers. What it makes itself is known by its class."""
    kept = {identity for value in state.store.shelf(obj.id).values() for identity in identities(value)}
    infos = [frame.info(identity) for value in given.all() for identity in identities(value) if identity in kept]
    return any(info.module and info.sensitive is not False for info in infos)


def made(
    given: Given,
    state: State,
    frame: Frame,
    mode: Mode,
    cls: Cls | None = None,
    external: str | None = None,
) -> Obj:
    """A new module from a factory."""
    obj = fresh(frame, state, given.op.span, given.tag)
    info = frame.info(obj.id)
    info.external = external
    if cls is not None:
        view = frame.linker.class_view(cls)
        info.cls = cls
        info.take_layers(view)
    if mode is not Mode.UNKNOWN:
        info.module = True
    if mode is Mode.UNKNOWN:
        state.modes[obj.id] = frozenset({Origin(Mode.UNKNOWN, OriginKind.ENTRY)})
    else:
        state.modes[obj.id] = frozenset({origin_of(mode, OriginKind.BUILT, given.op, frame)})
    return obj


def origin_of(mode: Mode, kind: OriginKind, op: Call, frame: Frame) -> Origin:
    """The origin that a call is for the mode of what it makes or changes."""
    text = f"{source_of(op.callee, frame)}(...)" if op.arguments else f"{source_of(op.callee, frame)}()"
    origin = Origin(mode, kind, frame.path, frame.site(op.span), frame.chain, frame.function.qualname, text)
    if frame.linker.record is not None:
        frame.linker.record.origins.add(origin)
    return origin


def mark_loaded(identity: Identity, op: Call, state: State, frame: Frame) -> None:
    """`load_state_dict`: the mode stays; a module that nobody has switched is marked as loaded."""
    origins = state.origins(identity)
    if frame.info(identity).sensitive is False or any(origin.kind is OriginKind.SET for origin in origins):
        return
    if all(
        origin.kind in (OriginKind.BUILT, OriginKind.ASSUMED) and origin.mode is Mode.TRAIN for origin in origins
    ) or (root_of(identity)[0] == "new" and all(origin.kind is OriginKind.ENTRY for origin in origins)):
        loaded = origin_of(Mode.TRAIN, OriginKind.LOADED, op, frame)
        state.modes[identity] = frozenset({loaded})


def copied(value: Abstract, given: Given, state: State, frame: Frame) -> Abstract:
    """A copy is another module in the same mode."""
    if isinstance(value, Seq):
        return Seq(value.kind, tuple(copied(entry, given, state, frame) for entry in value.items))
    if not isinstance(value, Obj):
        return value
    origins = state.origins(value.id)
    old, taint = frame.info(value.id), state.taint_of(value)
    identity = new_identity(frame, given.op.span, f"copy of {value.id!r}")
    obj = renew(state, identity)
    info = frame.info(identity)
    info.cls, info.external, info.module = old.cls, old.external, old.module
    info.take_layers(old)
    info.evidence |= old.evidence
    info.copied_part = is_assigned_part(value.id, frame)
    if any(origin.kind is not OriginKind.ENTRY for origin in origins):
        state.modes[identity] = origins
    if taint:
        state.taints[identity] = taint
    return obj


def is_proved(identity: Identity, frame: Frame) -> bool:
    """Whether something says that it is a module: its class, or what is done with it."""
    info = frame.info(identity)
    if info.module:
        return True
    if info.cls is not None:
        return frame.linker.class_view(info.cls).module is True
    return bool(info.evidence)


def is_list_of_modules(info: Info, frame: Frame) -> bool:
    """Whether an object is an `nn.ModuleList` or kin, which runs no layers but those that are put in."""
    bases = frame.linker.class_view(info.cls).foreign if info.cls is not None else (info.external,)
    return any(base is not None and lookup.canonical(base) in LISTS_OF_MODULES for base in bases)


MOST_ITEMS = 8  # that are told apart in one list of modules


def keep_items(listed: Obj, given: Sequence[Abstract], state: State, frame: Frame) -> None:
    """`nn.ModuleList([student, teacher])`: which modules stand where, if they are known from elsewhere. Layers made in
    the list itself are told apart by nobody."""
    match given:
        case [Seq(kind="list" | "tuple", items=items)] if 0 < len(items) <= MOST_ITEMS:
            objects = [entry for entry in items if isinstance(entry, Obj)]
            if len(objects) == len(items) and any(_is_known_elsewhere(entry.id, frame) for entry in objects):
                for number, entry in enumerate(objects):
                    state.store[(listed.id, ("item", number))] = entry
        case _:
            pass


def add_item(listed: Identity, value: Obj, state: State, frame: Frame) -> None:
    """`modules.append(net)`: the next item; in a loop, one of any number."""
    number = len(items_of(listed, state) or ())
    is_first = not any(isinstance(name, tuple) for name in state.store.shelf(listed))
    if frame.loops() or number >= MOST_ITEMS or not (number or is_first):
        state.store[(listed, ("item", None))] = value
    else:
        state.store[(listed, ("item", number))] = value


def items_of(listed: Identity, state: State) -> tuple[Abstract, ...] | None:
    """The items of a list of modules, if all of them are known."""
    shelf = state.store.shelf(listed)
    if ("item", 0) not in shelf or ("item", None) in shelf:
        return None
    numbers = [name[1] for name in shelf if isinstance(name, tuple) and name[0] == "item"]
    return tuple(shelf[("item", number)] for number in range(len(numbers)) if ("item", number) in shelf)


def _is_known_elsewhere(identity: Identity, frame: Frame) -> bool:
    return identity[0] != "new" or frame.info(identity).name is not None


def is_assigned_part(identity: Identity, frame: Frame) -> bool:
    """Whether it is an attribute that a module's constructor assigns, or a copy of one."""
    if identity[0] != "attr":
        return frame.info(identity).copied_part
    cls = frame.info(identity[1]).cls
    return cls is not None and frame.linker.class_view(cls).module is True and frame.linker.is_part(cls, identity[2])
