"""What PyTorch does while a program runs: which modules run in which mode, what is stepped, switched and exported.

    hook before each forward --- outermost? --> where in the user's files? gradients on?      \
    hook after it            --- outermost? --> which modes had the layers that listen?        }--> cells -> sightings
    hook before each step    --- whose parameters? in which mode were the forwards behind it? /

Only the outermost forward of a thread looks at the stack. Events that are alike share a cell, so memory does not grow
with the length of a run. Whether a backward uses an output is told by a hook on the node of the graph behind it. No
random number is drawn, and no tensor is read or changed.

PyTorch is imported by the program, when it likes: environment variables that it sets before are still in time. Then
the hooks go in, and these functions are replaced for the run: `nn.Module.train` (who switched what), functions that
drop or normalise (`F.dropout`), exporters, and `torch.compile`, which compiles nothing: compiled code calls no hooks.
An exporter itself runs without any of this.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType, ModuleType
from typing import Any, TypeAlias

from evalguard.finding import Span
from evalguard.sightings import Frame, SeenMode, Sighting

Stack: TypeAlias = tuple[tuple[CodeType, int], ...]

DROPS = ("dropout", "alpha_dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout")
NORMS = ("batch_norm", "instance_norm")
ATTENTION = "scaled_dot_product_attention"
EXPORTERS = (
    "torch.jit.trace",
    "torch.jit.trace_module",
    "torch.jit.script",
    "torch.export.export",
    "torch.onnx.export",
)
SAVERS = ("torch.jit.save",)
SCRIPT_MODULE = "torch.jit.RecursiveScriptModule"
STATE_OF_A_TRANSFORM = "peek_interpreter_stack"  # inside torch.func nothing is hooked to a graph


@dataclass(slots=True)
class _Cell:
    """Events that are alike, while they are counted."""

    first_step: int
    count: int = 0
    used: int = 0
    then: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Switch:
    """A call of `train` or `eval`; `outside` if none of the user's files had a part in it."""

    cell: _Cell
    mode: bool
    outside: bool


@dataclass(slots=True)
class _Layer:
    """What is known of a layer that listens, or of any module that was switched."""

    module: weakref.ref[Any]
    trained: bool = False  # by a step, in train mode
    inferred: bool = False  # in eval mode, since it was put there
    fitted: bool = False  # by a step, since it was switched
    switched: _Switch | None = None  # the last that reached it
    frozen: list[_Cell] = field(default_factory=list)  # switches to eval of this very module


@dataclass(slots=True)
class _Forward:
    """An outermost forward that is under way."""

    module: Any
    stack: Stack
    gradients: bool
    train: bool = False
    eval: bool = False
    certain: bool = False
    layer: Any = None  # the first that listens


@dataclass(slots=True)
class _Pending:
    """Forwards of a module whose outputs a backward has used, since the last step of its parameters."""

    module: weakref.ref[Any]
    layer: _Layer | None
    train: bool = False
    eval: bool = False


class _Thread(threading.local):
    def __init__(self) -> None:
        self.open: list[Any] = []
        self.root: _Forward | None = None
        self.switching = False
        self.exporting = 0


