"""`--diff-base`: only what touches lines that changed since a revision of git."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from evalguard.changes import ChangesError, changes_since
from evalguard.cli import main

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

TRAIN = """\
import torch
from engine import validate


def main(loader, criterion):
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for epoch in range(9):
        model.train()
        for x, y in loader:
            criterion(model(x), y).backward()
            optimizer.step()
        validate(model, loader)
"""
ENGINE = "def validate(model, loader):\n    for x in loader:\n        print(model(x).argmax())\n"
LEAKY = ENGINE.replace("    for", "    model.eval()\n    for", 1)


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    (tmp_path / "gitconfig").write_text("[user]\nname = A\nemail = a@example.org\n[diff]\nnoprefix = false\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    git("init", "-q", "-b", "main")


def commit(**files: str) -> None:
    for name, text in files.items():
        Path(f"{name}.py").write_text(text)
    git("add", ".")
    git("commit", "-qm", "next")


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    main(["--format", "flake8", *arguments])
    return [" ".join(line.split()[:2]) for line in capsys.readouterr().out.splitlines()]


def test_a_finding_counts_if_its_way_leads_over_a_changed_line(capsys: pytest.CaptureFixture[str]) -> None:
    once = TRAIN.replace("        model.train()\n", "")
    commit(train=once, engine=ENGINE)
    assert found(capsys, "--diff-base", "HEAD") == []
    Path("engine.py").write_text(LEAKY)
    assert "train.py:11:13: EVG201" in found(capsys, "--diff-base", "HEAD")
    commit()
    Path("other.py").write_text("x = 1\n")
    assert "train.py:11:13: EVG201" in found(capsys)
    assert "train.py:11:13: EVG201" not in found(capsys, "--diff-base", "HEAD")
    assert "train.py:11:13: EVG201" in found(capsys, "--diff-base", "HEAD~1")


def test_a_line_that_is_gone_counts_with_those_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    commit(train=TRAIN, engine=LEAKY)
    assert found(capsys) == []
    Path("train.py").write_text(TRAIN.replace("        model.train()\n", ""))
    assert "train.py:11:13: EVG201" in found(capsys, "--diff-base", "HEAD")


def test_a_file_that_git_does_not_know_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    commit(engine=LEAKY)
    Path("train.py").write_text(TRAIN.replace("        model.train()\n", ""))
    assert "train.py:11:13: EVG201" in found(capsys, "--diff-base", "HEAD")


def test_what_others_did_on_the_branch_meanwhile_does_not_count() -> None:
    commit(a="a = 1\n", b="b = 1\n")
    git("checkout", "-qb", "work")
    commit(b="b = 2\n")
    git("checkout", "-q", "main")
    commit(a="a = 2\n")
    git("checkout", "-q", "work")
    assert {Path(path).name: lines for path, lines in changes_since("main").lines.items()} == {"b.py": {1}}


def test_odd_names_and_lines_that_look_like_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["ü b.py", 'quo"te.py', "ta\tb.py"]
    try:
        for name in names:
            Path(name).write_text("a\nb\nc\n")
    except OSError:
        pytest.skip("no such names here")
    commit()
    for name in names:
        Path(name).write_text("a\n++ x/y.py\nc\nd\n")
    Path("sub").mkdir()
    monkeypatch.chdir("sub")
    assert {Path(path).name: lines for path, lines in changes_since("HEAD").lines.items()} == {
        name: {2, 4} for name in names
    }


def test_without_a_repository_or_revision_it_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commit(a="a = 1\n")
    for revision in ("nowhere", "--output=x"):
        assert main(["--diff-base", revision]) == 2
        assert f'--diff-base: git knows no revision "{revision}" here' in capsys.readouterr().err
    (tmp_path / "plain").mkdir()
    monkeypatch.chdir(tmp_path / "plain")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert main(["--diff-base", "HEAD"]) == 2
    assert "--diff-base: not a git repository" in capsys.readouterr().err
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ChangesError, match="git is not installed"):
        changes_since("HEAD")
