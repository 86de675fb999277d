"""The report for people: each finding with its source, the way that leads to it, and what to do.

    train.py:40:9: EVG201 training-in-eval-mode `model` may be in eval mode in this training step
       |
    40 |         optimizer.step()
       |         ^^^^^^^^^^^^^^^^
      1 train.py:31  `model.eval()` sets eval mode
      2 train.py:52  the loop goes round
      3 train.py:40  `optimizer.step()` trains `model`
    help: call `model.train()` at the head of the loop

Source and file names are foreign text: whatever could steer the terminal is written out (see `terminal.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from evalguard.finding import Applicability, Finding, Severity, Span, Step
from evalguard.report import Report
from evalguard.report.terminal import TAB_WIDTH, Painter, Style, painter, visible, visible_character, width_of
from evalguard.source import split_lines

DEFAULT_WIDTH = 120
_LINES_SHOWN = 6  # of a span of more lines, the first four and the last
_CUT = "..."


def render(report: Report, colour: bool = False, width: int = DEFAULT_WIDTH) -> str:
    """All findings and the summary. Source lines that are wider than `width` are cut around their span."""
    paint = painter(colour)
    lines_of = cache(lambda text: () if text is None else split_lines(text))
    parts = [
        "\n".join(_finding(finding, lines_of(report.text_around(finding)), paint, width)) for finding in report.findings
    ]
    return "".join(f"{part}\n\n" for part in parts) + f"{_summary(report)}\n"


def _finding(finding: Finding, source: Sequence[str], paint: Painter, width: int) -> Iterator[str]:
    place = _place(finding.path, finding.cell, f"{finding.span.line}:{finding.span.column}")
    style = Style.ERROR if finding.severity is Severity.ERROR else Style.WARNING
    yield f"{paint(f'{place}:', Style.PATH)} {paint(finding.code, style)} {finding.name} {visible(finding.message)}"
    yield from _frame(finding.span, source, paint, width)
    yield from _trace(finding.trace, paint)
    advice = finding.help or (finding.fix.title if finding.fix else None)
    if advice is not None:
        yield f"{paint('help:', Style.HELP)} {visible(advice)}"
    if finding.fix is not None:
        yield f"{paint(f'fix ({finding.fix.applicability.value}):', Style.HELP)} {visible(finding.fix.title)}"
    elif finding.no_fix_reason is not None:
        yield f"{paint('no safe fix:', Style.HELP)} {visible(finding.no_fix_reason)}"


def _frame(span: Span, source: Sequence[str], paint: Painter, width: int) -> Iterator[str]:
    """The lines of the span, each with its part of the span marked below it."""
    last = min(max(span.end_line, span.line), len(source))
    if not 1 <= span.line <= last:
        return
    numbers = list(range(span.line, last + 1))
    gutter = len(str(last))
    bar = paint("|", Style.FRAME)
    yield f"{' ' * gutter} {bar}"
    for number in numbers:
        if len(numbers) > _LINES_SHOWN and number == numbers[_LINES_SHOWN - 2]:
            yield paint(_CUT, Style.FRAME)
        if len(numbers) > _LINES_SHOWN and numbers[_LINES_SHOWN - 2] <= number < last:
            continue
        line = source[number - 1]
        start = span.column - 1 if number == span.line else len(line) - len(line.lstrip())
        end = span.end_column - 1 if number == span.end_line else len(line.rstrip())
        shown, offset, length = _cut(line, start, end, width - gutter - 3)
        yield f"{paint(f'{number:>{gutter}}', Style.FRAME)} {bar} {shown}".rstrip()
        if line.strip() or len(numbers) == 1:
            yield f"{' ' * gutter} {bar} {' ' * offset}{paint('^' * length, Style.MARK)}"


def _cut(line: str, start: int, end: int, width: int) -> tuple[str, int, int]:
    """The line as shown, and where the marks stand under it: after how many columns, and how many."""
    cells = _cells(line)
    start = min(start, len(cells))
    end = min(max(end, start), len(cells))
    first, last = _window([width_of(cell) for cell in cells], start, end, width)
    head, tail = _CUT if first else "", _CUT if last < len(cells) else ""
    offset = len(head) + width_of("".join(cells[first:start]))
    length = width_of("".join(cells[start : min(end, last)]))
    return head + "".join(cells[first:last]) + tail, offset, max(length, 1)


def _window(widths: Sequence[int], start: int, end: int, width: int) -> tuple[int, int]:
    """Which cells are shown: all if they fit, else those around the span, and of a wider span its beginning."""
    if sum(widths) <= width:
        return 0, len(widths)
    room = max(width - 2 * len(_CUT), TAB_WIDTH)
    first = last = start
    used = 0
    while last < end and used + widths[last] <= room:
        used += widths[last]
        last += 1
    while True:
        before = widths[first - 1] if first > 0 else room
        after = widths[last] if last < len(widths) else room
        if first > 0 and used + before <= room:
            first -= 1
            used += before
        if last < len(widths) and used + after <= room:
            last += 1
            used += after
        elif used + before > room:
            return first, last


def _cells(line: str) -> list[str]:
    """What each character of the line looks like: a tab fills up to the next stop."""
    cells: list[str] = []
    column = 0
    for character in line:
        cell = " " * (TAB_WIDTH - column % TAB_WIDTH) if character == "\t" else visible_character(character)
        cells.append(cell)
        column += width_of(cell)
    return cells


def _trace(trace: Sequence[Step], paint: Painter) -> Iterator[str]:
    numbers = len(str(len(trace)))
    places = [_place(step.path, step.cell, str(step.span.line)) for step in trace]
    column = max(map(width_of, places), default=0)
    for number, (step, place) in enumerate(zip(trace, places, strict=True), start=1):
        padding = " " * (column - width_of(place))
        yield f"  {paint(f'{number:>{numbers}}', Style.STEP)} {place}{padding}  {visible(step.message)}"


def _place(path: str, cell: int | None, position: str) -> str:
    return f"{visible(path)}:{position}" if cell is None else f"{visible(path)}:cell {cell}:{position}"


def _summary(report: Report) -> str:
    files = len(report.files)
    if not report.findings:
        return f"No problems found in {_count(files, 'file')}."
    affected = len({finding.path for finding in report.findings})
    found = f"Found {_count(len(report.findings), 'problem')} in {affected} of {_count(files, 'file')}."
    safe, unsafe = (
        sum(1 for finding in report.findings if finding.fix is not None and finding.fix.applicability is applicability)
        for applicability in (Applicability.SAFE, Applicability.UNSAFE)
    )
    fixable = f" {safe} can be mended with --fix" if safe or unsafe else ""
    more = f", {unsafe} more with --unsafe-fixes" if unsafe else ""
    return f"{found}{fixable}{more}{'.' if fixable else ''}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