class Recorder:
    """Records a run. `files` are the user's, by the absolute name under which Python compiles them."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.used_torch = False
        self.compiled = False
        self.steps = 0
        self._files = files
        self._paths: dict[CodeType, str | None] = {}
        self._cells: dict[tuple[Any, ...], _Cell] = {}
        self._layers: dict[int, _Layer] = {}
        self._pending: dict[int, _Pending] = {}
        self._owned: dict[tuple[int, int], tuple[weakref.ref[Any], weakref.ref[Any], int, bool]] = {}
        self._kinds: dict[type, Callable[[Any], bool] | None] = {}
        self._sure: set[type] = set()
        self._thread = _Thread()
        self._undo: list[Callable[[], None]] = []
        self._resume: list[Callable[[], None]] = []
        self._roots: list[_Forward] = []
        self._originals: list[tuple[Any, str, Any]] = []

    def start(self) -> None:
        """Record from when PyTorch is imported, or from now on if it has been."""
        if "torch" in sys.modules:
            self._install()
        else:
            finder = _AfterTorch(self._install)
            sys.meta_path.insert(0, finder)
            self._undo.append(lambda: sys.meta_path.remove(finder) if finder in sys.meta_path else None)

    def stop(self) -> None:
        """Take all hooks away."""
        while self._undo:
            self._undo.pop()()

    # What was seen

    def sightings(self) -> tuple[Sighting, ...]:
        """All that was seen, in the order in which it was seen first."""
        return tuple(self._sightings())

    def _sightings(self) -> Iterator[Sighting]:
        places: dict[tuple[CodeType, int], Frame] = {}

        def frame(code: CodeType, instruction: int) -> Frame:
            key = (code, instruction)
            if key not in places:
                places[key] = _frame(code, instruction, self._paths[code] or "")
            return places[key]

        for key, cell in self._cells.items():
            kind, stack, what, mode, details = key
            yield Sighting(
                kind,
                tuple(frame(code, instruction) for code, instruction in stack),
                what,
                mode,
                cell.count,
                cell.first_step,
                used=cell.used,
                then=frozenset(cell.then),
                **dict(details),
            )

    def _cell(self, kind: str, stack: Stack, what: str, mode: SeenMode, *details: tuple[str, object]) -> _Cell:
        key = (kind, stack, what, mode, details)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = _Cell(self.steps)
        cell.count += 1
        return cell

    def _stack(self, frame: FrameType | None) -> Stack:
        """The user's frames, innermost first."""
        found = []
        paths = self._paths
        while frame is not None:
            code = frame.f_code
            path = paths.get(code, "")
            if path == "":
                path = paths[code] = self._files.get(code.co_filename)
            if path is not None:
                found.append((code, frame.f_lasti))
            frame = frame.f_back
        return tuple(found)

    def _stack_of_the_starter(self, module: Any) -> Stack:
        """That of the forward of another thread of whose module this is a part or a replica."""
        for root in reversed(self._roots):
            if getattr(module, "_is_replica", False) or any(part is module for part in root.module.modules()):
                return root.stack
        return ()

    # Hooks

    def _install(self) -> None:
        torch: Any = importlib.import_module("torch")
        modules: Any = importlib.import_module("torch.nn.modules.module")
        optimizers: Any = importlib.import_module("torch.optim.optimizer")
        self.used_torch = True
        self._torch = torch
        self._module_class = torch.nn.Module
        self._listeners = _listeners(torch)
        self._transforms: Callable[[], object] = getattr(torch._C._functorch, STATE_OF_A_TRANSFORM, lambda: None)
        self._call = modules.Module._call_impl.__code__

        def hook() -> list[Any]:
            return [
                modules.register_module_forward_pre_hook(self._before),
                modules.register_module_forward_hook(self._after, always_call=True),
            ]

        handles = hook()

        def unhook() -> None:
            while handles:
                handles.pop().remove()

        def suspend() -> Callable[[], None]:
            unhook()
            return lambda: handles.extend(hook())

        self._suspend = suspend
        self._undo.append(unhook)
        step = optimizers.register_optimizer_step_pre_hook(self._before_step)
        self._undo.append(step.remove)
        self._replace(torch.nn.Module, "train", self._switching(torch.nn.Module.train))
        self._replace(torch, "compile", self._not_compiling(torch, torch.compile))
        functional = torch.nn.functional
        for name in (*DROPS, *NORMS, ATTENTION):
            self._replace(functional, name, self._calling(name, getattr(functional, name)), suspended=True)
        for dotted in (*EXPORTERS, *SAVERS):
            owner, _, name = dotted.rpartition(".")
            place = _found(torch, owner)
            if place is not None and hasattr(place, name):
                self._replace(place, name, self._exporting(dotted, getattr(place, name)))
        scripted = _found(torch, SCRIPT_MODULE)
        if scripted is not None:
            self._replace(scripted, "save", self._exporting("torch.jit.save", scripted.save))

    def _replace(self, owner: Any, name: str, new: Any, suspended: bool = False) -> None:
        old = getattr(owner, name)
        setattr(owner, name, new)
        self._undo.append(lambda: setattr(owner, name, old))
        if suspended:
            self._resume.append(lambda: setattr(owner, name, new))
            self._originals.append((owner, name, old))

    def _before(self, module: Any, inputs: object) -> None:
        thread = self._thread
        if thread.open and module is thread.open[0] and not self._in_forward():
            self._forget(thread)  # the last one was left by an exception that no hook hears of
        if not thread.open:
            stack = self._stack(sys._getframe(2))
            if self._roots:
                stack += self._stack_of_the_starter(module)
            thread.root = _Forward(module, stack, self._torch.is_grad_enabled())
            self._roots.append(thread.root)
        thread.open.append(module)
        kind = type(module)
        listens = self._kinds[kind] if kind in self._kinds else self._listens(kind)
        root = thread.root
        if listens is None or root is None or not listens(module):
            return
        if root.layer is None:
            root.layer = module
        root.certain |= kind in self._sure
        if module.training:
            root.train = True
            if not thread.open[0].training and len(thread.open) > 1:
                self._deaf(module, thread)
        else:
            root.eval = True

    def _after(self, module: Any, inputs: object, output: object) -> None:
        thread = self._thread
        while thread.open and thread.open.pop() is not module:
            pass
        if thread.open or thread.root is None:
            return
        root, thread.root = thread.root, None
        self._roots.remove(root)
        layer = None if root.layer is None else self._layer(root.layer)
        mode: SeenMode = _mode(root.train, root.eval)
        cell = self._cell(
            "forward",
            root.stack,
            type(module).__name__,
            mode,
            ("whole", _mode(module.training, not module.training)),
            ("gradients", root.gradients),
            ("certain", root.certain),
            ("trained", layer is not None and layer.trained and (layer.switched is None or layer.fitted)),
            ("given", layer is not None and layer.switched is not None and layer.switched.outside),
        )
        if root.gradients and not self._transforms():
            self._await_backward(output, cell, root, layer)
        elif layer is not None:
            if root.eval and not root.train:
                layer.inferred = True
            if root.train:
                self._inference_after_switch(root.layer)

    def _await_backward(self, output: object, cell: _Cell, root: _Forward, layer: _Layer | None) -> None:
        nodes = [node for node in _nodes(output, self._torch.Tensor) if node is not None]
        if not nodes:
            if root.train and root.layer is not None:
                self._inference_after_switch(root.layer)
            return
        module = weakref.ref(root.module)
        train, eval_ = root.train, root.eval
        switched = None if layer is None else layer.switched
        done = False

        def used(gradients: object) -> None:
            nonlocal done
            if done:
                return
            done = True
            cell.used += 1
            if switched is not None and switched.mode:
                switched.cell.then.add("training")
            target = module()
            if target is None:
                return
            pending = self._pending.get(id(target))
            if pending is None or pending.module() is not target:
                pending = self._pending[id(target)] = _Pending(module, layer)
            pending.layer = layer or pending.layer
            pending.train |= train
            pending.eval |= eval_

        for node in nodes:
            node.register_prehook(used)

    def _inference_after_switch(self, layer: Any) -> None:
        switched = self._layer(layer).switched
        if switched is not None and switched.mode:
            switched.cell.then.add("inference")

    def _before_step(self, optimizer: Any, arguments: object, keywords: object) -> None:
        thread = self._thread
        if thread.open and not self._in_forward():
            self._forget(thread)
        train = eval_ = leaked = False
        chosen = False
        for key, pending in list(self._pending.items()):
            module = pending.module()
            if module is None:
                del self._pending[key]
                continue
            if not self._owns(optimizer, module):
                continue
            del self._pending[key]
            layer = pending.layer
            train |= pending.train
            eval_ |= pending.eval
            if layer is None:
                continue
            chosen |= layer.switched is not None and layer.switched.mode
            leaked |= pending.eval and not pending.train and layer.trained and layer.inferred
            layer.trained |= pending.train
            layer.fitted = True
        stack = self._stack(sys._getframe(1))
        self._cell(
            "step",
            stack,
            type(optimizer).__name__,
            _mode(train, eval_),
            ("leaked", leaked),
            ("chosen", chosen),
        )
        self.steps += 1

    def _owns(self, optimizer: Any, module: Any) -> bool:
        """Whether the optimizer holds a parameter of the module."""
        size = sum(len(group["params"]) for group in optimizer.param_groups)
        key = (id(optimizer), id(module))
        known = self._owned.get(key)
        if known is not None and known[0]() is optimizer and known[1]() is module and known[2] == size:
            return known[3]
        held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        owns = any(id(parameter) in held for parameter in module.parameters())
        self._owned[key] = (weakref.ref(optimizer), weakref.ref(module), size, owns)
        return owns

    def _switching(self, original: Callable[..., Any]) -> Callable[..., Any]:
        thread = self._thread
        current: _Switch | None = None

        @functools.wraps(original)
        def train(module: Any, mode: bool = True) -> Any:
            nonlocal current
            if thread.switching:
                if current is not None:
                    self._switched(module, current)
                return original(module, mode)
            if thread.open and not self._in_forward():
                self._forget(thread)
            stack = self._stack(sys._getframe(1))
            cell = self._cell("switch", stack, type(module).__name__, "train" if mode else "eval")
            current = _Switch(cell, bool(mode), not stack)
            known = self._switched(module, current)
            if mode and thread.open and not thread.open[0].training:
                cell.then.add("against")
            if not mode and not any(cell is other for other in known.frozen):
                known.frozen.append(cell)
            thread.switching = True
            try:
                return original(module, mode)
            finally:
                thread.switching = False

        return train

    def _switched(self, module: Any, switch: _Switch) -> _Layer:
        known = self._layer(module)
        known.switched = switch
        known.inferred = known.fitted = False
        if switch.mode:
            for frozen in known.frozen:
                frozen.then.add("thawed")
        return known

    def _calling(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        thread = self._thread

        @functools.wraps(original)
        def call(*arguments: Any, **keywords: Any) -> Any:
            if thread.open and type(thread.open[-1]) not in self._sure:
                self._called(name, arguments, keywords, thread, sys._getframe(1))
            return original(*arguments, **keywords)

        return call

    def _called(
        self, name: str, arguments: Sequence[Any], keywords: Mapping[str, Any], thread: _Thread, frame: FrameType
    ) -> None:
        active = _is_active(name, arguments, keywords)
        if active is None:
            return
        root, around = thread.root, thread.open[-1]
        if root is not None and name not in NORMS:
            if root.layer is None:
                root.layer = around
            root.train |= active
            root.eval |= not active
            root.certain = True
        if around.training and active:
            return  # as it should be
        self._cell(
            "function",
            self._stack(frame),
            name,
            "train" if around.training else "eval",
            ("active", active),
            ("owner", type(around).__name__),
        )

    def _deaf(self, layer: Any, thread: _Thread) -> None:
        root = thread.open[0]
        around = thread.open[-2]
        registered = any(layer is part for part in around.modules())
        self._cell(
            "deaf",
            self._stack(sys._getframe(2)),
            type(layer).__name__,
            "train",
            ("owner", type(around).__name__),
            ("registered", registered),
            ("whole", _mode(root.training, not root.training)),
        )

    def _exporting(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        thread = self._thread

        @functools.wraps(original)
        def export(*arguments: Any, **keywords: Any) -> Any:
            if thread.exporting:
                return original(*arguments, **keywords)
            self._exported(name, [*arguments, *keywords.values()], sys._getframe(1))
            thread.exporting += 1
            resume = self._suspend()
            for owner, attribute, old in self._originals:
                setattr(owner, attribute, old)
            try:
                return original(*arguments, **keywords)
            finally:
                for put_back in self._resume:
                    put_back()
                resume()
                thread.exporting -= 1

        return export

    def _exported(self, name: str, given: Sequence[Any], frame: FrameType) -> None:
        module = next((each for each in given if isinstance(each, self._module_class)), None)
        if module is None:
            module = next((getattr(each, "__self__", None) for each in given if hasattr(each, "__self__")), None)
            if not isinstance(module, self._module_class):
                return
        train = eval_ = trained = chosen = False
        for part in module.modules():
            kind = type(part)
            listens = self._kinds[kind] if kind in self._kinds else self._listens(kind)
            scripted = part is module and isinstance(part, self._torch.jit.ScriptModule)
            if not scripted and (listens is None or not listens(part)):
                continue
            train |= part.training
            eval_ |= not part.training
            known = self._layers.get(id(part))
            if known is not None and known.module() is part:
                trained |= known.trained
                chosen |= known.switched is not None and known.switched.mode
        self._cell(
            "export",
            self._stack(frame),
            name,
            _mode(train, eval_),
            ("trained", trained),
            ("chosen", chosen),
        )

    def _not_compiling(self, torch: Any, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def compile(*arguments: Any, **keywords: Any) -> Any:
            if not self.compiled:
                self.compiled = True
                if hasattr(torch.compiler, "set_stance"):
                    torch.compiler.set_stance("force_eager")
                else:
                    importlib.import_module("torch._dynamo").config.disable = True
            return original(*arguments, **keywords)

        return compile

    # What is known

    def _listens(self, kind: type) -> Callable[[Any], bool] | None:
        found = next((listens for known, listens in self._listeners if issubclass(kind, known)), None)
        if found is not None:
            self._sure.add(kind)
        elif "training" in getattr(getattr(kind.__dict__.get("forward"), "__code__", None), "co_names", ()):
            found = _always
        self._kinds[kind] = found
        return found

    def _layer(self, module: Any) -> _Layer:
        key = id(module)
        known = self._layers.get(key)
        if known is None or known.module() is not module:
            known = self._layers[key] = _Layer(weakref.ref(module))
        return known

    def _in_forward(self) -> bool:
        """Whether a forward is really under way in this thread."""
        frame: FrameType | None = sys._getframe(2)
        calls = 0
        while frame is not None:
            calls += frame.f_code is self._call
            frame = frame.f_back
        return calls > 1 or (calls == 1 and sys._getframe(1).f_code.co_name != "_before")

    def _forget(self, thread: _Thread) -> None:
        thread.open.clear()
        if thread.root in self._roots:
            self._roots.remove(thread.root)
        thread.root = None


def _always(module: Any) -> bool:
    return True


def _listeners(torch: Any) -> list[tuple[type, Callable[[Any], bool]]]:
    """The classes of layers that listen to the mode, and for which of their instances that is so. A recurrent net
    without dropout listens only where it is trained: see EVG201."""
    nn = torch.nn
    modules = nn.modules
    return [
        (modules.dropout._DropoutNd, lambda layer: layer.p > 0),
        (modules.batchnorm._BatchNorm, _always),
        (modules.instancenorm._InstanceNorm, lambda layer: layer.track_running_stats),
        (nn.RReLU, lambda layer: layer.lower != layer.upper),
        (modules.rnn.RNNBase, lambda layer: layer.dropout > 0 or not layer.training),
        (nn.MultiheadAttention, lambda layer: layer.dropout > 0),
    ]


def _is_active(name: str, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> bool | None:
    """Whether the call drops or takes the batch's statistics and keeps them; None if it could do so in no mode."""

    def value(keyword: str, position: int, default: object) -> Any:
        return keywords.get(keyword, arguments[position] if len(arguments) > position else default)

    if name == ATTENTION:
        return bool(value("dropout_p", 4, 0.0)) or None  # whoever gives 0 may have asked for the mode, or not
    if name in NORMS:
        if value("running_mean", 1, None) is None:
            return None
        return bool(value("training", 5, False) if name == "batch_norm" else value("use_input_stats", 5, True))
    if not value("p", 1, 0.5):
        return None
    return bool(value("training", 2, name not in ("alpha_dropout", "feature_alpha_dropout")))


def _mode(train: bool, eval_: bool) -> SeenMode:
    if train:
        return "both" if eval_ else "train"
    return "eval" if eval_ else "none"


def _nodes(output: object, tensor: type, depth: int = 3) -> Iterator[Any]:
    """The nodes of the graph behind the tensors of an output."""
    if isinstance(output, tensor):
        yield output.grad_fn  # type: ignore[attr-defined]
    elif depth:
        parts: Sequence[object] = ()
        if isinstance(output, (tuple, list)):
            parts = output
        elif isinstance(output, Mapping):
            parts = list(output.values())
        elif hasattr(output, "__dataclass_fields__"):
            parts = [getattr(output, name, None) for name in output.__dataclass_fields__]
        for part in parts:
            yield from _nodes(part, tensor, depth - 1)


def _found(torch: Any, dotted: str) -> Any:
    place = torch
    for name in dotted.split(".")[1:]:
        place = getattr(place, name, None)
    return place


def _frame(code: CodeType, instruction: int, path: str) -> Frame:
    """Where in the text a frame stands."""
    if hasattr(code, "co_positions"):
        positions = list(code.co_positions())
        line, end_line, column, end_column = positions[instruction // 2]
        if line is not None and end_line is not None and column is not None and end_column is not None:
            return Frame(path, code.co_name, Span(line, column + 1, end_line, end_column + 1))
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= instruction < end and number is not None:
            line = number
    return Frame(path, code.co_name, Span(line, 1, line, 1), exact=False)


class _AfterTorch(importlib.abc.MetaPathFinder):
    """Calls a function as soon as the program has imported PyTorch."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of PyTorch as the others find it, with a loader that calls back."""
        if name != "torch":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._then)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: Any, then: Callable[[], None]) -> None:
        self._loader = loader
        self._then = then

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        spec.loader = self._loader
        created: ModuleType | None = self._loader.create_module(spec)
        spec.loader = self
        return created

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._then()
