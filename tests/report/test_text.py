"""The frame around a span, whatever the source holds."""

from __future__ import annotations

import pytest

from evalguard.finding import Applicability, Finding, Fix, Span, Step
from evalguard.report import Report, text
from evalguard.report.terminal import width_of


def frame(source: str, span: Span, width: int = 120) -> list[str]:
    finding = Finding("EVG201", "name", "message", "a.py", span)
    report = Report(findings=(finding,), files=("a.py",), texts={"a.py": source})
    return text.render(report, width=width).split("\n")[1:-3]


def test_one_line() -> None:
    assert frame("if x:\n    step()\n", Span(2, 5, 2, 11)) == ["  |", "2 |     step()", "  |     ^^^^^^"]


def test_several_lines_are_marked_one_by_one() -> None:
    assert frame("x = f(\n    a,\n\n    b)  # why\n", Span(1, 5, 4, 7)) == [
        "  |",
        "1 | x = f(",
        "  |     ^^",
        "2 |     a,",
        "  |     ^^",
        "3 |",
        "4 |     b)  # why",
        "  |     ^^",
    ]


def test_of_many_lines_the_first_and_the_last() -> None:
    source = "f(\n" + "".join(f"    {number},\n" for number in range(2, 20)) + ")\n"
    lines = frame(source, Span(1, 1, 20, 2))
    assert [line for line in lines if "^" not in line] == [
        "   |",
        " 1 | f(",
        " 2 |     2,",
        " 3 |     3,",
        " 4 |     4,",
        "...",
        "20 | )",
    ]


def test_tabs_fill_up_to_their_stop() -> None:
    assert frame("\tx =\tstep()\n", Span(1, 6, 1, 12)) == ["  |", "1 |     x = step()", "  |         ^^^^^^"]


def test_wide_and_combining_characters() -> None:
    assert frame("模型 = 'é̈'; step('模')\n", Span(1, 12, 1, 21)) == [
        "  |",
        "1 | 模型 = 'é̈'; step('模')",
        "  |" + " " * 13 + "^^^^^^^^^^",
    ]


@pytest.mark.parametrize(
    ("character", "escape"),
    [("\x1b", "\\x1b"), ("\x07", "\\x07"), ("\x0c", "\\x0c"), ("\x9b", "\\x9b"), ("\u202e", "\\u202e")],
)
def test_what_steers_a_terminal_is_written_out(character: str, escape: str) -> None:
    assert frame(f"'{character}'; step()\n", Span(1, 6, 1, 12)) == [
        "  |",
        f"1 | '{escape}'; step()",
        "  |" + " " * (5 + len(escape)) + "^^^^^^",
    ]


@pytest.mark.parametrize("start", [0, 1, 5, 40, 150, 294, 299])
@pytest.mark.parametrize("length", [1, 6, 30, 200])
@pytest.mark.parametrize("filler", ["x", "模", "\t", "e\u0301"])
def test_a_long_line_is_cut_around_its_span(start: int, length: int, filler: str) -> None:
    before = filler * start
    source = before + "S" * length + filler * (300 - start)
    lines = frame(source, Span(1, len(before) + 1, 1, len(before) + length + 1), width=60)
    assert all(width_of(line) <= 60 for line in lines)
    shown, marks = lines[1], lines[2]
    marked = "".join(character for character in shown if character == "S")
    assert marks.count("^") == len(marked) > 0
    first = width_of(shown[: shown.index("S")])
    assert marks.index("^") == first
    assert len(marked) == length or shown.endswith("...")


def test_a_span_outside_the_text_has_no_frame() -> None:
    assert frame("x\n", Span(9, 1, 9, 2)) == []
    assert frame("x", Span(1, 5, 1, 9)) == ["  |", "1 | x", "  |  ^"]


def test_steps_are_aligned_and_neutral() -> None:
    span = Span(1, 1, 1, 2)
    steps = (
        Step("a.py", span, "first\x1b[2J"),
        *(Step("deep/模.py", Span(n, 1, n, 2), f"step {n}") for n in range(2, 11)),
    )
    finding = Finding("EVG201", "name", "message", "a.py", span, trace=steps)
    lines = text.render(Report(findings=(finding,))).split("\n")
    assert lines[1] == "   1 a.py:1         first\\x1b[2J"
    assert lines[2] == "   2 deep/模.py:2   step 2"
    assert lines[10] == "  10 deep/模.py:10  step 10"


def test_the_cure_is_the_help_or_else_the_fix() -> None:
    span = Span(1, 1, 1, 2)
    fix = Fix("do this", Applicability.SAFE, ())
    assert "help: do this\n" in text.render(Report(findings=(Finding("EVG201", "n", "m", "a.py", span, fix=fix),)))


def test_a_cell_is_part_of_the_place() -> None:
    finding = Finding("EVG201", "name", "message", "a.ipynb", Span(1, 1, 1, 2), cell=3)
    assert text.render(Report(findings=(finding,))).startswith("a.ipynb:cell 3:1:1: EVG201")


@pytest.mark.parametrize(
    ("findings", "files", "summary"),
    [
        ([], [], "No problems found in 0 files."),
        ([], ["a.py"], "No problems found in 1 file."),
        (["a.py"], ["a.py"], "Found 1 problem in 1 of 1 file."),
        (["a.py", "a.py", "b.py"], ["a.py", "b.py", "c.py"], "Found 3 problems in 2 of 3 files."),
    ],
)
def test_the_closing_line(findings: list[str], files: list[str], summary: str) -> None:
    found = tuple(Finding("EVG201", "name", "message", path, Span(1, 1, 1, 2)) for path in findings)
    assert text.render(Report(findings=found, files=tuple(files))).endswith(f"{summary}\n")
