"""The documentation of rules for a terminal: paragraphs filled to its width, code indented.

EVG201 training-in-eval-mode
A training step is reached with the module in eval mode.
On by default, error.

What it does
  Reports an optimizer's step that some path reaches while ...

Example
  |  optimizer.step()
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from evalguard.report.terminal import Painter, Style, painter
from evalguard.rule_documentation import RuleDocumentation

DEFAULT_WIDTH = 100
_INDENT = "  "
_CODE_INDENT = "    "
_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_ITEM = re.compile(r"(?:[-*]|\d+\.) ")


def render(documentations: Sequence[RuleDocumentation], colour: bool = False, width: int = DEFAULT_WIDTH) -> str:
    """One rule after the other."""
    paint = painter(colour)
    return "\n".join("".join(f"{line}\n" for line in _rule(each, paint, width)) for each in documentations)


def _rule(documentation: RuleDocumentation, paint: Painter, width: int) -> Iterator[str]:
    yield f"{paint(documentation.code, Style.ERROR)} {paint(documentation.name, Style.PATH)}"
    yield from textwrap.wrap(documentation.summary, width)
    yield f"{'On' if documentation.default else 'Off'} by default. Severity: {documentation.severity.value}."
    for heading, text in documentation.sections():
        yield ""
        yield paint(heading, Style.PATH)
        yield from _section(text, width)


def _section(text: str, width: int) -> Iterator[str]:
    """Blocks of code as they are, all else filled."""
    for number, part in enumerate(re.split(r"^```(?:\w*)\n?", text, flags=re.MULTILINE)):
        if number % 2:
            yield from (f"{_CODE_INDENT}{line}".rstrip() for line in part.splitlines())
        else:
            yield from _prose(part.strip(), width)


def _prose(text: str, width: int) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text) if text else []):
        if number:
            yield ""
        for piece in _pieces(paragraph.splitlines()):
            filled = _LINK.sub(r"\1 (\2)", " ".join(piece.split()))
            item = _ITEM.match(filled)
            hanging = _INDENT + " " * (item.end() if item else 0)
            yield from textwrap.wrap(
                filled,
                width,
                initial_indent=_INDENT,
                subsequent_indent=hanging,
                break_long_words=False,
                break_on_hyphens=False,
            )


def _pieces(lines: Sequence[str]) -> Iterator[str]:
    """A paragraph, or each item of a list in it."""
    piece: list[str] = []
    for line in lines:
        if piece and _ITEM.match(line):
            yield "\n".join(piece)
            piece = []
        piece.append(line)
    yield "\n".join(piece)
