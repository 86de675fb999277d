"""Which functions are run on their own: what nobody in the project calls.

First the bodies of all files, which call what they call. Then classes: the public methods of one in any order after
`__init__`, as their users may call them. Then the functions that were not reached yet, and last the private methods and
closures that nobody was seen to call. Each of these *rounds* goes over all files before the next begins, so that a
function is on its own only if no file calls it.

    class Trainer:
        def __init__(self): ...     run first
        def fit(self): ...          run from what `__init__`, `fit` and `test` leave, until nothing new comes up
        def test(self): ...         the same
        def _log(self): ...         only if neither calls it
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from evalguard.ir.facts import MODULE, FunctionFacts
from evalguard.ir.ops import Call
from evalguard.modes.frame import is_part
from evalguard.modes.intent import is_unit_test_file
from evalguard.modes.passes import UNCHOSEN
from evalguard.modes.state import State, has_same_modes, join, take_in
from evalguard.modes.values import ENTRY, Cls, Fn, Identity, Mode, Obj, Origin, OriginKind, root_of
from evalguard.project.decorators import is_static
from evalguard.project.engine import Engine
from evalguard.project.relevance import MOST_PROMISE
from evalguard.project.resolve import PLAIN_BASES, is_abstract
from evalguard.project.said import last_name
from evalguard.project.told import full_name
from evalguard.vocabulary import lookup
from evalguard.vocabulary.methods import EVIDENCE_METHODS
from evalguard.vocabulary.not_torch import OTHER_FRAMEWORKS

HOOKS = frozenset("training_step validation_step val_step eval_step test_step predict_step".split())
"""Methods that Lightning, mmengine, TorchTNT and many a trainer call in the mode that each needs."""

TRAINING_HOOK = "training_step"  # gives back the loss, of which the framework computes gradients
LOOKING = frozenset("getattr hasattr isinstance items keys values".split())
MOST_ROUNDS = 4  # of the public methods of a class


@dataclass(frozen=True, slots=True)
class PrivateMethods:
    """The private methods of a class, in the order in which they are looked at, and the states that they enter with."""

    methods: list[Fn]
    states: list[State]
    receiver: Obj


@dataclass(slots=True)
class Home:
    """A file whose functions are run, and what one round leaves to the next."""

    path: str
    base: State | None = None  # after the body of the file, once that was run
    private: list[PrivateMethods] = field(default_factory=list)


Attempt: TypeAlias = Callable[[str, Callable[[], None]], None]
"""Does the work of a file, given its path."""


def directly(path: str, work: Callable[[], None]) -> None:
    """Do the work, and let it fail."""
    work()


def nobody(done: float) -> None:
    """Wants to know how much is done."""


def run_all(engine: Engine, attempt: Attempt = directly, progress: Callable[[float], None] = nobody) -> None:
    """Every root, in an order that depends only on the files' names and text, those that imports connect together.
    `progress` is told how much is done, from 0 to 1."""
    apart: dict[str, list[Home]] = {}
    for path in engine.index.files:
        if _is_worth_a_look(engine, path):
            apart.setdefault(engine.relevance.mentions.component(path), []).append(Home(path))
    done, count = 0, len(ROUNDS) * sum(map(len, apart.values()))
    for homes in apart.values():
        homes.sort(key=lambda home: -engine.relevance.promise(home.path))
        engine.begin_project(len(homes))
        for round_ in ROUNDS:
            turns = [home for home in homes if round_ is not _run_again or _is_short_of_steps(engine, home)]
            engine.begin_round(len(turns), len(homes) if round_ in BEFORE_FUNCTIONS else 0)
            for home in turns:
                progress(done / count)
                done += 1
                engine.turn_to(home.path, engine.relevance.promise(home.path) == MOST_PROMISE)
                attempt(home.path, partial(round_, engine, home))


def _is_short_of_steps(engine: Engine, home: Home) -> bool:
    return any(path == home.path for path, _ in engine.short_of_steps)


def _is_worth_a_look(engine: Engine, path: str) -> bool:
    file = engine.index.files[path]
    if not engine.relevance.is_about_torch(path):
        return False
    if is_unit_test_file(file, engine.index.modules.folders(path)):
        return False  # there, modes are chosen by what is tested
    libraries = {target.partition(".")[0] for target in file.imports.values()}
    if libraries & OTHER_FRAMEWORKS and not any(library.startswith("torch") for library in libraries):
        return False  # its networks are none of PyTorch
    if not any(engine.relevance.is_worth_a_look(path, qualname) for qualname in file.functions):
        return False  # nothing in it switches, trains or evaluates
    return engine.relevance.gives_a_mode(path)  # else every module in it has the mode that its user gave it


def _run_body(engine: Engine, home: Home) -> None:
    """The body of a file in which something may happen; any other is run when one of its functions is."""
    if engine.relevance.is_relevant(home.path, MODULE):
        _after_body(engine, home)


def _after_body(engine: Engine, home: Home) -> State:
    """What the body of a file leaves to its functions."""
    if home.base is None:
        home.base = _joined(engine, engine.run_root(home.path, MODULE, [State()])) or State()
        home.base.doubt = False
        home.base.trail = None
    return home.base.copy()


def _run_classes(engine: Engine, home: Home) -> None:
    classes = engine.index.files[home.path].classes
    for cls in [Cls(home.path, qualname) for qualname in classes]:
        if classes[cls.qualname].parent == MODULE:
            home.private += _run_class(engine, cls, home)
            _run_training_hook(engine, cls, home)


def _run_uncalled(engine: Engine, home: Home) -> None:
    """The functions that no function of their file calls, and none of another file names: that one may come later, and
    call them from what nobody calls."""
    of_file = [engine.index.said(home.path, qualname) for qualname in engine.index.files[home.path].functions]
    referenced = set().union(*(said.called_names() for said in of_file))
    for facts in _unvisited(engine, home):
        key = (home.path, facts.qualname)
        if facts.name not in referenced and not engine.relevance.mentions.is_mentioned_elsewhere(key):
            engine.run_root(*key, [_after_body(engine, home)])


def _run_unvisited(engine: Engine, home: Home) -> None:
    """The functions that were not reached all the same."""
    for facts in _unvisited(engine, home):
        engine.run_root(home.path, facts.qualname, [_after_body(engine, home)])


def _run_again(engine: Engine, home: Home) -> None:
    """The functions whose steps were few when it was their turn: others may have left some."""
    for facts in engine.index.files[home.path].functions.values():
        key = (home.path, facts.qualname)
        if key in engine.short_of_steps and facts.owner is None and facts.qualname != MODULE:
            engine.run_root(home.path, facts.qualname, [_after_body(engine, home)])


def _unvisited(engine: Engine, home: Home) -> Iterator[FunctionFacts]:
    for facts in engine.index.files[home.path].functions.values():
        if facts.parent != MODULE or facts.owner is not None or facts.name.startswith("<"):
            continue
        key = (home.path, facts.qualname)
        if key not in engine.visited and engine.relevance.is_worth_a_look(*key):
            yield facts


def _run_private_methods(engine: Engine, home: Home) -> None:
    """The methods that nobody was seen to call."""
    for methods in home.private:
        for fn in methods.methods:
            if (fn.path, fn.qualname) not in engine.visited:
                engine.run_root(fn.path, fn.qualname, [state.copy() for state in methods.states], methods.receiver)


def _run_closures(engine: Engine, home: Home) -> None:
    """The closures that nobody calls: callbacks."""
    for facts in engine.index.files[home.path].functions.values():
        key = (home.path, facts.qualname)
        if facts.parent in (None, MODULE) or key in engine.visited or not engine.relevance.is_relevant(*key):
            continue
        engine.run_root(home.path, facts.qualname, [_after_body(engine, home)])


def _run_class(engine: Engine, cls: Cls, home: Home) -> list[PrivateMethods]:
    """The public methods of a class, in any order after `__init__`. Hands back the others, and what they enter
    with, for the case that nobody calls them."""
    if _is_driven_by_subclasses(engine, cls):
        return []
    methods = [(name, fn) for name, fn in engine.index.methods(cls).items() if _is_of(engine, cls, name, fn)]
    own = {(fn.path, fn.qualname) for _, fn in methods if _is_own(engine, cls, fn)}
    if not any(engine.relevance.is_worth_a_look(fn.path, fn.qualname) for _, fn in methods):
        return []
    is_module = engine.index.is_module(cls)
    candidates = [
        (name, fn)
        for name, fn in methods
        if name != "__init__"
        and not _is_hook(engine, cls, name)
        and (not is_module or name not in ("forward", "__call__", *EVIDENCE_METHODS))
        and engine.relevance.is_worth_a_look(fn.path, fn.qualname)
        and not is_static(engine.index.facts(fn))
    ]
    if not candidates:
        return []
    called = {name for _, fn in engine.index.methods(cls).items() for name in engine.index.called_on_self(fn)}
    receiver = Obj(("self", cls.path, cls.qualname))
    engine.knowledge.be_instance(receiver.id, cls)
    is_left_to_users = is_module is False and _has_eval_handle(engine, cls)
    states = _after_init(engine, cls, receiver, _after_body(engine, home), is_module is not False or is_left_to_users)
    foreign = set(engine.index.ancestry(cls)[1])
    is_template = bool(foreign - PLAIN_BASES - {"torch.nn.Module"})  # its base may call the private ones
    public = [
        (name, fn)
        for name, fn in candidates
        if ((fn.path, fn.qualname) not in engine.visited or (fn.path, fn.qualname) not in own)
        and name not in called
        and (is_template or not name.startswith("_") or name.startswith("__"))
    ]
    rest = [entry for entry in candidates if entry not in public]
    handles = _mode_handles(engine, public, is_module is True or is_left_to_users)
    seen: set[Hashable] = set()
    entered: set[Hashable] = set()  # states from which the methods were run already
    costs: dict[str, int] = {}  # what each took the last time: the dear ones come last, lest they use up the steps
    for _ in range(MOST_ROUNDS):
        news: list[State] = []
        fresh_states = [state for state in states if state.fingerprint() not in entered]
        entered |= {state.fingerprint() for state in fresh_states}
        for name, fn in sorted(public, key=lambda entry: costs.get(entry[0], 0)):
            exits = engine.run_root(fn.path, fn.qualname, [state.copy() for state in fresh_states], receiver)
            costs[name] = engine.steps_of_root
            is_sure = not all(state.doubt for state in exits)
            for state in () if name in handles else exits:
                state.guards, state.doubt = frozenset(), state.doubt and is_sure
                state.backed, state.taints = {}, {}
                if is_left_to_users:
                    _forget_train_mode(engine, state, receiver, _is_any)
                elif is_module is True:
                    _forget_train_mode(engine, state, receiver, _is_unchosen)
                news.append(state)
        before = {state.fingerprint() for state in states}
        for state in news:
            take_in(states, state, has_same_modes, engine.knowledge.uniter(cls.path, cls.qualname))
        after = {state.fingerprint() for state in states}
        if after <= before | seen:
            break
        seen |= before
    called |= _called_by_overridden(engine, cls)
    nobody_calls = [fn for name, fn in rest if name not in called]
    others = [fn for _, fn in rest if fn not in nobody_calls]
    left_to_callers = [state.copy() for state in states]
    for state in left_to_callers:
        _forget_modes(engine, state, receiver)
    return [PrivateMethods(nobody_calls, states, receiver), PrivateMethods(others, left_to_callers, receiver)]


def _mode_handles(engine: Engine, methods: list[tuple[str, Fn]], has_own: bool) -> set[str]:
    """The methods by which users choose the mode, so that what one leaves is not held against the other methods: the
    `train` and `eval` of a module or of a class that `has_own`, and methods that do nothing but switch, such as
    `train_mode()` and `eval_mode()`, where a class has them for both modes."""
    found: set[str] = set()
    modes: set[str] = set()
    for name, fn in methods:
        switches = _switches_only(engine, fn)
        if switches:
            found.add(name)
            modes |= switches
    chosen = found if modes == {"train", "eval"} else set()
    return chosen | {"train", "eval"} if has_own else chosen


def _switches_only(engine: Engine, fn: Fn) -> set[str]:
    """The switches that a method calls, if it does nothing else but look for what to switch."""
    called = {
        last_name(op.callee) for block in engine.index.facts(fn).blocks for op in block.ops if isinstance(op, Call)
    } - LOOKING
    return called if called <= {"train", "eval"} else set()


def _has_eval_handle(engine: Engine, cls: Cls) -> bool:
    """Whether a class that is no module has an `eval()` all the same, which does nothing but put its networks in eval
    mode: its users are to call it before they infer."""
    fn = engine.index.method(cls, "eval")
    return fn is not None and _switches_only(engine, fn) == {"eval"}


def _forget_train_mode(
    engine: Engine, state: State, receiver: Obj, forgotten: Callable[[Identity, Origin], bool]
) -> None:
    """The user may have called `eval()` since: nobody knows whether the networks are still in the train mode that they
    have by an origin of those that are forgotten."""
    for place, origins in state.modes.items():
        if _is_of_receiver(place, receiver, engine):
            kept = frozenset(
                origin for origin in origins if origin.mode is not Mode.TRAIN or not forgotten(place, origin)
            )
            state.modes[place] = origins if kept == origins else kept | {ENTRY}


def _is_any(place: Identity, origin: Origin) -> bool:
    return True


def _is_unchosen(place: Identity, origin: Origin) -> bool:
    """Whether an object is in a mode that nobody chose: in which it was made itself, loaded, or trained; one that was
    there before may have got the mode of what was made around it."""
    if origin.kind is not OriginKind.BUILT or origin.site is None:
        return origin.kind in (*UNCHOSEN, OriginKind.TRAINED)
    root = root_of(place)
    return root[0] == "joined" or (root[0] == "new" and (root[1], *root[3:7]) == origin.site)


def _run_training_hook(engine: Engine, cls: Cls, home: Home) -> None:
    """`training_step` of a framework's class, from what the constructor leaves. Lightning puts the whole in train mode
    before it fits; since 2.2 it leaves each part in the mode that it has: a part that was built and never switched is
    in train mode either way."""
    hook = engine.index.method(cls, TRAINING_HOOK)
    frameworks = [lookup.framework_base(foreign) for foreign in engine.index.ancestry(cls)[1]]
    if hook is None or not any(f is not None and lookup.hook_mode(f, TRAINING_HOOK) == "train" for f in frameworks):
        return
    receiver = Obj(("self", cls.path, cls.qualname))
    engine.knowledge.be_instance(receiver.id, cls)
    init = engine.method(cls, "__init__")
    states = [_after_body(engine, home)]
    if init is not None:
        states = engine.run_root(init.path, init.qualname, states, receiver)
    for state in states:
        state.guards, state.trail, state.doubt = frozenset(), None, False
        state.backed, state.taints = {}, {}
    engine.run_root(hook.path, hook.qualname, states, receiver, returns_loss=True)


def _is_own(engine: Engine, cls: Cls, fn: Fn) -> bool:
    return fn.path == cls.path and engine.index.facts(fn).owner == cls.qualname


def _is_of(engine: Engine, cls: Cls, name: str, fn: Fn) -> bool:
    """Whether a method is looked at for this class: one of its file, or one of a base class in another file that calls
    what this class gives it (a template method)."""
    if fn.path == cls.path:
        return True
    given = {method for method, _ in engine.index.class_facts(cls).methods}
    return bool(given & _calls_on_self(engine, cls, fn))


def _called_by_overridden(engine: Engine, cls: Cls) -> set[str]:
    """What the methods of all classes above call on their object, also those that `cls` has another of: it may call
    them by `super()`."""
    return {
        name
        for owner in engine.index.ancestry(cls)[0]
        for _, qualname in engine.index.class_facts(owner).methods
        for name in engine.index.called_on_self(Fn(owner.path, qualname))
    }


def _calls_on_self(engine: Engine, cls: Cls, fn: Fn) -> set[str]:
    """The methods that a method calls on its object, directly or through others."""
    found: set[str] = set()
    waiting = [fn]
    while waiting:
        for name in engine.index.called_on_self(waiting.pop()):
            if name not in found:
                found.add(name)
                method = engine.index.method(cls, name)
                waiting += [method] if method is not None else []
    return found


def _is_driven_by_subclasses(engine: Engine, cls: Cls) -> bool:
    """Whether a class only makes sense with what its subclasses give: one of its methods is abstract."""
    if not engine.index.subclasses(cls):
        return False
    return any(is_abstract(engine.index.facts(fn)) for fn in engine.index.methods(cls).values())


def _is_hook(engine: Engine, cls: Cls, name: str) -> bool:
    """Whether a framework calls the method, in a mode that it sets."""
    if name in HOOKS:
        return True
    own, foreign = engine.index.ancestry(cls)
    frameworks = [lookup.framework_base(base) for base in foreign]
    frameworks += [lookup.told_framework(full_name(base.path, base.qualname)) for base in own]
    return any(framework is not None and lookup.hook_mode(framework, name) is not None for framework in frameworks)


def _after_init(engine: Engine, cls: Cls, receiver: Obj, base: State, is_left_to_users: bool) -> list[State]:
    """The states in which a constructor leaves an object. If its modes are left to its users, they may call `train()`
    or `eval()` before any method."""
    init = engine.method(cls, "__init__")
    if init is None:
        return [base.copy()]
    exits = engine.run_root(init.path, init.qualname, [base.copy()], receiver)
    for state in exits:
        state.guards, state.doubt, state.backed, state.taints = frozenset(), False, {}, {}
        if is_left_to_users:
            _forget_modes(engine, state, receiver)
    return exits or [base.copy()]


def _forget_modes(engine: Engine, state: State, receiver: Obj) -> None:
    """Whoever calls the methods of an object may have put its parts in any mode."""
    for place in [place for place in state.modes if _is_of_receiver(place, receiver, engine)]:
        del state.modes[place]


def _is_of_receiver(place: Identity, receiver: Obj, engine: Engine) -> bool:
    """Whether an object belongs to another, or one of those does of which it is one."""
    infos = engine.knowledge.infos
    known = infos.get(place)
    return any(is_part(one, receiver.id, infos) for one in (place, *(known.alternatives if known is not None else ())))


def _joined(engine: Engine, states: list[State]) -> State | None:
    sure = [state for state in states if not state.doubt] or states
    joined: State | None = None
    for state in sure:
        joined = state if joined is None else join(joined, state, engine.knowledge.uniter("", ""))
    return joined.copy() if joined is not None else None


BEFORE_FUNCTIONS = (_run_body, _run_classes)
"""Rounds that leave half of the steps to the functions that nobody calls: the `main` of a script is one."""

ROUNDS = (_run_body, _run_classes, _run_uncalled, _run_unvisited, _run_private_methods, _run_closures, _run_again)
