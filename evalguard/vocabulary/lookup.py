"""What the tables say of a name.

The tables are merged once, at import. Every function takes a dotted name as resolved through imports, or a bare method name
where its description says so, and answers None for what no table knows: the caller decides what the unknown means.

    layer("torch.nn.modules.dropout.Dropout")   an alias: answers for torch.nn.Dropout
    factory("torchvision.models.resnet18")      a pattern: the entry of `torchvision.models.*`
    from_pretrained_mode("transformers.BertModel.from_pretrained")

The entries of a user hold within `extended`, and win there. Their names stand for every name that ends with them, whether
it is of a library or of the project that is analysed:

    with extended(Table(factories=(Factory("nets.build", "eval", ...),))):
        factory("mylib.nets.build").mode        "eval"
    factory("mylib.nets.build")                 None again
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, Generic, Protocol, TypeVar

from msgspec import Struct

from evalguard.vocabulary import (
    accelerate,
    attentions,
    distributed,
    exporters,
    fastai,
    ignite,
    layers,
    lightning,
    models,
    namers,
    optimizers,
    sinks,
    timm,
    torch,
    torchvision,
    trainers,
    transformers,
)
from evalguard.vocabulary import (
    not_torch as not_torch_tables,
)
from evalguard.vocabulary.terms import (
    Alias,
    Backward,
    ExportEffect,
    Exporter,
    Factory,
    ForwardMethod,
    Framework,
    FrameworkCall,
    Functional,
    Gradients,
    HookMode,
    Layer,
    Mode,
    ModeManager,
    ModuleClass,
    Namer,
    Optimizer,
    Ordinary,
    Parameter,
    Rule,
    Runner,
    Scheduler,
    SelfModing,
    Sink,
    Step,
    Table,
    Wrapper,
)

TABLES: Final[tuple[Table, ...]] = tuple(
    module.TABLE
    for module in (
        *(torch, torchvision, timm, transformers, lightning, accelerate, ignite, fastai),
        *(attentions, distributed, exporters, layers, models, namers, optimizers, trainers, not_torch_tables, sinks),
    )
)


class Entry(Protocol):
    """What all entries have."""

    @property
    def name(self) -> str: ...


AnyEntry = TypeVar("AnyEntry", bound=Entry)
Anything = TypeVar("Anything")

Answer = TypeVar("Answer")

ARGUMENT_UNKNOWN: Final = object()
"""Stands for an argument whose value is not a literal."""

_forgetting: Final[list[Callable[[], None]]] = []


def _remembered(question: Callable[[str], Answer]) -> Callable[[str], Answer]:
    """The question, with its answers kept as long as the same tables hold."""
    kept = cache(question)
    _forgetting.append(kept.cache_clear)
    return kept


@contextmanager
def extended(extra: Table | None) -> Iterator[None]:
    """Within, the tables hold the entries of a user too, and these win. It is one choice for the whole process: one that is
    forked within takes it along, threads share it."""
    if extra is None or extra == Table():
        yield
        return
    before = _tables
    _use(_merged(extra))
    try:
        yield
    finally:
        _use(before)


def told(dotted: str) -> str | None:
    """The name by which a user has told what the function or class of that full name does."""
    return next((name for name in _suffixes(dotted) if name in _tables.told), None)


def told_names() -> frozenset[str]:
    """The names of all functions, classes and methods that a user has told of."""
    return _tables.told


def acts() -> frozenset[str]:
    """The last names of all that sets a mode or steps, and of all that a user has told of: a function in which none is
    called may have nothing to say of modes."""
    return _tables.acts


def switches() -> frozenset[str]:
    """The last names of all in a library that may leave a module in another mode, what a framework runs included, and of
    all that a user has told of; `step` and `forward`, which are said everywhere, left out."""
    return _tables.switches


@_remembered
def layer(dotted: str) -> Layer | None:
    """The module class of that name, if a table says whether it depends on the mode."""
    return _find(_tables.layers, dotted)


@cache
def drop_attributes() -> frozenset[str]:
    """The attributes by which layers can be told to drop nothing."""
    return frozenset(found.drops_by for table in TABLES for found in table.layers if found.drops_by)


def depends_on_mode(
    found: Layer | Functional, positional: Sequence[object] = (), keywords: Mapping[str, object] | None = None
) -> bool | None:
    """Whether the layer built with these arguments depends on the mode; None if an argument that decides is
    `ARGUMENT_UNKNOWN`, and for containers, whose children decide. A function depends on it if it is told a flag that is no
    literal, such as `training=self.training`."""
    match found:
        case Layer(sensitivity="never"):
            return False
        case Layer(sensitivity="container"):
            return None
    given = keywords or {}
    held = [holds(rule, positional, given) for rule in found.rules]
    if False in held or (isinstance(found, Functional) and _is_constant(found.flag, positional, given)):
        return False
    return None if None in held else True


@_remembered
def holds_weights(dotted: str) -> bool:
    """Whether a layer of PyTorch of that name has weights to be trained, unless it is told otherwise."""
    owner, _, name = canonical(dotted).rpartition(".")
    return owner == "torch.nn" and name in torch.WITH_PARAMETERS


@_remembered
def module_class(dotted: str) -> ModuleClass | None:
    """The class of that name, if it is a `torch.nn.Module` of a library and no layer of `layer`."""
    return _find(_tables.module_classes, dotted)


@_remembered
def functional(dotted: str) -> Functional | None:
    """The function of that name whose behaviour a flag decides."""
    return _find(_tables.functionals, dotted)


@_remembered
def function_of_layer(dotted: str) -> Functional | None:
    """The function that does what a layer of that name does, if it is told the mode; the layer has no weights."""
    owner, _, name = canonical(dotted).rpartition(".")
    function = dict(torch.FUNCTIONS_OF_LAYERS).get(name) if owner == "torch.nn" else None
    return None if function is None else functional(f"torch.nn.functional.{function}")


@_remembered
def attention(dotted: str) -> Functional | None:
    """The attention function of that name that drops by a probability alone, which is its `flag`."""
    return _find(_tables.attentions, dotted)


def argument_of(
    parameter: Parameter, positional: Sequence[Anything], keywords: Mapping[str, Anything]
) -> Anything | None:
    """What a call gives for a parameter; None where it leaves it out."""
    if parameter.keyword in keywords:
        return keywords[parameter.keyword]
    if parameter.position is not None and parameter.position < len(positional):
        return positional[parameter.position]
    return None


@_remembered
def factory(dotted: str) -> Factory | None:
    """The function or class of that name that returns a module, `from_pretrained` of a known library included."""
    return _find(_tables.factories, dotted)


def factory_names() -> frozenset[str]:
    """The full names of all that returns a module."""
    return frozenset(entry.name for table in TABLES for entry in table.factories)


def layers_of_part(dotted: str, part: str) -> tuple[str, ...] | None:
    """The mode-dependent layers in an attribute of what a factory returns; None if nothing is known of it."""
    found = factory(dotted)
    return dict(found.parts).get(part) if found is not None else None


def hub_repository(repository: object) -> Factory | None:
    """What `torch.hub.load(repository, ...)` returns, where it is not a module in train mode as from most."""
    return HUB_REPOSITORIES.get(repository.partition(":")[0]) if isinstance(repository, str) else None


HUB_REPOSITORIES: Final = {entry.name: entry for entry in models.HUB_REPOSITORIES}


@_remembered
def ordinary(dotted: str) -> Ordinary | None:
    """What a pattern or a habit would take for a module, and is none: a tokenizer's `from_pretrained`, a list of names."""
    name = canonical(dotted)
    return _ORDINARY.exact.get(name) or _first_fitting(_ORDINARY, name)


