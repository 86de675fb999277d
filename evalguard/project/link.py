"""Link files into a project and follow the modes through it.

The analysis goes from the outside in: the body of each file, then what nobody in the project calls (a function, the public
methods of a class in any order after `__init__`). A call of a project's function runs the callee from the caller's state, so
modes, flags, aliases and callbacks arrive as they are; the result is remembered for equal states reached
through the same calls. A recursive call takes what its outer activation has found so far, until nothing new is found.

    main()            model: train
      train(model)    ... opt.step()            finds train
      validate(model) model.eval(); model(x)    leaves eval, set in `validate`, line 3
      (the loop goes round)
      train(model)    ... opt.step()            finds eval: reported, with this path
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from evalguard.finding import Span
from evalguard.flow.liveness import Paths, live_paths, paths_in
from evalguard.flow.regions import reachable
from evalguard.flow.solver import TooManySteps, solve_forward
from evalguard.ir import values as ir
from evalguard.ir.facts import MODULE, FileFacts, FunctionFacts
from evalguard.ir.graph import EdgeKind
from evalguard.ir.ops import Argument, Assign, Call, Enter, Exit, Op, Yield
from evalguard.modes.events import Entrance, Events
from evalguard.modes.frame import ClassView, Frame, Info, Outcome, fresh, new_identity, note, source_of
from evalguard.modes.intent import function_reason, names_test_data, says_evaluation
from evalguard.modes.significance import FLAG_TAKERS, Significance, distinction, significance
from evalguard.modes.state import (
    NO_TAINT,
    EventKey,
    Guard,
    State,
    Trail,
    held_roots,
    join,
    mode_shape,
    prune,
    take_in,
)
from evalguard.modes.switch import evaluation_reason
from evalguard.modes.transfer import run_block
from evalguard.modes.values import (
    NONE,
    OVER,
    Abstract,
    Cls,
    Expr,
    Ext,
    Fn,
    Generator,
    Identity,
    Iteration,
    Known,
    Map,
    Obj,
    Optim,
    Params,
    Partial,
    Seq,
    identities,
    is_within,
    parts,
    root_of,
)
from evalguard.project.resolve import Index, acts_of, assigned_attributes, called_names, called_on_self, runs_layers, words_of
from evalguard.project.sensitivity import Sensitivity, sensitivity
from evalguard.project.view import FunctionView, Observation, function_views, observations
from evalguard.vocabulary import lookup
from evalguard.vocabulary.words import MODULE_WORDS, words

DEEPEST = 14  # calls inside calls
MOST_STEPS_OF_FILE = 12_000  # through blocks, for all roots of a file; beyond it the other roots are left out
MOST_STEPS = 3_000  # through blocks, for one root; beyond it calls are unknown
MOST_RUNS = 1_500  # of functions, for one root; beyond it calls are unknown
FEW_ALTERNATIVES = 4  # objects that one variable may hold, up to which they are told apart
MOST_ROUNDS = 4  # of a class's public methods, and of a recursion
RELEVANT = frozenset(
    """
    train eval no_grad inference_mode set_grad_enabled backward step load_state_dict from_pretrained reveal_mode
    manual_backward optimizer_step
    """.split()
)
HOOKS = frozenset({"training_step", "validation_step", "test_step", "predict_step"})  # Lightning's, and many a trainer's
SETTERS_OF_GRADIENTS = ("off", "on")


@dataclass(slots=True)
class Result:
    """All that one run of a function came to."""

    exits: list[State]
    raises: list[State]
    yields: list[tuple[State, int, Abstract]]


@dataclass(slots=True)
class Running:
    """A function at work, for calls of itself."""

    outcomes: list[Outcome] = field(default_factory=list)
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Ends:
    """How a function may end, as far as its graph says."""

    returns: bool
    raises: bool


@dataclass(frozen=True, slots=True)
class PrivateMethods:
    """The private methods of a class, in the order in which they are looked at, and the states that they enter with."""

    methods: list[Fn]
    states: list[State]
    receiver: Obj


@dataclass(slots=True)
class Project:
    """What was found about all functions of the files given."""

    index: Index
    events: Events
    infos: dict[Identity, Info]

    def views(self) -> Iterable[FunctionView]:
        """One view a function, for the rules."""
        return function_views(self.index, self.events, self.infos)

    def observations(self) -> Iterable[Observation]:
        """The modes claimed at every forward, step and `reveal_mode`."""
        return observations(self.events)


def link_project(files: Sequence[FileFacts]) -> Project:
    """Analyse the files together."""
    engine = Engine(files)
    engine.run_all()
    return Project(engine.index, engine.events, engine.infos)


class Engine:
    """The work of one `link_project`: answers what `modes` asks (see `Linker`) and drives the roots."""

    def __init__(self, files: Sequence[FileFacts]) -> None:
        self.index = Index(files)
        self.events = Events()
        self.infos: dict[Identity, Info] = {}
        self._significances: dict[tuple[str, str], Significance] = {}
        self._names: dict[tuple[str, str], frozenset[str]] = {}
        self._inert: dict[tuple[str, str], bool] = {}
        self._words: dict[tuple[str, str], frozenset[str]] = {}
        self._parts: dict[Cls, frozenset[str]] = {}
        self._possible_ends: dict[tuple[str, str], Ends] = {}
        self._live: dict[tuple[str, str], list[Paths]] = {}
        self._memo: dict[Hashable, tuple[list[Outcome], Trail | None]] = {}
        self._running: dict[Hashable, Running] = {}
        self._stack: list[tuple[str, str]] = []
        self._runs = 0
        self._steps = 0
        self._steps_of_file = 0
        self._visited: set[tuple[str, str]] = set()
        self._sensitivity: dict[Cls, Sensitivity] = {}
        self._views: dict[Cls, ClassView] = {}
        self._relevant: dict[tuple[str, str], bool] = {}

    # -------------------------------------------------------------------------------------------- roots

    def run_all(self) -> None:
        """Every root, in an order that depends only on the files' names and text."""
        for path in sorted(self.index.files):
            self._run_file(path)

    def _run_file(self, path: str) -> None:
        file = self.index.files[path]
        self._steps_of_file = 0
        if not any(self._is_root(path, qualname) for qualname in file.functions):
            return  # nothing in it switches, trains or evaluates
        after_body = self._run_root(path, MODULE, [State()])
        base = self._joined(after_body) or State()
        base.doubt = False
        base.trail = None
        private: list[PrivateMethods] = []
        for cls in [Cls(path, qualname) for qualname in file.classes]:
            if file.classes[cls.qualname].parent == MODULE:
                private += self._run_class(cls, base)
        referenced = {name for facts in file.functions.values() for name, _ in called_names(facts)}
        waiting = [
            facts
            for facts in file.functions.values()
            if facts.parent == MODULE and facts.owner is None and not facts.name.startswith("<")
        ]
        for only_unreferenced in (True, False):
            for facts in waiting:
                if (path, facts.qualname) in self._visited or not self._is_root(path, facts.qualname):
                    continue
                if only_unreferenced and facts.name in referenced:
                    continue
                self._run_root(path, facts.qualname, [base.copy()])
        for methods in private:
            self._run_private(methods)
        for facts in file.functions.values():  # closures that nobody calls: callbacks
            if facts.parent not in (None, MODULE) and (path, facts.qualname) not in self._visited:
                if self.is_relevant(path, facts.qualname):
                    self._run_root(path, facts.qualname, [base.copy()])

    def _run_root(self, path: str, qualname: str, states: list[State], receiver: Obj | None = None) -> list[State]:
        facts = self.index.files[path].functions[qualname]
        self._runs = self._steps = 0
        if self._steps_of_file > MOST_STEPS_OF_FILE:
            self.events.gave_up.append((path, qualname))
            return states
        self._memo.clear()
        self._visited.add((path, qualname))
        frame = self._frame(path, facts, (), 0, None, receiver)
        starts: list[State] = []
        for state in states:
            state.env = self._root_arguments(path, facts, receiver, state)
            self._apply_gradients(path, facts, state)
            starts.append(state)
        if facts.qualname != MODULE and facts.name != "__init__" and not self._is_root(path, facts.qualname):
            return states
        self._stack.append((path, qualname))
        result = self._solve(frame, [(0, state) for state in starts])
        self._stack.pop()
        for state in result.exits:
            state.env = {}
            state.grads = None
        return result.exits + [state for state, _, _ in result.yields]

    def _root_arguments(self, path: str, facts: FunctionFacts, receiver: Obj | None, state: State) -> dict[str, Abstract]:
        env: dict[str, Abstract] = {}
        for position, parameter in enumerate(facts.parameters):
            value: Abstract = Obj(("param", path, facts.qualname, parameter.name))
            if position == 0 and receiver is not None:
                value = receiver
            elif isinstance(value, Obj):
                self._annotate(path, value.id, parameter.annotation)
            self._bind(path, facts, parameter.name, value, env, state)
        return env

    def _annotate(self, path: str, identity: Identity, annotation: str | None) -> None:
        if annotation is None:
            return
        name = annotation.strip("'\" ")
        info = self._info(identity)
        found = self.index.top_level(path, name)
        if isinstance(found, Cls):
            info.cls = found
            info.module = self.index.is_module(found)
            info.sensitive, info.layer = sensitivity(found, self.index, self._sensitivity)
            return
        dotted = self.index.dotted(path, _as_value(name))
        if dotted is not None and (lookup.layer(dotted) is not None or dotted in ("torch.nn.Module",)):
            info.module = True
        if dotted is not None and dotted.startswith("torch.") and dotted.endswith("Tensor"):
            info.module = False

    def _run_class(self, cls: Cls, base: State) -> list[PrivateMethods]:
        """The public methods of a class, in any order after `__init__`. Hands back the others, and what they enter with, for
        the case that nobody calls them."""
        methods = [
            (name, fn)
            for name, fn in self.index.methods(cls).items()
            if fn.path == cls.path
        ]
        own = {(fn.path, fn.qualname) for _, fn in methods if self.index.facts(fn).owner == cls.qualname}
        if not any(self._is_root(*key) for key in own):
            return []
        is_module = self.index.is_module(cls)
        candidates = [
            (name, fn)
            for name, fn in methods
            if name != "__init__"
            and not self._is_hook(cls, name)
            and (not is_module or name not in ("forward", "__call__"))
            and self._is_root(fn.path, fn.qualname)
            and not self.is_static(fn)
        ]
        if not candidates:
            return []
        called = {name for _, fn in self.index.methods(cls).items() for name in called_on_self(self.index.facts(fn))}
        receiver = Obj(("self", cls.path, cls.qualname))
        info = self._info(receiver.id)
        info.cls, info.module = cls, is_module
        info.sensitive, info.layer = sensitivity(cls, self.index, self._sensitivity)
        states = self._after_init(cls, receiver, base)
        is_template = bool(set(self.index.ancestry(cls)[1]) - {"object", "torch.nn.Module"})  # its base may call the private ones
        public = [
            (name, fn)
            for name, fn in candidates
            if ((fn.path, fn.qualname) not in self._visited or (fn.path, fn.qualname) not in own) and name not in called and (is_template or not name.startswith("_") or name.startswith("__"))
        ]
        rest = [entry for entry in candidates if entry not in public]
        seen: set[Hashable] = set()
        for _ in range(MOST_ROUNDS):
            news: list[State] = []
            for _, fn in public:
                exits = self._run_root(fn.path, fn.qualname, [state.copy() for state in states], receiver)
                for state in exits:
                    state.guards, state.trail, state.doubt = frozenset(), state.trail, False
                    state.backed, state.taints = {}, {}
                    news.append(state)
            before = {state.fingerprint() for state in states}
            for state in news:
                take_in(states, state, mode_shape, self._unite(cls.path, cls.qualname))
            after = {state.fingerprint() for state in states}
            if after <= before | seen:
                break
            seen |= before
        first = [fn for name, fn in rest if name not in called]
        return [PrivateMethods([*first, *(fn for _, fn in rest if fn not in first)], states, receiver)]

    def _run_private(self, methods: PrivateMethods) -> None:
        """The methods that nobody was seen to call."""
        for fn in methods.methods:
            if (fn.path, fn.qualname) not in self._visited:
                self._run_root(fn.path, fn.qualname, [state.copy() for state in methods.states], methods.receiver)

    def _is_hook(self, cls: Cls, name: str) -> bool:
        """Whether a framework calls the method, in a mode that it sets."""
        if name in HOOKS:
            return True
        for base in self.index.ancestry(cls)[1]:
            framework = lookup.framework_base(base)
            if framework is not None and lookup.hook_mode(framework, name) is not None:
                return True
        return False

    def _after_init(self, cls: Cls, receiver: Obj, base: State) -> list[State]:
        init = self.method(cls, "__init__")
        if init is None:
            return [base.copy()]
        exits = self._run_root(init.path, init.qualname, [base.copy()], receiver)
        for state in exits:
            state.guards, state.doubt, state.backed, state.taints = frozenset(), False, {}, {}
        return exits or [base.copy()]

    def _joined(self, states: list[State]) -> State | None:
        sure = [state for state in states if not state.doubt] or states
        joined: State | None = None
        for state in sure:
            joined = state if joined is None else join(joined, state, self._unite("", ""))
        return joined.copy() if joined is not None else None

    def _is_root(self, path: str, qualname: str) -> bool:
        """Whether a function that nobody calls is worth a look: it is relevant, or takes a network's output out of PyTorch."""
        if self.is_relevant(path, qualname):
            return True
        mentioned = words_of(self.index.files[path].functions[qualname])
        return "numpy" in mentioned and any(MODULE_WORDS & set(words(name)) for name in mentioned)

    def is_relevant(self, path: str, qualname: str) -> bool:
        """Whether a function, or one of its file that it calls, says anything about modes, gradients or steps."""
        key = (path, qualname)
        found = self._relevant.get(key)
        if found is not None:
            return found
        self._relevant[key] = False
        functions = self.index.files[path].functions
        facts = functions[qualname]
        mentioned = words_of(facts)
        relevant = (
            bool(acts_of(facts) & RELEVANT) or says_evaluation(facts.name) or any(map(names_test_data, mentioned))
        )
        if not relevant:
            for other in functions.values():
                if other.qualname == qualname or other.qualname == MODULE:
                    continue
                if other.parent == qualname or (other.name in mentioned and other.name not in ("forward", "__init__")):
                    if self.is_relevant(path, other.qualname):
                        relevant = True
                        break
        self._relevant[key] = relevant
        return relevant

    # -------------------------------------------------------------------------------------------- running functions

    def _frame(
        self, path: str, facts: FunctionFacts, chain: tuple[tuple[str, int, int, int, int], ...], depth: int, caller: Frame | None, receiver: Abstract | None, state: State | None = None
    ) -> Frame:
        reason = function_reason(facts, self.index.files[path])
        if reason is None and caller is not None and state is not None:
            reason = evaluation_reason(caller, state)
        in_forward = (caller is not None and caller.in_forward) or (
            facts.name == "forward" and facts.owner is not None and self.index.is_module(Cls(path, facts.owner)) is not False
        )
        return Frame(self, path, facts, chain, depth, reason, self.infos, 0, in_forward, receiver)

    def _solve(self, frame: Frame, starts: list[tuple[int, State]]) -> Result:
        facts = frame.function
        chosen = self._significance(frame.path, facts)
        frame.significant = chosen.paths
        live = self._live_paths(frame.path, facts)
        unite = self._unite(frame.path, facts.qualname)
        yields: list[tuple[State, int, Abstract]] = []
        keep = frozenset({"<return>"})

        def step(number: int, state: State) -> list[tuple[int, State]]:
            self._steps += 1
            self._steps_of_file += 1
            ends = run_block(number, facts.blocks[number], state.copy(), frame)
            yields.extend((after, number, value) for after, value in ends.yielded)
            return ends.onward

        def apart(state: State) -> Hashable:
            return distinction(state, chosen, self.infos, frame.depth)

        def arrive(number: int, known: list[State], state: State) -> State | None:
            prune(state, live[number], frame.depth, keep)
            return take_in(known, state, apart, unite)

        try:
            found = solve_forward(starts, step, arrive)
        except TooManySteps:
            self.events.gave_up.append((frame.path, facts.qualname))
            return Result([], [], [])
        return Result(found.at(facts.exit), found.at(facts.raise_exit), self._merged_yields(yields, unite))

    def _merged_yields(self, yields: list[tuple[State, int, Abstract]], unite: object) -> list[tuple[State, int, Abstract]]:
        seen: set[Hashable] = set()
        kept: list[tuple[State, int, Abstract]] = []
        for state, number, value in yields:
            key = (state.fingerprint(), number, value)
            if key not in seen:
                seen.add(key)
                kept.append((state, number, value))
        return kept[:12]

    def _significance(self, path: str, facts: FunctionFacts) -> Significance:
        key = (path, facts.qualname)
        if key not in self._significances:
            self._significances[key] = significance(facts, lambda op: self._touches_modes(path, op))
        return self._significances[key]

    def _deep_names(self, path: str, qualname: str) -> frozenset[str]:
        """The last names of all that a function, or one of its file that it mentions, tests with an effect on modes."""
        key = (path, qualname)
        if key not in self._names:
            self._names[key] = frozenset()
            functions = self.index.files[path].functions
            mentioned = words_of(functions[qualname])
            found = set(self._significance(path, functions[qualname]).names)
            for other in functions.values():
                if other.qualname not in (qualname, MODULE) and (other.name in mentioned or other.parent == qualname):
                    found |= self._deep_names(path, other.qualname)
            self._names[key] = frozenset(found)
        return self._names[key]

    def _touches_modes(self, path: str, op: Op) -> bool:
        """Whether an op switches a mode, computes gradients, steps, or calls a function of the file that does."""
        if isinstance(op, Assign):
            return isinstance(op.target, ir.Attribute) and op.target.name == "training" or isinstance(op.value, ir.Attribute) and op.value.name == "training"
        if not isinstance(op, Call):
            return False
        name = op.callee.name if isinstance(op.callee, ir.Attribute) else op.callee.id if isinstance(op.callee, ir.Name) else ""
        if name in RELEVANT or name in FLAG_TAKERS:
            return True
        return any(
            facts.name == name and self.is_relevant(path, facts.qualname)
            for facts in self.index.files[path].functions.values()
            if facts.qualname != MODULE
        )

    def _live_paths(self, path: str, facts: FunctionFacts) -> list[Paths]:
        key = (path, facts.qualname)
        if key not in self._live:
            self._live[key] = live_paths(facts)
        return self._live[key]

    def _unite(self, path: str, qualname: str):  # type: ignore[no-untyped-def]
        def unite(name: str, x: Abstract, y: Abstract) -> Abstract:
            if isinstance(x, Params) and isinstance(y, Params):
                return Params(x.of | y.of)
            if isinstance(x, Optim) and isinstance(y, Optim):
                return Optim(x.of | y.of if x.of is not None and y.of is not None else None, x.id)
            if isinstance(x, Seq) and isinstance(y, Seq):
                return Seq("grown", tuple(dict.fromkeys(x.items + y.items))[:16])
            if x == NONE:
                return y
            if y == NONE:
                return x
            return self.one_of((x, y), ("joined", path, qualname, name))

        return unite

    def one_of(self, values: Sequence[Abstract], identity: Identity) -> Obj:
        """One of several objects, nobody knows which: what it does, all do."""
        objects = {value.id for value in values if isinstance(value, Obj)}
        alternatives = {other for found in objects for other in (self._info(found).alternatives or {found})}
        known = [self._info(found) for found in sorted(alternatives, key=repr)]
        modules = [info for info in known if info.module or info.cls is not None or info.evidence]
        if not modules:
            return Obj(identity)
        if len(alternatives) <= FEW_ALTERNATIVES:
            identity = ("joined", *sorted(alternatives, key=repr))  # the same, whichever variable holds it
        joined = self._info(identity)
        joined.alternatives |= alternatives - {identity}
        for info in modules:
            joined.evidence |= info.evidence
            joined.cls = joined.cls or info.cls
            joined.module = joined.module or info.module
            joined.name = joined.name or info.name
            joined.layer = joined.layer or info.layer
        said = {info.sensitive for info in modules}
        joined.sensitive = True if True in said else False if said == {False} else None
        return Obj(identity)

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
        self._visited.add((function.path, function.qualname))
        recursive = self._stack.count((function.path, function.qualname))
        if recursive:
            arguments = [_widened(value, function, number) for number, value in enumerate(arguments)]
        env = self._arguments(function, facts, arguments, keywords, state)
        if facts.is_generator:
            return [Outcome(state, Generator(function, tuple(sorted(env.items())), id=new_identity(frame, op.span)))]
        if self._is_out_of_reach(frame):
            return self._unknown(arguments, keywords, state, frame, op)
        if self._needs_no_look(function, facts, [*arguments, *(v for _, v in keywords)], state, frame):
            return self._unseen(function, self._unknown(arguments, keywords, state, frame, op))
        chain = frame.chain if recursive > 1 else (*frame.chain, frame.site(op.span))
        inner = self._frame(function.path, facts, chain, frame.depth + 1, frame, function.bound if facts.owner else frame.receiver if facts.parent == frame.function.qualname else None, state)
        inner.entered = self._entrance(function, frame, op)
        entry = state.copy()
        entry.env = env
        for scope, name, value in function.captured:
            entry.store[(("scope", function.path, scope), name)] = value
        self._apply_gradients(function.path, facts, entry)
        aside = _set_aside(entry, env, self._deep_names(function.path, facts.qualname))
        base_trail = state.trail
        key = (function.path, function.qualname, chain, inner.reason, inner.in_forward, entry.fingerprint())
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
            for _ in range(MOST_ROUNDS):
                self._runs += 1
                running.asked = False
                result = self._solve(inner, [(0, entry.copy())])
                outcomes = [Outcome(after, after.env.get("<return>", NONE)) for after in result.exits]
                outcomes += [Outcome(after, NONE, True) for after in result.raises]
                if not running.asked or _ends(outcomes) == _ends(running.outcomes):
                    break
                running.outcomes = outcomes
            self._stack.pop()
            del self._running[key]
            remembered = self._memo[key] = (outcomes, base_trail)
        outcomes, first_trail = remembered
        return self._returned(outcomes, state, frame, op, first_trail, base_trail, facts, env, aside)

    def _entrance(self, function: Fn, frame: Frame, op: Op) -> Entrance | None:
        """The call from outside by which a module's own methods came to run."""
        if function.bound is None:
            return frame.entered if frame.receiver is not None else None
        if frame.receiver == function.bound:
            return frame.entered
        text = source_of(op.callee, frame) if isinstance(op, Call) else ""
        return Entrance(frame.path, frame.function.qualname, op.span, text.rpartition(".")[0] or text)

    def _returned(
        self,
        outcomes: list[Outcome],
        state: State,
        frame: Frame,
        op: Op,
        first_trail: Trail | None,
        base_trail: Trail | None,
        facts: FunctionFacts | None = None,
        env: dict[str, Abstract] | None = None,
        aside: Aside | None = None,
    ) -> list[Outcome]:
        """The callee's ends, seen by the caller."""
        results: list[Outcome] = []
        roots = {root_of(i) for value in (env or {}).values() for i in identities(value)}
        paths = frozenset(path for argument in _arguments_of(op) for path in paths_in(argument.value)) or _receiver_paths(op)
        paths &= frame.significant
        for outcome in outcomes:
            after = outcome.state.copy()
            value = outcome.value
            if aside is not None:
                for identity, taint in aside.taints.items():
                    after.taints[identity] = after.taints.get(identity, NO_TAINT) | taint
            after.env = state.env.copy()
            after.doubt = after.doubt or state.doubt
            if facts is not None:
                value = self._freeze(value, facts, frame, after)
            if facts is None or self._gradient_effect(frame.path, facts) is not None:
                after.grads = state.grads
            after.guards = frozenset(
                guard
                if guard.depth <= frame.depth
                else Guard(guard.test, guard.holds, paths, frame.depth)
                for guard in after.guards
                if guard.depth <= frame.depth or paths and any(root_of(i) in roots or root_of(i)[0] in ("param", "global", "self") for i in identities(guard.test))
            )
            if first_trail is not base_trail:
                after.trail = _spliced(after.trail, first_trail, base_trail)
            if aside is not None:
                after.guards |= aside.guards
            results.append(Outcome(after, value, outcome.raised))
        return results

    def _freeze(self, value: Abstract, facts: FunctionFacts, frame: Frame, state: State) -> Abstract:
        """A function that leaves its maker takes its maker's variables along."""
        if not isinstance(value, Fn) or value.captured:
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
        return Fn(path, value.qualname, value.bound, held, value.decorated)

    def _needs_no_look(
        self, function: Fn, facts: FunctionFacts, given: Sequence[Abstract], state: State, frame: Frame
    ) -> bool:
        """Whether a function only computes with data: it says nothing of modes, makes no module, and gets none."""
        if function.captured or facts.parent != MODULE or not self.is_inert(function.path, facts.qualname):
            return False
        if isinstance(function.bound, Obj) and self._info(function.bound.id).module is not False and runs_layers(facts):
            return False
        tested = {path.rpartition(".")[2] for path in frame.significant}
        if function.bound is not None and assigned_attributes(facts) & tested:
            return False
        names = self._deep_words(function.path, facts.qualname)
        shared = (value for (owner, name), value in state.store.items() if owner[0] == "scope" and name in names)
        return not any(self._may_run(value, state) for value in (*given, *shared))

    def _unseen(self, function: Fn, outcomes: list[Outcome]) -> list[Outcome]:
        """The outcomes of a call into which nobody looks, with the exceptions that the function raises."""
        ends = self._ends_of(function.path, function.qualname)
        raised = [Outcome(outcome.state.copy(), NONE, True) for outcome in outcomes if ends.raises]
        if not ends.returns:
            return raised
        for outcome in raised:
            outcome.state.doubt = True
        return outcomes + raised

    def _ends_of(self, path: str, qualname: str) -> Ends:
        """Whether a function can return, and whether it or one of its file that it calls has a `raise` that may leave it."""
        key = (path, qualname)
        if key not in self._possible_ends:
            self._possible_ends[key] = Ends(True, False)
            functions = self.index.files[path].functions
            facts = functions[qualname]
            reached = reachable(facts.blocks, 0)
            called = {name for name, _ in called_names(facts)}
            raises = facts.raise_exit in reached or any(
                self._ends_of(path, other.qualname).raises for other in functions.values() if other.name in called
            )
            self._possible_ends[key] = Ends(facts.exit in reached, raises)
        return self._possible_ends[key]

    def _may_run(self, value: Abstract, state: State) -> bool:
        match value:
            case Obj(id=identity):
                info = self.infos.get(identity)
                said = words(identity[-1]) if isinstance(identity[-1], str) else ()
                return identity in state.modes or identity[0] == "self" or bool(set(said) & MODULE_WORDS) or (
                    info is not None and bool(info.module or info.cls or info.evidence)
                )
            case Known() | Params() | Ext():
                return False
            case Seq() | Map() | Expr() | Iteration():
                return any(self._may_run(part, state) for part in parts(value))
            case _:
                return True

    def _deep_words(self, path: str, qualname: str) -> frozenset[str]:
        """Every name that a function, or one of its file that it mentions, reads."""
        key = (path, qualname)
        if key not in self._words:
            self._words[key] = frozenset()
            functions = self.index.files[path].functions
            found = words_of(functions[qualname])
            for other in functions.values():
                if other.qualname not in (qualname, MODULE) and (other.name in found or other.parent == qualname):
                    found |= self._deep_words(path, other.qualname)
            self._words[key] = frozenset(found)
        return self._words[key]

    def is_inert(self, path: str, qualname: str) -> bool:
        """Whether a function and those of its file that it mentions name no class, no module and no mode."""
        key = (path, qualname)
        if key not in self._inert:
            self._inert[key] = True
            file = self.index.files[path]
            mentioned = words_of(file.functions[qualname])
            self._inert[key] = (
                not self.is_relevant(path, qualname)
                and not any(_may_make_module(name) for name in mentioned)
                and all(
                    self.is_inert(path, other.qualname)
                    for other in file.functions.values()
                    if other.qualname != qualname and (other.parent == qualname or other.name in mentioned and other.qualname != MODULE)
                )
            )
        return self._inert[key]

    def _is_out_of_reach(self, frame: Frame) -> bool:
        return frame.depth >= DEEPEST or self._runs > MOST_RUNS or self._steps > MOST_STEPS

    def _unknown(
        self, arguments: Sequence[Abstract], keywords: Sequence[tuple[str, Abstract]], state: State, frame: Frame, op: Op
    ) -> list[Outcome]:
        is_implied = isinstance(op, Call) and op.result.number < 0  # `__enter__`, at the span of the call that made the manager
        result = fresh(frame, state, op.span, "implied" if is_implied else "")
        taint = NO_TAINT
        for value in (*arguments, *(held for _, held in keywords)):
            taint |= state.taint_of(value)
        if taint:
            state.taints[result.id] = taint
        return [Outcome(state, result)]

    def _arguments(
        self,
        function: Fn,
        facts: FunctionFacts,
        arguments: Sequence[Abstract],
        keywords: Sequence[tuple[str, Abstract]],
        state: State,
    ) -> dict[str, Abstract]:
        env: dict[str, Abstract] = {}
        given = [function.bound, *arguments] if function.bound is not None else list(arguments)
        named = dict(keywords)
        position = 0
        for parameter in facts.parameters:
            value: Abstract
            if parameter.kind == "args":
                value = Seq("tuple", tuple(g for g in given[position:] if g is not None)[:16])
                position = len(given)
            elif parameter.kind == "kwargs":
                value = Map(tuple((Known(name), held) for name, held in named.items())[:24])
            elif parameter.kind == "positional" and position < len(given):
                value = given[position] or NONE
                position += 1
            elif parameter.name in named:
                value = named.pop(parameter.name)
            elif parameter.default is not None:
                value = _default(parameter.default, function.path, facts.qualname, parameter.name)
            else:
                value = Obj(("param", function.path, facts.qualname, parameter.name))
            if isinstance(value, Obj) and not self._info(value.id).evidence and parameter.annotation:
                if self._info(value.id).cls is None and value.id[0] != "new":
                    self._annotate(function.path, value.id, parameter.annotation)
            self._bind(function.path, facts, parameter.name, value, env, state)
        return env

    def _bind(
        self, path: str, facts: FunctionFacts, name: str, value: Abstract, env: dict[str, Abstract], state: State
    ) -> None:
        scope = self.index.scope_of(path, facts.qualname, name)
        if scope is None:
            env[name] = value
        else:
            state.store[(("scope", path, scope), name)] = value

    def resume(
        self, generator: Generator, state: State, frame: Frame, op: Op
    ) -> tuple[list[tuple[State, Generator, Abstract]], list[Outcome]]:
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
    ) -> tuple[list[tuple[State, Generator, Abstract]], list[Outcome]]:
        function = generator.function
        facts = self.index.facts(function)
        if not starts:
            return [], [Outcome(state.copy(), NONE)]
        if self._is_out_of_reach(frame) or self._stack.count((function.path, function.qualname)) > 1:
            return [(state, generator, Obj(("unknown",)))], [Outcome(state.copy(), NONE)]
        chain = (*frame.chain, frame.site(op.span))
        inner = self._frame(function.path, facts, chain, frame.depth + 1, frame, function.bound, state)
        inner.kind = "generator"
        self._stack.append((function.path, function.qualname))
        self._runs += 1
        result = self._solve(inner, starts)
        self._stack.pop()
        yielded: list[tuple[State, Generator, Abstract]] = []
        for after, number, value in result.yields:
            variables = tuple(sorted((name, held) for name, held in after.env.items()))
            suspended = Generator(function, generator.arguments, number, variables, generator.id)
            after.env = state.env.copy()
            after.guards = frozenset(guard for guard in after.guards if guard.depth <= frame.depth)
            yielded.append((after, suspended, value))
        ended = self._returned([Outcome(s, NONE) for s in result.exits], state, frame, op, None, None)
        ended += self._returned([Outcome(s, NONE, True) for s in result.raises], state, frame, op, None, None)
        for outcome, original in zip(ended, [*result.exits, *result.raises]):
            outcome.state.grads = original.grads
        return yielded, ended

    # -------------------------------------------------------------------------------------------- decorators

    def function_value(self, path: str, qualname: str, state: State, frame: Frame) -> Abstract:
        """What a `def` binds: the function, wrapped by its decorators."""
        facts = self.index.files[path].functions[qualname]
        value: Abstract = Fn(path, qualname)
        for decorator in reversed(facts.decorators):
            found = self.index.resolve(path, _as_value(decorator.name)) if decorator.name else None
            if not isinstance(found, Fn) or len(self._stack) > DEEPEST:
                continue
            value = self._decorated(found, decorator.called, decorator.arguments, decorator.span, value, state, frame)
        return value

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
        result = outcomes[0].value
        return Fn(result.path, result.qualname, result.bound, result.captured, True)

    def _gradient_effect(self, path: str, facts: FunctionFacts) -> bool | None:
        """What a function's decorators do to gradients: off (False), on (True) or nothing (None)."""
        for decorator in facts.decorators:
            found = self.index.resolve(path, _as_value(decorator.name)) if decorator.name else None
            if not isinstance(found, str):
                continue
            gradients = lookup.gradients(found)
            if gradients is None:
                continue
            if gradients.effect in SETTERS_OF_GRADIENTS:
                return gradients.effect == "on"
            flag = decorator.arguments[0].value if decorator.arguments else None
            constant = flag.value if isinstance(flag, ir.Const) else None
            if lookup.canonical(found) == "torch.inference_mode":
                return constant is False
            return bool(constant)
        return None

    def _apply_gradients(self, path: str, facts: FunctionFacts, state: State) -> None:
        effect = self._gradient_effect(path, facts)
        if effect is not None:
            state.grads = effect

    # -------------------------------------------------------------------------------------------- names and classes

    def lookup_global(self, path: str, name: str) -> Abstract | None:
        """A function, class or import at the top of a file."""
        found = self.index.top_level(path, name)
        if found is not None:
            return found
        target = self.index.files[path].imports.get(name)
        return self.imported(path, target) if target is not None else None

    def scope_of(self, path: str, function: str, name: str) -> str | None:
        """See `Index.scope_of`."""
        return self.index.scope_of(path, function, name)

    def imported(self, path: str, target: str) -> Abstract:
        """What an import binds."""
        return self.index.import_target(path, target) or Ext(target)

    def method(self, cls: Cls, name: str) -> Fn | None:
        """The method of that name, own or inherited, with the project's decorators applied."""
        found = self.index.method(cls, name)
        return self._with_decorators(found) if found is not None else None

    def method_after(self, cls: Cls, receiver: Cls, name: str) -> Fn | None:
        """The method that `super()` in `cls` finds for an object of class `receiver`."""
        found = self.index.method(receiver, name, after=cls)
        return self._with_decorators(found) if found is not None else None

    def _with_decorators(self, fn: Fn) -> Fn:
        facts = self.index.facts(fn)
        if not facts.decorators or not any(
            isinstance(self.index.resolve(fn.path, _as_value(d.name)), Fn) for d in facts.decorators if d.name
        ):
            return fn
        body = self.index.files[fn.path].functions[MODULE]
        frame = self._frame(fn.path, body, (), 0, None, None)
        value = self.function_value(fn.path, fn.qualname, State(), frame)
        return value if isinstance(value, Fn) else fn

    def tells(self, function: Fn, given: Sequence[Abstract], state: State) -> bool:
        """Whether a constructor says anything of modes, or gets something that may have one."""
        return self.is_relevant(function.path, function.qualname) or any(self._may_run(value, state) for value in given)

    def is_property(self, function: Fn) -> bool:
        """Whether reading the attribute calls the function."""
        return any(d.name.endswith(("property", ".getter")) for d in self.index.facts(function).decorators)

    def is_part(self, cls: Cls, name: str) -> bool:
        """Whether a constructor of the class, or of one that it inherits from, assigns the attribute."""
        found = self._parts.get(cls)
        if found is None:
            constructors = [self.index.method(owner, "__init__") for owner in self.index.ancestry(cls)[0]]
            found = self._parts[cls] = frozenset(
                part for fn in constructors if fn is not None for part in assigned_attributes(self.index.facts(fn))
            )
        return name in found

    def is_static(self, function: Fn) -> bool:
        """Whether the function takes no receiver."""
        return any(d.name == "staticmethod" for d in self.index.facts(function).decorators)

    def class_view(self, cls: Cls) -> ClassView:
        """All that is known of a class."""
        found = self._views.get(cls)
        if found is None:
            module = self.index.is_module(cls)
            sensitive, layer = sensitivity(cls, self.index, self._sensitivity) if module is not False else (None, None)
            found = self._views[cls] = ClassView(cls, module, self.index.ancestry(cls)[1], sensitive, layer)
        return found

    def _info(self, identity: Identity) -> Info:
        found = self.infos.get(identity)
        if found is None:
            found = self.infos[identity] = Info()
        return found


