"""Where the analysis stands: the function at work, how it was reached, and what it may ask of the project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from evalguard.finding import Span, Step
from evalguard.ir.bodies import Blocks
from evalguard.ir.facts import Decorator, FunctionFacts
from evalguard.ir.ops import Call, Op
from evalguard.ir.plain import Plain
from evalguard.ir.values import Attribute, Binary, Compare, Const, Item, Mapping, Name, Not, Temp, Value
from evalguard.ir.values import Sequence as SequenceValue
from evalguard.modes.events import Events
from evalguard.modes.state import State, Trail, mentions
from evalguard.modes.values import (
    PARTS,
    Abstract,
    Chain,
    Cls,
    Ext,
    Fn,
    Generator,
    Identity,
    Map,
    Mod,
    Obj,
    Site,
    is_within,
)

PropertyReads: TypeAlias = dict[int, dict[int, tuple[Attribute, ...]]]
"""By block and by position of an op in it."""

EarlyReads: TypeAlias = dict[int, dict[int, frozenset[str]]]
"""The same."""

if TYPE_CHECKING:
    from evalguard.modes.record import Record


class Outcome(Plain, frozen=True):
    """How a call may end on one path: normally with a value, or by an exception."""

    state: State
    value: Abstract
    raised: bool = False


Yielded: TypeAlias = tuple[State, Generator, Abstract]
"""A state at a yield, the generator suspended there, and what it hands out."""


class ClassInfo(Plain, frozen=True):
    """A class with all that it inherits, as far as the project and the tables know.

    `module`: True for a subclass of `torch.nn.Module`, False if certainly none, None if a base is unknown. `foreign`: a
    base of another library, with its dotted name. `sensitive`: True if a layer depends on the mode, False if none does,
    None if unknown; `layer` names it. `recurrent` names a layer whose backward fails in eval mode, if there is one.
    """

    module: bool | None
    foreign: tuple[str, ...]
    sensitive: bool | None
    layer: str | None
    recurrent: str | None


class Linker(Protocol):
    """What the meaning of an op needs to know of the project."""

    events: Events
    record: Record | None

    def call(
        self,
        function: Fn,
        arguments: Sequence[Abstract],
        keywords: Sequence[tuple[str, Abstract]],
        state: State,
        frame: Frame,
        op: Op,
    ) -> list[Outcome]:
        """Run a function of the project from this state."""
        ...

    def resume(self, generator: Generator, state: State, frame: Frame, op: Op) -> tuple[list[Yielded], list[Outcome]]:
        """Advance a generator: where it may yield (with the value it hands out), and how it may end."""
        ...

    def resume_raising(self, generator: Generator, state: State, frame: Frame, op: Op) -> list[Outcome]:
        """Throw an exception into a context manager at its yield: how it ends; normally if it swallows the
        exception."""
        ...

    def lookup_global(self, path: str, name: str, state: State) -> Abstract | None:
        """A function, class or import at the top of a file; None for a name that is only a variable or a builtin."""
        ...

    def scope_of(self, path: str, function: str, name: str) -> str | None:
        """The function in whose scope a name lives that `function` reads or writes: itself if private to it (None)."""
        ...

    def is_bound_once(self, path: str, name: str) -> bool:
        """Whether the body of a file binds a name in one place only, so that it needs no watching."""
        ...

    def load(self, target: str, state: State, frame: Frame) -> State:
        """Run the bodies of the files that an import names, if they were not run yet and matter to others."""
        ...

    def imported(self, path: str, target: str, state: State) -> Abstract:
        """What an import binds."""
        ...

    def member(self, path: str, owner: Mod | Ext, name: str, state: State) -> Abstract:
        """An attribute of a module: of a file of the project, or of a library, as `path` imports them."""
        ...

    def method(self, cls: Cls, name: str) -> Fn | None:
        """The method of that name, own or inherited within the project."""
        ...

    def reads_own_parameters(self, method: Fn) -> bool:
        """Whether a method asks its object for all of its parameters."""
        ...

    def nested_class(self, cls: Cls, name: str) -> Cls | None:
        """A class in the body of a class, own or inherited."""
        ...

    def method_after(self, cls: Cls, receiver: Cls, name: str) -> Fn | None:
        """The method that `super()` in `cls` finds for an object of class `receiver`."""
        ...

    def tells(self, function: Fn, given: Sequence[Abstract], state: State) -> bool:
        """Whether a constructor says anything of modes, or gets something that may have one."""
        ...

    def is_property(self, function: Fn) -> bool:
        """Whether reading the attribute calls the function."""
        ...

    def is_part(self, cls: Cls, name: str) -> bool:
        """Whether a constructor of the class, or of one that it inherits from, assigns the attribute."""
        ...

    def annotated_class(self, cls: Cls, name: str) -> str | None:
        """The library's class of which an annotation in the class says that the attribute holds an object."""
        ...

    def is_static(self, function: Fn) -> bool:
        """Whether the function takes no receiver."""
        ...

    def is_class_method(self, function: Fn) -> bool:
        """Whether the function takes its class where others take an object."""
        ...

    def one_of(self, values: Sequence[Abstract], identity: Identity) -> Obj:
        """One of several objects, nobody knows which: what it does, all do."""
        ...

    def silence(self, identity: Identity, kinds: frozenset[str]) -> None:
        """The layers of these kinds in a module were told to drop nothing."""
        ...

    def alternatively(self, works: Sequence[Callable[[], list[Outcome]]]) -> list[Outcome]:
        """The outcomes of all works, of which only one happens: the longest of them counts."""
        ...

    def joined(self, outcomes: list[Outcome], frame: Frame) -> list[Outcome]:
        """The outcomes of a call as one, on which its value may be that of any of them; those that raise stay
        apart."""
        ...

    def property_reads(self, path: str, qualname: str) -> PropertyReads:
        """The attributes that a function may read of which a class of the project has a property, inner ones first."""
        ...

    def early_reads(self, path: str, qualname: str) -> EarlyReads:
        """The private variables that a function may read before it binds them, by block and by position in it."""
        ...

    def decorators(self, path: str, qualname: str) -> tuple[Decorator, ...]:
        """Of a function or class, outermost first."""
        ...

    def accepts(self, callee: Abstract, shape: tuple[int, frozenset[str]] | None) -> bool:
        """Whether a call with so many arguments by position, and with these names, is one that a function or class of
        the project can take."""
        ...

    def members(self, path: str, state: State) -> Map:
        """The functions and classes of the project that a file offers to others, by name."""
        ...

    def class_view(self, cls: Cls) -> ClassInfo:
        """All that is known of a class."""
        ...

    def told(self, value: Fn | Cls) -> Told | None:
        """By what name a user has told what a function or class of the project does."""
        ...

    def decorating(self, work: Callable[[], list[Outcome]], frame: Frame) -> list[Outcome]:
        """The outcomes of a decorator at work, none if a project's decorators had all the steps that they may take."""
        ...

    def function_value(self, path: str, qualname: str, state: State, frame: Frame) -> Abstract:
        """What a `def` binds: the function, wrapped by its decorators."""
        ...


