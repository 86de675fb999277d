"""Foreign text on a terminal: what may be printed as it is, how wide it stands, and colour."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from enum import Enum

TAB_WIDTH = 4
_RESET = "\x1b[0m"


class Style(Enum):
    """How a piece of a report looks, as the parameters of the terminal's control sequence."""

    PATH = "1"
    ERROR = "1;31"
    WARNING = "1;33"
    FRAME = "34"
    MARK = "31"
    STEP = "36"
    HELP = "32"


Painter = Callable[[str, Style], str]


def painter(colour: bool) -> Painter:
    """A function that paints a text, or leaves it alone."""
    if not colour:
        return lambda text, style: text
    return lambda text, style: f"\x1b[{style.value}m{text}{_RESET}"


def visible(text: str) -> str:
    """The text with all that could steer a terminal, or turn the writing round, written out as an escape."""
    return "".join(map(visible_character, text))


def visible_character(character: str) -> str:
    """One character, or its escape if it is a control, a format, a lone surrogate or unknown to Unicode."""
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode("ascii")


def width_of(text: str) -> int:
    """How many columns a visible text takes."""
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
