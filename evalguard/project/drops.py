"""The functions that drop by a flag or a probability which does not follow the mode, in what a module does.

def drop(x, p, training=True):
    return F.dropout(x, p, training)      open: its callers decide

class Net(nn.Module):
    def forward(self, x):
        x = F.dropout(x)                  reported: the flag is left out, and its default is True
        x = drop(x, 0.5)                  reported: so is that of the wrapper
        if self.training:
            x = F.dropout(x)              only train mode comes here
        return drop(x, 0.5, self.training)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from evalguard.finding import Span
from evalguard.ir.facts import FunctionFacts
from evalguard.ir.ops import Call
from evalguard.ir.plain import changed
from evalguard.ir.values import Attribute, Const, Value
from evalguard.modes.values import Fn
from evalguard.project.code import FORWARDS, ClassView, Code, CodeView
from evalguard.project.decorators import is_static
from evalguard.project.mode_flow import UNKNOWN, Sources, guarded_blocks, sources, union
from evalguard.project.said import last_name
from evalguard.vocabulary import lookup
from evalguard.vocabulary.terms import Functional, Parameter
from evalguard.vocabulary.words import MODE_WORDS, ON_PURPOSE_WORDS, words

MOST_WRAPPERS = 4  # functions around one that drops
TRAINING_FLAGS = frozenset({"training", "train"})
SAID_ON_PURPOSE = (
    *(
        "always",
        "both mode",
        "deliberate",
        "even at",
        "even during",
        "even in",
        "even when",
        "also in eval",
        "intended",
    ),
    *("intentional", "mc dropout", "mc-dropout", "monte", "on purpose", "regardless", "test time", "test-time"),
)
"""What a comment says where dropout is meant to stay on."""

ALWAYS_ON_BY_DESIGN = frozenset({"prenet"})
"""Parts of models whose publications keep dropout on in both modes, as the decoder's prenet of Tacotron 2 does
(https://arxiv.org/abs/1712.05884, section 2.2)."""


@dataclass(frozen=True, slots=True)
class Drop:
    """A call in the function `view` that drops: of a `function` of a library, or of the wrapper around it in the
    project that it goes `through`. `flag` is what should follow the mode: `given`, or left out."""

    view: CodeView
    call: Call
    function: Functional
    flag: Sources
    probability: Sources
    given: bool
    through: CodeView | None = None
    parameters: tuple[str, ...] = ()  # of the wrapper, which decide

    @property
    def argument(self) -> str:
        """The parameter of the function called that should follow the mode."""
        return self.parameters[0] if self.parameters else self.function.flag.keyword

    @property
    def span(self) -> Span:
        """Where the user would mend it: the argument, where it is given on a line of its own, or else the call."""
        name = self.argument
        positions = (self.function.flag.position,) if self.through is None else ()
        for number, argument in enumerate(self.call.arguments):
            is_meant = argument.keyword == name or (argument.keyword is None and number in positions)
            if is_meant and argument.span is not None:
                return argument.span
        return self.call.span

    @property
    def is_constant(self) -> bool:
        """Whether the flag is written out as a constant."""
        return self.given and not self.flag.fixed


def functions_always_on(cls: ClassView) -> Iterator[Drop]:
    """The dropouts of what a module does whose training flag is true in both modes."""
    for drop in _drops(cls):
        if lookup.attention(drop.function.name) is not None:
            continue
        flag, probability = drop.flag, drop.probability
        is_on = flag.is_deaf and not flag.fixed and not flag.parameters and flag.constants == frozenset({True})
        may_drop = not drop.function.rules or not _is_zero(probability)
        if is_on and may_drop and not probability.heard and not probability.parameters:
            yield drop


def attentions_always_on(cls: ClassView) -> Iterator[Drop]:
    """The attentions of what a module does whose probability to drop is the same in both modes, and not 0."""
    for drop in _drops(cls):
        flag = drop.flag
        if lookup.attention(drop.function.name) is None:
            continue
        if flag.is_deaf and not flag.parameters and not _is_zero(flag) and flag != Sources():
            yield drop


def _dropping(dotted: str) -> Functional | None:
    """The function of a library by that name that drops by a training flag, or by a probability alone."""
    attention = lookup.attention(dotted)
    if attention is not None:
        return attention
    found = lookup.functional(dotted)
    drops = found is not None and found.flag.keyword in TRAINING_FLAGS and not found.name.endswith("_norm")
    return found if drops else None


def _is_zero(probability: Sources) -> bool:
    return not probability.fixed and not probability.unknown and probability.constants <= {0, None}


def _drops(cls: ClassView) -> list[Drop]:
    if "drops" not in cls.kept:
        is_module = cls.is_module or cls.index.is_module(cls.cls)
        cls.kept["drops"] = list(_find_drops(cls)) if is_module and not cls.is_unit_test and _may_drop(cls) else []
    found: list[Drop] = cls.kept["drops"]
    return found


def _may_drop(cls: ClassView) -> bool:
    """Whether a method of a class says a name by which something drops."""
    names = _dropping_names(cls.code)
    return any(not names.isdisjoint(method.said.words) for method in cls.methods().values()) or any(
        not names.isdisjoint(cls.index.said(cls.path, qualname).words)
        for qualname in cls.file.functions
        if qualname.startswith(f"{cls.qualname}.")
    )


def _dropping_names(code: Code) -> frozenset[str]:
    """The names of the libraries' functions that drop, as far as the project calls them, of what it gives them to, and
    of the functions from which calls may lead there."""
    if "dropping" not in code.kept:
        code.kept["dropping"] = _find_dropping_names(code)
    found: frozenset[str] = code.kept["dropping"]
    return found


def _find_dropping_names(code: Code) -> frozenset[str]:
    names: set[str] = set()
    waiting: dict[tuple[str, str], tuple[str, ...]] = {}
    renamed = {
        (target.rpartition(".")[2], name) for file in code.index.files.values() for name, target in file.imports.items()
    }
    for view in code.functions():
        said = view.said
        waiting[view.path, view.qualname] = said.words
        renamed.update((last_name(old), new) for old, new in said.renamed)
        for value in (*said.callees, *(old for old, _ in said.renamed)):
            dotted = view.dotted(value)
            if dotted is not None and _dropping(dotted) is not None:
                names.add(last_name(value))
    renamed = {(old, new) for old, new in renamed if new and old != new}
    size = -1
    while size != len(names):
        size = len(names)
        names.update(new for old, new in renamed if old in names)
        for path, qualname in [key for key, said in waiting.items() if not names.isdisjoint(said)]:
            del waiting[path, qualname]
            names.update(_names_of(code.function(path, qualname)))
    return frozenset(names)


def _names_of(view: CodeView) -> Iterator[str]:
    """The names by which callers may say a function."""
    facts = view.facts
    if facts.name in FORWARDS and facts.owner is not None:
        yield facts.owner.rpartition(".")[2]
    elif not facts.name.startswith(("<", "__")):
        yield facts.name
    elif facts.name == "<lambda>" and facts.parent is not None:
        yield from _names_of(view.code.function(view.path, facts.parent))


def _find_drops(cls: ClassView) -> Iterator[Drop]:
    names = _dropping_names(cls.code)
    entries = _entries(cls)
    for reached in cls.reached_by(*entries, leave_out=lambda view, block: block in guarded_blocks(view, cls)):
        functions = (reached.view, *(view for view, _ in reached.way))
        if any(_is_on_purpose(view) or _is_for_training(view.facts.name) for view in functions):
            continue
        for drop in _drops_in(reached.view, cls, names, 0):
            if not _is_said_to_be_on_purpose(drop):
                yield drop


def _entries(cls: ClassView) -> list[str]:
    """The methods that users of a module call: its forward, and those that no other method calls."""
    methods = cls.methods()
    called = {
        name for method in methods.values() for name in cls.index.called_on_self(Fn(method.path, method.qualname))
    }
    others = [name for name in cls.own_methods() if name not in called and not _is_for_training(name)]
    return [*(name for name in FORWARDS if name in methods), *(name for name in others if name not in FORWARDS)]


def _is_for_training(name: str) -> bool:
    """Whether a function is only for train mode, by its name: `training_step`, `forward_train`."""
    return not {"train", "training"}.isdisjoint(words(name))


def _is_on_purpose(view: CodeView) -> bool:
    return bool(ON_PURPOSE_WORDS & set(words(view.qualname)))


def _is_said_to_be_on_purpose(drop: Drop) -> bool:
    comments = drop.view.comments(drop.call.statement)
    if any(said in comment for comment in comments for said in SAID_ON_PURPOSE):
        return True
    if drop.is_constant and any(MODE_WORDS & set(words(comment)) for comment in comments):
        return True  # whoever writes the flag out and speaks of modes knows them
    return drop.is_constant and any(name in drop.view.qualname.lower() for name in ALWAYS_ON_BY_DESIGN)


def _drops_in(view: CodeView, cls: ClassView, names: frozenset[str], depth: int) -> Iterator[Drop]:
    """The drops of one function that any mode may reach, those of the wrappers that it calls included."""
    guarded = guarded_blocks(view, cls)
    for block, call in view.calls():
        if block in guarded or any(argument.stars for argument in call.arguments):
            continue
        if view.own_attribute(call.callee) is None and last_name(call.callee) not in names:
            continue
        dotted = _library_name(view, cls, call.callee)
        function = _dropping(dotted) if dotted is not None else None
        if function is not None:
            yield _drop(view, cls, call, function)
        elif dotted is None and depth < MOST_WRAPPERS:
            yield from _wrapped(view, cls, call, names, depth)


def _library_name(view: CodeView, cls: ClassView, callee: Value) -> str | None:
    """The full name of a library's function, also where a variable or an attribute holds it."""
    dotted = view.dotted(callee)
    if dotted is not None:
        return dotted
    name = view.own_attribute(callee)
    held = cls.given(name) if name is not None else [(view, value) for value in view.values_given(callee)]
    found = {home.dotted(value) for home, value in held}
    return found.pop() if len(found) == 1 else None


def _drop(view: CodeView, cls: ClassView, call: Call, function: Functional) -> Drop:
    positional = [argument.value for argument in call.arguments if argument.keyword is None]
    keywords = {argument.keyword: argument.value for argument in call.arguments if argument.keyword is not None}
    given = lookup.argument_of(function.flag, positional, keywords)

    def source(parameter: Parameter) -> Sources:
        value = lookup.argument_of(parameter, positional, keywords)
        if value is not None:
            return sources(value, view, cls)
        return UNKNOWN if parameter.required else Sources(frozenset({parameter.default}))

    probability = [source(rule.parameter) for rule in function.rules]
    return Drop(view, call, function, source(function.flag), union(probability), given is not None)


def _wrapped(view: CodeView, cls: ClassView, call: Call, names: frozenset[str], depth: int) -> Iterator[Drop]:
    """The drops in the functions of the project that a call means which its arguments decide."""
    for callee, owner, bound in _called(view, cls, call):
        if _is_on_purpose(callee) or _is_for_training(callee.facts.name):
            continue
        for drop in _drops_in(callee, owner, names, depth + 1):
            if not drop.flag.parameters and not drop.probability.parameters:
                continue  # it is found there
            outer = replace(
                drop,
                flag=_at_call(drop.flag, callee.facts, bound, view, cls, call),
                probability=_at_call(drop.probability, callee.facts, bound, view, cls, call),
            )
            if drop.flag.parameters:
                asked = tuple(sorted(drop.flag.parameters))
                given = any(_argument(name, callee.facts, bound, call) is not None for name in asked)
                outer = replace(outer, view=view, call=call, through=callee, given=given, parameters=asked)
            yield outer


def _called(view: CodeView, cls: ClassView, call: Call) -> Iterator[tuple[CodeView, ClassView, bool]]:
    """The functions that a call means, the class for which each works, and whether it is bound to its object."""
    for callee in cls.callees(view, call.callee):
        bound = callee.facts.owner is not None and isinstance(call.callee, Attribute) and not is_static(callee.facts)
        yield callee, cls, bound
    module = cls.module_in(view, call.callee)
    forward = module.forward() if module is not None else None
    if module is not None and forward is not None and module.cls != cls.cls:
        yield forward, module, True


def _at_call(inner: Sources, facts: FunctionFacts, bound: bool, view: CodeView, cls: ClassView, call: Call) -> Sources:
    """What the sources of a callee's value are, with the arguments of a call."""
    found = changed(inner, parameters=frozenset())
    for name in inner.parameters:
        value = _argument(name, facts, bound, call)
        if value is None:
            default = next((each.default for each in facts.parameters if each.name == name), None)
            found = found | (Sources(frozenset({default.value})) if isinstance(default, Const) else UNKNOWN)
        else:
            found = found | sources(value, view, cls)
    return found


def _argument(name: str, facts: FunctionFacts, bound: bool, call: Call) -> Value | None:
    for argument in call.arguments:
        if argument.keyword == name:
            return argument.value
    places = [parameter.name for parameter in facts.parameters if parameter.kind == "positional"]
    position = places.index(name) - bound if name in places else -1
    positional = [argument.value for argument in call.arguments if argument.keyword is None]
    return positional[position] if 0 <= position < len(positional) else None
