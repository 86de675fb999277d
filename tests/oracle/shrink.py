"""Cut a program down while it still fails: leave out statements and clauses, or put a body in the place of its header.

It works on lines and their indentation, so comments stay, and with them the names of the constructs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .programs import NET

_MUSTS = (r" *model = ", r" *reveal_mode\(model\)")
_CLAUSE = re.compile(r" *(elif|else|except|finally|case)\b")


def shrink(text: str, fails: Callable[[str], bool]) -> str:
    """The smallest program found for which `fails` still holds. A candidate may be no program at all."""
    lines = [line for line in text.splitlines() if line.strip()]
    before = None
    while lines != before:
        before = lines
        for start in range(len(lines) - 1, -1, -1):  # uses go before what they use
            lines = next((cut for cut in _cuts(lines, start) if _fair(cut) and fails(_text(cut))), lines)
    return _text(lines)


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _cuts(lines: list[str], start: int) -> Iterator[list[str]]:
    """Without the statement or clause at `start`, or with its body in its place."""
    if start >= len(lines):
        return
    end = after = _end(lines, start)
    if not _CLAUSE.match(lines[start]):
        while after < len(lines) and _CLAUSE.match(lines[after]) and _indent(lines[after]) == _indent(lines[start]):
            after = _end(lines, after)
    yield lines[:start] + lines[after:]
    if end > start + 1:
        yield lines[:start] + [line[4:] for line in lines[start + 1 : end]] + lines[after:]


def _end(lines: list[str], start: int) -> int:
    """The line after the block that `start` opens, or after `start`."""
    end = start + 1
    while end < len(lines) and _indent(lines[end]) > _indent(lines[start]):
        end += 1
    return end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _fair(lines: list[str]) -> bool:
    """Whether the cut keeps the rules of the generator: there is a module whose mode matters, and it is revealed;
    endless loops are left; what may raise by itself stands in a `try`."""
    if NET not in _text(lines) or not all(any(re.match(must, line) for line in lines) for must in _MUSTS):
        return False
    tries: list[int] = []
    for number, line in enumerate(lines):
        while tries and _indent(line) <= tries[-1]:
            tries.pop()
        if re.match(r" *(def|class) ", line):
            tries.clear()
        if re.match(r" *try:", line):
            tries.append(_indent(line))
        if re.search(r"\b(risky|may_raise)\(\d", line) and not tries:
            return False
        if re.match(r" *while True:", line) and not re.match(r" *if leave\(", _line(lines, number + 1)):
            return False
        if re.match(r" *if leave\(", line) and not re.match(
            r" *(break|return)\b", _line(lines, _end(lines, number) - 1)
        ):
            return False
    return True


def _line(lines: list[str], number: int) -> str:
    return lines[number] if number < len(lines) else ""
