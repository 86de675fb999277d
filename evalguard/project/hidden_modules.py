"""The modules that a module keeps where `torch.nn.Module` does not look for them: in plain lists, tuples and dicts.

self.drops = [nn.Dropout(0.5) for _ in range(3)]      hidden
layers = []; layers.append(nn.Linear(3, 3))
self.layers = layers                                  hidden
self.net = nn.Sequential(*layers)                     but not if they are also kept where it looks
self.parts = [self.encoder, self.decoder]             a view of what is registered
self._teacher = [teacher]                             hidden from `parameters()` on purpose
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evalguard.finding import Span
from evalguard.flow.liveness import parts_of, values_of
from evalguard.ir.ops import Assign, Call, Op
from evalguard.ir.values import Attribute, Binary, Const, Item, Mapping, Name, Sequence, Star, Temp, Value
from evalguard.project.code import ClassView, CodeView
from evalguard.project.made_modules import Made, made_by
from evalguard.vocabulary import lookup

DEEPEST = 6  # names and lists within lists
GROWING = frozenset({"append", "extend", "insert", "add", "update", "setdefault", "appendleft"})
COPIERS = frozenset({"list", "tuple", "dict", "set", "OrderedDict", "collections.OrderedDict", "collections.deque"})
READERS = frozenset(
    """
    all any dict enumerate filter id isinstance iter len list map max min next print range repr reversed set sorted str
    sum tuple type zip
    """.split()
)
"""Functions that only look at what they are given."""
REGISTERING = frozenset({"add_module", "register_module", "setattr", "__setattr__"})
TAKES_CARE = frozenset(
    """
    _apply apply buffers children cpu cuda double eval float half modules named_buffers named_children named_modules
    named_parameters parameters requires_grad_ state_dict to train
    """.split()
)
"""Methods by which a class may reach its hidden modules itself."""
SAID_ON_PURPOSE = (
    "hide",
    "hidden",
    "intentional",
    "not regist",
    "n't regist",
    "on purpose",
    "avoid",
    "not a submodule",
)


@dataclass(frozen=True, slots=True)
class Hidden:
    """Modules in the plain `kind` (list, tuple, dict) that is kept under an attribute."""

    view: CodeView
    attribute: str
    kind: str
    made: tuple[Made, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class _Plain:
    """A plain collection as a function makes it, with the values in it."""

    kind: str
    items: tuple[Value, ...]


def hidden_modules(cls: ClassView) -> Iterator[Hidden]:
    """The modules that matter and that a proved module keeps in a plain collection only."""
    if cls.is_unit_test or not cls.is_module or _takes_attributes_itself(cls):
        return
    builders = [reached.view for reached in cls.reached_by("__init__") if reached.view.owner == cls.cls]
    seen: set[str] = set()
    for view in builders:
        for op in view.ops():
            name = view.own_attribute(op.target) if isinstance(op, Assign) else None
            if not isinstance(op, Assign) or op.augmented or name is None or name in seen:
                continue
            found = _hidden(op, name, view, cls, builders)
            if found is not None:
                seen.add(name)
                yield found


def _hidden(op: Assign, name: str, view: CodeView, cls: ClassView, builders: list[CodeView]) -> Hidden | None:
    plain = _plain(op.value, view, 0)
    if plain is None:
        return None
    aliases: set[Value] = {value for value in (op.target, op.value) if isinstance(value, (Attribute, Name))}
    grown = [(home, value) for home in builders for value in grown_by(home, aliases if home is view else {op.target})]
    items = [(view, value) for value in plain.items] + grown
    if len(plain.items) == 1 and not grown and not _is_repeated(op.value, view):
        return None  # `[teacher]`: hidden on purpose
    fresh = [made for home, value in items for made in _fresh(value, home, cls, builders, aliases)]
    mattering = tuple(made for made in fresh if made.matters)
    if (
        not mattering
        or _is_sometimes_registered(name, cls)
        or _is_kept_elsewhere(aliases, view, cls, builders)
        or _is_taken_care_of(name, cls)
    ):
        return None
    if any(said in comment for comment in view.comments(op.statement) for said in SAID_ON_PURPOSE):
        return None
    return Hidden(view, name, plain.kind, mattering, op.span)


def _plain(value: Value, view: CodeView, depth: int) -> _Plain | None:
    """The plain collection that a value is; None for all else. One that is empty may be grown."""
    if depth > DEEPEST:
        return None
    match value:
        case Sequence(kind=kind, items=items):
            return _Plain(kind, items)
        case Mapping(items=pairs):
            return _Plain("dict", tuple(item for _, item in pairs))
        case Binary(operator="+" | "*", left=left, right=right):
            parts = [part for side in (left, right) if (part := _plain(side, view, depth + 1)) is not None]
            return _Plain(parts[0].kind, tuple(item for part in parts for item in part.items)) if parts else None
        case Name() | Temp():
            call = view.call_of(value)
            if call is not None:
                return _copied(call, view, depth)
            given = [_plain(each, view, depth + 1) for each in view.values_given(value)]
            sure = [each for each in given if each is not None]
            if not sure or len(sure) < len(given):
                return None
            later = tuple(grown_by(view, {value}))
            return _Plain(sure[0].kind, (*(item for each in sure for item in each.items), *later))
        case _:
            return None


def _copied(call: Call, view: CodeView, depth: int) -> _Plain | None:
    callee = view.dotted(call.callee) or (call.callee.id if isinstance(call.callee, Name) else "")
    if callee not in COPIERS or len(call.arguments) > 1:
        return None
    kind = callee.rpartition(".")[2] if callee in ("list", "tuple", "set") else "dict" if "ict" in callee else "list"
    if not call.arguments:
        return _Plain(kind, ())
    inner = _plain(call.arguments[0].value, view, depth + 1)
    return None if inner is None else _Plain(kind, inner.items)


def grown_by(view: CodeView, targets: set[Value]) -> Iterator[Value]:
    """What a function puts into one of these collections."""
    for op in view.ops():
        match op:
            case Call(callee=Attribute(value=owner, name=name), arguments=arguments) if name in GROWING:
                if owner in targets:
                    yield from (argument.value for argument in arguments[-1:])
            case Assign(target=Item(value=owner), value=value) if owner in targets:
                yield value
            case Assign(target=target, value=Binary(operator="+", right=right), augmented=True) if target in targets:
                yield right
            case _:
                pass


def _is_repeated(value: Value, view: CodeView) -> bool:
    """Whether a collection is made by a comprehension, or of copies of one element."""
    if isinstance(value, Binary):
        return True
    if isinstance(value, Name):
        return any(_is_repeated(given, view) for given in view.values_given(value))
    if isinstance(value, Temp):
        call = view.call_of(value)
        return call is None or any(_is_repeated(argument.value, view) for argument in call.arguments)
    return False


def _fresh(
    value: Value, view: CodeView, cls: ClassView, builders: list[CodeView], own: set[Value], depth: int = 0
) -> Iterator[Made]:
    """The modules in a collection that the function made for it, those in collections within it included."""
    if depth > DEEPEST:
        return
    inner = _plain(value.value if isinstance(value, Star) else value, view, 0)
    if inner is not None:
        for item in inner.items:
            yield from _fresh(item, view, cls, builders, own, depth + 1)
        return
    if isinstance(value, Name) and _is_registered(value, view, own):
        return
    made = made_by(value, view, cls)
    if made is not None:
        yield made


def _is_registered(name: Name, view: CodeView, own: set[Value]) -> bool:
    """Whether a variable with a module is also given to an attribute or to a call that may keep it."""
    for op in view.ops():
        match op:
            case Assign(target=target, value=value) if value == name and view.own_attribute(target) is not None:
                return True
            case Assign(target=Item(value=owner), value=value) if value == name and not _is_plain(owner, view, own):
                return True
            case Call(callee=callee, arguments=arguments) if any(argument.value == name for argument in arguments):
                grows = isinstance(callee, Attribute) and callee.name in GROWING and _is_plain(callee.value, view, own)
                if not grows and not _only_reads(callee) and not _changes_weights(view, callee):
                    return True
            case _:
                pass
    return False


def _is_plain(owner: Value, view: CodeView, own: set[Value]) -> bool:
    return owner in own or (isinstance(owner, (Name, Temp)) and _plain(owner, view, 0) is not None)


def _only_reads(callee: Value) -> bool:
    return isinstance(callee, Name) and callee.id in READERS


def _changes_weights(view: CodeView, callee: Value) -> bool:
    dotted = view.dotted(callee)
    return dotted is not None and dotted.startswith("torch.nn.init.")


def _is_sometimes_registered(name: str, cls: ClassView) -> bool:
    """Whether the attribute is also given something else than a plain collection: an `nn.ModuleList`."""
    given = [(home, value) for home, value in cls.given(name) if not isinstance(value, Binary) and value != Const(None)]
    return any(_plain(value, home, 0) is None for home, value in given)


def _is_kept_elsewhere(aliases: set[Value], view: CodeView, cls: ClassView, builders: list[CodeView]) -> bool:
    """Whether the collection is given to a call that may register what is in it."""
    own = {alias for alias in aliases if view.own_attribute(alias) is not None}
    methods = [method for method in cls.methods().values() if method not in builders]
    for home in (*builders, *methods):
        names = aliases if home is view else own
        for op in home.ops():
            if not isinstance(op, Call):
                continue
            mentions = any(_mentions(argument.value, names) for argument in op.arguments)
            if mentions and home in builders and not _is_harmless(op, home, names):
                return True
            if mentions and _registers(op, home):
                return True
            if _called_name(op) in REGISTERING and any(_mentions_deeply(other, names) for other in home.ops()):
                return True
        if any(_fills_modules(op, home) for op in home.ops()) and any(_mentions_deeply(o, names) for o in home.ops()):
            return True
    return False


def _is_harmless(op: Call, view: CodeView, names: set[Value]) -> bool:
    if isinstance(op.callee, Attribute) and (op.callee.name in GROWING or op.callee.value in names):
        return True
    return _only_reads(op.callee) or view.dotted(op.callee) in COPIERS


def _registers(op: Call, view: CodeView) -> bool:
    dotted = view.dotted(op.callee)
    layer = lookup.layer(dotted) if dotted is not None else None
    return layer is not None and layer.sensitivity == "container"


def _fills_modules(op: Op, view: CodeView) -> bool:
    """Whether an op writes the table of registered modules itself: `self._modules[name] = layer`."""
    return isinstance(op, Assign) and isinstance(op.target, Item) and view.own_attribute(op.target.value) == "_modules"


def _called_name(op: Call) -> str:
    match op.callee:
        case Name(id=name) | Attribute(name=name):
            return name
        case _:
            return ""


def _mentions(value: Value, names: set[Value]) -> bool:
    return value in names or any(_mentions(part, names) for part in parts_of(value))


def _mentions_deeply(op: Op, names: set[Value]) -> bool:
    targets = [op.target] if isinstance(op, Assign) else []
    return any(_mentions(value, names) for value in (*values_of(op), *targets))


def _is_taken_care_of(name: str, cls: ClassView) -> bool:
    """Whether the class reaches what is under the attribute in an override of its own."""
    for method_name, method in cls.methods().items():
        if method_name in TAKES_CARE:
            for op in method.ops():
                for value in values_of(op):
                    if _reads_own(value, name, method):
                        return True
    return False


def _reads_own(value: Value, name: str, view: CodeView) -> bool:
    return view.own_attribute(value) == name or any(_reads_own(part, name, view) for part in parts_of(value))


def _takes_attributes_itself(cls: ClassView) -> bool:
    """Whether the class decides itself what assigning to an attribute does."""
    return cls.method("__setattr__") is not None