@_remembered
def from_pretrained_mode(dotted: str) -> Mode:
    """The mode of what `dotted` returns, the full name of a method such as `mylib.Model.from_pretrained`, also of a
    library that no table knows."""
    found = factory(dotted)
    return UNKNOWN_FROM_PRETRAINED if found is None else found.mode


UNKNOWN_FROM_PRETRAINED: Final[Mode] = "unknown"  # eval in the Hugging Face libraries, train elsewhere: rather silent


def drops_by_default(dotted: str, checkpoint: object = None) -> bool:
    """Whether what `from_pretrained` of a class of transformers returns drops in train mode by its default configuration,
    as far as the name of the class tells, `transformers.RobertaModel`, or for `AutoModel` that of the checkpoint."""
    owner = dotted.removesuffix(".from_pretrained").rpartition(".")[2]
    if owner.startswith("AutoModel") and isinstance(checkpoint, str):
        short = re.sub("[^a-z0-9]", "", checkpoint.rpartition("/")[2].lower())
        return any(short.startswith(family.lower()) for family in transformers.DROPPING_FAMILIES)
    found = re.match(r"([A-Z]\w*?)(?:Model|PreTrainedModel|EncoderModel|For[A-Z]\w*)$", owner)
    return found is not None and found[1] in transformers.DROPPING_FAMILIES


