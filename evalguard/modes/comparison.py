"""Which two paths become one where they meet.

They stay apart where a later test could tell them apart, and that could matter for modes. So they are joined

    if verbose: log()                   if the test decides nothing about modes (see `significance`);
    if fp16: scale(loss).backward()     if a single test came out differently, and the rest is the same: whoever asks
    else: loss.backward()               again gets both answers from the joined path, as from the two;
    if save: best = score(net)          if one path stands for the other as well: it has passed fewer tests, and what
                                        is `None` or `0` on the other may be anything on this one.

The modes of every module are the same on both in any case, so that nothing is lost of what belongs together. (Terms of
a formula are absorbed and resolved in the same way: McCluskey, "Minimization of Boolean functions", 1956.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from evalguard.modes.frame import Info
from evalguard.modes.significance import Significance
from evalguard.modes.state import Guard, State, has_same_modes, mentions
from evalguard.modes.values import Abstract, Cls, Expr, Identity, Iteration, Known, Map, Obj, Optim, Seq

BOUND_METHODS = frozenset("train eval forward step backward zero_grad generate parameters".split())
"""Methods of a module that are followed when a variable holds them."""

DEEPEST_DATA = 2  # objects of objects are looked into for a module; beyond it they are taken to hold one


NEITHER, FIRST, SECOND, SAME = 0, 1, 2, 4
"""What two paths have in common: which one stands for the other as well, or that they are the same; as bits."""


@dataclass(frozen=True, slots=True)
class _Objects:
    """What is known of the objects; `is_idle` says whether those of a class are mere data if they hold no module."""

    infos: dict[Identity, Info]
    is_idle: Callable[[Cls], bool]


class Comparison:
    """Compares states of one run of a function, at that depth of calls."""

    def __init__(
        self, chosen: Significance, infos: dict[Identity, Info], is_idle: Callable[[Cls], bool], depth: int
    ) -> None:
        self._chosen = chosen
        self._objects = _Objects(infos, is_idle)
        self._depth = depth
        self._kept: dict[frozenset[Guard], frozenset[tuple[Abstract, bool]]] = {}

    def alike(self, a: State, b: State) -> bool:
        """Whether nothing keeps two states apart: neither modes nor gradients, nor the significant tests and values."""
        if not has_same_modes(a, b):
            return False
        common = self._of_tests(a, b)
        if common:
            for x, y, is_chosen, is_control in self._differences(a, b):
                if _keeps_apart(x, is_chosen, a, self._objects) or _keeps_apart(y, is_chosen, b, self._objects):
                    common &= NEITHER if is_control else self._of_values(x, y, a, b)
                    if not common:
                        return False
        return bool(common)

    def _of_tests(self, a: State, b: State) -> int:
        """What two states have in common as far as the tests go that they have passed."""
        of_a, of_b = self._kept_guards(a.guards), self._kept_guards(b.guards)
        only_a, only_b = of_a - of_b, of_b - of_a
        common = SAME if not only_a and not only_b else NEITHER
        if not only_a and a.doubt <= b.doubt:  # else what hardly happens would become sure
            common |= FIRST
        if not only_b and b.doubt <= a.doubt:
            common |= SECOND
        if len(only_a) == len(only_b) == 1 and a.doubt == b.doubt:
            ((test, _),), ((other, _),) = only_a, only_b
            if test == other:
                common |= SAME
        return common

    def _of_values(self, x: Abstract | None, y: Abstract | None, a: State, b: State) -> int:
        """The same as far as two values of one variable go: a constant is one of all that an unknown one may be."""
        if self._is_data(x, a) and self._may_be_anything(y, b):
            return SECOND
        if self._is_data(y, b) and self._may_be_anything(x, a):
            return FIRST
        return NEITHER

    def _is_data(self, value: Abstract | None, state: State) -> bool:
        return value is not None and not _matters(value, False, state, self._objects)

    def _may_be_anything(self, value: Abstract | None, state: State) -> bool:
        """Whether a value is data of which no test has told anything."""
        if not isinstance(value, Obj) or _matters(value, True, state, self._objects):
            return False
        info = self._objects.infos.get(value.id)
        if info is not None and info.cls is not None:
            return False  # an object of the project: hardly `None`
        return not any(mentions(test, value.id) for test, _ in self._kept_guards(state.guards))

    def _differences(self, a: State, b: State) -> Iterator[tuple[Abstract | None, Abstract | None, bool, bool]]:
        """What variables and attributes hold that differs, whether it decides anything, and whether it is a hidden
        variable that says where loops and managers stand."""
        for name in a.env.keys() | b.env.keys():
            x, y = a.env.get(name), b.env.get(name)
            if x is y or x == y:
                continue
            if name.startswith("<skipped"):
                continue  # the round in which nothing was left out says the same, and is no rare one
            if isinstance(x, Optim) and isinstance(y, Optim) and (x.of is None or y.of is None):
                continue  # one of unknown content changes what the other does, too
            yield x, y, name[0] == "<" or name in self._chosen.paths, name[0] == "<"
        for one, other in a.store.different_shelves(b.store):
            for attribute in one.keys() | other.keys():
                x, y = one.get(attribute), other.get(attribute)
                if x is not y and x != y:
                    yield x, y, attribute in self._chosen.names, False

    def _kept_guards(self, guards: frozenset[Guard]) -> frozenset[tuple[Abstract, bool]]:
        """The tests that keep paths apart, and how they came out; few sets of them come up again and again."""
        kept = self._kept.get(guards)
        if kept is None:
            chosen, depth = self._chosen.paths, self._depth
            kept = self._kept[guards] = frozenset(
                [(guard.test, guard.holds) for guard in guards if guard.depth != depth or guard.paths & chosen]
            )
        return kept


def roughly_alike(a: State, b: State) -> bool:
    """The same for code that only builds modules: the modes, and where loops and generators stand."""
    return has_same_modes(a, b) and all(
        a.env.get(name) == b.env.get(name) for name in a.env.keys() | b.env.keys() if name[0] == "<"
    )


def _keeps_apart(value: Abstract | None, is_chosen: bool, state: State, objects: _Objects) -> bool:
    return value is not None and _matters(value, is_chosen, state, objects)


def _matters(value: Abstract, is_chosen: bool, state: State, objects: _Objects, depth: int = DEEPEST_DATA) -> bool:
    """Whether a value keeps states apart: it decides a test, or is no mere data."""
    match value:
        case Known():
            return is_chosen
        case Obj(id=identity):
            if identity in state.modes or (identity[0] == "attr" and identity[2] in BOUND_METHODS):
                return True
            info = objects.infos.get(identity)
            if info is None or info.never_minds:
                return False
            if info.module or info.evidence:
                return True
            if info.cls is None:
                return False
            held = state.store.shelf(identity).values()
            return (
                depth == 0
                or not objects.is_idle(info.cls)
                or any(_matters(item, False, state, objects, depth - 1) for item in held)
            )
        case Seq(items=items) | Iteration(of=items) | Expr(operands=items):
            return is_chosen or any(_matters(item, False, state, objects, depth) for item in items)
        case Map(items=pairs):
            return any(_matters(item, False, state, objects, depth) for _, item in pairs)
        case _:
            return True
