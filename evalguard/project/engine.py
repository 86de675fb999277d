"""Run the functions of a project from the states of their callers.

A call of a project's function runs the callee from the caller's state, so modes, flags, aliases and callbacks arrive as
they are; the result is remembered for equal states reached through the same calls. A recursive call takes what its
outer activation has found so far, until nothing new is found.

    train(model, epochs=3)     model: train
        validate(model)        run from here: leaves eval
        validate(model)        run again: now it is entered in eval mode
        validate(model)        remembered

Functions that only compute with data are not run at all (see `relevance`). Beyond the limits below a call is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce

from evalguard.finding import Span
from evalguard.flow.liveness import Paths, live_paths, path_of, paths_in
from evalguard.flow.solver import TooManySteps, solve_forward
from evalguard.ir import values as ir
from evalguard.ir.facts import MODULE, Decorator, FileFacts, FunctionFacts
from evalguard.ir.graph import EdgeKind
from evalguard.ir.ops import Argument, Call, Enter, Exit, Op
from evalguard.ir.plain import Plain, changed
from evalguard.modes.comparison import DEEPEST_DATA, Comparison, roughly_alike
from evalguard.modes.evaluate import evaluate
from evalguard.modes.events import Events
from evalguard.modes.frame import (
    ClassInfo,
    EarlyReads,
    Frame,
    Outcome,
    PropertyReads,
    Told,
    Yielded,
    fresh,
    new_identity,
    note,
)
from evalguard.modes.intent import function_reason
from evalguard.modes.passes import flow_back
from evalguard.modes.record import Answer, Record
from evalguard.modes.state import Guard, State, Trail, Weeding, join, joined_where_alike, take_in
from evalguard.modes.store import Shelf
from evalguard.modes.switch import evaluation_reason
from evalguard.modes.transfer import run_block
from evalguard.modes.unknown import flow_into, forget_made_up
from evalguard.modes.values import (
    NONE,
    OVER,
    Abstract,
    Chain,
    Cls,
    Expr,
    Ext,
    Fn,
    Generator,
    Identity,
    Iteration,
    Known,
    Map,
    Mod,
    Obj,
    Origins,
    Params,
    Seq,
    folded,
    identities,
    parts,
    root_of,
)
from evalguard.project.aside import Aside, set_aside, spliced
from evalguard.project.decorators import gives_back, is_class_method, is_property, is_static
from evalguard.project.early_reads import early_reads
from evalguard.project.gradients import gradient_effect
from evalguard.project.knowledge import Knowledge
from evalguard.project.parameters import accepts, call_arguments, default_name, root_arguments
from evalguard.project.properties import property_names, property_reads
from evalguard.project.receivers import Key
from evalguard.project.relevance import Relevance
from evalguard.project.resolve import (
    Index,
    Meaning,
    Var,
    fills_tables,
    returned_attributes,
    returned_names,
    runs_layers,
)
from evalguard.project.told import told_of
from evalguard.vocabulary.words import MODULE_WORDS, words

ALL_PARAMETERS = ("parameters", "named_parameters")
DEEPEST = 14  # calls inside calls
MOST_STEPS_IN_ALL = 80_000  # through blocks, shared out among the files of a project
MOST_STEPS_OF_DECORATORS = 6_000  # of these, where they stand on what the body of a file defines
MOST_STEPS_OF_FILE = (
    20_000  # for all roots of a file among few; beyond its share the other roots of a file are left out
)
LEAST_STEPS_OF_FILE = 400  # in each round of roots, as long as any are left in all
LAST_STEPS_OF_FILE = 40  # the same after that, of a promising file
NO_STEPS = -1  # the same after that, of any other
GENEROSITY = 4  # how many times its share a file may take
LARGE = 32  # modules and tests in a state; a step from one with so many costs twice as much
MOST_STEPS = 6_000  # through blocks, for one root; beyond it calls are unknown
MOST_RUNS = 1_500  # of functions, for one root; beyond it calls are unknown
MOST_ROUNDS = 4  # of a recursion
MOST_YIELDS = 12  # at which a generator may be suspended in one run


@dataclass(slots=True)
class Result:
    """All that one run of a function came to."""

    exits: list[State]
    raises: list[State]
    yields: list[tuple[State, int, Abstract]]


class Change(Plain, frozen=True):
    """What the body of an imported file adds: the same for all that import it after the same other files."""

    store: dict[Identity, Shelf]
    modes: dict[Identity, Origins]

    @staticmethod
    def between(before: State, after: State, telling: set[Identity]) -> Change:
        """What one state has that another had not. Of other objects than the telling ones the attributes are left out:
        a file may hold tables of thousands."""
        added: dict[Identity, Shelf] = {}
        for owner, shelf in after.store.shelves():
            known = before.store.shelf(owner)
            if known is not shelf and (owner[0] in ("scope", "class") or root_of(owner) in telling):
                new = Shelf({name: value for name, value in shelf.items() if known.get(name) != value})
                if new:
                    added[owner] = new
        return Change(
            added,
            {place: origins for place, origins in after.modes.items() if before.modes.get(place) != origins},
        )

    def applied(self, state: State) -> State:
        """The state with the change."""
        after = state.copy()
        for owner, shelf in self.store.items():
            after.store.put(owner, shelf)
        after.store.settle()
        after.modes |= self.modes
        return after


@dataclass(slots=True)
class Running:
    """A function at work, for calls of itself."""

    outcomes: list[Outcome] = field(default_factory=list)
    asked: bool = False


class Engine:
    """Runs functions and answers what `modes` asks (see `Linker`). One for each `link_project`."""

    def __init__(
        self, files: Sequence[FileFacts], locations: Mapping[str, str] | None = None, record: Record | None = None
    ) -> None:
        self.index = Index(files, locations)
        self.events = Events()
        self.record = record
        self.knowledge = Knowledge(self.index)
        self.relevance = Relevance(self.index)
        self.visited: set[tuple[str, str]] = set()  # functions that were run, as a root or from a caller
        self._followed: set[tuple[str, str]] = set()  # of these, those that were run to their ends from a caller
        self._cuts = 0  # calls that were not followed for their depth, or for want of steps
        self.short_of_steps: set[tuple[str, str]] = set()  # roots that had fewer steps than they might have used
        self._told = told_of(self.index)
        self._loaded: dict[tuple[str, frozenset[str]], Change] = {}
        self._properties = property_names(self.index)
        self._property_reads: dict[tuple[str, str], PropertyReads] = {}
        self._early_reads: dict[tuple[str, str], EarlyReads] = {}
        self._gradient_effects: dict[tuple[str, str], bool | None] = {}
        self._live: dict[tuple[str, str], list[Paths]] = {}
        self._loops: dict[tuple[str, str], Mapping[int, int]] = {}
        self._memo: dict[Hashable, tuple[list[Outcome], Trail | None]] = {}
        self._defaults_of: dict[str, dict[str, Paths]] = {}
        self._wrapped: dict[Fn, Fn] = {}
        self._running: dict[Hashable, Running] = {}
        self._stack: list[tuple[str, str]] = []
        self._runs = 0
        self._steps = 0
        self._steps_of_file: Counter[str] = Counter()
        self._file = ""
        self._steps_in_all = 0
        self._steps_of_decorators = 0
        self._files_to_come = 0
        self._budget = self._most_steps_of_file = MOST_STEPS_OF_FILE
        self._least = LEAST_STEPS_OF_FILE
        self._most_steps = MOST_STEPS

    # -------------------------------------------------------------------------------------------- running functions

    def begin_project(self, files: int) -> None:
        """So many files come now, which have nothing to do with those before: what those took is not held against
        them."""
        fair = GENEROSITY * MOST_STEPS_IN_ALL // max(files, 1)
        self._most_steps_of_file = min(max(fair, MOST_STEPS), MOST_STEPS_OF_FILE)
        self._steps_in_all = self._steps_of_decorators = 0

    def begin_round(self, files: int, later: int = 0) -> None:
        """So many files are turned to, one after another, and so many in later rounds that need as much."""
        self._files_to_come = files + later

    def turn_to(self, path: str, is_promising: bool = True) -> None:
        """From here on steps are counted as those of this file's roots. It may take several times its share of what is
        left, for most files take little; what it leaves is for those that come after it. Once nothing is left, only
        a promising one has a few more."""
        self._file = path
        in_all = MOST_STEPS_IN_ALL - self._steps_in_all
        share = GENEROSITY * in_all // max(self._files_to_come, 1)
        self._files_to_come -= 1
        left = self._most_steps_of_file - self._steps_of_file[path]
        self._least = LEAST_STEPS_OF_FILE if in_all > 0 else LAST_STEPS_OF_FILE if is_promising else NO_STEPS
        self._budget = self._steps_of_file[path] + min(max(share, self._least), left)

    def run_root(
        self,
        path: str,
        qualname: str,
        states: list[State],
        receiver: Obj | None = None,
        returns_loss: bool = False,
    ) -> list[State]:
        """Run a function that nobody calls from these states; the states in which it returns or yields. If it
        `returns_loss`, a framework computes gradients of what it returns."""
        facts = self.index.files[path].functions[qualname]
        self._runs = self._steps = 0
        left = self._budget - self._steps_of_file[self._file]
        if left < 0:
            self.events.gave_up.append((path, qualname))
            return states
        self._most_steps = min(MOST_STEPS, max(left, self._least))
        self._memo.clear()
        self._running.clear()
        self._stack.clear()  # another root may have failed
        self.visited.add((path, qualname))
        frame = self._frame(path, facts, (), 0, None, receiver)
        starts: list[State] = []
        for state in states:
            state.env = root_arguments(path, facts, receiver, state, self.knowledge)
            self._apply_gradients(path, facts, state)
            starts.append(state)
        is_always_run = facts.qualname == MODULE or facts.name == "__init__" or returns_loss
        if not is_always_run and not self.relevance.is_worth_a_look(path, facts.qualname):
            return states
        if self._is_switched_around(path, facts):
            return states
        self._stack.append((path, qualname))
        result = self._solve(frame, [(0, state) for state in starts])
        self._stack.pop()
        if self._steps > self._most_steps and self._most_steps < MOST_STEPS:
            self.short_of_steps.add((path, qualname))
        for state in result.exits:
            if returns_loss:
                flow_back(state.env.get("<return>", NONE), state, frame)
            state.env = {}
            state.grads = None
        return result.exits + [state for state, _, _ in result.yields]

    @property
    def steps_of_root(self) -> int:
        """The steps that the root run last took."""
        return self._steps

    def _is_switched_around(self, path: str, facts: FunctionFacts) -> bool:
        """Whether a decorator of the project may set a mode around each call of a function: run on its own, it would be
        run without."""
        found = (self.index.resolve(path, ir.as_value(each.name)) for each in facts.decorators if each.name)
        return any(isinstance(each, Fn) and self.relevance.may_switch(each.path, each.qualname) for each in found)

    def _frame(
        self,
        path: str,
        facts: FunctionFacts,
        chain: Chain,
        depth: int,
        caller: Frame | None,
        receiver: Abstract | None,
        state: State | None = None,
    ) -> Frame:
        own = function_reason(facts, self.index.files[path], self.index.modules.folders(path))
        around = evaluation_reason(caller, state) if caller is not None and state is not None else None
        in_forward = (caller is not None and caller.in_forward) or (
            facts.name == "forward"
            and facts.owner is not None
            and self.index.is_module(Cls(path, facts.owner)) is not False
        )
        coarse = caller is not None and (caller.coarse or self._only_builds(path, facts))
        return Frame(
            self,
            path,
            facts,
            chain,
            depth,
            own or around,
            self.knowledge.infos,
            is_only_named=own is not None and around is None,
            in_forward=in_forward,
            in_making=(caller is not None and caller.in_making) or self._is_constructor_of_module(path, facts),
            receiver=receiver,
            coarse=coarse,
        )

    def _is_constructor_of_module(self, path: str, facts: FunctionFacts) -> bool:
        return (
            facts.name == "__init__"
            and facts.owner is not None
            and self.index.is_module(Cls(path, facts.owner)) is not False
        )

    def _only_builds(self, path: str, facts: FunctionFacts) -> bool:
        """Whether a function makes a module and says nothing of modes, or is a module's constructor."""
        if facts.qualname == MODULE:
            return False
        if facts.name == "__init__" and facts.owner is not None and self.index.is_module(Cls(path, facts.owner)):
            return True
        return not self.relevance.may_give(path, facts.qualname)

    def _solve(self, frame: Frame, starts: list[tuple[int, State]]) -> Result:
        facts = frame.function
        if facts.qualname == MODULE:
            for star in self.index.files[frame.path].star_imports:  # near enough: most stand at the top
                starts = [(number, self.load(star, state, frame)) for number, state in starts]
        chosen = self.relevance.significance_of(frame.path, facts)
        frame.significant = chosen.paths
        weeding = Weeding(self._live_paths(frame.path, facts), frame.depth)
        comparison = Comparison(chosen, self.knowledge.infos, self.relevance.is_idle, frame.depth)
        is_alike = roughly_alike if frame.coarse else comparison.alike
        unite = self.knowledge.uniter(frame.path, facts.qualname)
        frame.join_some = partial(joined_where_alike, alike=is_alike, unite=unite)
        yields: list[tuple[State, int, Abstract]] = []

        def step(number: int, state: State) -> list[tuple[int, State]]:
            self._steps += 1
            self._steps_in_all += 1
            self._steps_of_file[self._file] += 1
            ends = run_block(number, frame.blocks[number], state.copy(), frame)
            yields.extend((after, number, value) for after, value in ends.yielded)
            return ends.onward

        def arrive(number: int, known: list[State], state: State) -> State | None:
            weeding.weed(state, number)
            return take_in(known, state, is_alike, unite)

        watch = self.record.run(frame, starts) if self.record is not None else None
        try:
            loops = self._extents(frame.path, facts)
            found = solve_forward(starts, step, arrive, _cost, rank=_rank, loops=loops)
        except TooManySteps:
            self.events.gave_up.append((frame.path, facts.qualname))
            return Result([], [], [])
        result = Result(found.at(facts.exit), found.at(facts.raise_exit), _joined_yields(yields, frame))
        if watch is not None:
            watch.left([*result.exits, *(state for state, _, _ in result.yields)])
        return result

    def _extents(self, path: str, facts: FunctionFacts) -> Mapping[int, int]:
        """The last block of each loop of a function, by its first."""
        key = (path, facts.qualname)
        if key not in self._loops:
            ends = {loop: number for number, block in enumerate(facts.blocks) for loop in block.loops}
            self._loops[key] = {facts.loops[loop].head: number for loop, number in ends.items()}
        return self._loops[key]

    def _live_paths(self, path: str, facts: FunctionFacts) -> list[Paths]:
        key = (path, facts.qualname)
        if key not in self._live:
            read = self._read_by_defaults(path).get(facts.qualname, frozenset())
            lives = live_paths(facts, partial(self._tested_again, key))
            self._live[key] = [live | read for live in lives] if read else lives
        return self._live[key]

    def _tested_again(self, caller: Key, call: Call) -> Iterator[str]:
        """What decides in a caller which mode a module is in, and is tested again in the method of the same object that
        it calls: `self.learning`, at `self.run(x)`."""
        path, qualname = caller
        receiver = path_of(call.callee.value) if isinstance(call.callee, ir.Attribute) else None
        chosen = self.relevance.significance_of(path, self.index.files[path].functions[qualname]).switching
        own = [tested for tested in chosen if receiver is not None and tested.startswith(f"{receiver}.")]
        if own:
            for callee in self.relevance.mentions.named_by(caller, call.callee):
                asked = self.relevance.deep_tests(*callee)
                yield from sorted(t for t in own if t.rpartition(".")[2] in asked.deciding | asked.running)

    def _read_by_defaults(self, path: str) -> dict[str, Paths]:
        """What a function reads where it defines others whose parameters have defaults: `lambda net=model: ...`."""
        if path not in self._defaults_of:
            read: dict[str, Paths] = {}
            for facts in self.index.files[path].functions.values():
                defaults = [p.default for p in facts.parameters if isinstance(p.default, (ir.Name, ir.Attribute))]
                if facts.parent is not None and defaults:
                    names = frozenset(name for value in defaults for name in paths_in(value))
                    read[facts.parent] = read.get(facts.parent, frozenset()) | names
            self._defaults_of[path] = read
        return self._defaults_of[path]

    # -------------------------------------------------------------------------------------------- calls

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
        facts = self.index.facts(function)
        recursive = self._stack.count((function.path, function.qualname))
        if recursive:
            arguments = [_widened(value, function, number, recursive) for number, value in enumerate(arguments)]
            keywords = [(name, _widened(value, function, name, recursive)) for name, value in keywords]
            if isinstance(function.bound, Obj) and recursive > 1:
                function = changed(function, bound=Obj(folded(function.bound.id)))
        env = call_arguments(function, facts, arguments, keywords, state, self.knowledge)
        given = [*arguments, *(value for _, value in keywords)]
        if facts.is_generator:
            self.visited.add((function.path, function.qualname))
            if not facts.decorators and self._needs_no_look(function, facts, given, state, frame):
                if self.record is not None:
                    self.record.call(function, state, frame, op, Answer.INERT)
                return self._unseen(function, self._unknown(arguments, keywords, state, frame, op))
            if self.record is not None:
                self.record.call(function, state, frame, op, Answer.SUSPENDED)
            return [Outcome(state, Generator(function, tuple(sorted(env.items())), id=new_identity(frame, op.span)))]
        if self._is_out_of_reach(frame):
            if self.record is not None:
                self.record.call(function, state, frame, op, Answer.TOO_DEEP)
            self._cuts += 1
            cut_short = [key for key in self._stack[1:] if key not in self._followed]
            self.visited.difference_update(cut_short)  # to be looked at on their own
            if self.relevance.may_switch(function.path, function.qualname):
                state.doubt = True  # anything may be in another mode now
            return self._unknown(arguments, keywords, state, frame, op)
        self.visited.add((function.path, function.qualname))
        if self._needs_no_look(function, facts, given, state, frame):
            if self.record is not None:
                self.record.call(function, state, frame, op, Answer.INERT)
            return self._unseen(function, self._unknown(arguments, keywords, state, frame, op))
        if self.record is not None:
            self.record.call(function, state, frame, op, Answer.FOLLOWED)
        chain = frame.chain if recursive > 1 else (*frame.chain, frame.site(op.span))
        inner = self._frame(
            function.path,
            facts,
            chain,
            frame.depth + 1,
            frame,
            function.bound if facts.owner else frame.receiver if facts.parent == frame.function.qualname else None,
            state,
        )
        inner.recursive = recursive > 0
        entry = state.copy()
        entry.env = env
        for scope, name, value in function.captured:
            entry.store[(("scope", function.path, scope), name)] = value
        self._apply_gradients(function.path, facts, entry)
        aside = set_aside(entry, env, frame, self.relevance.deep_tests(function.path, facts.qualname))
        base_trail = state.trail
        key = (
            function.path,
            function.qualname,
            chain,
            inner.reason,
            inner.in_forward,
            inner.in_making,
            entry.fingerprint(),
        )
        if key in self._running:
            running = self._running[key]
            running.asked = True
            return self._returned(running.outcomes, state, frame, op, base_trail, base_trail, aside=aside)
        remembered = self._memo.get(key)
        if remembered is None:
            running = self._running[key] = Running()
            self._stack.append((function.path, function.qualname))
            note(entry, frame, op.span, f"calls `{facts.name}`")
            outcomes: list[Outcome] = []
            cuts = self._cuts
            for _ in range(MOST_ROUNDS):
                self._runs += 1
                running.asked = False
                result = self._solve(inner, [(0, entry.copy())])
                outcomes = [Outcome(after, after.env.get("<return>", NONE)) for after in result.exits]
                outcomes += [Outcome(after, NONE, True) for after in result.raises]
                if inner.in_making and not frame.in_making:
                    for outcome in outcomes:
                        forget_made_up(outcome.state)
                if not running.asked or _ends(outcomes) == _ends(running.outcomes):
                    break
                running.outcomes = outcomes
            self._stack.pop()
            del self._running[key]
            if self._cuts == cuts and not entry.doubt:
                self._followed.add((function.path, function.qualname))
            remembered = self._memo[key] = (outcomes, base_trail)
        outcomes, first_trail = remembered
        return self._returned(outcomes, state, frame, op, first_trail, base_trail, function, env, aside)

    def _returned(
        self,
        outcomes: list[Outcome],
        state: State,
        frame: Frame,
        op: Op,
        first_trail: Trail | None,
        base_trail: Trail | None,
        function: Fn | None = None,
        env: dict[str, Abstract] | None = None,
        aside: Aside | None = None,
    ) -> list[Outcome]:
        """The callee's ends, seen by the caller."""
        facts = self.index.facts(function) if function is not None else None
        results: list[Outcome] = []
        roots = {root_of(i) for value in (env or {}).values() for i in identities(value)}
        paths = frozenset(
            path for argument in _arguments_of(op) for path in paths_in(argument.value)
        ) or _receiver_paths(op)
        paths &= frame.significant
        for outcome in outcomes:
            after = outcome.state.copy()
            value = outcome.value
            if aside is not None:
                after.taints = {**aside.taints, **after.taints}  # what the callee knows, it has made anew
            after.env = state.env.copy()
            after.doubt = after.doubt or state.doubt
            if facts is not None:
                value = self._freeze(value, facts, after)
            if function is None or facts is None or self._gradient_effect(function.path, facts) is not None:
                after.grads = state.grads
            after.guards = frozenset(
                guard if guard.depth <= frame.depth else Guard(guard.test, guard.holds, paths, frame.depth)
                for guard in after.guards
                if guard.depth <= frame.depth
                or (
                    paths
                    and any(
                        root_of(i) in roots or root_of(i)[0] in ("param", "global", "self")
                        for i in identities(guard.test)
                    )
                )
            )
            if first_trail is not base_trail:
                after.trail = spliced(after.trail, first_trail, base_trail)
            if aside is not None:
                after.guards |= aside.guards
            results.append(Outcome(after, value, outcome.raised))
        return results

    def _freeze(self, value: Abstract, facts: FunctionFacts, state: State) -> Abstract:
        """A function that leaves its maker takes its maker's variables along."""
        if not isinstance(value, Fn) or any(scope != value.qualname for scope, _, _ in value.captured):
            return value
        path = value.path
        inner = self.index.files[path].functions[value.qualname]
        if inner.parent != facts.qualname:
            return value
        held = tuple(
            (facts.qualname, name, state.store[(("scope", path, facts.qualname), name)])
            for name in sorted(self.index.captured(path).get(facts.qualname, ()))
            if (("scope", path, facts.qualname), name) in state.store
        )
        return changed(value, captured=value.captured + held)

    def _needs_no_look(
        self, function: Fn, facts: FunctionFacts, given: Sequence[Abstract], state: State, frame: Frame
    ) -> bool:
        """Whether a function only computes with data: it says nothing of modes, makes no module, and gets none."""
        if not self.relevance.only_computes(function.path, facts.qualname):
            return False
        if self.relevance.makes_functions(function.path, facts.qualname) or fills_tables(facts):
            return False
        bound = function.bound
        if isinstance(bound, Obj) and facts.name == "__init__" and any(isinstance(value, Obj) for value in given):
            cls = self.knowledge.info(bound.id).cls
            methods = self.index.methods(cls).values() if cls is not None else ()
            if any(self.relevance.may_switch(method.path, method.qualname) for method in methods):
                return False  # it may keep what its other methods switch
        if isinstance(bound, Obj) and self.knowledge.info(bound.id).module is not False and runs_layers(facts):
            return False
        assigned = self.index.said(function.path, function.qualname).assigned
        if isinstance(bound, Obj):
            handed_out = (state.store.get((bound.id, name)) for name in returned_attributes(facts))
            if any(value is not None and self._may_run(value, state) for value in handed_out):
                return False
            overwritten = (state.store.get((bound.id, name)) for name in assigned)
            if any(value is not None and state.taint_of(value) for value in overwritten):
                return False  # what a module gave may be forgotten: `self.loss = 0`
        tested = {path.rpartition(".")[2] for path in frame.significant}
        if bound is not None and assigned & tested:
            return False
        names = self.relevance.deep_words(function.path, facts.qualname)
        scopes = self.relevance.deep_scopes(function.path, facts.qualname)
        own = state.store.shelf(bound.id) if isinstance(bound, Obj) else {}
        returned = returned_names(facts)
        around = [
            *((name, own[name]) for name in names & own.keys()),
            *((name, value) for _, name, value in function.captured),
            *(
                (name, value)
                for (_, path, scope), name, value in state.store.held_by("scope", names)
                if scope == MODULE or (path, scope) in scopes
            ),
        ]
        in_use = (value for name, value in around if name in returned or not self._only_computes(value, state))
        return not any(self._may_run(value, state) for value in (*given, *in_use))

    def _only_computes(self, value: Abstract, state: State) -> bool:
        """Whether a value is a function that only computes with data, as a helper does that calls itself."""
        if not isinstance(value, Fn) or not self.relevance.only_computes(value.path, value.qualname):
            return False
        held = (value.bound, *(other for _, _, other in value.captured))
        return not any(other is not None and self._may_run(other, state) for other in held)

    def _unseen(self, function: Fn, outcomes: list[Outcome]) -> list[Outcome]:
        """The outcomes of a call into which nobody looks, with the exceptions that the function raises."""
        ends = self.relevance.ends_of(function.path, function.qualname)
        raised = [Outcome(outcome.state.copy(), NONE, True) for outcome in outcomes if ends.raises]
        if not ends.returns and not self.index.facts(function).is_generator:
            return raised
        for outcome in raised:
            outcome.state.doubt = True
        return outcomes + raised

    def _may_run(self, value: Abstract, state: State, depth: int = DEEPEST_DATA) -> bool:
        """Whether a value is a module, or may lead to one."""
        match value:
            case Obj(id=identity):
                info = self.knowledge.infos.get(identity)
                said = words(identity[-1]) if isinstance(identity[-1], str) else ()
                return (
                    identity in state.modes
                    or identity[0] == "self"
                    or (bool(said) and said[-1] in MODULE_WORDS)  # `model`, but not `model_dim`
                    or (info is not None and bool(info.module or info.evidence))
                    or (
                        info is not None
                        and info.cls is not None
                        and not self._is_data(identity, info.cls, state, depth)
                    )
                    or self._is_part_of_module(identity)
                )
            case Known() | Params() | Ext() | Mod():
                return False
            case Seq() | Map() | Expr() | Iteration():
                return any(self._may_run(part, state, depth) for part in parts(value))
            case _:
                return True

    def _is_data(self, identity: Identity, cls: Cls, state: State, depth: int) -> bool:
        """Whether an object is of a class that only computes with data, and holds nothing else: a batch, a tree of
        tensors."""
        if depth == 0 or not self.relevance.is_idle(cls):
            return False
        shelves = (state.store.shelf(identity), state.store.shelf(("class", cls.path, cls.qualname)))
        return not any(self._may_run(value, state, depth - 1) for shelf in shelves for value in shelf.values())

    def _is_part_of_module(self, identity: Identity) -> bool:
        cls = self.knowledge.info(identity[1]).cls if identity[0] == "attr" else None
        return cls is not None and self.class_view(cls).module is True and self.is_part(cls, identity[2])

    def _is_out_of_reach(self, frame: Frame) -> bool:
        return frame.depth >= DEEPEST or self._runs > MOST_RUNS or self._steps > self._most_steps

    def _unknown(
        self,
        arguments: Sequence[Abstract],
        keywords: Sequence[tuple[str, Abstract]],
        state: State,
        frame: Frame,
        op: Op,
    ) -> list[Outcome]:
        is_implied = isinstance(op, Call) and op.result.number < 0  # `__enter__`: its span is also its manager's
        result = fresh(frame, state, op.span, "implied" if is_implied else "")
        flow_into(result.id, [*arguments, *(held for _, held in keywords)], state, frame)
        return [Outcome(state, result)]

    def _apply_gradients(self, path: str, facts: FunctionFacts, state: State) -> None:
        effect = self._gradient_effect(path, facts)
        if effect is not None:
            state.grads = effect

    def load(self, target: str, state: State, frame: Frame) -> State:
        """Run the bodies of the files that an import names, each once on each path, if anything in them matters to
        others."""
        for home in self.index.loaded_by(frame.path, target):
            if self.relevance.body_matters(home):
                state = self._load(home, state, frame)
        return state

    def _load(self, home: str, state: State, frame: Frame) -> State:
        """The ways out of a body become one: many imports in a row, each with two, would be a thousand paths."""
        mark = (("scope", home, MODULE), "<loaded>")
        if mark in state.store or (home, MODULE) in self._stack:
            return state
        key = (home, frozenset(owner[1] for owner in state.store.holders("<loaded>")))
        change = self._loaded.get(key)
        if change is None:
            if self._is_out_of_reach(frame):
                return state
            entry = state.copy()
            entry.store[mark] = NONE
            entry.env, entry.grads = {}, None
            facts = self.index.files[home].functions[MODULE]
            self._stack.append((home, MODULE))
            self._runs += 1
            result = self._solve(self._frame(home, facts, (), frame.depth + 1, None, None), [(0, entry)])
            self._stack.pop()
            if not result.exits:
                return state
            unite = self.knowledge.uniter(home, MODULE)
            after = reduce(lambda one, other: join(one, other, unite), result.exits)
            change = self._loaded[key] = Change.between(state, after, self._telling_objects(after))
        return change.applied(state)

    def _telling_objects(self, state: State) -> set[Identity]:
        """The objects that hold a module, a table, a function or a class: all that they hold is kept."""
        return {
            root_of(owner)
            for owner, shelf in state.store.shelves()
            if any(self._tells_of_modules(value, state) for value in shelf.values())
        }

    def _tells_of_modules(self, value: Abstract, state: State) -> bool:
        match value:
            case Obj(id=identity):
                return identity in state.modes or self.knowledge.info(identity).module is True
            case Known() | Ext() | Mod():
                return False
            case Map(items=()):
                return True
            case Seq() | Map() | Expr() | Iteration():
                return any(self._tells_of_modules(part, state) for part in parts(value))
            case _:
                return True

    # -------------------------------------------------------------------------------------------- generators

    def resume(self, generator: Generator, state: State, frame: Frame, op: Op) -> tuple[list[Yielded], list[Outcome]]:
        """Advance a generator: where it may yield, and how it may end."""
        starts = self._starts(generator, state, (EdgeKind.NORMAL,))
        return self._advance(generator, starts, state, frame, op)

    def resume_raising(self, generator: Generator, state: State, frame: Frame, op: Op) -> list[Outcome]:
        """Throw an exception into a context manager at its yield: how it ends."""
        starts = self._starts(generator, state, (EdgeKind.RAISE,))
        if not starts:
            return [Outcome(state, NONE, True)]
        _, ended = self._advance(generator, starts, state, frame, op)
        return ended

    def _starts(self, generator: Generator, state: State, kinds: tuple[EdgeKind, ...]) -> list[tuple[int, State]]:
        facts = self.index.facts(generator.function)
        if generator.at == OVER:
            return []
        entry = state.copy()
        if generator.at is None:
            entry.env = dict(generator.arguments)
            self._apply_gradients(generator.function.path, facts, entry)
            return [(0, entry)]
        entry.env = dict(generator.variables)
        return [(edge.target, entry.copy()) for edge in facts.blocks[generator.at].edges if edge.kind in kinds]

    def _advance(
        self, generator: Generator, starts: list[tuple[int, State]], state: State, frame: Frame, op: Op
    ) -> tuple[list[Yielded], list[Outcome]]:
        function = generator.function
        facts = self.index.facts(function)
        if not starts:
            return [], [Outcome(state.copy(), NONE)]
        if self._is_out_of_reach(frame) or self._stack.count((function.path, function.qualname)) > 1:
            return [(state, generator, Obj(("unknown",)))], [Outcome(state.copy(), NONE)]
        if self.record is not None:
            self.record.call(function, state, frame, op, Answer.FOLLOWED)
        chain = (*frame.chain, frame.site(op.span))
        inner = self._frame(function.path, facts, chain, frame.depth + 1, frame, function.bound, state)
        inner.kind = "generator"
        self._stack.append((function.path, function.qualname))
        self._runs += 1
        result = self._solve(inner, starts)
        self._stack.pop()
        yielded: list[Yielded] = []
        for after, number, value in result.yields:
            variables = tuple(sorted((name, held) for name, held in after.env.items()))
            suspended = Generator(function, generator.arguments, number, variables, generator.id)
            after.env = state.env.copy()
            after.guards = frozenset(guard for guard in after.guards if guard.depth <= frame.depth)
            yielded.append((after, suspended, value))
        ended = self._returned([Outcome(s, NONE) for s in result.exits], state, frame, op, None, None)
        ended += self._returned([Outcome(s, NONE, True) for s in result.raises], state, frame, op, None, None)
        for outcome, original in zip(ended, [*result.exits, *result.raises], strict=False):
            outcome.state.grads = original.grads
        return yielded, ended

    # -------------------------------------------------------------------------------------------- decorators

    def function_value(self, path: str, qualname: str, state: State, frame: Frame) -> Abstract:
        """What a `def` binds: the function, wrapped by its decorators."""
        facts = self.index.files[path].functions[qualname]
        value: Abstract = Fn(path, qualname, captured=self._defaults(facts, state, frame))
        for decorator in reversed(facts.decorators):
            found = self.index.resolve(path, ir.as_value(decorator.name)) if decorator.name else None
            if not isinstance(found, Fn) or len(self._stack) > DEEPEST:
                continue
            if gives_back(self.index.files[found.path], self.index.facts(found), decorator.called):
                continue
            value = self._decorated(found, decorator.called, decorator.arguments, decorator.span, value, state, frame)
        return value

    def _defaults(self, facts: FunctionFacts, state: State, frame: Frame) -> tuple[tuple[str, str, Abstract], ...]:
        """The defaults that are variables, as they are where the function is defined."""
        return tuple(
            (facts.qualname, default_name(parameter.name), evaluate(parameter.default, state, frame))
            for parameter in facts.parameters
            if isinstance(parameter.default, (ir.Name, ir.Attribute))
        )

    def decorating(self, work: Callable[[], list[Outcome]], frame: Frame) -> list[Outcome]:
        """The outcomes of a decorator at work on what the body of a file defines. One that registers thousands of
        functions would take the steps of all that is done with them."""
        if self._steps_of_decorators >= MOST_STEPS_OF_DECORATORS:
            body = (frame.path, frame.function.qualname)
            if body not in self.events.gave_up:
                self.events.gave_up.append(body)
            return []
        before = self._steps_in_all
        outcomes = work()
        self._steps_of_decorators += self._steps_in_all - before
        return outcomes

    def _decorated(
        self,
        decorator: Fn,
        called: bool,
        arguments: tuple[Argument, ...],
        span: Span,
        value: Abstract,
        state: State,
        frame: Frame,
    ) -> Abstract:
        op = Call(ir.Temp(-1), ir.Const(None), arguments, span, span)
        scratch = state.copy()
        wrapping: Abstract = decorator
        if called:
            made = self.call(decorator, [], [], scratch, frame, op)
            wrapping = made[0].value if made else decorator
        if not isinstance(wrapping, Fn):
            return value
        outcomes = [outcome for outcome in self.call(wrapping, [value], [], scratch, frame, op) if not outcome.raised]
        if not outcomes or not isinstance(outcomes[0].value, Fn):
            return value
        return outcomes[0].value

    def _with_decorators(self, fn: Fn) -> Fn:
        if len(self._stack) > DEEPEST:
            return fn
        if fn not in self._wrapped:
            self._wrapped[fn] = fn  # while it is looked for: a decorator that uses itself
            self._wrapped[fn] = self._wrapped_by_decorators(fn)
        return self._wrapped[fn]

    def _wrapped_by_decorators(self, fn: Fn) -> Fn:
        facts = self.index.facts(fn)
        if not facts.decorators or not any(
            isinstance(self.index.resolve(fn.path, ir.as_value(d.name)), Fn) for d in facts.decorators if d.name
        ):
            return fn
        body = self.index.files[fn.path].functions[MODULE]
        frame = self._frame(fn.path, body, (), 0, None, None)
        value = self.function_value(fn.path, fn.qualname, State(), frame)
        return value if isinstance(value, Fn) else fn

    # -------------------------------------------------------------------------------------------- names and classes

    def lookup_global(self, path: str, name: str, state: State) -> Abstract | None:
        """A function, class or import at the top of a file."""
        found = self.index.named(path, name)
        return None if found is None or found == Var(path, name) else self._value_of(found, state)

    def scope_of(self, path: str, function: str, name: str) -> str | None:
        """See `Index.scope_of`."""
        return self.index.scope_of(path, function, name)

    def is_bound_once(self, path: str, name: str) -> bool:
        """See `Index.is_bound_once`."""
        return self.index.is_bound_once(path, name)

    def imported(self, path: str, target: str, state: State) -> Abstract:
        """What an import binds."""
        return self._value_of(self.index.import_target(path, target), state)

    def member(self, path: str, owner: Mod | Ext, name: str, state: State) -> Abstract:
        """An attribute of a module: of a file of the project, or of a library."""
        match owner:
            case Mod():
                return self._value_of(self.index.member(owner, name), state)
            case Ext(name=dotted) if self.index.modules.may_begin(dotted):
                return self._value_of(self.index.import_target(path, f"{dotted}.{name}"), state)
            case Ext(name=dotted):
                return Ext(f"{dotted}.{name}")

    def _value_of(self, meaning: Meaning, state: State) -> Abstract:
        match meaning:
            case str():
                return Ext(meaning)
            case Var(path=path, name=name):
                held = state.store.get((("scope", path, MODULE), name))
                return Obj(("global", path, MODULE, name)) if held is None else held
            case Fn():
                return self._with_decorators(meaning)
            case _:
                return meaning

    def method(self, cls: Cls, name: str) -> Fn | None:
        """The method of that name, own or inherited, with the project's decorators applied."""
        found = self.index.method(cls, name)
        return self._with_decorators(found) if found is not None else None

    def reads_own_parameters(self, method: Fn) -> bool:
        """Whether a method asks its object for all of its parameters."""
        facts = self.index.facts(method)
        own = (
            [ir.Attribute(ir.Name(facts.parameters[0].name), name) for name in ALL_PARAMETERS]
            if facts.parameters
            else []
        )
        return any(callee in own for callee in self.index.said(method.path, method.qualname).callees)

    def nested_class(self, cls: Cls, name: str) -> Cls | None:
        """See `Index.nested_class`."""
        return self.index.nested_class(cls, name)

    def method_after(self, cls: Cls, receiver: Cls, name: str) -> Fn | None:
        """The method that `super()` in `cls` finds for an object of class `receiver`."""
        found = self.index.method(receiver, name, after=cls)
        return self._with_decorators(found) if found is not None else None

    def tells(self, function: Fn, given: Sequence[Abstract], state: State) -> bool:
        """Whether a constructor says anything of modes, or gets something that may have one."""
        is_relevant = self.relevance.is_relevant(function.path, function.qualname)
        return is_relevant or any(self._may_run(value, state) for value in given)

    def is_property(self, function: Fn) -> bool:
        """Whether reading the attribute calls the function."""
        return is_property(self.index.facts(function))

    def is_static(self, function: Fn) -> bool:
        """Whether the function takes no receiver."""
        return is_static(self.index.facts(function))

    def is_class_method(self, function: Fn) -> bool:
        """Whether the function takes its class where others take an object."""
        return is_class_method(self.index.facts(function))

    def told(self, value: Fn | Cls) -> Told | None:
        """See `told_of`."""
        return self._told.get((value.path, value.qualname))

    def is_part(self, cls: Cls, name: str) -> bool:
        """See `Knowledge.is_part`."""
        return self.knowledge.is_part(cls, name)

    def annotated_class(self, cls: Cls, name: str) -> str | None:
        """See `Knowledge.annotated_class`."""
        return self.knowledge.annotated_class(cls, name)

    def one_of(self, values: Sequence[Abstract], identity: Identity) -> Obj:
        """See `Knowledge.one_of`."""
        return self.knowledge.one_of(values, identity)

    def silence(self, identity: Identity, kinds: frozenset[str]) -> None:
        """See `Knowledge.silence`."""
        self.knowledge.silence(identity, kinds)

    def alternatively(self, works: Sequence[Callable[[], list[Outcome]]]) -> list[Outcome]:
        """The outcomes of all works, of which only one happens: the longest of them counts."""
        steps, runs = self._steps, self._runs
        most_steps, most_runs = steps, runs
        outcomes: list[Outcome] = []
        for work in works:
            self._steps, self._runs = steps, runs
            outcomes += work()
            most_steps, most_runs = max(most_steps, self._steps), max(most_runs, self._runs)
        self._steps, self._runs = most_steps, most_runs
        return outcomes

    def joined(self, outcomes: list[Outcome], frame: Frame) -> list[Outcome]:
        """The outcomes of a call as one, on which its value may be that of any of them."""
        unite = self.knowledge.uniter(frame.path, frame.function.qualname)
        together: State | None = None
        for outcome in outcomes:
            if not outcome.raised:
                outcome.state.env["<outcome>"] = outcome.value
                together = outcome.state if together is None else join(together, outcome.state, unite)
        raised = [outcome for outcome in outcomes if outcome.raised]
        if together is None:
            return raised
        value = together.env.pop("<outcome>")
        return [*raised, Outcome(together, value)]

    def property_reads(self, path: str, qualname: str) -> PropertyReads:
        """See `property_reads`."""
        key = (path, qualname)
        if key not in self._property_reads:
            file = self.index.files[path]
            self._property_reads[key] = property_reads(file, file.functions[qualname], self._properties)
        return self._property_reads[key]

    def _gradient_effect(self, path: str, facts: FunctionFacts) -> bool | None:
        """See `gradient_effect`: asked of a function at each call, and some decorators are looked into."""
        key = (path, facts.qualname)
        if key not in self._gradient_effects:
            self._gradient_effects[key] = gradient_effect(path, facts, self.index)
        return self._gradient_effects[key]

    def early_reads(self, path: str, qualname: str) -> EarlyReads:
        """See `early_reads`."""
        key = (path, qualname)
        if key not in self._early_reads:
            facts = self.index.files[path].functions[qualname]
            live = self._live_paths(path, facts)[0]
            self._early_reads[key] = early_reads(
                facts, live, lambda name: self.index.scope_of(path, qualname, name) is None
            )
        return self._early_reads[key]

    def decorators(self, path: str, qualname: str) -> tuple[Decorator, ...]:
        """Of a function or class, outermost first."""
        file = self.index.files[path]
        cls = file.classes.get(qualname)
        return file.functions[qualname].decorators if cls is None else cls.decorators

    def accepts(self, callee: Abstract, shape: tuple[int, frozenset[str]] | None) -> bool:
        """See `parameters.accepts`."""
        function = self.index.method(callee, "__init__") if isinstance(callee, Cls) else callee
        if shape is None or not isinstance(function, Fn):
            return True
        is_bound = isinstance(callee, Cls) or function.bound is not None
        return accepts(self.index.facts(function), shape[0] + is_bound, shape[1])

    def members(self, path: str, state: State) -> Map:
        """See `Index.offered`."""
        return Map(tuple((Known(name), self._value_of(found, state)) for name, found in self.index.offered(path)))

    def class_view(self, cls: Cls) -> ClassInfo:
        """See `Knowledge.class_view`."""
        return self.knowledge.class_view(cls)


