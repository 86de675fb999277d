"""`with`: what its head does, and how its end undoes it.

    with torch.no_grad():        gradients are off; the end restores what they were
    with evaluating(net):        a generator of the project: run to its yield, at the end from there on
    with Timer() as t:           `__enter__` and `__exit__` of a class of the project
    with eval_mode(net):         a library's, of which a table says what it does
    with suppress(KeyError):     one that nobody knows: its name says whether it swallows exceptions

What the end has to undo is remembered in a slot, a hidden variable such as `<with 3>`, or one of several for an
`ExitStack`.
"""

from __future__ import annotations

from evalguard.ir import values as ir
from evalguard.ir.ops import Call, Enter, Exit, Op
from evalguard.ir.plain import changed
from evalguard.modes.arguments import Given, call_text
from evalguard.modes.evaluate import evaluate
from evalguard.modes.frame import Frame, Outcome, fresh, is_part, source_of
from evalguard.modes.guards import assume, truth
from evalguard.modes.intent import says_evaluation
from evalguard.modes.state import State
from evalguard.modes.switch import put, switch
from evalguard.modes.values import (
    NONE,
    Abstract,
    Ext,
    Fn,
    Generator,
    Grad,
    Identity,
    Known,
    Mode,
    ModeFlag,
    Obj,
    Seq,
    Switching,
    identities,
)
from evalguard.vocabulary.terms import ModeManager


def mode_manager(entry: ModeManager, base: Abstract | None, given: Given, state: State, frame: Frame) -> Outcome:
    """A call of a library's function that puts modules in a mode: at once, or as a manager as soon as it is entered.
    One that switches at once hands its module back, as most do."""
    modules: list[Abstract] = []
    if entry.module == "receiver":
        modules += [base] if base is not None else []
    elif entry.many:
        modules += given.positional
    else:
        found = given.get(entry.module.position, entry.module.keyword)
        modules += [found] if found is not None else []
    of = tuple(dict.fromkeys(identity for value in modules for identity in identities(value)))
    text = call_text(given.op, frame)
    mode = Mode(entry.mode)
    for identity in of:
        frame.info(identity).evidence.add(entry.name)
    if entry.restores:
        return Outcome(state, Switching(of, mode, text, entry.gradients_off))
    for identity in of:
        switch(identity, mode, given.op.span, text, state, frame)
    return Outcome(state, modules[0] if modules else fresh(frame, state, given.op.span))


def enter_manager(manager: Abstract, state: State, frame: Frame, op: Op, slot: str) -> list[Outcome]:
    """The head of a `with`: what it does and what it hands out. `slot` remembers what the end has to undo."""
    match manager:
        case Grad(enabled=None):
            state.env[slot] = Seq("tuple", (Ext("<grads>"), _grads_before(op, state)))
            state.grads = None
            return [Outcome(state, NONE)]
        case Grad(enabled=enabled) if enabled is not None:
            known = truth(enabled, state)
            previous = _grads_before(op, state)
            results: list[Outcome] = []
            for holds in (True, False) if known is None else (known,):
                branch = state.copy() if known is None else state
                if known is None and not assume(enabled, holds, branch, frozenset(), frame.depth):
                    continue
                branch.env[slot] = Seq("tuple", (Ext("<grads>"), previous))
                branch.grads = holds
                results.append(Outcome(branch, NONE))
            return results
        case Switching(of=of, mode=mode, text=text, gradients_off=gradients_off):
            saved = [flag for identity in of for flag in _modes_of(identity, state, frame)]
            state.env[slot] = Seq("tuple", (Ext("<modes>"), Known(state.grads), *saved))
            if gradients_off:
                state.grads = False
            for identity in of:
                switch(identity, mode, op.span, text, state, frame)
            return [Outcome(state, NONE)]
        case Generator():
            yielded, ended = frame.linker.resume(manager, state, frame, op)
            for after, suspended, _ in yielded:
                after.env[slot] = suspended
            entered = [Outcome(after, value) for after, _, value in yielded]
            return entered + [Outcome(o.state, NONE, True) for o in ended] or [Outcome(state, NONE)]
        case Obj(id=identity):
            cls = frame.info(identity).cls
            asynchronous = isinstance(op, Enter) and op.asynchronous
            method = (
                frame.linker.method(cls, "__aenter__" if asynchronous else "__enter__") if cls is not None else None
            )
            if method is not None and isinstance(op, (Enter, Call)):
                state.env[slot] = manager
                bound = changed(method, bound=manager)
                return frame.linker.call(bound, [], [], state, frame, _as_call(op))
            saved = _put_in_eval(op, state, frame)
            held = Seq("tuple", (Ext("<modes>"), Known(state.grads), *saved))
            state.env[slot] = held if saved else manager
            return [Outcome(state, manager)]
        case _:
            return [Outcome(state, manager)]


def _modes_of(identity: Identity, state: State, frame: Frame) -> list[ModeFlag]:
    """The modes of a module and of those of its parts that have their own; the whole comes first."""
    apart = [place for place in state.modes if place != identity and is_part(place, identity, frame.infos)]
    return [ModeFlag(place, state.origins(place)) for place in (identity, *sorted(apart, key=repr))]


def _give_back(saved: list[ModeFlag], state: State, frame: Frame) -> None:
    """Every module in the mode that it had: first with all of its parts, then the parts that had their own."""
    for flag in saved:
        if not any(flag.id != other.id and is_part(flag.id, other.id, frame.infos) for other in saved):
            put(flag.id, flag.origins, state, frame)
    for flag in saved:
        state.modes[flag.id] = flag.origins


