"""What a variable may hold, as far as modes are concerned.

Every object has an *identity*, a tuple that says where it comes from, so that two names for one module are one thing:

    ("param", file, function, "model")      what the caller gives
    ("new", file, function, line, column, chain)   made by the call there, reached through that chain of calls
    ("attr", ("param", ...), "backbone")    an attribute that nobody assigned: stable, as long as nobody does
    ("item", identity, "G")                 an element under a constant key
    ("each", identity)                      the elements of a container, when a loop goes over them
    ("some", identity)                      one of the submodules (`model.modules()`)
    ("few", identity)                       one of those submodules that a test of their class has chosen

What is not known is an Obj all the same: it can be tested, compared and passed on, and two tests of it agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, TypeAlias

from evalguard.ir.plain import Plain
from evalguard.ir.values import Literals

Identity: TypeAlias = tuple[Any, ...]
Site: TypeAlias = tuple[str, int, int, int, int]  # path and span
Chain: TypeAlias = tuple[Site, ...]  # the calls that led to a function, outermost first


class Mode(Enum):
    """The two modes, and that neither is known: as on entry."""

    TRAIN = "train"
    EVAL = "eval"
    UNKNOWN = "unknown"


class OriginKind(Enum):
    """How a place got its mode, from the surest to the least sure."""

    SET = "set"  # `.train()` or `.eval()`
    BUILT = "built"  # made by a class or factory whose mode is known
    LOADED = "loaded"  # weights were loaded into a module that nobody has switched
    TRAINED = "trained"  # a training step went through it, and nobody had switched it
    ASSUMED = "assumed"  # made by something unknown that looks like a module: modules begin in train mode
    ENTRY = "entry"  # as the caller left it


class Origin(Plain, frozen=True):
    """The operation that put a place in its mode. `inferred`: an inference has run in this mode since. `evaluating`: it
    stands in evaluation code. `apart`: it puts a part in train mode just after the whole was put in eval mode.
    `function` is the qualified name around it, `text` the source of the call."""

    mode: Mode
    kind: OriginKind
    path: str = ""
    site: Site | None = None
    chain: Chain = ()
    function: str = ""
    text: str = ""
    inferred: bool = False
    evaluating: bool = False
    apart: bool = False


ENTRY = Origin(Mode.UNKNOWN, OriginKind.ENTRY)
Origins: TypeAlias = frozenset[Origin]


class Known(Plain, frozen=True):
    """A constant."""

    value: Literals


class Obj(Plain, frozen=True):
    """An object, known by its identity only."""

    id: Identity


class Expr(Plain, frozen=True):
    """A comparison or calculation on values that are not known: equal expressions have equal results."""

    operator: str
    operands: tuple[Abstract, ...]


class Seq(Plain, frozen=True):
    """A tuple, list or set whose items are known."""

    kind: str
    items: tuple[Abstract, ...]


class Map(Plain, frozen=True):
    """A dict whose items are known."""

    items: tuple[tuple[Abstract, Abstract], ...]


class Fn(Plain, frozen=True):
    """A function of the project. `bound` is its first argument, if bound; `captured` are variables of an enclosing
    function that has returned, as scope, name and value."""

    path: str
    qualname: str
    bound: Abstract | None = None
    captured: tuple[tuple[str, str, Abstract], ...] = ()


class Cls(Plain, frozen=True):
    """A class of the project."""

    path: str
    qualname: str


class Ext(Plain, frozen=True):
    """A name of a library, dotted."""

    name: str


class Mod(Plain, frozen=True):
    """A file of the project, as a module: what `import utils` binds."""

    path: str


class Partial(Plain, frozen=True):
    """`functools.partial(function, ...)`, or a method of an object, waiting for its arguments."""

    function: Abstract
    arguments: tuple[Abstract, ...]
    keywords: tuple[tuple[str, Abstract], ...]


class Super(Plain, frozen=True):
    """`super()` in a method of `cls`."""

    cls: Cls
    receiver: Abstract


class Params(Plain, frozen=True):
    """Parameters of modules, alone or together."""

    of: frozenset[Identity]


class Optim(Plain, frozen=True):
    """An optimizer; `of` are the modules whose parameters it holds, None if that is not known."""

    of: frozenset[Identity] | None
    id: Identity = ()


class Grad(Plain, frozen=True):
    """A manager that turns gradients off or on by `enabled`; None if nothing can be said of when it does which."""

    enabled: Abstract | None


class Switching(Plain, frozen=True):
    """A library's manager, made by the call `text`, that puts modules in a mode while it is entered; with
    `gradients_off`, without gradients."""

    of: tuple[Identity, ...]
    mode: Mode
    text: str
    gradients_off: bool = False


class ModeFlag(Plain, frozen=True):
    """`module.training`, read when the module had these origins. `id` names the module."""

    id: Identity
    origins: Origins
    negated: bool = False


class Generator(Plain, frozen=True):
    """A generator or context manager of the project, at a point: not yet begun (`at` is None), or after the yield of
    that block with these variables, or `OVER`. `id` is that of the call that made it: it moves on for all who hold
    it."""

    function: Fn
    arguments: tuple[tuple[str, Abstract], ...]
    at: int | None = None
    variables: tuple[tuple[str, Abstract], ...] = ()
    id: Identity = ()


class Iteration(Plain, frozen=True):
    """The elements of something: what `zip`, `enumerate`, `.values()` and kin give."""

    kind: str
    of: tuple[Abstract, ...]


Abstract: TypeAlias = (
    Known
    | Obj
    | Expr
    | Seq
    | Map
    | Fn
    | Cls
    | Ext
    | Mod
    | Partial
    | Super
    | Params
    | Optim
    | Grad
    | Switching
    | ModeFlag
    | Generator
    | Iteration
)

NONE = Known(None)
OVER = -1  # where a generator stands that has ended
PARTS = frozenset({"attr", "item", "each", "some", "few"})  # identities of what belongs to another object


def parts(value: Abstract) -> tuple[Abstract, ...]:
    """The values inside a value."""
    match value:
        case Seq(items=items) | Expr(operands=items) | Iteration(of=items):
            return items
        case Map(items=pairs):
            return tuple(part for pair in pairs for part in pair)
        case Partial(function=function, arguments=arguments, keywords=keywords):
            return (function, *arguments, *(v for _, v in keywords))
        case Fn(bound=bound):
            return () if bound is None else (bound,)
        case Super(receiver=receiver):
            return (receiver,)
        case Generator(arguments=arguments, variables=variables):
            return tuple(v for _, v in (*arguments, *variables))
        case Grad(enabled=enabled):
            return () if enabled is None else (enabled,)
        case _:
            return ()


LONGEST = 16  # items that are kept of one list: of one that long there may be others
MOST_PAIRS = 24  # of one dict

MOST_PARTS = 48  # inside one value; what is larger is flattened


def bounded(value: Abstract) -> Abstract:
    """The value, or, for lists of lists and the like that have grown too large to be compared again and again, one that
    holds the same objects without saying where."""
    if not isinstance(value, (Seq, Map, Expr, Iteration)):
        return value
    leaves: dict[Abstract, None] = {}
    waiting, seen = list(parts(value)), 0
    while waiting and seen <= MOST_PARTS * 4:
        current = waiting.pop()
        seen += 1
        inner = parts(current)
        if inner:
            waiting.extend(inner)
        elif not isinstance(current, Known):
            leaves[current] = None
    if seen <= MOST_PARTS:
        return value
    kept = tuple(reversed(leaves))[:LONGEST]
    return Seq("grown", kept) if isinstance(value, Seq) else Expr("deep", kept[:8])


def identities(value: Abstract) -> Iterator[Identity]:
    """The objects that a value is or holds."""
    match value:
        case Obj(id=identity):
            yield identity
        case Params(of=of) | Switching(of=of):
            yield from of
        case Optim(of=of):
            yield from of or ()
        case ModeFlag(id=identity):
            yield identity
        case _:
            for part in parts(value):
                yield from identities(part)


def root_of(identity: Identity) -> Identity:
    """The object that an attribute, item or element belongs to in the end."""
    while identity[0] in PARTS:
        identity = identity[1]
    return identity


def is_within(identity: Identity, whole: Identity) -> bool:
    """Whether an object is a part of another, by its identity."""
    while identity != whole:
        if identity[0] not in PARTS:
            return False
        identity = identity[1]
    return True


def folded(identity: Identity) -> Identity:
    """A part that is reached by the same step twice is taken for the one that was reached by it first: the child of a
    child of `net` for a child of `net`. A recursion through all of them comes to an end with it."""
    wholes = [identity]
    while wholes[-1][0] in PARTS:
        wholes.append(wholes[-1][1])
    steps = [(part[0], *part[2:]) for part in wholes[:-1]]
    return wholes[len(steps) - 1 - steps[::-1].index(steps[0])] if steps else identity


DEEPEST_PART = 16  # parts of parts; beyond it, they are no longer told from what they belong to


def part_of(identity: Identity, *part: object) -> Identity:
    """The identity of an attribute, item or element; loops such as `node = node.next` must come to an end."""
    whole, depth = identity, 0
    while whole[0] in PARTS:
        whole, depth = whole[1], depth + 1
    return (part[0], identity, *part[1:]) if depth < DEEPEST_PART else identity


def is_computed_from_items(index: Abstract) -> bool:
    """Whether an index is computed from elements whose own index was computed: `ids[len(ids[len(ids) :]) :]`. In loops
    such an identity would hold ever larger ones."""
    return any(_has_computed_index(identity) for identity in identities(index))


def _has_computed_index(identity: Identity) -> bool:
    while identity[0] in PARTS:
        if identity[0] == "item" and isinstance(identity[2], Abstract):
            return True
        identity = identity[1]
    return False


def params_in(value: Abstract) -> frozenset[Identity] | None:
    """The modules whose parameters a value holds; None if it holds none."""
    found: set[Identity] = set()
    any_found = False
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, Params):
            any_found = True
            found |= current.of
        else:
            waiting.extend(parts(current))
    return frozenset(found) if any_found else None
