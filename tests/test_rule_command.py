"""`evalguard rule`: by code or by name, all of them, in each form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalguard.check import known_codes
from evalguard.cli import main


@pytest.fixture(autouse=True)
def _without_colour(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["rule", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize("word", ["EVG201", "evg201", "training-in-eval-mode", "Training-In-Eval-Mode"])
def test_by_code_or_name(capsys: pytest.CaptureFixture[str], word: str) -> None:
    status, out, err = outcome(capsys, word)
    assert (status, err) == (0, "")
    assert out.startswith("EVG201 training-in-eval-mode\n")
    assert "\nUse instead\n" in out


def test_a_code_of_the_tools_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(capsys, "EVG901")[1].startswith("EVG901 unreadable-file\n")


@pytest.mark.parametrize("word", ["EVG2O1", "training-in-evaluation-mode"])
def test_an_unknown_one_says_which_was_meant(capsys: pytest.CaptureFixture[str], word: str) -> None:
    status, out, err = outcome(capsys, word)
    assert (status, out) == (2, "")
    assert f'unknown rule "{word}"; did you mean "EVG' in err


@pytest.mark.parametrize("arguments", [(), ("EVG201", "--all"), ("EVG201", "--format", "yaml")])
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert outcome(capsys, *arguments)[:2] == (2, "")


def test_all_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = outcome(capsys, "--all", "--format", "json")
    assert status == 0
    assert out.isascii()
    assert {each["code"]: each["name"] for each in json.loads(out)["rules"]} == known_codes()


@pytest.mark.parametrize(("form", "head"), [("markdown", "# {} {}\n"), ("text", "{} {}\n")])
def test_all_for_people(capsys: pytest.CaptureFixture[str], form: str, head: str) -> None:
    _, out, _ = outcome(capsys, "--all", "--format", form)
    assert [head.format(code, name) in out for code, name in known_codes().items()] == [True] * len(known_codes())


def test_colour(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert outcome(capsys, "EVG201")[1].startswith("\x1b[")


def test_a_folder_named_rule_is_pointed_out(capsys: pytest.CaptureFixture[str]) -> None:
    Path("rule").mkdir()
    assert "write ./rule" in outcome(capsys, "EVG201")[2]
