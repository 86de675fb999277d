"""Comments that silence findings: taken away where they are idle, and written where `add-noqa` asks for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from evalguard.finding import Applicability, Edit, Finding, Fix, Span
from evalguard.fixes.edits import Part
from evalguard.fixes.script import Script
from evalguard.source import split_lines

_LIST_BEHIND = re.compile(r"(?P<head>#\s*noqa\s*:\s*)(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)", re.IGNORECASE)


def without_code(finding: Finding, script: Script) -> Iterator[Fix]:
    """The comment without the code at the finding; without any code, no comment."""
    span = finding.span
    line = script.lines[span.line - 1]
    start, end = span.column - 1, span.end_column - 1
    before, code, behind = line[:start], line[start:end], line[end:]
    if not code or code.startswith("#"):  # the bare form
        head = before.rstrip()
        yield _fix("remove the comment", script, span.line, len(head), len(line), _rest(head, behind))
        return
    title = f"remove `{code}`"
    comma = re.match(r"[,\s]+(?=[A-Za-z]+[0-9])", behind)
    if comma is not None:
        yield _fix(title, script, span.line, start, end + comma.end(), "")
        return
    comma = re.search(r"(?<=[0-9])[,\s]+$", before)
    if comma is not None:
        yield _fix(title, script, span.line, comma.start(), end, "")
        return
    head = re.sub(r"\s*#\s*(?:noqa\s*:|evalguard\s*:\s*ignore\s*\[)\s*$", "", before, flags=re.IGNORECASE)
    if head != before:
        tail = behind.partition("]")[2] if before.rstrip().endswith("[") else behind
        yield _fix(title, script, span.line, len(head), len(line), _rest(head, tail))


def _rest(head: str, behind: str) -> str:
    """What is left of a line's end: another comment, or the reason that was given, which goes as well."""
    other = behind.find("#")
    return f"{'  ' if head.strip() else head}{behind[other:]}" if other >= 0 else ""


def _fix(title: str, script: Script, line: int, start: int, end: int, content: str) -> Fix:
    return Fix(title, Applicability.SAFE, (Edit(script.path, Span(line, start + 1, line, end + 1), content),))


def silencing_edits(part: Part, text: str, codes_of: Mapping[int, Iterable[str]]) -> Iterator[Edit]:
    """`# noqa` at the end of lines, in the comment that is there for that already if there is one."""
    lines = split_lines(text)
    for number, codes in sorted(codes_of.items()):
        line = lines[number - 1]
        wanted = sorted(set(codes))
        found = _LIST_BEHIND.search(line)
        if found is not None:
            place, content = found.end(), "".join(f", {code}" for code in wanted)
        else:
            place = len(line.rstrip())
            content = f"  # noqa: {', '.join(wanted)}"
        end = place if found is not None else len(line)
        yield Edit(part[0], Span(number, place + 1, number, end + 1), content, part[1])