def _cost(state: State) -> int:
    """What a step from a state costs, in steps from a small one: much that is known is much to copy and compare."""
    return 1 + (len(state.modes) + len(state.guards)) // LARGE


def _rank(state: State) -> int:
    """Paths that hardly happen wait: the steps are for the others."""
    return int(state.doubt)


def _joined_yields(yields: list[tuple[State, int, Abstract]], frame: Frame) -> list[tuple[State, int, Abstract]]:
    """The first few yields that can be told apart: at other places, in other modes, of other modules."""
    by_block: dict[int, list[State]] = {}
    for state, number, value in yields:
        state.env["yield"] = value
        by_block.setdefault(number, []).append(state)
    joined = [(state, number) for number, states in by_block.items() for state in frame.join_some(states)]
    return [(state, number, state.env.pop("yield")) for state, number in joined[:MOST_YIELDS]]


def _ends(outcomes: list[Outcome]) -> set[Hashable]:
    return {(outcome.state.fingerprint(), outcome.value, outcome.raised) for outcome in outcomes}


def _widened(value: Abstract, function: Fn, place: int | str, recursive: int) -> Abstract:
    """An argument of a recursive call: calculations are forgotten, and parts of parts by the same steps from the second
    round on, so that the recursion comes to an end."""
    match value:
        case Expr():
            return Obj(("param", function.path, function.qualname, f"<{place}>"))
        case Obj(id=identity) if recursive > 1:
            return Obj(folded(identity))
        case _:
            return value


def _arguments_of(op: Op) -> tuple[Argument, ...]:
    return op.arguments if isinstance(op, Call) else ()


def _receiver_paths(op: Op) -> Paths:
    match op:
        case Call(callee=callee):
            return frozenset(path.partition(".")[0] for path in paths_in(callee))
        case Enter(manager=manager) | Exit(manager=manager):
            return frozenset(paths_in(manager))
        case _:
            return frozenset()