DEAF_PARTS: Final = transformers.DEAF_PARTS
"""Names of parts of a library's models that do not depend on the mode."""


def factory_method(name: str) -> Factory | None:
    """The same for the bare name of a method of an unknown class, such as `load_from_checkpoint`."""
    return _tables.factories.exact.get(name)


@_remembered
def wrapper(dotted: str) -> Wrapper | None:
    """The call of that name that returns, holds or copies the module it is given."""
    return _find(_tables.wrappers, dotted)


def wrapper_method(name: str) -> Wrapper | None:
    """The same for the bare name of a method of an unknown object, such as `prepare` or `unwrap_model`."""
    return _tables.wrappers.exact.get(name)


SAME_OBJECT_METHODS: Final = torch.SAME_OBJECT_METHODS
"""Methods of a module that return it (`train` and `eval` among them)."""

UNWRAP_METHODS: Final = frozenset({"unwrap_model", "unwrap", "get_base_model", "merge_and_unload", "unload"})
"""Methods that return the module inside: of the first argument if there is one, else of the receiver."""

SAME_ATTRIBUTES: Final = frozenset(
    {"module", "_orig_mod", "_fsdp_wrapped_module", "_forward_module", "_original_module"}
)
"""Attributes of a wrapper that name the module inside, which has the mode of the wrapper."""


@_remembered
def gradients(dotted: str) -> Gradients | None:
    """The manager, decorator or call of that name that turns gradients on or off."""
    return _find(_tables.gradients, dotted)


@_remembered
def optimizer(dotted: str) -> Optimizer | None:
    """The class or function of that name that makes an optimizer."""
    return _find(_tables.optimizers, dotted)


def optimizer_class(dotted: str) -> bool:
    """Whether a call of `dotted` makes an optimizer."""
    return optimizer(dotted) is not None


@_remembered
def scheduler(dotted: str) -> Scheduler | None:
    """The class or function of that name that makes a learning rate scheduler: its `step()` trains nothing."""
    return _find(_tables.schedulers, dotted)


@_remembered
def step(dotted: str) -> Step | None:
    """The call that changes weights, by its dotted name or by the bare name of a method. For the bare `step`, which
    environments and schedulers have too, see `words.step_receiver`."""
    return _find(_tables.steps, dotted)


@_remembered
def backward(dotted: str) -> Backward | None:
    """The call that computes gradients, by its dotted name or by the bare name of a method."""
    return _find(_tables.backwards, dotted)


@_remembered
def framework_base(dotted: str) -> Framework | None:
    """The base class of that name whose methods run in a mode that its framework sets."""
    return _find(_tables.frameworks, dotted)


def told_framework(dotted: str) -> Framework | None:
    """The same, if a user has told of it: a base class of the project that is analysed."""
    return _told(_tables.frameworks, dotted)


def hook_mode(framework: Framework, method: str) -> HookMode | None:
    """The mode in which the framework calls that method; None if it is an ordinary method."""
    return framework.hooks.get(method, framework.default)


@_remembered
def framework_call(dotted: str) -> FrameworkCall | None:
    """The method of a framework's object, by the dotted name of its class and itself: `lightning.pytorch.Trainer.fit`."""
    return _find(_tables.framework_calls, dotted)


@_remembered
def not_torch(dotted: str) -> Ordinary | None:
    """The library of that name, or of the name's beginning, whose modules and models are none of PyTorch."""
    return _longest_prefix(_NOT_TORCH, dotted)


def makes_no_module(dotted: str) -> bool:
    """Whether what a name of a library makes is no module of PyTorch. The classes of Python's own library are none
    either; its functions may hand on what they are given: `copy.deepcopy(net)`, `getattr(models, name)`."""
    if not_torch(dotted) is not None or ordinary(dotted) is not None:
        return True
    return dotted.partition(".")[0] in sys.stdlib_module_names and dotted.rpartition(".")[2][:1].isupper()


def forward_method(name: str) -> ForwardMethod | None:
    """The method of a module that runs its layers, by its bare name, or by the name that a user gave."""
    return _told(_tables.forward_methods, name) or _tables.forward_methods.exact.get(name)


@_remembered
def namer(dotted: str) -> Namer | None:
    """The function of that name that calls what its argument names."""
    return _find(_tables.namers, dotted)


