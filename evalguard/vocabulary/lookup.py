"""What the tables say of a name.

The tables are merged once, at import. Every function takes a dotted name as resolved through imports, or a bare method name
where its description says so, and answers None for what no table knows: the caller decides what the unknown means.

    layer("torch.nn.modules.dropout.Dropout")   an alias: answers for torch.nn.Dropout
    factory("torchvision.models.resnet18")      a pattern: the entry of `torchvision.models.*`
    from_pretrained_mode("transformers.BertModel.from_pretrained")
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Generic, Protocol, TypeVar

from evalguard.vocabulary import (
    accelerate,
    distributed,
    exporters,
    fastai,
    ignite,
    layers,
    lightning,
    models,
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
        *(distributed, exporters, layers, models, optimizers, trainers, not_torch_tables, sinks),
    )
)


class Entry(Protocol):
    """What all entries have."""

    @property
    def name(self) -> str: ...


AnyEntry = TypeVar("AnyEntry", bound=Entry)
Anything = TypeVar("Anything")

ARGUMENT_UNKNOWN: Final = object()
"""Stands for an argument whose value is not a literal."""


@cache
def layer(dotted: str) -> Layer | None:
    """The module class of that name, if a table says whether it depends on the mode."""
    return _find(_LAYERS, dotted)


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
    held = [_holds(rule, positional, given) for rule in found.rules]
    if False in held or (isinstance(found, Functional) and _is_constant(found.flag, positional, given)):
        return False
    return None if None in held else True


@cache
def module_class(dotted: str) -> ModuleClass | None:
    """The class of that name, if it is a `torch.nn.Module` of a library and no layer of `layer`."""
    return _find(_MODULE_CLASSES, dotted)


@cache
def functional(dotted: str) -> Functional | None:
    """The function of that name whose behaviour a flag decides."""
    return _find(_FUNCTIONALS, dotted)


@cache
def factory(dotted: str) -> Factory | None:
    """The function or class of that name that returns a module, `from_pretrained` of a known library included."""
    return _find(_FACTORIES, dotted)


def hub_mode(repository: object) -> Mode:
    """The mode in which `torch.hub.load(repository, ...)` hands its module over."""
    known = HUB_REPOSITORIES.get(repository.partition(":")[0]) if isinstance(repository, str) else None
    return "train" if known is None else known.mode


HUB_REPOSITORIES: Final = {entry.name: entry for entry in models.HUB_REPOSITORIES}


@cache
def ordinary(dotted: str) -> Ordinary | None:
    """What a pattern or a habit would take for a module, and is none: a tokenizer's `from_pretrained`, a list of names."""
    name = canonical(dotted)
    return _ORDINARY.exact.get(name) or _first_fitting(_ORDINARY, name)


@cache
def from_pretrained_mode(dotted: str) -> Mode:
    """The mode of what `dotted` returns, the full name of a method such as `mylib.Model.from_pretrained`, also of a
    library that no table knows."""
    found = factory(dotted)
    return UNKNOWN_FROM_PRETRAINED if found is None else found.mode


UNKNOWN_FROM_PRETRAINED: Final[Mode] = "unknown"  # eval in the Hugging Face libraries, train elsewhere: rather silent


def factory_method(name: str) -> Factory | None:
    """The same for the bare name of a method of an unknown class, such as `load_from_checkpoint`."""
    return _FACTORIES.exact.get(name)


@cache
def wrapper(dotted: str) -> Wrapper | None:
    """The call of that name that returns, holds or copies the module it is given."""
    return _find(_WRAPPERS, dotted)


def wrapper_method(name: str) -> Wrapper | None:
    """The same for the bare name of a method of an unknown object, such as `prepare` or `unwrap_model`."""
    return _WRAPPERS.exact.get(name)


SAME_OBJECT_METHODS: Final = torch.SAME_OBJECT_METHODS
"""Methods of a module that return it (`train` and `eval` among them)."""

