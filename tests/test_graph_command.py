"""`evalguard graph`, and that `evalguard PATHS` is what it was before there were subcommands."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalguard.cli import command, main

HELPER = "def switch_off(model):\n    model.eval()\n\n\ndef main(model):\n    switch_off(model)\n"


@pytest.fixture(autouse=True)
def _in_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text(HELPER)


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_text_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    shown = (
        "a.py\n"
        "    1  switch_off(model)\n"
        "       called by main (6)\n"
        "       `model`: unknown -> eval\n"
        "    5  main(model)\n"
        "       called by nobody here: judged on its own\n"
        "       `model`: unknown -> eval\n"
        "       calls switch_off (6)\n"
    )
    assert outcome(capsys, "graph", "a.py") == (0, shown, "")


@pytest.mark.parametrize(("form", "start"), [("mermaid", "flowchart"), ("dot", "digraph")])
def test_pictures(capsys: pytest.CaptureFixture[str], form: str, start: str) -> None:
    status, out, _ = outcome(capsys, "graph", ".", "--format", form)
    assert (status, out.split()[0]) == (0, start)


def test_a_picture_of_one_function_has_its_callers_and_callees(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text(HELPER + "\n\ndef other(model):\n    model.train()\n")
    _, out, _ = outcome(capsys, "graph", ".", "--format", "dot", "--function", "switch_off")
    assert "main(model)" in out
    assert "other(model)" not in out


def test_an_output_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(capsys, "graph", ".", "--output-file", "out.txt") == (0, "", "")
    assert Path("out.txt").read_text("utf-8").startswith("a.py\n")
    status, _, err = outcome(capsys, "graph", ".", "--output-file", "nowhere/out.txt")
    assert status != 0
    assert "nowhere/out.txt cannot be written" in err


@pytest.mark.parametrize("name", ["switch_off", "a.py:switch_off"])
def test_one_function(capsys: pytest.CaptureFixture[str], name: str) -> None:
    status, out, _ = outcome(capsys, "graph", ".", "--function", name)
    assert status == 0
    assert out.startswith("a.py:1  switch_off(model)\n")


def test_a_tail_of_a_qualified_name(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("class Trainer:\n    def fit(self, model):\n        model.train()\n        model(1)\n")
    for name in ("fit", "Trainer.fit", "a.py:fit"):
        assert outcome(capsys, "graph", ".", "--function", name)[1].startswith("a.py:2  Trainer.fit(self, model)\n")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("swich_off", 'unknown function "swich_off"; did you mean switch_off?'),
        ("zzz", 'unknown function "zzz"\n'),
        ("main", '"main" may be any of a.py:main, b.py:main'),
        ("Net.forward", '"Net.forward" was not followed: b.py:Net.forward is among the methods of modules'),
    ],
)
def test_a_name_that_is_none_or_many(capsys: pytest.CaptureFixture[str], name: str, message: str) -> None:
    net = "from torch import nn\n\nclass Net(nn.Module):\n    def forward(self, x):\n        return x\n\n"
    Path("b.py").write_text(net + HELPER)
    status, out, err = outcome(capsys, "graph", ".", "--function", name)
    assert (status, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument 'PATHS...'"),
        (("absent.py",), "no such file or folder: absent.py"),
        ((".", "--format", "dott"), 'unknown format "dott"; did you mean "dot"? (one of text, mermaid, dot)'),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:
    status, out, err = outcome(capsys, "graph", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("Usage: evalguard graph [OPTIONS] PATHS...\n")
    assert message in err


def test_files_that_are_not_analysed_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.py").write_text("model.eval(\n")
    Path("plain.py").write_text("x = 1\n")
    status, out, _ = outcome(capsys, "graph", ".")
    assert status == 0
    assert "  files that cannot be read or parsed: 1\n      broken.py\n" in out
    assert "  files without a word that sets or uses a mode: 1\n      plain.py\n" in out


# The command with subcommands beside it


@pytest.mark.parametrize("arguments", [("./graph",), ("graph/",), ("-v", "graph"), ("--format", "text", "graph")])
def test_a_folder_of_that_name_is_checked(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    Path("graph").mkdir()
    Path("graph/b.py").write_text("x = 1\n")
    assert outcome(capsys, *arguments)[1] == "No problems found in 1 file.\n"


def test_a_folder_of_that_name_is_pointed_at(capsys: pytest.CaptureFixture[str]) -> None:
    Path("graph").mkdir()
    status, _, err = outcome(capsys, "graph")
    assert status == 2
    assert "to check the file or folder of that name, write ./graph" in err


def test_help_shows_both(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = outcome(capsys, "--help")
    assert status == 0
    assert out.startswith("Usage: evalguard [OPTIONS] [PATHS]...\n       evalguard COMMAND [ARGS]...\n")
    assert "\nCommands:\n" in out
    assert "\n  graph     Show which modes evalguard sees, and why.\n" in out


@pytest.mark.parametrize("name", sorted(command.commands))
def test_help_of_each_command_names_every_option(capsys: pytest.CaptureFixture[str], name: str) -> None:
    status, out, _ = outcome(capsys, name, "-h")
    assert status == 0
    options = [text for parameter in command.commands[name].params for text in parameter.opts if text.startswith("-")]
    assert [option for option in options if option not in out] == []