@_remembered
def may_be_namer(last: str) -> bool:
    """Whether the full name of such a function ends so."""
    return any(entry.name.rpartition(".")[2] == last for table in TABLES for entry in table.namers)


@_remembered
def runner(dotted: str) -> Runner | None:
    """The function of that name that calls a module given to it: a call of it is a forward of that module."""
    return _find(_tables.runners, dotted)


@_remembered
def exporter(dotted: str) -> Exporter | None:
    """The call of that name that writes a module down for use elsewhere."""
    return _find(_tables.exporters, dotted)


def export_effect(
    found: Exporter, positional: Sequence[object] = (), keywords: Mapping[str, object] | None = None
) -> ExportEffect:
    """What the exporter does about the mode with these arguments: literals, or names for what is named."""
    given = keywords or {}
    if any(given.get(name) not in (None, False) for name in found.keeps_with):
        return "keeps"
    if found.keeps_if is not None and holds(found.keeps_if, positional, given):
        return "keeps"
    if found.option is None or found.choices is None:
        return found.effect
    value = _value(found.option, positional, given)
    if value is None:
        return found.effect
    return found.choices.get(str(value).rpartition(".")[2], "chosen")


@_remembered
def self_moding(dotted: str) -> SelfModing | None:
    """The library method of that name that sets the mode it needs itself."""
    return _find(_tables.self_moding, dotted)


@_remembered
def mode_manager(dotted: str) -> ModeManager | None:
    """The library function or context manager of that name that switches the module it is given."""
    return _find(_tables.mode_managers, dotted)


@_remembered
def sink(dotted: str) -> Sink | None:
    """The function, or bare method name, to which evaluations give their outputs."""
    return _find(_tables.sinks, dotted)


@_remembered
def canonical(dotted: str) -> str:
    """The name under which the tables know `dotted`: aliases are followed until none applies."""
    for _ in range(MAXIMAL_ALIASES):
        found = _longest_prefix(_ALIASES, dotted)
        if found is None:
            break
        dotted = _renamed(dotted, found)
    return dotted


MAXIMAL_ALIASES: Final = 4  # an alias of an alias is the most the tables hold; the rest guards against a circle


def _renamed(dotted: str, alias: Alias) -> str:
    rest = dotted[len(alias.old) :].lstrip(".").split(".") if dotted != alias.old else []
    for _ in range(alias.skip):
        if len(rest) > 1 and rest[0][:1].islower():
            rest = rest[1:]
    return ".".join([alias.new, *rest])


def _find(entries: _Index[AnyEntry], dotted: str) -> AnyEntry | None:
    name = canonical(dotted)
    by_user = _told(entries, dotted) or _told(entries, name)
    if by_user is not None:
        return by_user
    if name in entries.exact:
        return entries.exact[name]
    if not entries.patterns or name in _ORDINARY.exact or _first_fitting(_ORDINARY, name) is not None:
        return None
    return _first_fitting(entries, name)


def _told(entries: _Index[AnyEntry], dotted: str) -> AnyEntry | None:
    if not entries.told:
        return None
    return next((entries.told[name] for name in _suffixes(dotted) if name in entries.told), None)


def _suffixes(dotted: str) -> Iterator[str]:
    """The name and what is left of it when its first parts are dropped, the longest first."""
    parts = dotted.split(".")
    return (".".join(parts[start:]) for start in range(len(parts)))


def _first_fitting(entries: _Index[AnyEntry], name: str) -> AnyEntry | None:
    return next(
        (
            entry
            for start, entry in entries.patterns
            if name.startswith(start) and _compiled(entry.name).fullmatch(name)
        ),
        None,
    )


def _is_constant(flag: Parameter, positional: Sequence[object], keywords: Mapping[str, object]) -> bool:
    return _value(flag, positional, keywords) is not ARGUMENT_UNKNOWN


def _value(parameter: Parameter, positional: Sequence[object], keywords: Mapping[str, object]) -> object:
    if parameter.keyword in keywords:
        return keywords[parameter.keyword]
    if parameter.position is not None and parameter.position < len(positional):
        return positional[parameter.position]
    return ARGUMENT_UNKNOWN if parameter.required else parameter.default


def holds(rule: Rule, positional: Sequence[object], keywords: Mapping[str, object]) -> bool | None:
    """Whether the condition holds for these arguments; None if the one that decides is `ARGUMENT_UNKNOWN`."""
    value = _value(rule.parameter, positional, keywords)
    if value is None:
        return rule.negated
    return (value > rule.above) is not rule.negated if isinstance(value, bool | int | float) else None


