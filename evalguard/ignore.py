"""Patterns in the syntax of .gitignore, matched as git matches them.

A pattern speaks of one entry: `!*/` brings folders back and says nothing of the files in them. (Libraries for
these patterns match whatever is below an entry along with it, which is something else once a line is negated.) What is
in a folder that is left out need not be asked about: the walk never gets there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TOKEN = re.compile(
    r"""
      (?P<any>\A\*\*\Z)
    | (?P<any_start>\A(?:\*\*/)+)
    | (?P<any_end>/\*\*\Z)
    | (?P<any_middle>/(?:\*\*/)+)
    | (?P<stars>\*+)
    | (?P<question>\?)
    | \[(?P<not>[!^]?)(?P<set>\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*)\]
    | \\(?P<escaped>.)
    | (?P<broken>\[|\\)
    | (?P<plain>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-\/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
_NOTHING = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line. `whole` patterns match the path from the folder of the pattern on, the others an entry's name."""

    regex: re.Pattern[str]
    whole: bool
    folders_only: bool
    negated: bool

    def matches(self, inside: str, is_folder: bool) -> bool:
        """Whether the line speaks of the entry at the path `inside`."""
        if self.folders_only and not is_folder:
            return False
        return self.regex.fullmatch(inside if self.whole else inside.rpartition("/")[2]) is not None


@dataclass(frozen=True, slots=True)
class Patterns:
    """The lines that speak of what is in `folder` and below it."""

    folder: Path
    patterns: tuple[Pattern, ...]

    def verdict(self, entry: Path, is_folder: bool) -> bool | None:
        """Whether the last line that matches leaves the entry out; None where no line does, or it is elsewhere."""
        if not entry.is_relative_to(self.folder) or entry == self.folder:
            return None
        inside = entry.relative_to(self.folder).as_posix()
        for pattern in reversed(self.patterns):
            if pattern.matches(inside, is_folder):
                return not pattern.negated
        return None

    def covers(self, file: Path) -> bool:
        """Whether the file is left out, itself or by a folder that it is in."""
        if not file.is_relative_to(self.folder):
            return False
        above = file.relative_to(self.folder).parents
        folders = [self.folder / parent for parent in reversed(above) if parent.name]
        return any(self.verdict(folder, is_folder=True) for folder in folders) or bool(self.verdict(file, False))


def parse_patterns(lines: Sequence[str], folder: Path) -> Patterns:
    """The patterns of the lines, blank lines and comments left out."""
    stripped = (re.sub(r"(?<!\\)(?P<kept>(?:\\\\)*) +\Z", r"\g<kept>", line) for line in lines)
    return Patterns(folder, tuple(_parse(line) for line in stripped if line and not line.startswith("#")))


def _parse(line: str) -> Pattern:
    negated = line.startswith("!")
    glob = line.removeprefix("!")
    folders_only = glob.endswith("/")
    glob = glob.removesuffix("/")
    return Pattern(_translate(glob.removeprefix("/")), "/" in glob, folders_only, negated)


def _translate(glob: str) -> re.Pattern[str]:
    try:
        return re.compile("".join(map(_translate_token, _TOKEN.finditer(glob))), re.DOTALL)
    except re.error:  # such as [z-a]
        return _NOTHING


def _translate_token(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "any":
            return ".+"
        case "any_start":
            return "(?:.*/)?"
        case "any_end":
            return "/.+"
        case "any_middle":
            return "/(?:.*/)?"
        case "stars":
            return "[^/]*"
        case "question":
            return "[^/]"
        case "set":
            return f"(?!/)[{'^' if token['not'] else ''}{_translate_set(token['set'])}]"
        case "escaped":
            return re.escape(token["escaped"])
        case "broken":
            return _NOTHING.pattern
        case _:
            return re.escape(token[0])


def _translate_set(body: str) -> str:
    named = re.split(r"\[:([a-z]+):\]", body)
    plain = [re.sub(r"\\?([\[\]&~|^\\])", r"\\\1", part) for part in named[::2]]
    classes = [_CLASSES.get(name, "") for name in named[1::2]]
    return "".join(part + name for part, name in zip(plain, [*classes, ""], strict=True))
