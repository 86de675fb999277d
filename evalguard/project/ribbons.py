"""From the modes that were written down to the ribbons of each function.

The record (`modes.lines`) knows objects, on lines on which something happens; a ribbon shows modules under the names
that the function writes, on all of its lines:

    record   line 25: {train, eval} before, {eval} after         ribbon   24  either   the head of the function
             line 26: {eval}                                              25  eval     switches
                                                                          26  eval
                                                                          27  eval     nothing happens on it
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from evalguard.ir.facts import MODULE, FunctionFacts
from evalguard.ir.ops import Assign, Delete, Evaluate, Raise, Return
from evalguard.ir.ops import Call as CallOp
from evalguard.modes.events import Export, Forward, TrainingStep
from evalguard.modes.frame import Info
from evalguard.modes.lines import Lines, Place, Seen
from evalguard.modes.places import NAMELESS
from evalguard.modes.record import Answer, Record
from evalguard.modes.values import PARTS, Identity, OriginKind
from evalguard.modes.written import lines_with_ops
from evalguard.project import judge
from evalguard.project.link import Project
from evalguard.project.view import FunctionView
from evalguard.ribbon import UNKNOWN, Band, Call, Cell, Ribbon
from evalguard.vocabulary.words import MODULE_WORDS, NOT_MODULE_WORDS, words

ORDER = ("train", "eval", UNKNOWN)
STANDING = ("break", "continue", "pass", "global", "nonlocal")  # statements without an op
LEAVING = ("return", "raise", "break", "continue")  # what stands below them is never run


def ribbons(project: Project, record: Record, texts: Mapping[str, Sequence[str]]) -> dict[str, tuple[Ribbon, ...]]:
    """The ribbons of all files, by path, as `record` was written while the project was linked. `texts` are the lines
    of the files."""
    assert record.lines is not None
    views = {(view.path, view.qualname): view for view in project.views()}
    maker = _Maker(project, record, record.lines, views, texts)
    found: dict[str, list[Ribbon]] = {}
    for path, function in sorted(record.lines.plans):
        if "<lambda" not in function:
            ribbon = maker.ribbon(path, function)
            if ribbon is not None:
                found.setdefault(path, []).append(ribbon)
    return {path: tuple(sorted(of, key=lambda ribbon: (ribbon.first, -ribbon.last))) for path, of in found.items()}


@dataclass(slots=True)
class _Maker:
    """Makes the ribbon of each function."""

    project: Project
    record: Record
    lines: Lines
    views: dict[tuple[str, str], FunctionView]
    texts: Mapping[str, Sequence[str]]
    run: set[Identity] = field(default_factory=set)  # what is surely run as a module somewhere

    def __post_init__(self) -> None:
        for view in self.views.values():
            self.run |= {forward.id for forward in view.forwards if forward.sure and judge.may_matter(view, forward)}
            self.run |= {step.id for step in view.steps}

    def ribbon(self, path: str, function: str) -> Ribbon | None:
        """The ribbon of one function; None where no module is seen in it and nothing is called."""
        facts = self.project.index.files[path].functions[function]
        text = self.texts.get(path, ())
        first, last = (1, len(text)) if function == MODULE else (facts.span.line, facts.span.end_line)
        inner = _inner_lines(self.project.index.files[path].functions.values(), facts)
        filler = _Filler(facts, text, first, last, inner)
        places = dict(self.lines.places.get((path, function), {}))
        _add_uses(places, self.views.get((path, function)))
        wanted = {name: place for name, place in places.items() if self._is_shown(name, place)}
        bands = [Band(name, filler.cells(place), (), place.whole or "") for name, place in wanted.items()]
        bands = [band for band in bands if places[band.place].written or band.whole in wanted or _is_switched(band)]
        bands = _told_once([band for band in bands if band.cells], {name: place.ids for name, place in wanted.items()})
        if not bands:
            return None
        bands.sort(key=lambda band: (band.cells[0].line, band.place))
        return Ribbon(
            path, function, first, last, tuple(_parts_after_wholes(bands)), self._calls(path, function), inner
        )

    def _is_shown(self, name: str, place: Place) -> bool:
        """Whether a place is a module whose mode may matter."""
        infos = [self.project.infos.get(identity) or Info() for identity in place.ids]
        if any(info.module is False for info in infos) or all(self._is_insensitive(i) for i in place.ids):
            return False
        has_mode = bool(place.kinds - {OriginKind.ENTRY, OriginKind.ASSUMED})
        if place.ids & self.run or any(info.module or info.evidence for info in infos):
            return has_mode or bool(place.ids & self.run) or OriginKind.ASSUMED in place.kinds
        said = words(name.rpartition(".")[2])
        if said and said[-1] in NOT_MODULE_WORDS:
            return False
        return has_mode or (bool(said) and said[-1] in MODULE_WORDS and OriginKind.ASSUMED in place.kinds)

    def _is_insensitive(self, identity: Identity) -> bool:
        """Whether no layer of it, or of what it is a part of, depends on the mode."""
        while True:
            info = self.project.infos.get(identity)
            if info is not None and info.never_minds:
                return True
            if identity[0] not in PARTS:
                return False
            identity = identity[1]

    def _calls(self, path: str, function: str) -> tuple[Call, ...]:
        found = []
        for called in self.record.calls.values():
            if (called.path, called.caller) == (path, function) and called.answers & {
                Answer.FOLLOWED,
                Answer.SUSPENDED,
            }:
                target = self.project.index.files[called.callee[0]].functions[called.callee[1]]
                found.append(Call(called.span, *called.callee, target.header.line))
        return tuple(sorted(found, key=lambda call: (call.span, call.path, call.function)))


def _add_uses(places: dict[str, Place], view: FunctionView | None) -> None:
    """What forwards and steps say of places that the function does not write: a step of the net that its optimizer
    holds."""
    events: list[Forward | TrainingStep | Export] = []
    if view is not None:
        events += [*view.forwards, *view.steps, *view.exports]
    for event in events:
        if event.place == NAMELESS:
            continue
        if event.place in places:
            places[event.place].written = True  # near enough: what a finding names has a band
            continue
        if not isinstance(event, Forward) and any(event.id in place.ids for place in places.values()):
            continue  # a forward is named as it is written: `best(x)`, where `best` may be `net`
        place = places[event.place] = Place(None, True, {event.id})
        place.kinds.update(origin.kind for origin in event.origins)
        modes = {origin.mode.value for origin in event.origins}
        seen = place.lines.setdefault(event.span.line, Seen())
        for known in (seen.rarely_before, seen.rarely_after) if event.doubt else (seen.before, seen.after):
            known.update(modes)


def _inner_lines(functions: Iterable[FunctionFacts], around: FunctionFacts) -> frozenset[int]:
    """The lines of the functions that stand in one."""
    found: set[int] = set()
    for other in functions:
        is_inside = around.qualname == MODULE or (
            around.span.line <= other.span.line and other.span.end_line <= around.span.end_line
        )
        if other is not around and is_inside and other.qualname != MODULE and "<lambda" not in other.qualname:
            found.update(range(other.span.line, other.span.end_line + 1))
    return frozenset(found)


# -------------------------------------------------------------------------------------------------- lines


@dataclass(slots=True)
class _Filler:
    """Gives the lines of a function on which nothing happens the modes of those around them."""

    facts: FunctionFacts
    text: Sequence[str]
    first: int
    last: int
    inner: frozenset[int]
    busy: set[int] = field(default_factory=set)
    begun: dict[int, int] = field(default_factory=dict)  # a line inside a statement to the one on which it begins
    dead: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.busy = lines_with_ops(self.facts)
        statements = {op.statement for block in self.facts.blocks for op in block.ops}
        simple = (Assign, CallOp, Return, Evaluate, Delete, Raise)
        for span in sorted(statements):
            holds_others = any(
                other != span
                and (span.line, span.column) <= (other.line, other.column)
                and (other.end_line, other.end_column) <= (span.end_line, span.end_column)
                for other in statements
            )
            is_simple = all(
                isinstance(op, simple) for block in self.facts.blocks for op in block.ops if op.statement == span
            )
            if is_simple and not holds_others:
                for line in range(span.line + 1, span.end_line + 1):
                    self.begun.setdefault(line, span.line)

        self.dead = self._dead()

    def _dead(self) -> set[int]:
        """The lines after a `return` and kin, in the same suite."""
        found: set[int] = set()
        left: int | None = None  # the indent of the suite that was left
        for line in range(self.first, min(self.last, len(self.text)) + 1):
            said = self.text[line - 1].strip()
            if line in self.inner or line in self.begun or not said or said.startswith("#"):
                continue
            indent = len(self.text[line - 1]) - len(self.text[line - 1].lstrip())
            if left is not None and indent >= left and line not in self.busy:
                found.add(line)
                continue
            left = indent if said.split()[0].rstrip(";:") in LEAVING else None
        return found

    def cells(self, place: Place) -> tuple[Cell, ...]:
        """The cells of a place, one for each line on which it is there."""
        known = {line: cell for line, seen in place.lines.items() if (cell := _cell(line, seen)) is not None}
        if not known:
            return ()
        own = [line for line in range(self.first, self.last + 1) if line not in self.inner and line not in self.dead]
        found: dict[int, Cell] = {}
        following: Cell | None = None
        for line in reversed(own):
            if line in self.busy:
                following = known.get(line)
                if following is not None:
                    found[line] = following
            elif following is not None and following.before:
                found[line] = Cell(line, following.before, following.before)
        previous: Cell | None = None
        ended = max(self.busy, default=0)
        for line in own:
            begun = found.get(self.begun[line]) if line in self.begun else None
            if begun is not None:
                found[line] = Cell(line, begun.after, begun.after) if line not in self.busy else found.get(line, begun)
            elif previous is not None and line not in self.busy and (self._stands(line) or line > ended):
                found[line] = Cell(line, previous.after, previous.after)
            previous = found.get(line)
        if self.facts.qualname == MODULE:
            used = [line for line in known if line in found]
            found = {line: cell for line, cell in found.items() if min(used) <= line <= max(used)}
        return tuple(found[line] for line in sorted(found))

    def _stands(self, line: int) -> bool:
        """Whether a line is a statement that does nothing but go elsewhere."""
        said = self.text[line - 1].split() if line <= len(self.text) else []
        return bool(said) and said[0] in STANDING


def _cell(line: int, seen: Seen) -> Cell | None:
    """The modes on sure paths; those on doubtful ones where there are no others."""
    after = seen.after or seen.rarely_after
    before = seen.before or seen.rarely_before
    if not (before or after):
        return None
    return Cell(line, _ordered(before), _ordered(after or before))


def _ordered(modes: set[str]) -> tuple[str, ...]:
    return tuple(mode for mode in ORDER if mode in modes)


# -------------------------------------------------------------------------------------------------- bands


def _is_switched(band: Band) -> bool:
    return any(cell.switches and cell.before for cell in band.cells)


def _told_once(bands: list[Band], ids: Mapping[str, set[Identity]]) -> list[Band]:
    """The bands without parts that are always as their whole is, and with the names of one object together."""
    kept: list[Band] = []
    for band in sorted(bands, key=lambda band: (len(band.place), band.place)):
        whole = next((other for other in reversed(kept) if _is_part_of(band, other)), None)  # the longest name
        if whole is not None and _agree(band, whole):
            continue
        at, same = next(
            ((at, other) for at, other in enumerate(kept) if ids[other.place] == ids[band.place]), (-1, None)
        )
        if same is not None and _agree(band, same):
            main, other = (band, same) if len(band.cells) > len(same.cells) else (same, band)
            merged = {cell.line: cell for cell in (*other.cells, *main.cells)}
            cells = tuple(merged[line] for line in sorted(merged))
            kept[at] = Band(main.place, cells, (*main.aliases, other.place, *other.aliases), same.whole)
            ids = {**ids, main.place: ids[band.place]}
            continue
        kept.append(Band(band.place, band.cells, (), whole.place if whole is not None else ""))
    return kept


def _is_part_of(band: Band, other: Band) -> bool:
    return any(band.place.startswith((f"{name}.", f"{name}[")) for name in (other.place, *other.aliases))


def _agree(band: Band, other: Band) -> bool:
    """Whether two bands are in the same modes on all lines that they share."""
    known = other.by_line()
    shared = [(cell, known[cell.line]) for cell in band.cells if cell.line in known]
    return bool(shared) and all(
        a.after == b.after and (a.before == b.before or not a.before or not b.before) for a, b in shared
    )


def _parts_after_wholes(bands: Sequence[Band]) -> list[Band]:
    """The bands, each followed by its parts."""
    names = {band.place for band in bands}

    def with_parts(band: Band) -> list[Band]:
        inner = [other for other in bands if other.whole == band.place]
        return [band, *(found for other in inner for found in with_parts(other))]

    return [found for band in bands if band.whole not in names for found in with_parts(band)]
