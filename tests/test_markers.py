"""The grammar of the fixtures' markers, and what makes a fixture fail."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from markers import Marker, MarkerError, disagreements, known_limits, read_markers, read_options

from evalguard.finding import Finding, Span, Step


@dataclass(frozen=True, slots=True)
class Seen:
    path: str
    span: Span
    modes: frozenset[str]


def at(line: int) -> Span:
    return Span(line, 1, line, 9)


def finding(code: str, line: int, message: str = "`model` is wrong", trace: tuple[Step, ...] = ()) -> Finding:
    return Finding(code, "a-name", message, "a.py", at(line), trace=trace)


def seen(line: int, *modes: str) -> Seen:
    return Seen("a.py", at(line), frozenset(modes))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("opt.step()  # error: EVG201", Marker("a.py", 1, "error", "EVG201")),
        ('opt.step()  # error: EVG201 "`net`"', Marker("a.py", 1, "error", "EVG201", "`net`")),
        ('model.eval()  # note: EVG201 "sets eval; here"', Marker("a.py", 1, "note", "EVG201", "sets eval; here")),
        ("model(x)  # missed: EVG101", Marker("a.py", 1, "missed", "EVG101")),
        ("model(x)  # false-alarm: EVG101", Marker("a.py", 1, "false-alarm", "EVG101")),
        ("reveal_mode(m)  # modes: train|eval", Marker("a.py", 1, "modes", modes=frozenset({"train", "eval"}))),
        ("reveal_mode(m)  # modes: unknown", Marker("a.py", 1, "modes", modes=frozenset({"unknown"}))),
    ],
)
def test_a_marker_is_read(line: str, expected: Marker) -> None:
    assert read_markers("a.py", line) == (expected,)
    assert str(expected) in line


def test_two_markers_share_a_line() -> None:
    markers = read_markers("a.py", 'x = 1\nmodel.eval()  # note: EVG201 "eval"; error: EVG106\n')
    assert [(marker.line, marker.kind, marker.code) for marker in markers] == [
        (2, "note", "EVG201"),
        (2, "error", "EVG106"),
    ]


def test_other_comments_are_no_markers() -> None:
    assert read_markers("a.py", "x = 1  # errors are fine, notes too\n# modes are set below\n") == ()


@pytest.mark.parametrize(
    "comment",
    [
        "# error: 201",
        "# error: EVG201 text without quotes",
        "# note: EVG201;error: EVG101",
        "# modes: eval|train",
        "# modes: training",
        '# missed: EVG101 "text"',
        "# error: EVG101; nothing",
    ],
)
def test_a_malformed_marker_is_an_error(comment: str) -> None:
    with pytest.raises(MarkerError, match=r"a\.py:1"):
        read_markers("a.py", f"step()  {comment}")


def test_options_stand_in_the_first_lines_only() -> None:
    assert read_options('# options: select = ["EVG202"]\n# options: ignore = []\nimport torch\n') == (
        'select = ["EVG202"]\nignore = []\n'
    )
    assert read_options('import torch\n# options: select = ["EVG202"]\n') == ""


def test_agreement_is_silent() -> None:
    markers = read_markers("a.py", 's()  # error: EVG201 "model"\ne()  # note: EVG201\nreveal_mode(m)  # modes: eval')
    report = finding("EVG201", 1, trace=(Step("a.py", at(2), "`m.eval()`"),))
    assert disagreements(markers, [report], [seen(3, "eval")], {("a.py", 3)}) == []


def test_unreported_and_unexpected_findings_are_named() -> None:
    markers = read_markers("a.py", 'f()  # error: EVG101 "teacher"\ng()')
    assert disagreements(markers, [finding("EVG101", 1), finding("EVG102", 2)], [], set()) == [
        "a.py:1: `# error: EVG101 \"teacher\"` is not reported, but '`model` is wrong'",
        "a.py:1: unexpected EVG101 `model` is wrong",
        "a.py:2: unexpected EVG102 `model` is wrong",
    ]


def test_a_note_needs_a_step_of_its_own_code() -> None:
    markers = read_markers("a.py", 's()  # error: EVG201\ne()  # note: EVG201 "eval"')
    report = finding("EVG201", 1, trace=(Step("a.py", at(2), "the loop goes round"),))
    assert disagreements(markers, [report], [], set()) == [
        'a.py:2: no trace of EVG201 names this line for `# note: EVG201 "eval"`'
    ]


def test_a_known_limit_fails_when_it_is_gone() -> None:
    markers = read_markers("a.py", "f()  # missed: EVG101\ng()  # false-alarm: EVG102")
    assert disagreements(markers, [finding("EVG102", 2)], [], set()) == []
    assert disagreements(markers, [finding("EVG101", 1)], [], set()) == [
        "a.py:1: EVG101 is found now: turn `# missed: EVG101` into `# error: EVG101`",
        "a.py:2: EVG102 is silent now: delete `# false-alarm: EVG102`",
    ]
    assert known_limits(markers) == {"missed": 1, "false-alarm": 1}


def test_modes_are_joined_over_the_observations_of_a_line() -> None:
    markers = read_markers("a.py", "reveal_mode(m)  # modes: train|eval")
    assert disagreements(markers, [], [seen(1, "eval"), seen(1, "train")], {("a.py", 1)}) == []
    assert disagreements(markers, [], [seen(1, "eval")], {("a.py", 1)}) == [
        "a.py:1: `# modes: train|eval`, but the tool says eval"
    ]


def test_every_reveal_has_a_marker_and_every_marker_a_reveal() -> None:
    markers = read_markers("a.py", "model.eval()  # modes: eval\nreveal_mode(m)\nreveal_mode(m)  # modes: eval")
    assert disagreements(markers, [], [], {("a.py", 2), ("a.py", 3)}) == [
        "a.py:1: `# modes: eval` without a call of `reveal_mode`",
        "a.py:2: `reveal_mode` without a `# modes:` marker",
        "a.py:3: `# modes: eval`, but the tool does not reach this line",
    ]
