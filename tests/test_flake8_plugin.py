"""The plugin, run by the real flake8: the command's findings, with the project around the file."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from evalguard import check, flake8_plugin
from evalguard.cli import main
from evalguard.report import Report

pytest.importorskip("flake8", reason="flake8 is not installed")

FILES = 64  # enough for flake8 to share them out

TRAIN = """\
import torch
from engine import validate


def main(loader, criterion):
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for epoch in range(9):
        for x, y in loader:
            criterion(model(x), y).backward()
            optimizer.step()
        validate(model, loader)
"""
ENGINE = "def validate(model, loader):\n    model.eval()\n    for x in loader:\n        print(model(x).argmax())\n"
FOUND = "train.py:11:13: EVG201 "


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    Path("pyproject.toml").write_text("[tool.evalguard]\n")
    Path("train.py").write_text(TRAIN)
    Path("engine.py").write_text(ENGINE)
    yield
    flake8_plugin._LINKED.clear()


def flake8(*arguments: str, text: str | None = None) -> str:
    """What flake8 prints of our codes, in a process of its own."""
    command = [sys.executable, "-m", "flake8", "--select", "EVG", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, input=text, check=False)
    assert run.stderr == ""
    return run.stdout


def test_flake8_knows_the_plugin() -> None:
    (known,) = entry_points(group="flake8.extension", name="EVG")
    assert known.value == "evalguard.flake8_plugin:Plugin", "install evalguard again: the entry point is missing"


def test_the_same_lines_as_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--format", "flake8", "."]) == 1
    printed = flake8().replace("./", "")
    assert printed == capsys.readouterr().out
    assert printed.startswith(FOUND)


def test_one_file_is_judged_with_its_project() -> None:
    assert flake8("train.py").startswith(FOUND)
    assert flake8("engine.py") == ""  # the finding is in train.py
    Path("engine.py").write_text(ENGINE.replace("    model.eval()\n", ""))
    assert flake8("train.py") == ""


def test_a_package_without_configuration_and_repository_is_a_project() -> None:
    Path("pyproject.toml").unlink()
    Path("pkg/sub").mkdir(parents=True)
    for name in ("pkg/__init__.py", "pkg/sub/__init__.py"):
        Path(name).touch()
    Path("pkg/engine.py").write_text(ENGINE)
    Path("pkg/sub/fit.py").write_text(TRAIN.replace("from engine", "from pkg.engine"))
    assert "EVG201" in flake8("pkg/sub/fit.py")


def test_the_configuration_decides() -> None:
    Path("pyproject.toml").write_text('[tool.evalguard]\nignore = ["EVG2"]\n')
    assert flake8() == ""
    Path("pyproject.toml").write_text('[tool.evalguard]\nextend-exclude = ["train.py"]\n')
    assert flake8() == ""
    Path("pyproject.toml").write_text('[tool.evalguard]\nselct = ["EVG2"]\n')
    command = [sys.executable, "-m", "flake8"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 'evalguard: pyproject.toml: unknown key "tool.evalguard.selct"; did you mean "select"?' in run.stdout
    assert run.returncode == 1
    assert "Traceback" not in run.stdout + run.stderr


def test_a_comment_silences_it() -> None:
    Path("train.py").write_text(TRAIN.replace("step()", "step()  # noqa: EVG201"))
    assert flake8() == ""
    Path("train.py").write_text(TRAIN.replace("step()", "step()  # evalguard: ignore[EVG201]"))
    assert flake8() == ""


def test_a_text_on_standard_input_takes_the_place_of_its_file() -> None:
    arguments = ("--stdin-display-name", "train.py", "-")
    assert flake8(*arguments, text=f"# moved\n{TRAIN}").startswith("train.py:12:13: EVG201 ")
    assert flake8(*arguments, text=TRAIN.replace("        for x, y", "        model.train()\n        for x, y")) == ""


def test_many_files_in_several_processes() -> None:
    for number in range(FILES + 2):
        Path(f"train_{number}.py").write_text(TRAIN)
    lines = flake8("-j", "2", ".").splitlines()
    assert len(lines) == FILES + 3
    assert all(re.match(r"\./train\w*\.py:11:13: EVG201 ", line) for line in lines)


def test_the_project_is_linked_once_and_again_when_a_file_has_changed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from flake8.main.cli import main as run_flake8

    runs: list[object] = []
    real = check.check_paths

    def counted(*arguments: Any, **options: Any) -> Report:
        runs.append(arguments)
        return real(*arguments, **options)

    monkeypatch.setattr(check, "check_paths", counted)
    for number in range(5):
        Path(f"train_{number}.py").write_text(TRAIN)
    for expected in (1, 1):
        run_flake8(["--select", "EVG", "-j", "1", "."])
        assert len(runs) == expected
        assert capsys.readouterr().out.count("EVG201") == 6
    Path("engine.py").write_text("def validate(model, loader):\n    pass\n")
    run_flake8(["--select", "EVG", "-j", "1", "."])
    assert len(runs) == 2
    assert capsys.readouterr().out == ""
