"""What a rule may ask: the forwards, training steps and exports of a function, where their modes come from, and by
which path.

A rule asks, it never walks the graph.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from evalguard.finding import Span, Step
from evalguard.flow.liveness import parts_of
from evalguard.flow.regions import Regions
from evalguard.ir.facts import FileFacts, FunctionFacts
from evalguard.ir.graph import EdgeKind
from evalguard.ir.ops import Assign, Call
from evalguard.ir.plain import Plain
from evalguard.ir.values import Attribute, Const, Item, Name, Not, Value
from evalguard.modes.events import Backward, Events, Export, Forward, TrainingStep
from evalguard.modes.frame import Info, is_part, is_related
from evalguard.modes.intent import is_unit_test
from evalguard.modes.state import Trail, in_any_run
from evalguard.modes.values import Chain, Identity, Origin, Origins, Site
from evalguard.project.code import Code
from evalguard.project.resolve import Index
from evalguard.vocabulary.words import names_eval_mode

LONGEST = 10  # steps of a trace, the finding's own left out
LONGEST_OF_MODES = 5  # of them that set a mode, if there are more steps


class Observation(Plain, frozen=True):
    """The modes claimed at one place of the code; `doubtful` ones only on paths that hardly happen."""

    path: str
    function: str
    span: Span
    kind: str
    place: str
    modes: frozenset[str]
    doubtful: frozenset[str]


@dataclass(slots=True)
class FunctionView:
    """One function, and all that happens in it, from all of its callers."""

    path: str
    qualname: str
    facts: FunctionFacts
    file: FileFacts
    index: Index
    code: Code
    events: Events
    infos: dict[Identity, Info]
    forwards: list[Forward]
    steps: list[TrainingStep]
    exports: list[Export]

    @property
    def is_unit_test(self) -> bool:
        """Whether pytest or unittest runs it."""
        return is_unit_test(self.facts, self.file, self.index.modules.folders(self.path))

    def where(self, path: str, line: int) -> str:
        """Where a line stands, in a message about this function: "on line 12", or "in lib/engine.py:12"."""
        file = self.index.files[path]
        return f"on {file.name_of_line(line)}" if path == self.path else f"in {file.address_of_line(line)}"

    def info(self, identity: Identity) -> Info:
        """What is known of an object whatever its mode."""
        return self.infos.get(identity) or Info()

    def backwards_in(self, path: str, function: str) -> list[Backward]:
        """The backward calls in a function."""
        return [b for b in self.events.backwards.values() if b.path == path and b.function == function]

    def computes_gradients_in(self, path: str, loop: Span) -> bool:
        """Whether a loop computes gradients, itself or by a function that it calls."""
        return any(
            encloses(loop, place)
            for backward in self.events.backwards.values()
            for at, *place in (*backward.calls, (backward.path, *_edges(backward.span)))
            if at == path
        )

    def is_called_while_training(self, event: Forward | Export | TrainingStep) -> bool:
        """Whether one of the calls that lead to it stands in a loop that computes gradients."""
        return any(
            self.computes_gradients_in(path, loop.span)
            for path, *place in event.chain
            if path in self.index.files
            for function in self.index.files[path].functions.values()
            for loop in function.loops
            if encloses(loop.span, place)
        )

    def functions_around(self, path: str, place: Sequence[int]) -> Iterator[str]:
        """The names of the functions of a file in which a place stands."""
        for qualname in self.qualnames_around(path, place):
            yield self.index.files[path].functions[qualname].name

    def qualnames_around(self, path: str, place: Sequence[int]) -> Iterator[str]:
        """The qualified names of the functions of a file in which a place stands."""
        file = self.index.files.get(path)
        for function in file.functions.values() if file is not None else ():
            if encloses(function.span, place):
                yield function.qualname

    def is_switched_by_default(self, origin: Origin) -> bool:
        """Whether a switch stands under a test of a parameter of its function that comes out so unless a caller says
        otherwise."""
        if origin.site is None:
            return False
        facts = self.index.files[origin.path].functions[origin.function]
        kinds = {True: EdgeKind.TRUE, False: EdgeKind.FALSE}
        usual = {
            (test, kinds[value])
            for each in facts.parameters
            if isinstance(each.default, Const) and isinstance(each.default.value, bool)
            for test, value in (
                (Name(each.name), each.default.value),
                (Not(Name(each.name)), not each.default.value),
            )
        }
        under = {edge.target for block in facts.blocks for edge in block.edges if (edge.test, edge.kind) in usual}
        return any(_edges(op.span) == origin.site[1:] for number in under for op in facts.blocks[number].ops)

    def is_switched_by_choice(self, origin: Origin) -> bool:
        """Whether a switch stands under a test of an option that is named for the mode: `if args.eval_mode:`."""
        if origin.site is None:
            return False
        blocks = self.index.files[origin.path].functions[origin.function].blocks
        regions = Regions(blocks)
        under = 0
        for number, block in enumerate(blocks):
            if any(edge.test is not None and _names_eval_mode(edge.test) for edge in block.edges):
                under |= regions.decided(number)
        return any(
            under >> number & 1 and any(_edges(op.span) == origin.site[1:] for op in block.ops)
            for number, block in enumerate(blocks)
        )

    def is_given_back(self, origin: Origin) -> bool:
        """Whether a switch to train mode stands in a function that has kept the object's own flag, and gives the mode
        back further down by what it kept: `was = net.training; net.train(); ...; net.train(was)`."""
        if origin.site is None:
            return False
        facts = self.index.files[origin.path].functions[origin.function]
        calls = [(number, op) for number, block in enumerate(facts.blocks) for op in block.ops if isinstance(op, Call)]
        owners = {owner for _, op in calls if _edges(op.span) == origin.site[1:] and (owner := _switched(op, "train"))}
        flags = {Attribute(owner, "training") for owner in owners}
        kept = {op.target for block in facts.blocks for op in block.ops if isinstance(op, Assign) and op.value in flags}
        tests = [(edge.target, edge.test) for block in facts.blocks for edge in block.edges if edge.test is not None]
        tested = {target for target, test in tests if not kept.isdisjoint((test, *parts_of(test)))}
        return any(
            (_switched(op, "eval") in owners and number in tested)
            or (_switched(op, "train") in owners and any(argument.value in kept for argument in op.arguments))
            for number, op in calls
            if op.span.line > origin.site[1]
        )

    def steps_of(self, identity: Identity) -> Iterator[TrainingStep]:
        """The training steps, anywhere, that change a module or a part or whole of it."""
        for step in self.events.steps.values():
            if is_related(step.id, identity, self.infos):
                yield step

    def is_only_part(self, identity: Identity, whole: Identity) -> bool:
        """Whether a module is a part of another one, which is no part of it."""
        return is_part(identity, whole, self.infos) and not is_part(whole, identity, self.infos)

    def trace(self, event: Forward | Export | TrainingStep, origin: Origin, last: Step) -> tuple[Step, ...]:
        """The path from an origin to the step that it leads to."""
        return witness(event.trail, event.chain, origin, last)


def function_views(index: Index, events: Events, infos: dict[Identity, Info]) -> Iterable[FunctionView]:
    """The views of all functions in which something happens."""
    forwards: dict[tuple[str, str], list[Forward]] = {}
    steps: dict[tuple[str, str], list[TrainingStep]] = {}
    exports: dict[tuple[str, str], list[Export]] = {}
    for event in events.forwards.values():
        forwards.setdefault((event.path, event.function), []).append(event)
    for step in events.steps.values():
        steps.setdefault((step.path, step.function), []).append(step)
    for export in events.exports.values():
        exports.setdefault((export.path, export.function), []).append(export)
    code = Code(index)
    for path, qualname in sorted(set(forwards) | set(steps) | set(exports)):
        file = index.files[path]
        yield FunctionView(
            path,
            qualname,
            file.functions[qualname],
            file,
            index,
            code,
            events,
            infos,
            sorted(forwards.get((path, qualname), ()), key=_in_order),
            sorted(steps.get((path, qualname), ()), key=_in_order),
            sorted(exports.get((path, qualname), ()), key=_in_order),
        )


def _in_order(event: Forward | TrainingStep | Export) -> tuple[Span, str, Site | tuple[()], str]:
    """By place in the text, then by where the first of its modes comes from: that one is told."""
    first = min((origin.site for origin in event.origins if origin.site is not None), default=())
    return event.span, event.place, first, in_any_run(event.key)


def observations(events: Events) -> Iterable[Observation]:
    """The modes claimed at every forward, step and `reveal_mode`."""
    found: dict[tuple[str, str, Span, str, str], tuple[set[str], set[str]]] = {}

    def add(path: str, function: str, span: Span, kind: str, place: str, origins: Origins, doubt: bool) -> None:
        sure, doubtful = found.setdefault((path, function, span, kind, place), (set(), set()))
        (doubtful if doubt else sure).update(origin.mode.value for origin in origins)

    for forward in events.forwards.values():
        if forward.sure:
            add(forward.path, forward.function, forward.span, "forward", forward.place, forward.origins, forward.doubt)
    for step in events.steps.values():
        add(step.path, step.function, step.span, "step", step.place, step.now, step.doubt)
    for reveal in events.reveals.values():
        add(reveal.path, reveal.function, reveal.span, "reveal", reveal.place, reveal.origins, reveal.doubt)
    for (path, function, span, kind, place), (sure, doubtful) in sorted(
        found.items(), key=lambda entry: repr(entry[0])
    ):
        yield Observation(path, function, span, kind, place, frozenset(sure), frozenset(doubtful - sure))


def witness(trail: Trail | None, chain: Chain, origin: Origin, last: Step) -> tuple[Step, ...]:
    """The steps of a path from an origin on. Where the path was joined with others on the way, the origin and the calls
    that led to it and from there, by `chain`, to the last step stand for what was lost."""
    steps: list[Step] = []
    found = False
    current = trail
    while current is not None and len(steps) < 60:
        steps.append(current.step)
        if origin.site is not None and _is_at(current.step, origin.site) and current.step.mode is not None:
            found = True
            break
        current = current.before
    if found:
        steps.reverse()
        calls = _calls(origin.chain, current)[-5:]
        return (*_condensed([*calls, *steps], len(calls)), last)
    shared = len(posixpath.commonprefix([chain, origin.chain]))  # of tuples, call by call
    return (*origin_steps(origin), *_calls(chain[shared:], trail)[-5:], last)


def _names_eval_mode(test: Value) -> bool:
    match test:
        case Not(value=inner):
            return _names_eval_mode(inner)
        case Name(id=str() as name) | Attribute(name=str() as name) | Item(index=Const(value=str() as name)):
            return names_eval_mode(name)
        case _:
            return False


def _switched(call: Call, name: str) -> Value | None:
    """What a call of that name switches: `net` in `net.train()`."""
    return call.callee.value if isinstance(call.callee, Attribute) and call.callee.name == name else None


def _edges(span: Span) -> tuple[int, int, int, int]:
    return span.line, span.column, span.end_line, span.end_column


def encloses(span: Span, place: Sequence[int]) -> bool:
    """Whether a place, from a line and column to a line and column, lies within a span."""
    line, column, end_line, end_column = place
    return (span.line, span.column) <= (line, column) and (end_line, end_column) <= (span.end_line, span.end_column)


def _calls(chain: Chain, trail: Trail | None) -> list[Step]:
    """The calls of a chain, as far as the path still knows them."""
    found: dict[Site, Step] = {}
    for _ in range(200):
        if trail is None:
            break
        for site in chain:
            if site not in found and _is_at(trail.step, site):
                found[site] = trail.step
        trail = trail.before
    return [found.get(site) or _call_step(site) for site in chain]


def origin_steps(origin: Origin) -> tuple[Step, ...]:
    """The origin itself, and the calls that led to it."""
    if origin.site is None:
        return ()
    path, line, column, end_line, end_column = origin.site
    verb = {
        "set": "sets",
        "built": "gives a module in",
        "loaded": "loads weights and leaves",
        "trained": "trains in",
        "assumed": "gives a module, in",
    }.get(origin.kind.value, "leaves")
    here = Step(
        path,
        Span(line, column, end_line, end_column),
        f"`{origin.text}` {verb} {origin.mode.value} mode",
        origin.mode.value,
    )
    return (*(_call_step(site) for site in origin.chain), here)


def _call_step(site: Site) -> Step:
    path, line, column, end_line, end_column = site
    return Step(path, Span(line, column, end_line, end_column), "goes into the function called here")


def _is_at(step: Step, site: Site) -> bool:
    return step.path == site[0] and step.span == Span(*site[1:])


def _condensed(steps: list[Step], first: int) -> list[Step]:
    """The first so many and one more, those that set a mode, what is near the end, and no step twice."""
    kept: list[Step] = []
    for step in steps:
        if step not in kept:
            kept.append(step)
    if len(kept) <= LONGEST:
        return kept
    chosen = {
        *range(first + 1),
        *[index for index, step in enumerate(kept) if step.mode is not None][:LONGEST_OF_MODES],
    }
    for index in reversed(range(len(kept))):
        if len(chosen) < LONGEST:
            chosen.add(index)
    return [kept[index] for index in sorted(chosen)]