class Told(Plain, frozen=True):
    """The name by which a user has told of a function, and the names of its parameters, `self` left out."""

    name: str
    parameters: tuple[str, ...]


@dataclass(slots=True)
class Info:
    """What is known of an object whatever its mode: monotone, so kept outside the states."""

    cls: Cls | None = None
    external: str | None = None  # the dotted name that made it
    module: bool | None = None  # proved to be a module, or not to be one
    evidence: set[str] = field(default_factory=set)  # `.parameters()`, `.state_dict()`, an optimizer, an annotation
    copied_part: bool = False  # a copy of an attribute that a module's constructor assigns
    sensitive: bool | None = None
    layer: str | None = None
    recurrent: str | None = None  # a layer whose backward fails in eval mode, although its forward is the same
    name: str | None = None  # the variable it was first given to
    owners: set[Identity] = field(default_factory=set)  # the objects of which it is an attribute
    alternatives: set[Identity] = field(default_factory=set)  # the objects of which it is one, after paths were joined

    def take_layers(self, of: ClassInfo | Info) -> None:
        """Its layers are those of that class or object."""
        self.sensitive, self.layer, self.recurrent = of.sensitive, of.layer, of.recurrent

    @property
    def never_minds(self) -> bool:
        """Whether its mode can matter neither to its outputs nor to its training."""
        return self.sensitive is False and self.recurrent is None


@dataclass(slots=True)
class Frame:
    """One activation of a function."""

    linker: Linker
    path: str
    function: FunctionFacts
    chain: Chain
    depth: int
    reason: str | None  # why this is evaluation code: the function's name, or a caller's
    infos: dict[Identity, Info]
    is_only_named: bool = False  # nothing but the function's own name gives that reason
    block: int = 0
    in_forward: bool = False
    in_making: bool = False  # the constructor of a module is at work, or what it calls
    receiver: Abstract | None = None
    coarse: bool = False  # it only builds modules: its paths are told apart by modes alone
    recursive: bool = False  # an activation of the same function is at work further out
    kind: Literal["plain", "generator"] = "plain"
    significant: frozenset[str] = frozenset()  # the access paths whose tests decide something about modes
    temps: dict[int, Op] = field(default_factory=dict)
    join_some: Callable[[list[State]], list[State]] = list  # of alternatives that have become many
    last_held: dict[str, Abstract] = field(default_factory=dict)  # by variables; kept for `lines` alone
    blocks: Blocks = field(init=False)  # at hand as long as it is at work

    def __post_init__(self) -> None:
        self.blocks = self.function.blocks

    def site(self, span: Span) -> Site:
        """A span of this file."""
        return (self.path, span.line, span.column, span.end_line, span.end_column)

    def info(self, identity: Identity) -> Info:
        """What is known of an object."""
        found = self.infos.get(identity)
        if found is None:
            found = self.infos[identity] = Info()
        return found

    def skip_loop(self, state: State) -> None:
        """Note that a loop runs zero times on this path. It hardly does, but where a recursion ends: `for child in
        module.children(): freeze(child)`."""
        if not self.recursive:
            state.doubt = True

    def loops(self) -> tuple[Span, ...]:
        """The loops around the block at work, outermost first."""
        return tuple(self.function.loops[index].span for index in self.blocks[self.block].loops)


