"""Whether an object's own mode can matter, by what its class makes: asked only where a finding is about to be made, for
the engine runs no constructor that only makes layers.

    net = AnyFormat(path)     its constructor loads a network and calls `eval()` on that: its own mode decides nothing
    net = Tagger()            its constructor keeps what `from_pretrained()` gives in eval mode, and no layer more
    net = Mlp(8)              its batch norms stand behind an argument, which is not given here
    net.bank(x)               `self.bank = Bank()`, and no layer of `Bank` listens
    net.bank(x)               `self.bank = default(bank, Bank())`, and where `net` is made nobody gives a `bank`
    net.head(x)               `self.head = head`: unknown, so it may matter
    net = Kernel(weights)     it only keeps what it was given, and nothing unseen makes a layer for it
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from evalguard.finding import Span
from evalguard.flow.liveness import path_of
from evalguard.ir.ops import Argument, Assign, Call
from evalguard.ir.values import Attribute, Const, Name, Sequence, Temp, Value
from evalguard.modes.frame import Info, is_part
from evalguard.modes.unknown import names_module
from evalguard.modes.values import PARTS, Cls, Fn, Identity
from evalguard.project.code import ClassView, Code, CodeView
from evalguard.project.hidden_modules import grown_by
from evalguard.project.resolve import PLAIN_BASES
from evalguard.project.sensitivity import (
    MODULE_ROOTS,
    Answers,
    Sensitivity,
    call_sensitivity,
    may_hold_module,
    sensitivity_as_made,
)
from evalguard.vocabulary import lookup

DEEPEST = 6  # assignments and calls that are followed one after another
TABLE_OF_PARTS = "_modules"


def sets_parts_itself(cls: Cls, code: Code) -> bool:
    """Whether the constructor of a class, or a function that it calls, puts something else than the object in eval
    mode, or takes what a library gives in that mode."""
    view = code.class_(cls)
    if "sets parts" not in view.kept:
        view.kept["sets parts"] = any(
            _calls_eval_of_another(reached.view, call) or _is_given_in_eval_mode(reached.view, call)
            for reached in view.reached_by("__init__")
            for _, call in reached.view.calls()
        )
    return bool(view.kept["sets parts"])


def _calls_eval_of_another(view: CodeView, call: Call) -> bool:
    match call:
        case Call(callee=Attribute(value=owner, name="eval"), arguments=()):
            return not view.is_own_object(owner) and view.dotted(call.callee) is None
        case _:
            return False


def _is_given_in_eval_mode(view: CodeView, call: Call) -> bool:
    dotted = view.dotted(call.callee)
    factory = lookup.factory(dotted) if dotted is not None else None
    return factory is not None and factory.mode == "eval"


def may_hide_a_layer(identity: Identity, infos: dict[Identity, Info], code: Code, judged: Cls | None = None) -> bool:
    """Whether an object of which not all layers are known may well have one that depends on the mode: something unseen
    makes a layer for it, or it holds a module that was made in sight and may have one. What else it only keeps, or
    computes by functions and objects that are no layers, is no reason to say so. Of parts that the methods of a class
    make it was `judged` already whether they have one."""
    info = infos.get(identity)
    if info is None or not is_seen(info):
        return True
    if info.alternatives:
        return any(may_hide_a_layer(one, infos, code) for one in info.alternatives - {identity})
    return (info.cls is not None and _makes_unseen_layer(info.cls, code)) or any(
        part[0] == "new" and (_may_listen(found) or _is_made_to_listen(part, found, code))
        for part, found in infos.items()
        if part != identity and is_part(part, identity, infos) and not _is_made_by(part, judged)
    )


def is_given_what_is_unseen(identity: Identity, infos: Mapping[Identity, Info], code: Code) -> bool:
    """Whether the call that makes an object is not seen, or gives it something of which nobody knows that it is the
    same in both modes, and whose name says that it may be a module; or what it does to a layer of the object."""
    info = infos.get(identity)
    made = _making_call(identity, code)
    if info is None or info.cls is None or made is None or _leaves_open_whether_it_listens(info.cls, code):
        return True
    view, call = made
    asked = _Asked(identity, info.cls, code)
    return any(
        argument.stars or (_is_named_as_module(argument, view) and asked.value(argument.value, view) is not False)
        for argument in call.arguments
    )


def _leaves_open_whether_it_listens(cls: Cls, code: Code) -> bool:
    """Whether a constructor makes a layer that listens to the mode or not, by an argument that nobody knows:
    `nn.GRU(8, 8, layers, dropout=self.dropout)`."""
    view = code.class_(cls)
    if "leaves open" not in view.kept:
        view.kept["leaves open"] = False  # a class that makes itself adds nothing
        view.kept["leaves open"] = any(
            _is_left_open(call, reached.view)
            for reached in view.reached_by("__init__")
            for _, call in reached.view.calls()
        )
    return bool(view.kept["leaves open"])


def _is_left_open(call: Call, view: CodeView) -> bool:
    found = view.meaning(call.callee)
    if isinstance(found, Cls):
        return _leaves_open_whether_it_listens(found, view.code)
    known: Answers = view.code.kept.setdefault("sensitivities", Answers())
    dotted = view.dotted(call.callee)
    return (
        dotted is not None
        and lookup.layer(dotted) is not None
        and call_sensitivity(call, view.facts, view.path, view.index, known)[0] is None
    )


def _is_named_as_module(argument: Argument, view: CodeView) -> bool:
    call = view.call_of(argument.value) if isinstance(argument.value, Temp) else None
    path = path_of(argument.value if call is None else call.callee) or ""
    return any(may_hold_module(name) for name in (argument.keyword, path.rpartition(".")[2]) if name)


def _is_made_by(part: Identity, cls: Cls | None) -> bool:
    return cls is not None and part[1] == cls.path and part[2].rpartition(".")[0] == cls.qualname


def is_seen(info: Info) -> bool:
    """Whether it is known what makes the layers of an object: its class is seen, or it is a bare `nn.Module()`."""
    return info.cls is not None or (info.external is not None and lookup.canonical(info.external) in MODULE_ROOTS)


def _may_listen(info: Info) -> bool:
    """Whether what is known of a part does not rule out that it listens, and some of it was seen being made."""
    if info.module is False or info.sensitive is not None:
        return bool(info.sensitive)
    return info.external is not None and names_module(info.external.rpartition(".")[2])


def _is_made_to_listen(identity: Identity, info: Info, code: Code) -> bool:
    """Whether the call that made an object gives it a layer that depends on the mode, or one that does by an option: a
    dropout of a rate that nobody knows."""
    found = _as_made(identity, info, code)
    if found is None or found[0] is not None or info.cls is None:
        return found is not None and bool(found[0])
    return _leaves_open_whether_it_listens(info.cls, code)


def _makes_unseen_layer(cls: Cls, code: Code) -> bool:
    """Whether something that nobody sees makes a layer for the objects of a class: what their constructor calls by a
    name such as `Encoder`, or keeps under one such as `self.encoder`, or a base class of another library."""
    view = code.class_(cls)
    if "makes unseen" not in view.kept:
        view.kept["makes unseen"] = False  # a class that makes itself adds nothing
        view.kept["makes unseen"] = any(map(_is_unseen_module, code.index.ancestry(cls)[1])) or any(
            _is_unseen_layer(call, reached.view, view)
            for reached in view.reached_by("__init__")
            for _, call in reached.view.calls()
        )
    return bool(view.kept["makes unseen"])


def _is_unseen_module(base: str) -> bool:
    is_root = base in PLAIN_BASES or lookup.canonical(base) in MODULE_ROOTS
    return not is_root and "." in base and names_module(base.rpartition(".")[2])


def _is_unseen_layer(call: Call, view: CodeView, cls: ClassView) -> bool:
    known: Answers = view.code.kept.setdefault("sensitivities", Answers())
    if call_sensitivity(call, view.facts, view.path, view.index, known)[0] is not None:
        return False
    found = view.meaning(call.callee)
    if isinstance(found, Cls):
        return _makes_unseen_layer(found, view.code)
    if isinstance(found, Fn):
        return False  # reached as well: what it calls is looked at itself
    dotted = view.dotted(call.callee)
    factory = lookup.factory(dotted) if dotted is not None else None
    if factory is not None and factory.mode != "unknown":
        return True  # what `torch.load()` gives may be anything
    last = (path_of(call.callee) or "").rpartition(".")[2]
    return names_module(last) or may_hold_module(last) or _is_kept_as_module(call, view, cls)


def _is_kept_as_module(call: Call, view: CodeView, cls: ClassView) -> bool:
    """Whether what a call gives becomes an attribute whose name says that it is a module."""
    return any(
        isinstance(op, Assign)
        and call.result in (op.value, *view.values_given(op.value))
        and (name := view.own_attribute(op.target)) is not None
        and may_hold_module(name)
        for op in view.ops()
    )


def is_indifferent_as_made(identity: Identity, infos: Mapping[Identity, Info], code: Code) -> bool:
    """Whether an object has no layer that depends on the mode, as the call made it: those of its class stand behind
    arguments that it was not given."""
    return _listens_as_made(identity, infos, code) is False and not _is_given_a_listener(identity, code)


def may_hide_a_layer_as_made(identity: Identity, infos: dict[Identity, Info], code: Code) -> bool:
    """Whether an object may have a layer that depends on the mode, where all that its class is known to have stand
    behind arguments that it was not given."""
    if _listens_as_made(identity, infos, code) is True or _is_given_a_listener(identity, code):
        return True
    return may_hide_a_layer(identity, infos, code, judged=infos[identity].cls)


def _is_given_a_listener(identity: Identity, code: Code) -> bool:
    """Whether the call that makes an object is given a layer that depends on the mode."""
    made = _making_call(identity, code)
    if made is None:
        return False
    view, call = made
    known: Answers = code.kept.setdefault("sensitivities", Answers())
    given = [value for each in call.arguments for value in (each.value, *view.values_given(each.value))]
    inner = [found for value in given if isinstance(value, Temp) and (found := view.call_of(value)) is not None]
    return any(call_sensitivity(each, view.facts, view.path, view.index, known)[0] for each in inner)


def _listens_as_made(identity: Identity, infos: Mapping[Identity, Info], code: Code) -> bool | None:
    """Whether an object depends on the mode as the call made it; True also where that call is not known."""
    info = infos.get(identity)
    found = None if info is None or info.alternatives else _as_made(identity, info, code)
    return True if found is None else found[0]


def _as_made(identity: Identity, info: Info, code: Code) -> Sensitivity | None:
    """What the call that made an object says of its layers; None where that call is not known."""
    made = _making_call(identity, code) if info.cls is not None else None
    if info.cls is None or made is None or made[0].meaning(made[1].callee) != info.cls:
        return None
    known: Answers = code.kept.setdefault("sensitivities", Answers())
    return sensitivity_as_made(made[1], info.cls, made[0].facts, made[0].path, code.index, known)


def is_indifferent_part(identity: Identity, infos: Mapping[Identity, Info], code: Code) -> bool:
    """Whether an object is, or stands in, a part of a module that is certainly the same in both modes, whatever the
    whole is."""
    while identity[0] in PARTS:
        if identity[0] == "attr" and _part_listens(identity[1], identity[2], infos, code) is False:
            return True
        identity = identity[1]
    return False


def listening_whole(identity: Identity, infos: Mapping[Identity, Info], code: Code) -> Identity | None:
    """The module of the project of which an object is, or stands in, a part that is known to depend on the mode; None
    for all else."""
    while identity[0] in PARTS:
        if identity[0] == "attr" and _holds_a_listener(identity[1], identity[2], infos, code):
            return cast(Identity, identity[1])
        identity = identity[1]
    return None


def _holds_a_listener(owner: Identity, name: str, infos: Mapping[Identity, Info], code: Code) -> bool:
    """Whether what is under an attribute of an object is known to depend on the mode: in the table of all parts it may
    be any."""
    if name == TABLE_OF_PARTS:
        info = infos.get(owner)
        return info is not None and bool(info.sensitive)
    return bool(_part_listens(owner, name, infos, code))


def _part_listens(owner: Identity, name: str, infos: Mapping[Identity, Info], code: Code) -> bool | None:
    """Whether what is under an attribute of an object depends on the mode: None if nobody knows."""
    info = infos.get(owner)
    if info is None or info.alternatives or info.cls is None or not code.class_(info.cls).is_module:
        return None
    return _Asked(owner, info.cls, code).attribute(name, 0)


class _Asked:
    """One object, made by a call that may be known, and the layers behind its attributes."""

    def __init__(self, made: Identity, cls: Cls, code: Code) -> None:
        self._cls = code.class_(cls)
        self._call = found[1] if (found := _making_call(made, code)) is not None else None
        self._known: Answers = code.kept.setdefault("sensitivities", Answers())

    def attribute(self, name: str, depth: int) -> bool | None:
        """Whether what the methods of the class assign to an attribute depends on the mode."""
        given = self._cls.given(name)
        return _together([self.value(value, home, depth) for home, value in given]) if given else None

    def value(self, value: Value, view: CodeView, depth: int = 0) -> bool | None:
        """Whether what an expression gives, in the function of that view, depends on the mode."""
        if depth > DEEPEST:
            return None
        match value:
            case Const():
                return False
            case Sequence(items=items):
                return _together([self.value(item, view, depth + 1) for item in items])
            case Attribute():
                name = view.own_attribute(value)
                return None if name is None else self.attribute(name, depth + 1)
            case Name():
                given = self._given(value, view, depth)
                if view.has_parameter(value):
                    given.append(self._parameter(value, view))
                return _together(given) if given else None
            case Temp():
                call = view.call_of(value)
                if call is not None:
                    return self._made(call, view, depth)
                given = self._given(value, view, depth)
                return _together(given) if given else None
            case _:
                return None

    def _given(self, value: Name | Temp, view: CodeView, depth: int) -> list[bool | None]:
        """The same for all that a variable is given, and for what is put into it where that is a list."""
        found = [*view.values_given(value), *grown_by(view, {value})]
        return [self.value(each, view, depth + 1) for each in found]

    def _made(self, call: Call, view: CodeView, depth: int) -> bool | None:
        """Whether what a call makes depends on the mode."""
        if isinstance(call.callee, Attribute) and isinstance(call.callee.value, Temp):
            same = call.callee.name in lookup.SAME_OBJECT_METHODS
            return self.value(call.callee.value, view, depth + 1) if same else None
        found = view.meaning(call.callee)
        if found is None or (isinstance(found, Cls) and self._cls.index.is_module(found) is None):
            return None
        listens = call_sensitivity(call, view.facts, view.path, self._cls.index, self._known)[0]
        layer = lookup.layer(found) if isinstance(found, str) else None
        if listens is False and (isinstance(found, Fn) or (layer is not None and layer.sensitivity == "container")):
            return _together([self._argument(argument.value, view, depth) for argument in call.arguments])
        return listens

    def _argument(self, value: Value, view: CodeView, depth: int) -> bool | None:
        """The same for what is given to a function or container, which may be a number as well."""
        if isinstance(value, Name) and view.has_parameter(value) and not may_hold_module(value.id):
            return False
        return self.value(value, view, depth + 1)

    def _parameter(self, value: Name, view: CodeView) -> bool | None:
        """A parameter of the constructor is its default where the call that made the object gives it nothing."""
        if view.facts.name != "__init__" or view.owner != self._cls.cls or self._call is None:
            return None
        if any(argument.stars for argument in self._call.arguments):
            return None
        by_position = sum(argument.keyword is None for argument in self._call.arguments)
        for number, parameter in enumerate(view.facts.parameters[1:]):
            if parameter.name == value.id:
                is_given = (parameter.kind == "positional" and number < by_position) or any(
                    argument.keyword == value.id for argument in self._call.arguments
                )
                return False if not is_given and isinstance(parameter.default, Const) else None
        return None


def _making_call(identity: Identity, code: Code) -> tuple[CodeView, Call] | None:
    """The call that made an object, and the function in which it stands."""
    match identity:
        case ("new", str() as path, str() as qualname, line, column, end_line, end_column, *_):
            span = Span(line, column, end_line, end_column)
            view = code.function(path, qualname)
            return next(((view, call) for _, call in view.calls() if call.span == span), None)
        case _:
            return None


def _together(found: Iterable[bool | None]) -> bool | None:
    """One that listens is enough; it takes all to say that none does."""
    said = set(found)
    return True if True in said else None if None in said else False
