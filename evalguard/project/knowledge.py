"""What is known of objects and classes whatever path is taken: gathered along the way, and never taken back.

    self.net = Net()            the object made here is a `Net`: a module, sensitive through BatchNorm2d
    net = a if flag else b      one of `a` and `b`: what is done to it, is done to both

The modes themselves differ from path to path: they live in the states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from evalguard.modes.frame import ClassInfo, Info
from evalguard.modes.state import Unite, unite_origins
from evalguard.modes.values import NONE, Abstract, Cls, Identity, ModeFlag, Obj, Optim, Params, Seq, bounded
from evalguard.project.annotations import library_classes
from evalguard.project.resolve import Index
from evalguard.project.sensitivity import Answers, recurrent_layer, sensitivity

FEW_ALTERNATIVES = 4  # objects that one variable may hold, up to which they are told apart


@dataclass(slots=True)
class Knowledge:
    """What is known of the objects and classes of a project whatever path is taken."""

    index: Index
    infos: dict[Identity, Info] = field(default_factory=dict)
    sensitivities: Answers = field(default_factory=Answers)
    without: dict[frozenset[str], Answers] = field(default_factory=dict)  # the same without layers of these kinds
    views: dict[Cls, ClassInfo] = field(default_factory=dict)
    parts: dict[Cls, frozenset[str]] = field(default_factory=dict)
    annotated: dict[Cls, dict[str, str]] = field(default_factory=dict)

    def info(self, identity: Identity) -> Info:
        """What is known of an object."""
        found = self.infos.get(identity)
        if found is None:
            found = self.infos[identity] = Info()
        return found

    def be_instance(self, identity: Identity, cls: Cls) -> None:
        """Note that an object is one of a class of the project."""
        info = self.info(identity)
        info.cls, info.module = cls, self.index.is_module(cls)
        info.take_layers(self.class_view(cls))

    def silence(self, identity: Identity, kinds: frozenset[str]) -> None:
        """Note that the layers of these kinds in a module were told to drop nothing: it depends on the mode only if
        another layer of it is known to."""
        for one in {identity, *self.info(identity).alternatives}:
            info = self.info(one)
            if info.cls is not None and info.sensitive is not False:
                found, layer = sensitivity(info.cls, self.index, self.without.setdefault(kinds, Answers(kinds)))
                info.sensitive, info.layer = (True, layer) if found else (False, None)
            elif info.layer is None or info.layer in {kind.rpartition(".")[2] for kind in kinds}:
                info.sensitive, info.layer = False, None

    def class_view(self, cls: Cls) -> ClassInfo:
        """All that is known of a class."""
        found = self.views.get(cls)
        if found is None:
            module = self.index.is_module(cls)
            sensitive, layer = sensitivity(cls, self.index, self.sensitivities) if module is not False else (None, None)
            recurrent = recurrent_layer(cls, self.index, set()) if module is not False else None
            found = self.views[cls] = ClassInfo(module, self.index.ancestry(cls)[1], sensitive, layer, recurrent)
        return found

    def is_part(self, cls: Cls, name: str) -> bool:
        """Whether a constructor of the class, or of one that it inherits from, assigns the attribute."""
        found = self.parts.get(cls)
        if found is None:
            constructors = [self.index.method(owner, "__init__") for owner in self.index.ancestry(cls)[0]]
            found = self.parts[cls] = frozenset(
                part for fn in constructors if fn is not None for part in self.index.said(fn.path, fn.qualname).assigned
            )
        return name in found

    def annotated_class(self, cls: Cls, name: str) -> str | None:
        """The library's class of which an annotation says that the attribute holds an object."""
        if cls not in self.annotated:
            self.annotated[cls] = library_classes(cls, self.index)
        return self.annotated[cls].get(name)

    def one_of(self, values: Sequence[Abstract], identity: Identity) -> Obj:
        """One of several objects, nobody knows which: what it does, all do."""
        objects = {value.id for value in values if isinstance(value, Obj)}
        alternatives = {other for found in objects for other in (self.info(found).alternatives or {found})}
        known = [self.info(found) for found in sorted(alternatives, key=repr)]
        modules = [info for info in known if info.module or info.cls is not None or info.evidence]
        if not modules:
            return Obj(identity)
        if len(alternatives) <= FEW_ALTERNATIVES:
            identity = ("joined", *sorted(alternatives, key=repr))  # the same, whichever variable holds it
        joined = self.info(identity)
        joined.alternatives |= alternatives - {identity}
        for info in modules:
            joined.evidence |= info.evidence
            joined.cls = joined.cls or info.cls
            joined.module = joined.module or info.module
            joined.name = joined.name or info.name
            joined.layer = joined.layer or info.layer
            joined.recurrent = joined.recurrent or info.recurrent
        said = {info.sensitive for info in modules}
        joined.sensitive = True if True in said else False if said == {False} else None
        return Obj(identity)

    def uniter(self, path: str, qualname: str) -> Unite:
        """What a variable of a function holds after paths on which it holds different values."""

        def unite(name: str, x: Abstract, y: Abstract) -> Abstract:
            if isinstance(x, Params) and isinstance(y, Params):
                return Params(x.of | y.of)
            if isinstance(x, Optim) and isinstance(y, Optim):
                return Optim(x.of | y.of if x.of is not None and y.of is not None else None, x.id)
            if isinstance(x, Seq) and isinstance(y, Seq):
                return bounded(Seq("grown", tuple(dict.fromkeys(x.items + y.items))[:16]))
            if isinstance(x, ModeFlag) and isinstance(y, ModeFlag) and (x.id, x.negated) == (y.id, y.negated):
                return ModeFlag(x.id, unite_origins(x.origins, y.origins), x.negated)
            if x == NONE:
                return y
            if y == NONE:
                return x
            return self.one_of((x, y), ("joined", path, qualname, name))

        return unite
