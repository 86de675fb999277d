"""Is a module exported in train mode by accident?

What a tracer records is final: nobody can switch it to eval mode afterwards. So train mode is an accident unless
something says that it is meant; each such reason is a function below, with the idiom that it knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evalguard.flow.liveness import path_of
from evalguard.ir.ops import Assign, Call
from evalguard.ir.values import Attribute, Name
from evalguard.modes.events import Export
from evalguard.modes.values import Cls, Mode, Origin, OriginKind
from evalguard.project.judge import blamed, is_chosen_by_flag, may_matter
from evalguard.project.view import FunctionView
from evalguard.vocabulary.words import words

EXPORT_WORDS = frozenset(
    "convert deploy export exporter exports freeze jit onnx quantize save script serialize trace".split()
)
TRAINING_MODE_WORDS = frozenset("qat train trainable training".split())
SCRIPT_FILES = ("torch.jit.save", "torch.jit.ScriptModule.")


@dataclass(frozen=True, slots=True)
class ExportAccident:
    """An export that may find its module in train mode, and the origin to blame."""

    export: Export
    origin: Origin

    is_file: bool
    """Whether a scripted module is saved: then it is the reader of the file who gets the mode."""


def exports_in_train_mode(view: FunctionView) -> Iterator[ExportAccident]:
    """The exports of a function that may record train mode by accident."""
    if view.is_unit_test:
        return
    for export in view.exports:
        origin = blamed(view, export, Mode.TRAIN)
        if origin is None or export.in_forward or export.effect not in ("keeps", "preserves"):
            continue
        if not may_matter(view, export) or not _is_sure(view, export, origin) or _is_meant(view, export, origin):
            continue
        is_file = export.exporter.startswith(SCRIPT_FILES)
        if is_file and _loads_scripts(view):
            continue
        yield ExportAccident(export, origin, is_file)


def _is_sure(view: FunctionView, export: Export, origin: Origin) -> bool:
    """Whether more than a guess says that the module is in train mode, and that this matters."""
    if origin.kind is OriginKind.ASSUMED:
        return False
    info = view.info(export.id)
    return origin.kind is not OriginKind.BUILT or info.cls is None or info.sensitive is True


def _is_meant(view: FunctionView, export: Export, origin: Origin) -> bool:
    return (
        _preserves_a_choice(export, origin)
        or _says_train_mode(export)
        or _is_all_that_train_is_for(view, export, origin)
        or is_chosen_by_flag(origin)
        or _is_chosen_by_test(view, export, origin)
        or _is_quantised_while_trained(view)
        or _is_trained_afterwards(view, export)
        or _is_part_of_a_module(view)
        or _takes_its_place(view, export)
    )


def _preserves_a_choice(export: Export, origin: Origin) -> bool:
    """onnx-preserve: `train()`, then `training=TrainingMode.PRESERVE`."""
    return export.effect == "preserves" and origin.kind is OriginKind.SET


def _says_train_mode(export: Export) -> bool:
    """training-export: `export_for_training`, `trace_trainable`, `save_qat_model`."""
    found = set(words(export.function.rpartition(".")[2]))
    return bool(found & EXPORT_WORDS and found & TRAINING_MODE_WORDS)


def _is_all_that_train_is_for(view: FunctionView, export: Export, origin: Origin) -> bool:
    """explicit-train: `model.train()` where the model is exported, and nothing ever trains it."""
    return _is_set_in(export, origin) and not any(True for _ in view.steps_of(export.id))


def _is_chosen_by_test(view: FunctionView, export: Export, origin: Origin) -> bool:
    """export-option: `self.net.train() if trainable else self.net.eval()`, in a method that trains nothing."""
    if not _is_set_in(export, origin) or any(step.function == export.function for step in view.steps):
        return False
    same = (other for other in view.exports if (other.span, other.id) == (export.span, export.id))
    return any(o.mode is Mode.EVAL and _is_set_in(export, o) for other in same for o in other.origins)


def _is_set_in(export: Export, origin: Origin) -> bool:
    here = (origin.path, origin.function) == (export.path, export.function)
    return here and origin.kind is OriginKind.SET


def _is_quantised_while_trained(view: FunctionView) -> bool:
    """quantisation-aware-training: what is exported is then prepared for training."""
    said = view.index.said(view.path, view.qualname)
    return any(name.startswith("prepare_qat") for name in said.called_names())


def _is_trained_afterwards(view: FunctionView, export: Export) -> bool:
    """traced-to-train-faster: an optimizer holds the traced module, or gradients flow back through it."""
    if export.result is None:
        return False
    if "optimizer" in view.info(export.result).evidence - view.info(export.id).evidence:
        return True
    return any(forward.id == export.result and "backward" in forward.fate for forward in view.events.forwards.values())


def _is_part_of_a_module(view: FunctionView) -> bool:
    """traced-submodule: the constructor of a module traces a part of it, which is trained as such."""
    owner = view.facts.owner
    if owner is None or view.facts.name != "__init__":
        return False
    return view.index.is_module(Cls(view.path, owner)) is not False


def _takes_its_place(view: FunctionView, export: Export) -> bool:
    """traced-in-place: `self.net = torch.jit.trace(self.net, x)`, and no file: it is used as the former was."""
    if {"save", "_save_for_lite_interpreter"} & view.index.said(view.path, view.qualname).called_names():
        return False
    ops = [op for block in view.facts.blocks for op in block.ops]
    results = {op.result for op in ops if isinstance(op, Call) and op.span == export.span}
    return any(
        isinstance(op, Assign)
        and op.value in results
        and isinstance(op.target, Attribute)
        and path_of(op.target) == export.place
        for op in ops
    )


def _loads_scripts(view: FunctionView) -> bool:
    """Whether the project reads scripted modules from files: there `eval()` can be called as well."""
    return any(
        view.index.resolve(path, op.callee) == "torch.jit.load"
        for path, file in view.index.files.items()
        for facts in file.functions.values()
        for block in facts.blocks
        for op in block.ops
        if isinstance(op, Call) and isinstance(op.callee, (Name, Attribute))
    )