@dataclass(frozen=True, slots=True)
class Aside:
    """What a callee cannot see, taken away during the call so that more calls are alike."""

    taints: dict[Identity, frozenset[EventKey]]
    guards: frozenset[Guard]


def _set_aside(entry: State, arguments: dict[str, Abstract], names: frozenset[str]) -> Aside:
    """Take away the outputs that only the caller holds, and the tests of values that the callee does not test."""
    taints: dict[Identity, frozenset[EventKey]] = {}
    if entry.taints:
        roots = held_roots(entry)
        taints = {identity: taint for identity, taint in entry.taints.items() if root_of(identity) not in roots}
        entry.taints = {identity: taint for identity, taint in entry.taints.items() if identity not in taints}
    guards: frozenset[Guard] = frozenset()
    if entry.guards:
        given = {identity for value in arguments.values() for identity in identities(value)}
        guards = frozenset(guard for guard in entry.guards if not _may_be_tested(guard, given, names))
        entry.guards -= guards
    return Aside(taints, guards)


def _may_be_tested(guard: Guard, given: set[Identity], names: frozenset[str]) -> bool:
    return any(
        identity in given or (identity[0] in ("attr", "param", "local", "global") and identity[-1] in names)
        for identity in identities(guard.test)
    )


def _ends(outcomes: list[Outcome]) -> set[Hashable]:
    return {(outcome.state.fingerprint(), outcome.value, outcome.raised) for outcome in outcomes}


