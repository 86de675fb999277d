"""Phrases that several messages share."""

from __future__ import annotations

from evalguard.modes.frame import Info


def through(info: Info) -> str:
    """Why the mode matters: "; `ResNet` has BatchNorm2d"."""
    if not info.sensitive or info.layer is None:
        return ""
    owner = info.cls.qualname if info.cls is not None else "it"
    layer = info.layer.strip("`")
    if "self.training" in layer:
        return f"; `{owner}` asks for `self.training`" if owner != "it" else ""
    return f"; `{owner}` has {layer}" if owner != "it" else f"; it has {layer}"