def _longest_prefix(entries: Mapping[str, Anything], dotted: str) -> Anything | None:
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        found = entries.get(".".join(parts[:end]))
        if found is not None:
            return found
    return None


class _Index(Struct, Generic[AnyEntry], frozen=True):
    """The entries of one kind: by name, those whose name is a pattern, the longest first, each with what it begins with,
    and those of the user."""

    exact: Mapping[str, AnyEntry]
    patterns: tuple[tuple[str, AnyEntry], ...]
    told: Mapping[str, AnyEntry]


def _indexed(entries: Iterable[AnyEntry], told: Iterable[AnyEntry]) -> _Index[AnyEntry]:
    listed = list(entries)
    patterns = sorted((entry for entry in listed if "*" in entry.name), key=lambda entry: -len(entry.name))
    return _Index(
        {entry.name: entry for entry in listed if "*" not in entry.name},
        tuple((re.split(r"[*[]", entry.name)[0], entry) for entry in patterns),
        {entry.name: entry for entry in told},
    )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    regular = re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^.]*")
    return re.compile(regular.replace(r"\[a\-z\]", "[a-z_]").replace(r"\[A\-Z\]", "[A-Z]"))


class _Tables(Struct, frozen=True, eq=False):
    """All entries, by kind. `told`, `acts` and `switches` as the functions of the same names answer."""

    told: frozenset[str]
    acts: frozenset[str]
    switches: frozenset[str]
    layers: _Index[Layer]
    module_classes: _Index[ModuleClass]
    functionals: _Index[Functional]
    attentions: _Index[Functional]
    factories: _Index[Factory]
    wrappers: _Index[Wrapper]
    gradients: _Index[Gradients]
    optimizers: _Index[Optimizer]
    schedulers: _Index[Scheduler]
    steps: _Index[Step]
    backwards: _Index[Backward]
    frameworks: _Index[Framework]
    framework_calls: _Index[FrameworkCall]
    forward_methods: _Index[ForwardMethod]
    runners: _Index[Runner]
    namers: _Index[Namer]
    self_moding: _Index[SelfModing]
    mode_managers: _Index[ModeManager]
    exporters: _Index[Exporter]
    sinks: _Index[Sink]


def _merged(extra: Table) -> _Tables:
    """The tables of all libraries, and those of a user."""

    def of(kind: str) -> _Index[Any]:
        return _indexed((entry for table in TABLES for entry in getattr(table, kind)), getattr(extra, kind))

    by_user: tuple[Iterable[Entry], ...] = (extra.factories, extra.forward_methods, extra.mode_managers, extra.steps)
    told = frozenset(entry.name for entries in by_user for entry in entries)
    managing = [entry.name for table in TABLES for entry in table.mode_managers]
    stepping = [entry.name for table in TABLES for entry in table.steps]
    running = [entry.name for table in TABLES for entry in table.framework_calls]
    running += [entry.name for table in TABLES for entry in table.self_moding]
    return _Tables(
        told=told,
        acts=_last_names((*managing, *stepping, *told)),
        switches=_last_names((*managing, *told, *running)) - {"step", "forward", "[A-Z]*"},
        layers=of("layers"),
        module_classes=of("module_classes"),
        functionals=of("functionals"),
        attentions=of("attentions"),
        factories=of("factories"),
        wrappers=of("wrappers"),
        gradients=of("gradients"),
        optimizers=of("optimizers"),
        schedulers=of("schedulers"),
        steps=of("steps"),
        backwards=of("backwards"),
        frameworks=of("frameworks"),
        framework_calls=of("framework_calls"),
        forward_methods=of("forward_methods"),
        runners=of("runners"),
        namers=of("namers"),
        self_moding=of("self_moding"),
        mode_managers=of("mode_managers"),
        exporters=of("exporters"),
        sinks=of("sinks"),
    )


def _last_names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.rpartition(".")[2] for name in names)


def _use(tables: _Tables) -> None:
    global _tables
    _tables = tables
    for forget in _forgetting:
        forget()


_ORDINARY: Final = _indexed((entry for table in TABLES for entry in table.ordinary), ())
_NOT_TORCH: Final = {entry.name: entry for table in TABLES for entry in table.not_torch}
_ALIASES: Final = {alias.old: alias for table in TABLES for alias in table.aliases}
_tables = _merged(Table())