def _widened(value: Abstract, function: Fn, number: int) -> Abstract:
    """An argument of a recursive call: calculations are forgotten, so that the recursion comes to an end."""
    return Obj(("param", function.path, function.qualname, f"<{number}>")) if isinstance(value, Expr) else value


def _may_make_module(name: str) -> bool:
    return bool(set(words(name)) & (MODULE_WORDS | {"optimizer", "optim"})) or (name[:1].isupper() and not name.isupper())


def _spliced(trail: Trail | None, first: Trail | None, base: Trail | None) -> Trail | None:
    """The steps that a callee added to `first`, put on `base`."""
    added: list[Trail] = []
    while trail is not None and trail is not first:
        added.append(trail)
        trail = trail.before
        if len(added) > 200:
            break
    for entry in reversed(added):
        base = Trail(entry.step, base)
    return base


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


def _default(value: ir.Value, path: str, qualname: str, name: str) -> Abstract:
    match value:
        case ir.Const(value=constant):
            return Known(constant)
        case ir.Sequence(kind=kind, items=items) if all(isinstance(entry, ir.Const) for entry in items):
            return Seq(kind, tuple(Known(entry.value) for entry in items if isinstance(entry, ir.Const)))
        case _:
            return Obj(("param", path, qualname, name))


def _as_value(dotted: str) -> ir.Value:
    head, *rest = dotted.split(".")
    value: ir.Value = ir.Name(head)
    for part in rest:
        value = ir.Attribute(value, part)
    return value


__all__ = ["Engine", "Expr", "Partial", "Project", "Yield", "is_within", "link_project"]
