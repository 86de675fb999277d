"""Which comments silence which findings."""

from __future__ import annotations

import pytest

from evalguard.finding import Finding, Span
from evalguard.suppress import suppress


def finding(line: int = 1, code: str = "EVG201", end_line: int | None = None) -> Finding:
    return Finding(code, "some-name", "message", "a.py", Span(line, 1, end_line or line, 2))


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "#noqa",
        "# NoQA",
        "# noqa: EVG201",
        "# noqa:EVG201",
        "# noqa : evg201",
        "# noqa: E501,EVG201",
        "# noqa:E501 EVG201",
        "# noqa: E501, EVG201 because of the demo",
        "# noqa: EVG2",
        "# noqa: because of the demo",
        "# type: ignore # noqa: EVG201",
        "# evalguard: ignore",
        "# evalguard: ignore on purpose",
        "# evalguard: ignore[EVG201]",
        "# evalguard:ignore[EVG101, EVG201] frozen on purpose",
        "# EVALGUARD: IGNORE[evg201]",
        "# noqa: E501 # evalguard: ignore[EVG201] why",
    ],
)
def test_silenced(comment: str) -> None:
    assert suppress([finding()], [(1, comment)], "step()\n") == []


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: E501",
        "# noqa: EVG202",
        "# noqa: EVG2011",
        "# noqaEVG201",
        "# evalguard: ignore[EVG202]",
        "# evalguard: ignore[]",
        "# evalguard: ignored",
        "# see noqa",
    ],
)
def test_not_silenced(comment: str) -> None:
    assert suppress([finding()], [(1, comment)], "step()\n") == [finding()]


def test_a_comment_on_another_line_does_not_count() -> None:
    assert suppress([finding(2)], [(1, "# noqa"), (3, "# noqa")], "a()\nb()\nc()\n") == [finding(2)]


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_comment_on_the_last_line_of_the_statement_counts(line: int) -> None:
    text = "loss = f(\n    model(x),\n    y,\n)  # noqa\nstep()\n"
    assert suppress([finding(line)], [(4, "# noqa")], text) == []


def test_the_last_line_of_a_block_is_not_its_heads() -> None:
    text = "for x in f(\n    y\n):  # noqa: EVG101\n    model(x)\n    step()  # noqa\n"
    comments = [(3, "# noqa: EVG101"), (5, "# noqa")]
    assert suppress([finding(1)], comments, text) == [finding(1)]
    assert suppress([finding(2, "EVG101")], comments, text) == []
    assert suppress([finding(4)], comments, text) == [finding(4)]


def test_carriage_returns_end_lines() -> None:
    assert suppress([finding(2)], [(4, "# noqa")], "a()\rf(\rx\r)  # noqa\r") == []


def test_text_that_cannot_be_tokenised_still_has_its_own_lines() -> None:
    assert suppress([finding(1), finding(2)], [(1, "# noqa")], "step()  # noqa\nf(\n") == [finding(2)]


def test_an_unreadable_file_cannot_be_silenced() -> None:
    broken = finding(code="EVG901")
    assert suppress([broken], [(1, "# noqa")], "") == [broken]