def _put_in_eval(op: Op, state: State, frame: Frame) -> list[ModeFlag]:
    """`with eval_mode(net):` of a library, known by its name only: the modes that the end of the `with` gives back."""
    manager = op.manager if isinstance(op, Enter) else None
    made_by = frame.temps.get(manager.number) if isinstance(manager, ir.Temp) else None
    if not isinstance(made_by, Call) or not says_evaluation(source_of(made_by.callee, frame)):
        return []
    saved: list[ModeFlag] = []
    for argument in made_by.arguments:
        for identity in identities(evaluate(argument.value, state, frame)):
            if identity in state.modes or frame.info(identity).evidence or frame.info(identity).module:
                saved += _modes_of(identity, state, frame)
                text = f"{source_of(made_by.callee, frame)}(...)"
                switch(identity, Mode.EVAL, op.span, text, state, frame)
    return saved


def exit_manager(slot: str, state: State, frame: Frame, op: Op, exceptional: bool) -> list[Outcome]:
    """The end of a `with`: undo what its head did. An exception on its way out goes on (`raised`) or is swallowed."""
    held = state.env.pop(slot, None)
    match held:
        case Seq(items=(Ext(name="<grads>"), Known(value=previous))):
            state.grads = previous if previous is None else bool(previous)
            return [Outcome(state, NONE, exceptional)]
        case Seq(items=(Ext(name="<modes>"), Known(value=previous), *saved)):
            state.grads = previous if previous is None else bool(previous)
            _give_back([flag for flag in saved if isinstance(flag, ModeFlag)], state, frame)
            return [Outcome(state, NONE, exceptional)]
        case Generator() if not exceptional:
            yielded, ended = frame.linker.resume(held, state, frame, op)
            return ended or [Outcome(path, NONE) for path, _, _ in yielded] or [Outcome(state, NONE)]
        case Generator():
            return frame.linker.resume_raising(held, state, frame, op)
        case Obj(id=identity):
            ends = [Outcome(state, NONE, exceptional)]
            for number in reversed(range(_entered(identity, state))):
                slot = f"<stack {identity!r} {number}>"
                ends = [after for end in ends for after in exit_manager(slot, end.state, frame, op, end.raised)]
            cls = frame.info(identity).cls
            method = None
            if cls is not None:  # few classes have both, and those that do undo the same
                method = frame.linker.method(cls, "__exit__") or frame.linker.method(cls, "__aexit__")
            if method is None:
                return [after for end in ends for after in _perhaps_suppressed(end, op, frame)]
            bound = changed(method, bound=held)
            return [after for end in ends for after in _exit_method(bound, end, op, frame)]
        case _:
            return _perhaps_suppressed(Outcome(state, NONE, exceptional), op, frame)


def _exit_method(method: Fn, end: Outcome, op: Op, frame: Frame) -> list[Outcome]:
    """Call `__exit__`: an exception is swallowed where it returns a true value."""
    kind: Abstract = Ext("builtins.Exception") if end.raised else NONE
    results: list[Outcome] = []
    for outcome in frame.linker.call(method, [kind, kind, kind], [], end.state, frame, _as_call(op)):
        swallows = truth(outcome.value, outcome.state)
        if outcome.raised or not end.raised:
            results.append(outcome)
            continue
        results += [Outcome(outcome.state.copy(), NONE, raised) for raised in (False, True) if swallows is not raised]
    return results


def _perhaps_suppressed(end: Outcome, op: Op, frame: Frame) -> list[Outcome]:
    """The exception on its way through a library's manager, whose name says whether it swallows exceptions, and
    which."""
    manager = op.manager if isinstance(op, Exit) else None
    made_by = frame.temps.get(manager.number) if isinstance(manager, ir.Temp) else None
    if not end.raised or not isinstance(made_by, Call):
        return [end]
    name = source_of(made_by.callee, frame).rpartition(".")[2].lower()
    if name not in ("suppress", "raises", "ignore_errors", "ignored"):
        return [end]
    kinds = {source_of(argument.value, frame) for argument in made_by.arguments}
    swallowed = Outcome(end.state.copy(), NONE)
    return [swallowed] if kinds & {"Exception", "BaseException"} else [swallowed, end]


MOST_ENTERED = 6  # managers on one stack, which a loop may enter again and again; later ones take the last place


def free_slot(identity: Identity, state: State) -> str:
    """Where to remember the next manager that an `ExitStack` enters."""
    return f"<stack {identity!r} {min(_entered(identity, state), MOST_ENTERED - 1)}>"


def _entered(identity: Identity, state: State) -> int:
    prefix = f"<stack {identity!r} "
    return sum(1 for name in state.env if name.startswith(prefix))


def _as_call(op: Op) -> Call:
    if isinstance(op, Call):
        return op
    manager = op.manager if isinstance(op, (Enter, Exit)) else ir.Const(None)
    return Call(ir.Temp(-1), manager, (), op.span, op.statement)


def _grads_before(op: Op, state: State) -> Abstract:
    """What the end of the `with` gives back: a call that switches at once has kept what was before it."""
    return state.env.get(f"<grads {_temp_of(op)}>", Known(state.grads))


def _temp_of(op: Op) -> int:
    manager = op.manager if isinstance(op, Enter) else None
    return manager.number if isinstance(manager, ir.Temp) else -1
