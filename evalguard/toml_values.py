"""What the readers of a configuration share: their error, and the words in which it is said."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence


class ConfigError(Exception):
    """A configuration that cannot be used; the message is for the user."""


def did_you_mean(word: str, possible: Collection[str]) -> str:
    """`; did you mean "…"?` where one of the possible words is near, else nothing."""
    near = difflib.get_close_matches(word, possible, n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def type_name(value: object) -> str:
    """What a value of a TOML file is, in words."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'the string "{value}"'
        case int() | float():
            return f"the number {value}"
        case Mapping():
            return "a table"
        case Sequence():
            return "a list"
        case _:
            return f"a {type(value).__name__}"
