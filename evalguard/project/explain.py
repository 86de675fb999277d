"""From the record of a run to the picture that `evalguard graph` shows.

The record speaks of objects and of spans; the picture of places under their names, of lines, and of reasons: why a
forward or a step is reported or is not, and why a function was not followed.

    record   object ("param", ..., "model"): {train} on entry, {eval} on exit, reached through the call on line 40
    picture  `evaluate`, called by `fit` on line 40:  model: train -> eval
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from evalguard.callgraph import (
    CallEdge,
    CallGraph,
    Cause,
    FunctionNode,
    Key,
    LeftOut,
    PlaceModes,
    Run,
    Site,
    Switch,
    UnknownCall,
    Use,
    modes_of,
)
from evalguard.finding import Finding, Span
from evalguard.ir.facts import MODULE, FunctionFacts
from evalguard.modes.events import Forward, TrainingStep
from evalguard.modes.frame import Info
from evalguard.modes.passes import QUIET_METHODS
from evalguard.modes.places import NAMELESS
from evalguard.modes.record import RESULT, Answer, Called, CalledUnknown, Entered, Place, Record
from evalguard.modes.values import Chain, Cls, Identity, Mode, Origin, OriginKind
from evalguard.modes.values import Site as ValueSite
from evalguard.project import judge
from evalguard.project.link import Project
from evalguard.project.relevance import Relevance
from evalguard.project.resolve import Index
from evalguard.project.roots import HOOKS
from evalguard.project.view import FunctionView
from evalguard.vocabulary import lookup
from evalguard.vocabulary.words import MODULE_WORDS, NOT_MODULE_WORDS, words

MADE_KINDS = frozenset({OriginKind.BUILT, OriginKind.LOADED})
UNFOLLOWED = {Answer.INERT: "only computes with data", Answer.TOO_DEEP: "lies beyond the limits of one analysis"}

QUIET_FILE = "files in which nothing switches a mode, trains or evaluates"
MODELESS_FILE = "files in which nothing gives a module a mode"
TOO_LARGE = "functions too large to follow to their end: what they do further down may be missed"
HOOK = "methods that a framework calls, in a mode that it sets"
LAYERS = "methods of modules that run their layers: only the layers in them matter"
SILENT = "functions that say nothing of modes, gradients or steps"
UNCALLED = "functions that no call was seen to reach"
REASONS = (TOO_LARGE, HOOK, LAYERS, UNCALLED, SILENT, MODELESS_FILE, QUIET_FILE)


def explain(project: Project, record: Record, findings: Sequence[Finding]) -> CallGraph:
    """The picture of a project, as `record` was written while it was linked, with the findings in it."""
    views = {(view.path, view.qualname): view for view in project.views()}
    maker = _Maker(project, record, views, findings)
    followed = sorted({(entered.path, entered.function) for entered in record.entered.values()})
    nodes = [maker.node(path, qualname) for path, qualname in followed]
    nodes.sort(key=lambda node: (node.path, node.line, node.qualname))
    return CallGraph(tuple(nodes), tuple(_left_out(project, record)))


@dataclass(slots=True)
class _Maker:
    """Makes the node of each function."""

    project: Project
    record: Record
    views: dict[Key, FunctionView]
    findings: Sequence[Finding]
    entered: dict[Key, list[Entered]] = field(default_factory=dict)
    calls: dict[Key, list[Called]] = field(default_factory=dict)
    unknowns: dict[Key, list[CalledUnknown]] = field(default_factory=dict)
    callers: dict[tuple[str, Span], str] = field(default_factory=dict)
    called: set[Key] = field(default_factory=set)
    switches: dict[Key, set[Origin]] = field(default_factory=dict)
    run: set[Identity] = field(default_factory=set)

    def __post_init__(self) -> None:
        for view in self.views.values():
            self.run |= {forward.id for forward in view.forwards if forward.sure and judge.may_matter(view, forward)}
        for entered in self.record.entered.values():
            self.entered.setdefault((entered.path, entered.function), []).append(entered)
        for called in self.record.calls.values():
            self.calls.setdefault((called.path, called.caller), []).append(called)
            self.callers[(called.path, called.span)] = called.caller
            self.called.add(called.callee)
        for unknown in self.record.unknowns.values():
            self.unknowns.setdefault((unknown.path, unknown.caller), []).append(unknown)
        for origin in self.record.origins:
            if origin.site is not None and (origin.kind is OriginKind.SET or self._is_of_module(origin)):
                self.switches.setdefault((origin.path, origin.function), set()).add(origin)

    def _is_of_module(self, origin: Origin) -> bool:
        """Whether what a call has made is a module whose mode may matter, and not only looks like one."""
        assert origin.site is not None
        made = ("new", origin.path, origin.function, *origin.site[1:], "", origin.chain)
        info = self._info(made)
        if info.module is False or info.sensitive is False:
            return False
        return origin.kind is not OriginKind.ASSUMED or bool(info.evidence) or made in self.run

    def node(self, path: str, qualname: str) -> FunctionNode:
        """All that is shown of one function."""
        key = (path, qualname)
        facts = self.project.index.files[path].functions[qualname]
        calls = sorted(map(self._edge, self.calls.get(key, ())), key=lambda call: (call.site, call.callee))
        unknowns = sorted(map(self._unknown, self.unknowns.get(key, ())), key=lambda call: (call.line, call.column))
        forwards = self.views[key].forwards if key in self.views else []
        run = {(forward.span.line, forward.span.column) for forward in forwards}  # methods that may run layers
        shown = tuple(call for call in unknowns if call.given and (call.line, call.column) not in run)
        return FunctionNode(
            path=path,
            qualname=qualname,
            line=facts.header.line if qualname != MODULE else 1,
            parameters=_parameters(facts),
            alone=key not in self.called,
            runs=tuple(self._runs(key, facts)),
            switches=tuple(self._switches(key)),
            uses=tuple(self._uses(key)),
            calls=tuple(calls),
            unknowns=shown,
            plain_unknowns=sum(1 for call in unknowns if not call.given),
            findings=tuple(f for f in self.findings if (f.path, f.function or MODULE) == key),
        )

    # -------------------------------------------------------------------------------------------- runs and places

    def _runs(self, key: Key, facts: FunctionFacts) -> list[Run]:
        named = self.project.index.said(*key).words
        parameters = {parameter.name for parameter in facts.parameters}
        own_scope = set(facts.locals) if key[1] != MODULE else set()

        def is_seen(name: str) -> bool:
            root = re.split(r"[.\[]", name, maxsplit=1)[0]
            return root == RESULT or root in parameters or root in own_scope or root in named or key[1] == MODULE

        found = {self._run(entered, is_seen) for entered in self.entered[key]}
        runs = sorted(found, key=lambda run: (run.chain, run.resumed, repr(run)))
        return [run for run in runs if not any(_says_less(run, other) for other in runs)]

    def _run(self, entered: Entered, is_seen: Callable[[str], bool]) -> Run:
        entry, after = dict(entered.entry), dict(entered.exit)
        for identity, name in self._own_names(entered).items():
            other = entered.others[identity]
            if name in entry or name in after:
                continue
            after[name] = Place({identity}, other.after)
            if other.before is not None:
                entry[name] = Place({identity}, other.before)
        places: list[PlaceModes] = []
        for name in sorted({**entry, **after}, key=lambda name: name.startswith(RESULT)):
            before, behind = entry.get(name), after.get(name)
            held = [place for place in (before, behind) if place is not None]
            if (
                not is_seen(name)
                or not self._may_be_module(name, held)
                or self._only_holds(name, held, {*entry, *after})
            ):
                continue
            infos = [self._info(identity) for place in held for identity in place.ids]
            said = {info.sensitive for info in infos}
            places.append(
                PlaceModes(
                    name,
                    self._causes(before.origins) if before is not None else None,
                    self._causes(behind.origins) if behind is not None else None,
                    True if True in said else False if said == {False} else None,
                    min((info.layer for info in infos if info.layer), default=None),
                )
            )
        return Run(self._chain(entered.chain), tuple(places), entered.ends, entered.resumed)

    def _own_names(self, entered: Entered) -> dict[Identity, str]:
        """The names of what the function makes or gets from those it calls: its variables, and what it runs."""
        key = (entered.path, entered.function)
        named = [*entered.entry.items(), *entered.exit.items()]
        taken = {i for name, place in named if not name.startswith(RESULT) for i in place.ids}
        found: dict[Identity, str] = {}
        variables = self.record.names.get(key, {})
        view = self.views.get(key)
        used: dict[Identity, str] = {}
        if view is not None:
            used = {step.id: step.place for step in view.steps} | {use.id: use.place for use in view.forwards}
        for identity in entered.others:
            here = self._info(identity).name if identity[-1] == entered.chain else None
            name = variables.get(identity) or used.get(identity) or here
            if identity not in taken and name:
                found[identity] = name
        return found

    def _info(self, identity: Identity) -> Info:
        return self.project.infos.get(identity) or Info()

    def _may_be_module(self, name: str, places: Collection[Place]) -> bool:
        """Whether a place is worth showing: a switch of a whole reaches all that it holds, modules or not."""
        ids = {identity for place in places for identity in place.ids}
        if any(self._is_module(identity) or identity in self.run for identity in ids):
            return True
        if all(self._info(identity).module is False for identity in ids) or set(words(name)) & NOT_MODULE_WORDS:
            return False
        return any(origin.kind in MADE_KINDS for place in places for origin in place.origins)

    def _only_holds(self, name: str, places: Collection[Place], names: Collection[str]) -> bool:
        """Whether a place is a list or dict of modules, called after them: `nets`."""
        infos = [self._info(identity) for place in places for identity in place.ids]
        if any(info.module or info.evidence or info.cls for info in infos):
            return False
        has_mode = any(origin.kind is not OriginKind.ENTRY for place in places for origin in place.origins)
        return not has_mode and any(other.startswith(f"{name}[") for other in names)

    def _is_module(self, identity: Identity) -> bool:
        info = self._info(identity)
        if info.module is not None or info.evidence:
            return info.module is not False
        if info.cls is not None:
            return self.project.index.is_module(info.cls) is True
        said = words(identity[-1]) if isinstance(identity[-1], str) else []
        return bool(said) and said[-1] in MODULE_WORDS and said[-1] not in NOT_MODULE_WORDS

    def _chain(self, chain: Chain) -> tuple[Site, ...]:
        return tuple(self._site(site) for site in chain)

    def _site(self, site: ValueSite) -> Site:
        path, *span = site
        return Site(path, site[1], site[2], self.callers.get((path, Span(*span)), ""))

    def _causes(self, origins: Iterable[Origin]) -> tuple[Cause, ...]:
        causes = {
            Cause(origin.mode.value, origin.text, self._site(origin.site), self._chain(origin.chain))
            if origin.site is not None
            else Cause(origin.mode.value)
            for origin in origins
        }
        return tuple(sorted(causes, key=repr))

    # -------------------------------------------------------------------------------------------- what happens inside

    def _switches(self, key: Key) -> list[Switch]:
        found = {
            Switch(origin.site[1], origin.site[2], origin.mode.value, origin.text, origin.kind.value)
            for origin in self.switches.get(key, ())
            if origin.site is not None
        }
        return sorted(found, key=lambda switch: (switch.line, switch.column, switch.text, switch.mode))

    def _edge(self, called: Called) -> CallEdge:
        followed = called.answers & {Answer.FOLLOWED, Answer.SUSPENDED}
        why = None if followed else next(UNFOLLOWED[answer] for answer in UNFOLLOWED if answer in called.answers)
        site = Site(called.path, called.span.line, called.span.column, called.caller)
        return CallEdge(site, called.text, called.kind, called.callee, why)

    def _unknown(self, called: CalledUnknown) -> UnknownCall:
        key = (called.path, called.caller)
        names = {i: named for i, name in called.given.items() if (named := self._name(key, i, name)) != NAMELESS}
        given = {name for i, name in names.items() if self._is_module(i) and self._info(i).sensitive is not False}
        if called.text.rpartition(".")[2] in QUIET_METHODS:
            given = set()
        why = "of a library, or of a file that was not given" if called.dotted else "nobody knows what it holds"
        return UnknownCall(called.span.line, called.span.column, called.text, why, tuple(sorted(given)))

    def _uses(self, key: Key) -> list[Use]:
        view = self.views.get(key)
        if view is None:
            return []
        forwards: dict[tuple[Span, str], list[Forward]] = {}
        steps: dict[tuple[Span, str], list[TrainingStep]] = {}
        for forward in view.forwards:
            if judge.may_matter(view, forward) or self._is_module(forward.id):
                forwards.setdefault((forward.span, forward.place), []).append(forward)
        for step in view.steps:
            steps.setdefault((step.span, self._name(key, step.id, step.place)), []).append(step)
        uses = [self._forward(view, place, same) for (_, place), same in forwards.items()]
        uses += [self._step(view, place, group) for (_, place), group in steps.items()]
        return sorted(uses, key=lambda use: (use.line, use.column, use.kind, use.place))

    def _name(self, key: Key, identity: Identity, name: str) -> str:
        """How a function names an object, where the place that is known says nothing."""
        if name != NAMELESS:
            return name
        places = (p for entered in self.entered[key] for found in (entered.entry, entered.exit) for p in found.items())
        return next((written for written, place in places if identity in place.ids), name)

    def _forward(self, view: FunctionView, place: str, same: list[Forward]) -> Use:
        first = same[0]
        notes = [_often([forward.grads_off for forward in same], "gradients off")]
        notes += [_often([f.reason == why for f in same], f"evaluation code: {why}") for why in _reasons(same)]
        notes += [
            _often([bool(forward.fate & {fate}) for forward in same], said)
            for fate, said in (("backward", "its output goes into a backward"), ("target", "its output is a target"))
        ]
        notes += [_often([not forward.sure for forward in same], "may run its layers")]
        notes += sorted({self._layers(forward.id) for forward in same})
        modes, doubtful = self._modes((f.doubt, f.origins) for f in same)
        verdict = _reported(self.findings, view, first.span) or _forward_verdict(view, same)
        return Use(first.span.line, first.span.column, "forward", place, modes, doubtful, _said(notes), verdict)

    def _step(self, view: FunctionView, place: str, same: list[TrainingStep]) -> Use:
        first = same[0]
        notes = [
            "the optimizer holds it" if all(step.held for step in same) else "which module it holds is not sure",
            _often([not step.exercised for step in same], "no forward of it was seen before"),
            *sorted({self._layers(step.id) for step in same}),
        ]
        modes, doubtful = self._modes((step.doubt, step.origins) for step in same)
        verdict = _reported(self.findings, view, first.span) or _step_verdict(view, same)
        return Use(first.span.line, first.span.column, "step", place, modes, doubtful, _said(notes), verdict)

    def _modes(self, found: Iterable[tuple[bool, Iterable[Origin]]]) -> tuple[tuple[Cause, ...], tuple[str, ...]]:
        """The modes on sure paths, and those on doubtful paths only."""
        by_doubt: dict[bool, set[Origin]] = {False: set(), True: set()}
        for doubt, origins in found:
            by_doubt[doubt].update(origins)
        sure = self._causes(by_doubt[False])
        doubtful = modes_of(self._causes(by_doubt[True]))
        return sure, tuple(mode for mode in doubtful if mode not in modes_of(sure))

    def _layers(self, identity: Identity) -> str:
        info = self._info(identity)
        if info.sensitive is False:
            return "no layer of it depends on the mode"
        return f"{info.layer} in it depends on the mode" if info.layer else ""


def _says_less(run: Run, other: Run) -> bool:
    """Whether all that one entry of a function tells is told by another by the same calls."""
    if run is other or (run.chain, run.ends, run.resumed) != (other.chain, other.ends, other.resumed):
        return False
    mine, others = _told(run), _told(other)
    return mine < others or (mine == others and repr(run) > repr(other))


def _told(run: Run) -> set[tuple[object, ...]]:
    return {(p.place, modes_of(p.before or ()), p.before is None, modes_of(p.after or ())) for p in run.places}


def _parameters(facts: FunctionFacts) -> tuple[str, ...]:
    stars = {"args": "*", "kwargs": "**"}
    return tuple(stars.get(parameter.kind, "") + parameter.name for parameter in facts.parameters)


def _reasons(same: Sequence[Forward]) -> list[str]:
    return sorted({forward.reason for forward in same if forward.reason is not None})


def _often(holds: Sequence[bool], text: str) -> str:
    """The text, if it is so on all paths or on some; nothing if it never is."""
    return text if all(holds) else f"{text} (on some paths)" if any(holds) else ""


def _said(notes: Iterable[str]) -> tuple[str, ...]:
    return tuple(note for note in notes if note)


# -------------------------------------------------------------------------------------------------- verdicts


def _reported(findings: Sequence[Finding], view: FunctionView, span: Span) -> str:
    found = sorted((f.code, f.message) for f in findings if (f.path, f.span) == (view.path, span))
    return "; ".join(f"{code}: {message}" for code, message in found)


def _forward_verdict(view: FunctionView, same: Sequence[Forward]) -> str:
    """Why a forward is not reported as an inference in train mode."""
    if view.is_unit_test:
        return "not judged: a unit test"
    if not any(judge.may_matter(view, forward) for forward in same):
        return "not judged: its mode does not matter"
    if not any(forward.sure for forward in same):
        return "not judged: nobody knows whether it runs the layers"
    blamed = [(forward, origin) for forward in same if (origin := judge.blamed(view, forward, Mode.TRAIN)) is not None]
    if not blamed:
        if any(o.mode is Mode.TRAIN for forward in same if forward.doubt for o in forward.origins):
            return "not reported: in train mode only on paths that hardly happen"
        if any(o.mode is Mode.TRAIN for forward in same for o in forward.origins):
            return "not reported: its own mode decides nothing, and its class puts its parts in eval mode"
        return "not reported: no train mode is known to reach it"
    inferring = [(forward, origin) for forward, origin in blamed if judge.is_inference(view, forward)]
    if not inferring:
        return f"no inference: {_purpose(blamed[0][0])}"
    if all(judge.is_meant(view, forward, origin) for forward, origin in inferring):
        return "not reported: train mode is taken as meant here"
    return "not reported here: silenced, not selected, or reported where it begins"


def _purpose(forward: Forward) -> str:
    if forward.in_forward:
        return "it runs inside another module's forward"
    if "backward" in forward.fate:
        return "its output goes into a backward"
    if "target" in forward.fate:
        return "its output is a target of the training"
    if "acted" in forward.fate:
        return "its output acts in an environment"
    return "gradients are on, and nothing says that it evaluates"


def _step_verdict(view: FunctionView, same: Sequence[TrainingStep]) -> str:
    """Why a step is not reported as a training in eval mode."""
    info = view.info(same[0].id)
    if not any(o.mode is Mode.EVAL for step in same for o in step.origins):
        return "not reported: no eval mode is known to reach it"
    if info.never_minds or info.module is False:
        return "not judged: its mode does not matter"
    if any(judge.leaked_eval(view, step) is not None for step in same):
        return "not reported here: silenced, not selected, or reported where it begins"
    if all(step.doubt for step in same):
        return "not reported: in eval mode only on paths that hardly happen"
    if not any(step.held or step.exercised for step in same):
        return "not judged: nobody knows whether this step trains it"
    if not any(step.held for step in same):
        return "not reported: nobody knows whether this step trains it, and eval mode may be meant"
    return "not reported: eval mode is taken as meant here, for no inference comes between"


# -------------------------------------------------------------------------------------------------- not followed


def _left_out(project: Project, record: Record) -> list[LeftOut]:
    index, relevance = project.index, Relevance(project.index)
    followed = {(entered.path, entered.function) for entered in record.entered.values()}
    found: dict[str, list[Key]] = {reason: [] for reason in REASONS}
    found[TOO_LARGE] = sorted(set(project.cut_short()))
    for path in sorted(index.files):
        functions = index.files[path].functions
        keys = [(path, qualname) for qualname in functions if qualname != MODULE]
        if not any(key in followed for key in [(path, MODULE), *keys]):
            quiet = not any(relevance.is_worth_a_look(path, qualname) for qualname in functions)
            if quiet or not relevance.gives_a_mode(path):
                found[QUIET_FILE if quiet else MODELESS_FILE].append((path, ""))
                continue
        for key in keys:
            if key not in followed and key not in found[TOO_LARGE] and "<" not in key[1]:
                found[_reason(index, relevance, key)].append(key)
    return [LeftOut(reason, tuple(what)) for reason, what in found.items() if what]


def _reason(index: Index, relevance: Relevance, key: Key) -> str:
    path, qualname = key
    facts = index.files[path].functions[qualname]
    if facts.owner is not None:
        cls = Cls(path, facts.owner)
        if _is_called_by_framework(index, cls, facts.name):
            return HOOK
        if index.is_module(cls) is not False and facts.name in ("__init__", "forward", "__call__"):
            return LAYERS
    return UNCALLED if relevance.is_worth_a_look(path, qualname) else SILENT


def _is_called_by_framework(index: Index, cls: Cls, name: str) -> bool:
    frameworks = [lookup.framework_base(base) for base in index.ancestry(cls)[1]]
    return name in HOOKS or any(
        framework is not None and lookup.hook_mode(framework, name) is not None for framework in frameworks
    )