UNWRAP_METHODS: Final = frozenset({"unwrap_model", "unwrap", "get_base_model", "merge_and_unload", "unload"})
"""Methods that return the module inside: of the first argument if there is one, else of the receiver."""

SAME_ATTRIBUTES: Final = frozenset(
    {"module", "_orig_mod", "_fsdp_wrapped_module", "_forward_module", "_original_module"}
)
"""Attributes of a wrapper that name the module inside, which has the mode of the wrapper."""


@cache
def gradients(dotted: str) -> Gradients | None:
    """The manager, decorator or call of that name that turns gradients on or off."""
    return _find(_GRADIENTS, dotted)


@cache
def optimizer(dotted: str) -> Optimizer | None:
    """The class or function of that name that makes an optimizer."""
    return _find(_OPTIMIZERS, dotted)


def optimizer_class(dotted: str) -> bool:
    """Whether a call of `dotted` makes an optimizer."""
    return optimizer(dotted) is not None


@cache
def scheduler(dotted: str) -> Scheduler | None:
    """The class or function of that name that makes a learning rate scheduler: its `step()` trains nothing."""
    return _find(_SCHEDULERS, dotted)


@cache
def step(dotted: str) -> Step | None:
    """The call that changes weights, by its dotted name or by the bare name of a method. For the bare `step`, which
    environments and schedulers have too, see `words.step_receiver`."""
    return _find(_STEPS, dotted)


@cache
def backward(dotted: str) -> Backward | None:
    """The call that computes gradients, by its dotted name or by the bare name of a method."""
    return _find(_BACKWARDS, dotted)


@cache
def framework_base(dotted: str) -> Framework | None:
    """The base class of that name whose methods run in a mode that its framework sets."""
    return _find(_FRAMEWORKS, dotted)


def hook_mode(framework: Framework, method: str) -> HookMode | None:
    """The mode in which the framework calls that method; None if it is an ordinary method."""
    return framework.hooks.get(method, framework.default)


@cache
def framework_call(dotted: str) -> FrameworkCall | None:
    """The method of a framework's object, by the dotted name of its class and itself: `lightning.pytorch.Trainer.fit`."""
    return _find(_FRAMEWORK_CALLS, dotted)


@cache
def not_torch(dotted: str) -> Ordinary | None:
    """The library of that name, or of the name's beginning, whose modules and models are none of PyTorch."""
    return _longest_prefix(_NOT_TORCH, dotted)


def forward_method(name: str) -> ForwardMethod | None:
    """The method of a module that runs its layers, by its bare name."""
    return FORWARD_METHODS.get(name)


@cache
def runner(dotted: str) -> Runner | None:
    """The function of that name that calls a module given to it: a call of it is a forward of that module."""
    return _find(_RUNNERS, dotted)


@cache
def exporter(dotted: str) -> Exporter | None:
    """The call of that name that writes a module down for use elsewhere."""
    return _find(_EXPORTERS, dotted)


def export_effect(
    found: Exporter, positional: Sequence[object] = (), keywords: Mapping[str, object] | None = None
) -> ExportEffect:
    """What the exporter does about the mode with these arguments: literals, or names for what is named."""
    given = keywords or {}
    if any(given.get(name) not in (None, False) for name in found.keeps_with):
        return "keeps"
    if found.keeps_if is not None and _holds(found.keeps_if, positional, given):
        return "keeps"
    if found.option is None or found.choices is None:
        return found.effect
    value = _value(found.option, positional, given)
    if value is None:
        return found.effect
    return found.choices.get(str(value).rpartition(".")[2], "chosen")


@cache
def self_moding(dotted: str) -> SelfModing | None:
    """The library method of that name that sets the mode it needs itself."""
    return _find(_SELF_MODING, dotted)


@cache
def mode_manager(dotted: str) -> ModeManager | None:
    """The library function or context manager of that name that switches the module it is given."""
    return _find(_MODE_MANAGERS, dotted)


@cache
def sink(dotted: str) -> Sink | None:
    """The function, or bare method name, to which evaluations give their outputs."""
    return _find(_SINKS, dotted)


