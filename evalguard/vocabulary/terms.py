"""The kinds of entries that the tables hold.

Every entry says what a *name* means, `why`, and gives a `link` (documentation or source) that proves it. A name is
dotted, as resolved through the imports of a file (`torch.nn.Dropout`), or, for the method of an object that nobody
resolved, bare (`backward`). A name that ends in `.*` stands for every lower-case name below it: builders are functions,
classes begin with a capital.

One `Table` holds all that is said of one library; `lookup` merges the tables. They are made anew at every start: msgspec
makes such classes and records many times as fast as dataclasses are (<https://jcristharif.com/msgspec/structs.html>).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

Mode: TypeAlias = Literal["train", "eval", "unknown"]
Sensitivity: TypeAlias = Literal["never", "always", "argument", "container"]
Scalar: TypeAlias = bool | int | float | str | None


def names(text: str) -> tuple[str, ...]:
    """The words of a list written as prose."""
    return tuple(text.split())


class Parameter(Struct, frozen=True):
    """Where a call takes something: by `keyword`, and by `position`, counted from 0 without `self`, unless it is None.
    `default` is the value without the argument, `required` says that there is none."""

    keyword: str
    position: int | None
    default: Scalar = None
    required: bool = False


class Rule(Struct, frozen=True):
    """A condition on one argument: it holds for values greater than `above`, so `True` and any probability hold for 0; if
    `negated`, for the others."""

    parameter: Parameter
    above: float = 0
    negated: bool = False


class Layer(Struct, frozen=True):
    """A module class, and whether its forward or its buffers depend on the mode.

    `never` and `always` speak for themselves; `argument` depends if every rule holds; an `always` with rules depends
    unless an argument exempts it (`Dropout(p=0)`); `container` depends if one of the modules given to it does.
    """

    name: str
    sensitivity: Sensitivity
    why: str
    link: str
    rules: tuple[Rule, ...] = ()
    trains_only_in_train: bool = (
        False  # on a GPU its backward fails in eval mode, though its forward is the same in both
    )
    learns_statistics: bool = False  # as it was made it has none, and in eval mode it changes nothing
    drops_by: str = ""  # the attribute that says how much it drops: set to 0, it is the same in both modes


class ModuleClass(Struct, frozen=True):
    """A library's class that is a `torch.nn.Module`, to build or to inherit from: as built, it is in train mode. `layers` as
    in `Factory`."""

    name: str
    why: str
    link: str
    layers: tuple[str, ...] | None = None


class Functional(Struct, frozen=True):
    """A function that behaves by a flag, and so must be told the mode: `flag` names it and its default."""

    name: str
    flag: Parameter
    why: str
    link: str
    rules: tuple[Rule, ...] = ()  # it depends on the flag only if they hold


Part: TypeAlias = Literal["value", "first", "arguments", "attributes"]
"""Where the module is in a result: the value itself, the first item of a tuple, items in the order of the arguments (the
value itself for one argument), or the attributes of an object that is no module."""


class Factory(Struct, frozen=True):
    """A function, method or class that returns a new module in `mode`.

    `layers` are the mode-dependent layers inside, where they are known: an empty tuple means that the mode of the result
    does not matter, `None` that nothing is known.
    """

    name: str
    mode: Mode
    why: str
    link: str
    part: Part = "value"
    layers: tuple[str, ...] | None = None
    parts: tuple[tuple[str, tuple[str, ...]], ...] = ()  # attributes of the result, and the layers in each
    unless: Rule | None = None  # the mode is unknown if it holds
    makes: str | None = None  # the class of the result, by which the tables know its methods


class Ordinary(Struct, frozen=True):
    """A name that a pattern or a habit would take for something else, and that is nothing special."""

    name: str
    why: str
    link: str


Relation: TypeAlias = Literal["same", "shares", "copy"]


class Wrapper(Struct, frozen=True):
    """A call whose result is the module given (`same`), holds it as a child (`shares`: a switch of the wrapper reaches
    the module, its mode is the module's), or is another object that begins in the same mode (`copy`).

    `module` is the argument with the module. `mode` is set where the call itself switches the module (for `copy`, its
    copy). `attribute` names the attribute of the result that holds the module. `sensitive` marks what makes any module
    depend on its mode.
    """

    name: str
    module: Parameter
    relation: Relation
    why: str
    link: str
    part: Part = "value"
    mode: Mode | None = None
    attribute: str | None = None
    sensitive: bool = False
    unless: Rule | None = None  # the call does not switch the module if it holds
    makes: str | None = None  # the class of the copy, where it is another one than the module's
    baked: bool = False  # the copy does what was recorded: no later switch changes it
    others: tuple[str, ...] = ()  # for part "arguments": the keywords of the further arguments, in their order


class Gradients(Struct, frozen=True):
    """A manager, decorator or call that turns gradients `off` or `on`, or by its `flag` (`argument`).

    `acts_when_called` is true for those that switch as soon as they are called, also without `with`; `bare_decorator` for
    those that decorate without being called (`@torch.no_grad`).
    """

    name: str
    effect: Literal["off", "on", "argument"]
    why: str
    link: str
    flag: Parameter | None = None
    acts_when_called: bool = False
    bare_decorator: bool = False


class Optimizer(Struct, frozen=True):
    """A class or function that makes an optimizer of the `parameters` (or of a whole model, if `takes` says so)."""

    name: str
    parameters: Parameter
    why: str
    link: str
    takes: Literal["parameters", "model", "either"] = "parameters"
    part: Part = "value"


class Scheduler(Struct, frozen=True):
    """A class whose `step()` changes a learning rate, not a weight. `optimizer` is the argument with the optimizer."""

    name: str
    why: str
    link: str
    optimizer: Parameter = Parameter("optimizer", 0, required=True)


class Step(Struct, frozen=True):
    """A call that changes weights. `optimizer` says which optimizer steps: the receiver of the method, the argument at
    that place, the one inside an engine (the receiver, which is the module too), or (`any`) one that the call does not
    name: it steps what the backward went through. If `takes` says so, the argument is the module that is trained.
    `loss` is the argument whose gradients the call computes first."""

    name: str
    optimizer: Literal["receiver", "engine", "any"] | Parameter
    why: str
    link: str
    takes: Literal["optimizer", "module"] = "optimizer"
    loss: Parameter | None = None


class Backward(Struct, frozen=True):
    """A call that computes gradients of a loss: the receiver's, that of an argument, or (`either`) that of the first
    positional argument if the receiver is an engine or accelerator, else of the receiver."""

    name: str
    loss: Literal["receiver", "either"] | Parameter
    why: str
    link: str


ExportEffect: TypeAlias = Literal["keeps", "switches", "refuses", "listens", "preserves", "chosen"]
"""What a call that writes a module down for use elsewhere does about its mode. It `keeps` the one that it finds: what comes
out behaves so for ever. It `switches` the module to eval for as long as it runs. It `refuses` a module in train mode with
an error. What comes out still `listens` to train() and eval(). It `preserves` the mode because an argument asks for that,
or the mode is `chosen` by an argument."""


class Exporter(Struct, frozen=True):
    """A call that writes a module down for use elsewhere: traces, scripts, exports, quantises, saves the program.

    A method's entry has the class and the method as its name, and no `module`. `keeps_if` is the rule by which a call
    that `switches` keeps the mode all the same, `keeps_with` are keywords that say so by being given. `option` is the
    argument that names a mode, `choices` what its values (their last names) mean; any other value is `chosen`. `leaves`
    is the mode after the call, None if it is the one before. With `of`, only objects of that class count.
    """

    name: str
    module: Parameter | None
    effect: ExportEffect
    why: str
    link: str
    keeps_if: Rule | None = None
    keeps_with: tuple[str, ...] = ()
    option: Parameter | None = None
    choices: Mapping[str, ExportEffect] | None = None
    leaves: Mode | None = None
    of: str | None = None


HookMode: TypeAlias = Literal["train", "eval", "managed"]
"""The mode of the whole module when the framework calls; of parts that were switched apart it says nothing. `managed`: the
framework sets the mode before it calls, but it may be either."""


class Framework(Struct, frozen=True):
    """A base class whose methods are called by a framework that sets the mode. `hooks` gives the mode of the modules
    in each; `default` that of the methods not listed (None: nothing is known of them, they are ordinary methods).
    `module` says whether the class is a `torch.nn.Module`; `modules` names the attributes or parameters whose mode is set
    (`self` for the object itself)."""

    name: str
    module: bool | None  # None: not known
    hooks: Mapping[str, HookMode]
    why: str
    link: str
    default: HookMode | None = None
    modules: tuple[str, ...] = ("self",)


class Fitting(Struct, frozen=True):
    """How a framework trains a module in the modes that it finds: by its method `step`, which returns the loss, after the
    methods `before` it, of which `optimizers` gives the optimizers. Of its `packages` this is so in every version in use."""

    step: str
    optimizers: str
    before: tuple[str, ...]
    packages: tuple[str, ...]


class FrameworkCall(Struct, frozen=True):
    """A method of a framework's object that runs a module: `model` is the argument with the module, None if the
    object holds it since its construction. `leaves` is the mode after the call, None if it is the one before."""

    name: str  # the class and the method: `lightning.pytorch.Trainer.fit`
    model: Parameter | None
    leaves: Mode | None
    trains: bool
    why: str
    link: str
    fitting: Fitting | None = None


class ForwardMethod(Struct, frozen=True):
    """A method that runs the layers of its module. `unproved` marks those whose name alone is proof enough: nothing
    but a module has such a method."""

    name: str
    why: str
    link: str
    unproved: bool = False


class Runner(Struct, frozen=True):
    """A function that calls the module (or the function) that it is given, in the mode it has, and returns its output."""

    name: str
    module: Parameter
    why: str
    link: str


class Namer(Struct, frozen=True):
    """A function that calls the class or function whose dotted name it is given, with all its other arguments: the name is
    `target`, or, if that is a dict, under the key `key` of it, and the other arguments with it."""

    name: str
    target: Parameter
    why: str
    link: str
    key: str | None = None


class SelfModing(Struct, frozen=True):
    """A library method that sets the mode it needs itself. `leaves` as in `FrameworkCall`."""

    name: str
    mode: Mode
    leaves: Mode | None
    why: str
    link: str


class ModeManager(Struct, frozen=True):
    """A function or context manager that puts the module it is given, or whose method it is (`receiver`), in `mode`. With
    `restores`, leaving the `with` gives every part its former mode; `many` takes any number of modules; `gradients_off`
    turns gradients off inside."""

    name: str
    module: Parameter | Literal["receiver"]
    mode: Mode
    restores: bool
    why: str
    link: str
    many: bool = False
    gradients_off: bool = False


class Sink(Struct, frozen=True):
    """A function or method to which evaluations give their outputs: evidence, no proof. `weight` is "strong" for what
    training never does with an output."""

    name: str
    weight: Literal["weak", "strong"]
    why: str
    link: str


class Alias(Struct, frozen=True):
    """Another way to the same names: `old` is a prefix, and so is `new`. With `skip`, that many components after `old` are left
    out if they begin with a small letter (`torch.nn.modules.dropout.Dropout` is `torch.nn.Dropout`)."""

    old: str
    new: str
    why: str
    link: str
    skip: int = 0


class Table(Struct, frozen=True):
    """All that is known of one library."""

    layers: tuple[Layer, ...] = ()
    module_classes: tuple[ModuleClass, ...] = ()
    functionals: tuple[Functional, ...] = ()
    attentions: tuple[Functional, ...] = ()  # their flag is the probability by which they drop
    factories: tuple[Factory, ...] = ()
    ordinary: tuple[Ordinary, ...] = ()
    wrappers: tuple[Wrapper, ...] = ()
    gradients: tuple[Gradients, ...] = ()
    optimizers: tuple[Optimizer, ...] = ()
    schedulers: tuple[Scheduler, ...] = ()
    steps: tuple[Step, ...] = ()
    backwards: tuple[Backward, ...] = ()
    frameworks: tuple[Framework, ...] = ()
    framework_calls: tuple[FrameworkCall, ...] = ()
    not_torch: tuple[Ordinary, ...] = ()
    forward_methods: tuple[ForwardMethod, ...] = ()
    runners: tuple[Runner, ...] = ()
    namers: tuple[Namer, ...] = ()
    self_moding: tuple[SelfModing, ...] = ()
    mode_managers: tuple[ModeManager, ...] = ()
    exporters: tuple[Exporter, ...] = ()
    sinks: tuple[Sink, ...] = ()
    aliases: tuple[Alias, ...] = ()
