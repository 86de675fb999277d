"""Which functions are run on their own: what nobody in the project calls.

First the body of each file, which calls what it calls. Then its classes: the public methods of one in any order after
`__init__`, as their users may call them. Then the functions that were not reached yet, and last the private methods and
closures that nobody was seen to call.

    class Trainer:
        def __init__(self): ...     run first
        def fit(self): ...          run from what `__init__`, `fit` and `test` leave, until nothing new comes up
        def test(self): ...         the same
        def _log(self): ...         only if neither calls it
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from evalguard.ir.facts import MODULE
from evalguard.modes.frame import is_part
from evalguard.modes.state import State, join, mode_shape, take_in
from evalguard.modes.values import Cls, Fn, Obj
from evalguard.project.decorators import is_static
from evalguard.project.engine import Engine
from evalguard.project.resolve import called_names, called_on_self
from evalguard.project.told import full_name
from evalguard.vocabulary import lookup

HOOKS = frozenset("training_step validation_step val_step test_step predict_step".split())
"""Methods that Lightning, mmengine and many a trainer call in the mode that each needs."""

MOST_ROUNDS = 4  # of the public methods of a class


@dataclass(frozen=True, slots=True)
class PrivateMethods:
    """The private methods of a class, in the order in which they are looked at, and the states that they enter with."""

    methods: list[Fn]
    states: list[State]
    receiver: Obj


def run_all(engine: Engine) -> None:
    """Every root, in an order that depends only on the files' names and text."""
    for path in sorted(engine.index.files):
        _run_file(engine, path)


def _run_file(engine: Engine, path: str) -> None:
    file = engine.index.files[path]
    engine.begin_file()
    if not any(engine.relevance.is_worth_a_look(path, qualname) for qualname in file.functions):
        return  # nothing in it switches, trains or evaluates
    if not engine.relevance.gives_a_mode(path):
        return  # every module in it has the mode that its user gave it
    after_body = engine.run_root(path, MODULE, [State()])
    base = _joined(engine, after_body) or State()
    base.doubt = False
    base.trail = None
    private: list[PrivateMethods] = []
    for cls in [Cls(path, qualname) for qualname in file.classes]:
        if file.classes[cls.qualname].parent == MODULE:
            private += _run_class(engine, cls, base)
    referenced = {name for facts in file.functions.values() for name, _ in called_names(facts)}
    waiting = [
        facts
        for facts in file.functions.values()
        if facts.parent == MODULE and facts.owner is None and not facts.name.startswith("<")
    ]
    for only_unreferenced in (True, False):
        for facts in waiting:
            if (path, facts.qualname) in engine.visited or not engine.relevance.is_worth_a_look(path, facts.qualname):
                continue
            if only_unreferenced and facts.name in referenced:
                continue
            engine.run_root(path, facts.qualname, [base.copy()])
    for methods in private:
        _run_private(engine, methods)
    for facts in file.functions.values():  # closures that nobody calls: callbacks
        if facts.parent in (None, MODULE) or (path, facts.qualname) in engine.visited:
            continue
        if engine.relevance.is_relevant(path, facts.qualname):
            engine.run_root(path, facts.qualname, [base.copy()])


def _run_class(engine: Engine, cls: Cls, base: State) -> list[PrivateMethods]:
    """The public methods of a class, in any order after `__init__`. Hands back the others, and what they enter
    with, for the case that nobody calls them."""
    methods = [(name, fn) for name, fn in engine.index.methods(cls).items() if fn.path == cls.path]
    own = {(fn.path, fn.qualname) for _, fn in methods if engine.index.facts(fn).owner == cls.qualname}
    if not any(engine.relevance.is_worth_a_look(*key) for key in own):
        return []
    is_module = engine.index.is_module(cls)
    candidates = [
        (name, fn)
        for name, fn in methods
        if name != "__init__"
        and not _is_hook(engine, cls, name)
        and (not is_module or name not in ("forward", "__call__"))
        and engine.relevance.is_worth_a_look(fn.path, fn.qualname)
        and not is_static(engine.index.facts(fn))
    ]
    if not candidates:
        return []
    called = {name for _, fn in engine.index.methods(cls).items() for name in called_on_self(engine.index.facts(fn))}
    receiver = Obj(("self", cls.path, cls.qualname))
    engine.knowledge.be_instance(receiver.id, cls)
    states = _after_init(engine, cls, receiver, base)
    foreign = set(engine.index.ancestry(cls)[1])
    is_template = bool(foreign - {"object", "torch.nn.Module"})  # its base may call the private ones
    public = [
        (name, fn)
        for name, fn in candidates
        if ((fn.path, fn.qualname) not in engine.visited or (fn.path, fn.qualname) not in own)
        and name not in called
        and (is_template or not name.startswith("_") or name.startswith("__"))
    ]
    rest = [entry for entry in candidates if entry not in public]
    seen: set[Hashable] = set()
    for _ in range(MOST_ROUNDS):
        news: list[State] = []
        for _, fn in public:
            exits = engine.run_root(fn.path, fn.qualname, [state.copy() for state in states], receiver)
            for state in exits:
                state.guards, state.trail, state.doubt = frozenset(), state.trail, False
                state.backed, state.taints = {}, {}
                news.append(state)
        before = {state.fingerprint() for state in states}
        for state in news:
            take_in(states, state, mode_shape, engine.knowledge.uniter(cls.path, cls.qualname))
        after = {state.fingerprint() for state in states}
        if after <= before | seen:
            break
        seen |= before
    first = [fn for name, fn in rest if name not in called]
    return [PrivateMethods([*first, *(fn for _, fn in rest if fn not in first)], states, receiver)]


def _run_private(engine: Engine, methods: PrivateMethods) -> None:
    """The methods that nobody was seen to call."""
    for fn in methods.methods:
        if (fn.path, fn.qualname) not in engine.visited:
            engine.run_root(fn.path, fn.qualname, [state.copy() for state in methods.states], methods.receiver)


def _is_hook(engine: Engine, cls: Cls, name: str) -> bool:
    """Whether a framework calls the method, in a mode that it sets."""
    if name in HOOKS:
        return True
    own, foreign = engine.index.ancestry(cls)
    frameworks = [lookup.framework_base(base) for base in foreign]
    frameworks += [lookup.told_framework(full_name(base.path, base.qualname)) for base in own]
    return any(framework is not None and lookup.hook_mode(framework, name) is not None for framework in frameworks)


def _after_init(engine: Engine, cls: Cls, receiver: Obj, base: State) -> list[State]:
    init = engine.method(cls, "__init__")
    if init is None:
        return [base.copy()]
    exits = engine.run_root(init.path, init.qualname, [base.copy()], receiver)
    for state in exits:
        state.guards, state.doubt, state.backed, state.taints = frozenset(), False, {}, {}
        if engine.index.is_module(cls) is not False:  # its user may call `train()` or `eval()` before any method
            for place in [place for place in state.modes if is_part(place, receiver.id, engine.knowledge.infos)]:
                del state.modes[place]
    return exits or [base.copy()]


def _joined(engine: Engine, states: list[State]) -> State | None:
    sure = [state for state in states if not state.doubt] or states
    joined: State | None = None
    for state in sure:
        joined = state if joined is None else join(joined, state, engine.knowledge.uniter("", ""))
    return joined.copy() if joined is not None else None