@cache
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
    if name in entries.exact:
        return entries.exact[name]
    if not entries.patterns or name in _ORDINARY.exact or _first_fitting(_ORDINARY, name) is not None:
        return None
    return _first_fitting(entries, name)


def _first_fitting(entries: _Index[AnyEntry], name: str) -> AnyEntry | None:
    return next((entry for pattern, entry in entries.patterns if pattern.fullmatch(name)), None)


def _is_constant(flag: Parameter, positional: Sequence[object], keywords: Mapping[str, object]) -> bool:
    return _value(flag, positional, keywords) is not ARGUMENT_UNKNOWN


def _value(parameter: Parameter, positional: Sequence[object], keywords: Mapping[str, object]) -> object:
    if parameter.keyword in keywords:
        return keywords[parameter.keyword]
    if parameter.position is not None and parameter.position < len(positional):
        return positional[parameter.position]
    return ARGUMENT_UNKNOWN if parameter.required else parameter.default


def _holds(rule: Rule, positional: Sequence[object], keywords: Mapping[str, object]) -> bool | None:
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


@dataclass(frozen=True, slots=True)
class _Index(Generic[AnyEntry]):
    """The entries of one kind: by name, and those whose name is a pattern, the longest first."""

    exact: Mapping[str, AnyEntry]
    patterns: tuple[tuple[re.Pattern[str], AnyEntry], ...]


def _indexed(entries: Iterable[AnyEntry]) -> _Index[AnyEntry]:
    listed = list(entries)
    patterns = sorted((entry for entry in listed if "*" in entry.name), key=lambda entry: -len(entry.name))
    return _Index(
        {entry.name: entry for entry in listed if "*" not in entry.name},
        tuple((_compiled(entry.name), entry) for entry in patterns),
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    regular = re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^.]*")
    return re.compile(regular.replace(r"\[a\-z\]", "[a-z_]").replace(r"\[A\-Z\]", "[A-Z]"))


_LAYERS: Final = _indexed(entry for table in TABLES for entry in table.layers)
_MODULE_CLASSES: Final = _indexed(entry for table in TABLES for entry in table.module_classes)
_FUNCTIONALS: Final = _indexed(entry for table in TABLES for entry in table.functionals)
_FACTORIES: Final = _indexed(entry for table in TABLES for entry in table.factories)
_ORDINARY: Final = _indexed(entry for table in TABLES for entry in table.ordinary)
_WRAPPERS: Final = _indexed(entry for table in TABLES for entry in table.wrappers)
_GRADIENTS: Final = _indexed(entry for table in TABLES for entry in table.gradients)
_OPTIMIZERS: Final = _indexed(entry for table in TABLES for entry in table.optimizers)
_SCHEDULERS: Final = _indexed(entry for table in TABLES for entry in table.schedulers)
_STEPS: Final = _indexed(entry for table in TABLES for entry in table.steps)
_BACKWARDS: Final = _indexed(entry for table in TABLES for entry in table.backwards)
_FRAMEWORKS: Final = _indexed(entry for table in TABLES for entry in table.frameworks)
_FRAMEWORK_CALLS: Final = _indexed(entry for table in TABLES for entry in table.framework_calls)
_RUNNERS: Final = _indexed(entry for table in TABLES for entry in table.runners)
_SELF_MODING: Final = _indexed(entry for table in TABLES for entry in table.self_moding)
_MODE_MANAGERS: Final = _indexed(entry for table in TABLES for entry in table.mode_managers)
_EXPORTERS: Final = _indexed(entry for table in TABLES for entry in table.exporters)
_SINKS: Final = _indexed(entry for table in TABLES for entry in table.sinks)
_NOT_TORCH: Final = {entry.name: entry for table in TABLES for entry in table.not_torch}
_ALIASES: Final = {alias.old: alias for table in TABLES for alias in table.aliases}
FORWARD_METHODS: Final = {entry.name: entry for table in TABLES for entry in table.forward_methods}
