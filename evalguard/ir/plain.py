"""What facts are made of: plain data, of which there are millions.

The facts of a project go from process to process and from run to run. msgspec makes such objects, compares them and
turns them into JSON and back, checked against the types that their classes promise, some twenty times as fast as Python
code does (<https://jcristharif.com/msgspec/structs.html>). Each is a list of its fields; one of several kinds that may
stand at a place begins with its name.

    Call(Temp(1), Name("f"), (), span, span)      ["Call", ["Temp", 1], ["Name", "f"], [], [5, 1, 5, 4], [5, 1, 5, 4]]
"""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec import Struct, structs

P = TypeVar("P", bound="Plain")


class Plain(Struct, frozen=True, gc=False, array_like=True):
    """A record that never changes, equal to those of its class with equal fields, and hashable if they are. It cannot
    hold itself, so the garbage collector does not look at it: nor must what it holds lead back to it, as a view of a
    project may, for neither would ever be given free."""


class Alternative(Plain, frozen=True, tag=True):
    """A record that may stand where one of another kind may, too."""


def changed(record: P, **fields: Any) -> P:
    """A copy of a record with other values in some fields."""
    return structs.replace(record, **fields)
