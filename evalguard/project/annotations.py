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
from collections.abc import Iterator

from evalguard.ir.ops import Assign
from evalguard.ir.values import Attribute, Name, as_value
from evalguard.modes.values import Cls
from evalguard.project.resolve import Index

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


def library_classes(cls: Cls, index: Index) -> dict[str, str]:
    """The attributes of an object of which an annotation says that they hold an object of a library's class, and its
    dotted name: an annotation in the class's body, or of a parameter that a constructor keeps."""
    found: dict[str, str] = {}
    for owner in index.ancestry(cls)[0]:
        for attribute, annotation in (*index.class_facts(owner).annotations, *_kept_parameters(owner, index)):
            name = class_named(annotation)
            meaning = index.resolve(owner.path, as_value(name)) if name is not None else None
            if isinstance(meaning, str) and "." in meaning:
                found.setdefault(attribute, meaning)
    return found


def _kept_parameters(cls: Cls, index: Index) -> Iterator[tuple[str, str]]:
    """The attributes to which the constructor assigns an annotated parameter as it is."""
    qualname = dict(index.class_facts(cls).methods).get("__init__")
    if qualname is None:
        return
    facts = index.files[cls.path].functions[qualname]
    annotated = {parameter.name: parameter.annotation for parameter in facts.parameters}
    for block in facts.blocks:
        for op in block.ops:
            match op:
                case Assign(target=Attribute(value=Name(id=owner), name=attribute), value=Name(id=given)):
                    annotation = annotated.get(given)
                    if annotation is not None and owner == facts.parameters[0].name:
                        yield attribute, annotation
                case _:
                    pass