def is_part(identity: Identity, whole: Identity, infos: dict[Identity, Info]) -> bool:
    """Whether an object is another or belongs to it, by its identity or because it was assigned to an attribute."""
    waiting, seen = [identity], set[Identity]()
    while waiting:
        current = waiting.pop()
        if current == whole:
            return True
        if current in seen:
            continue
        seen.add(current)
        if current[0] in PARTS:
            waiting.append(current[1])
        info = infos.get(current)
        if info is not None:
            waiting.extend(info.owners)
    return False


def is_related(a: Identity, b: Identity, infos: dict[Identity, Info]) -> bool:
    """Whether one of two objects is the other or belongs to it, or may be, where one stands for several."""
    if is_part(a, b, infos) or is_part(b, a, infos):
        return True
    return not _stands_for(a, infos).isdisjoint(_stands_for(b, infos))


def _stands_for(identity: Identity, infos: dict[Identity, Info]) -> set[Identity]:
    info = infos.get(identity)
    return {identity} if info is None or not info.alternatives else {identity, *info.alternatives}


def new_identity(frame: Frame, span: Span, tag: str = "") -> Identity:
    """The identity of what is made at a place of the code."""
    place = (span.line, span.column, span.end_line, span.end_column)
    return ("new", frame.path, frame.function.qualname, *place, tag, frame.chain)


def renew(state: State, identity: Identity) -> Obj:
    """The object is another one from here on: what was known of the last one of this identity is forgotten."""
    if state.guards:
        state.guards = frozenset(guard for guard in state.guards if not mentions(guard.test, identity))
    for table in (state.modes, state.taints, state.backed):
        for known in [known for known in table if is_within(known, identity)]:
            del table[known]
    state.store.discard_within(identity)
    return Obj(identity)


def fresh(frame: Frame, state: State, span: Span, tag: str = "") -> Obj:
    """A new object made here."""
    return renew(state, new_identity(frame, span, tag))


def note(state: State, frame: Frame, span: Span, message: str, mode: str | None = None) -> None:
    """Add a step to the path."""
    step = Step(frame.path, span, message, mode)
    if state.trail is None or state.trail.step != step:
        state.trail = Trail(step, state.trail)


def source_of(value: Value, frame: Frame) -> str:
    """The value as the user wrote it, near enough: `net.to(device)`, `nets["G"]`."""
    match value:
        case Name(id=name):
            return name.partition("@")[0]
        case Const(value=constant):
            return repr(constant) if not isinstance(constant, str) else f'"{constant}"'
        case Attribute(value=inner, name=name):
            return f"{source_of(inner, frame)}.{name}"
        case Item(value=inner, index=index):
            return f"{source_of(inner, frame)}[{source_of(index, frame)}]"
        case Temp(number=number):
            made_by = frame.temps.get(number)
            if isinstance(made_by, Call):
                arguments = ", ".join(
                    ("*" * a.stars) + (f"{a.keyword}=" if a.keyword else "") + source_of(a.value, frame)
                    for a in made_by.arguments
                )
                callee = source_of(made_by.callee, frame)  # once: in a chain of calls it is a chain itself
                text = f"{callee}({arguments})"
                return text if len(text) <= 60 else f"{callee}(...)"
            return "…"
        case Compare(operator=operator, left=left, right=right) | Binary(operator=operator, left=left, right=right):
            return f"{source_of(left, frame)} {operator} {source_of(right, frame)}"
        case Not(value=inner):
            return f"not {source_of(inner, frame)}"
        case SequenceValue(kind=kind, items=items):
            inside = ", ".join(source_of(item, frame) for item in items)
            brackets = {"tuple": "()", "list": "[]", "set": "{}"}[kind]
            return f"{brackets[0]}{inside}{brackets[1]}"
        case Mapping():
            return "{…}"
        case _:
            return "…"
