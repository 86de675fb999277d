"""Phrases that several messages share."""

from __future__ import annotations

from evalguard.flow.liveness import path_of
from evalguard.ir.ops import Call
from evalguard.modes.frame import Info


def through(info: Info, trained: bool = False) -> str:
    """Why the mode matters: "; `ResNet` has BatchNorm2d"; if `trained`, also what forbids to train it in eval mode."""
    owner = info.cls.qualname if info.cls is not None else "it"
    if trained and info.sensitive is False and info.recurrent is not None:
        said = f"`{owner}`" if owner != "it" else "it"
        return f"; {said} has {info.recurrent}, whose backward fails in eval mode on a GPU"
    if not info.sensitive or info.layer is None:
        return ""
    layer = info.layer.strip("`")
    if "self.training" in layer:
        return f"; `{owner}` asks for `self.training`" if owner != "it" else ""
    return f"; `{owner}` has {layer}" if owner != "it" else f"; it has {layer}"


def called(call: Call) -> str:
    """The callee of a call as the user wrote it: `F.dropout`, `self.mix`."""
    written = path_of(call.callee)
    return "the function" if written is None or written.startswith("%") else written
