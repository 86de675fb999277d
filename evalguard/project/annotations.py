"""The one class that an annotation names, whatever stands around it to say that it may be missing.

net: Net                     Net
net: "Net"                   Net
net: Optional[Net] = None    Net
net: Net | None              Net
net: Net | Critic            none: nobody knows which of the two
nets: list[Net]              none: a list
"""

from __future__ import annotations

import re

_OPTIONAL = re.compile(r"(?:[\w.]+\.)?Optional\[(.*)\]", re.DOTALL)
_UNION = re.compile(r"(?:[\w.]+\.)?Union\[(.*)\]", re.DOTALL)
_QUOTES = "'\" \t\n"


def class_named(annotation: str) -> str | None:
    """The dotted name of the class, as it is written; None where the annotation names none, or several."""
    text = annotation.strip(_QUOTES)
    if (inside := _OPTIONAL.fullmatch(text)) is not None:
        return class_named(inside[1])
    union = _UNION.fullmatch(text)
    parts = [part.strip(_QUOTES) for part in (union[1].split(",") if union is not None else text.split("|"))]
    named = [part for part in parts if part not in ("None", "")]
    if len(named) != 1 or not named[0].replace(".", "").replace("_", "").isalnum():
        return None
    return named[0]
