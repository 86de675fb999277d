"""From a cell as IPython takes it to Python.

    %matplotlib inline             pass
    !pip install timm              pass
    model.forward?                 pass
    files = !ls data               files = get_ipython().getoutput()
    %time fit(model, loader)       pass; fit(model, loader)
    %%time                                                            (the rest of the cell stays)
    %%bash                                                            (and so is the rest of the cell)

Every line keeps its number, and all that is kept of it its columns, so that a place in the Python is the same place in
the cell. What stands in a block stays a statement of it. IPython looks for its own syntax at the beginning of a
statement and behind the `=` of an assignment only, and so do we: a `%` may also begin the second line of an expression
or of a text. (https://ipython.readthedocs.io/en/stable/interactive/reference.html)
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from evalguard.source import split_lines
from evalguard.vocabulary.ipython import COMMANDS, LANGUAGES, RUNS_ITS_CELL, RUNS_ITS_LINE

_CELL_MAGIC = re.compile(r"%%(\S*)")
_ESCAPE = re.compile(r"[ \t]*[%!?]")
_MAY_BE_IPYTHON = re.compile(r"^[ \t]*[%!?]|\?[ \t;]*(?:#.*)?$|=[ \t]*[%!]", re.MULTILINE)
_COMMAND = re.compile(r"(\w+)[ \t]+[^\s=(,;:]|(\w+)$")
_LINE_MAGIC = re.compile(r"(?P<indent>[ \t]*)%(?P<name>\w+)(?=[ \t])(?P<rest>.*)")
_TOKEN = re.compile(
    r"(?P<quote>\"\"\"|'''|\"|')|(?P<comment>#)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<help>\?)"
    r"|(?P<assign>(?<![=!<>])=[ \t]*(?=[%!]))"
)
_CALL = "get_ipython().getoutput()"  # a call of something unknown, with an unknown result


def dedented(source: str) -> tuple[str, int]:
    """The cell without the indent of its first line that holds anything, as IPython takes it, and how wide that was."""
    lines = split_lines(source)
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip(" \t"))]
    return "\n".join(line.removeprefix(indent) for line in lines), len(indent)


def python_of_source(source: str) -> str:
    """The Python of a cell as it stands in its notebook."""
    return python_of(dedented(source)[0])


def python_of(cell: str) -> str:
    """The Python of a cell, line by line."""
    lines = split_lines(cell)
    head = _first_statement(lines, 0)
    while head < len(lines) and (magic := _CELL_MAGIC.match(lines[head])):
        if magic[1] not in RUNS_ITS_CELL:
            return "\n".join("" for _ in lines)
        lines[head] = ""
        head = _first_statement(lines, head)
    if _is_command(lines) or (head < len(lines) and lines[head].rstrip() in LANGUAGES):
        return "\n".join("" for _ in lines)
    if any(map(_MAY_BE_IPYTHON.search, lines)):
        lines = _without_escapes(lines)
    return "\n".join(lines)


def _first_statement(lines: Sequence[str], start: int) -> int:
    """The first line from `start` on that is neither empty nor a comment: Colab allows a form's `#@title` before a
    cell magic."""
    for number in range(start, len(lines)):
        if lines[number].strip() and not lines[number].startswith("#"):
            return number
    return len(lines)


def _is_command(lines: Sequence[str]) -> bool:
    """Whether the cell is one line that calls a magic without `%`."""
    said = [line for line in lines if line.strip()]
    if len(said) != 1:
        return False
    match = _COMMAND.match(said[0].rstrip())
    return match is not None and (match[1] or match[2]) in COMMANDS


@dataclass(slots=True)
class _Open:
    """What a line leaves open for the next: a text, brackets, or a backslash at its end."""

    quote: str = ""
    brackets: int = 0
    continued: bool = False

    def __bool__(self) -> bool:
        return bool(self.quote) or self.brackets > 0 or self.continued


def _without_escapes(lines: Sequence[str]) -> list[str]:
    found: list[str] = []
    is_open = _Open()
    number = 0
    while number < len(lines):
        line = lines[number]
        begins = not is_open
        if begins and _ESCAPE.match(line):
            kept = _statement_run_by(line)
            if kept is None:
                number = _blank(found, lines, number, _nothing(line))
                continue
            line = kept
        cut = _scan(line, is_open)
        if cut is not None and line[cut] != "?":
            number = _blank(found, lines, number, line[:cut] + _CALL)
            is_open = _Open()
            continue
        if cut is not None and begins:
            line = _nothing(line)
            is_open = _Open()
        found.append(line)
        number += 1
    return found


def _nothing(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))] + "pass"


def _blank(found: list[str], lines: Sequence[str], number: int, instead: str) -> int:
    """Put something in the place of a line and of those that it goes on to by backslashes; the number of the next."""
    found.append(instead)
    while lines[number].endswith("\\") and number + 1 < len(lines):
        number += 1
        found.append("")
    return number + 1


def _statement_run_by(line: str) -> str | None:
    """`%time statement` with something as long as the magic in its place; None if it runs none."""
    match = _LINE_MAGIC.match(line)
    if match is None or match["name"] not in RUNS_ITS_LINE:
        return None
    statement = _after_options(match["rest"].lstrip(), RUNS_ITS_LINE[match["name"]])
    if not _is_simple(statement):
        return None  # a loop behind `%time` cannot stay where it is: rather a missed alarm than a wrong place
    width = len(line) - len(match["indent"]) - len(statement)
    return f"{match['indent']}{'pass;':{width}}{statement}"


def _after_options(rest: str, with_value: str) -> str:
    option = re.compile(rf"-(?:[{with_value or '-'}][ \t]*[^\s-]\S*|-?\w[\w-]*)(?:[ \t]+|$)")
    while (match := option.match(rest)) is not None:
        rest = rest[match.end() :]
    return rest


def _is_simple(statement: str) -> bool:
    if statement.endswith("\\"):
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(statement).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return bool(body) and not any(hasattr(node, "body") for node in body)


def _scan(line: str, is_open: _Open) -> int | None:
    """Read one line from what the last one left open, and note what it leaves open itself. Where IPython's own syntax
    stands in it, behind `=` or as a `?`, that column."""
    position = 0
    is_open.continued = False
    while True:
        if is_open.quote:
            position = _end_of_text(line, position, is_open.quote)
            if position < 0:
                is_open.continued = line.endswith("\\")
                if len(is_open.quote) == 1 and not is_open.continued:
                    is_open.quote = ""
                return None
            is_open.quote = ""
        token = _TOKEN.search(line, position)
        if token is None or token["comment"]:
            is_open.continued = token is None and line.endswith("\\")
            return None
        position = token.end()
        if token["quote"]:
            is_open.quote = token["quote"]
        elif token["open"]:
            is_open.brackets += 1
        elif token["close"]:
            is_open.brackets = max(is_open.brackets - 1, 0)
        elif not is_open.brackets:
            return token.end() if token["assign"] else token.start()


def _end_of_text(line: str, start: int, quote: str) -> int:
    """Where a text ends in a line, -1 if it does not."""
    match = re.compile(rf"(?:\\.|(?!{quote})[^\\])*{quote}").match(line, start)
    return match.end() if match else -1
