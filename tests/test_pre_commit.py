"""The hook, run by the real pre-commit from a local repository of git, as a user's commit would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalguard.cli import command

ROOT = Path(__file__).resolve().parent.parent
HOOKS = ROOT / ".pre-commit-hooks.yaml"

ENGINE = "def validate(model, loader):\n    for x in loader:\n        print(model(x).argmax())\n"
LEAKY = ENGINE.replace("    for", "    model.eval()\n    for", 1)
TRAIN = """\
import torch
from engine import validate


def main(loader, criterion):
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    model.train()
    for epoch in range(9):
        for x, y in loader:
            criterion(model(x), y).backward()
            optimizer.step()
        validate(model, loader)
"""

Repository = Callable[..., subprocess.CompletedProcess[str]]


def hooks() -> Any:
    return pytest.importorskip("yaml", reason="PyYAML comes with pre-commit").safe_load(HOOKS.read_text("utf-8"))


def test_the_hooks_name_real_options() -> None:
    options = {name for option in command.params for name in option.opts}
    for hook in hooks():
        program, *arguments = hook["entry"].split()
        assert program == "evalguard"
        assert {word for word in arguments if word.startswith("-")} <= options


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A project in git with the hook installed; a function that runs git in it."""
    pytest.importorskip("pre_commit", reason="pre-commit is not installed")
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name in [name for name in os.environ if name.startswith(("GIT_", "PRE_COMMIT"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "gitconfig").write_text(
        '[user]\nname = A\nemail = a@example.org\n[init]\ndefaultBranch = main\n[protocol "file"]\nallow = always\n'
    )
    (tmp_path / "programs").mkdir()
    program = tmp_path / "programs" / "evalguard"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m evalguard "$@"\n')
    program.chmod(0o755)

    def in_folder(folder: Path) -> Repository:
        def run(*arguments: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
            done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
            assert (done.returncode != 0) == fails, done.stdout + done.stderr
            return done

        return run

    published = tmp_path / "evalguard"
    published.mkdir()
    shutil.copy(HOOKS, published)
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "hooks"], ["tag", "v0.1.0"]):
        in_folder(published)(*arguments)
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    # `language` is the one thing changed: nothing is installed, the program on the path is taken.
    hook = "      - id: evalguard\n        language: system\n"
    Path(".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {published.as_posix()}\n    rev: v0.1.0\n    hooks:\n{hook}"
    )
    Path("pyproject.toml").write_text('[tool.evalguard]\nextend-exclude = ["old"]\n')
    Path("engine.py").write_text(ENGINE)
    Path("train.py").write_text(TRAIN)
    run = in_folder(project)
    run("init", "-q")
    run("add", ".")
    run("commit", "-qm", "first")
    subprocess.run([sys.executable, "-m", "pre_commit", "install"], capture_output=True, check=True)
    return run


def test_a_changed_helper_is_judged_with_its_callers(git: Repository) -> None:
    Path("engine.py").write_text(LEAKY)
    refused = git("commit", "-qam", "leave eval behind", fails=True)
    assert "train.py:12:13: EVG201 training-in-eval-mode" in refused.stdout + refused.stderr
    Path("engine.py").write_text(f"{LEAKY}    model.train()\n")
    git("commit", "-qam", "restore the mode")


def test_an_old_finding_elsewhere_stops_nobody(git: Repository) -> None:
    Path("engine.py").write_text(LEAKY)
    git("commit", "-qam", "leave eval behind", "--no-verify")
    Path("plot.py").write_text("def show(model):\n    print(model)\n")
    git("add", ".")
    git("commit", "-qm", "something else")


def test_what_the_configuration_leaves_out_is_left_out(git: Repository) -> None:
    Path("old").mkdir()
    Path("old/train.py").write_text("model.eval\nimport torch\n" + TRAIN.replace("engine", "old_engine"))
    Path("old/broken.py").write_text("def f(:\n")
    git("add", ".")
    git("commit", "-qm", "left out")
