"""`evalguard show`: the source with the mode ribbon beside it, on a terminal."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pages
import pytest

from evalguard.cli import main


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages.written(tmp_path, pages.LEAK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["show", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_a_function_with_its_band_and_the_steps_of_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "train.py:fit", "--project", ".")
    assert text.split("\n\n")[0].splitlines() == [
        "train.py  fit",
        "        ╭ model",
        "  15         def fit(loader, epochs):",
        "  16   ▸T        model = Net()",
        "  17    ██       optimizer = optim.SGD(model.parameters(), lr=0.1)",
        "  18    ██       model.train()",
        "4 19    TE       for epoch in range(epochs):",
        "  20    ▞▞           for x in loader:",
        "  21    ▞▞               model(x).sum().backward()",
        "5 22    ▞▞               optimizer.step()",
        "1 23   ▸E            evaluate(model, loader)",
    ]
    assert "  2  engine.py:2  `model.eval()` sets eval mode" in text


def test_without_the_project_only_the_file_counts(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "engine.py")
    assert re.search(r"^ +1 +\?  +def evaluate", text, re.MULTILINE)
    assert "EVG" not in text


def test_steps_of_several_findings_are_told_apart(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(
        f"{pages.LEAK['sample.py']}\n\ndef again(x):\n    net = resnet18()\n"
        "    with torch.no_grad():\n        return net(x)\n"
    )
    text = shown(capsys, "two.py")
    assert re.search(r"^ *A1 +6 ", text, re.MULTILINE)
    assert re.search(r"^ *B1 +12 ", text, re.MULTILINE)
    assert text.count("EVG101") == 2


def test_colours_are_added_and_nothing_depends_on_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = shown(capsys, "train.py")
    assert "\x1b" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = shown(capsys, "train.py")
    assert "\x1b[" in coloured
    assert "    optimizer = optim.SGD(model.parameters(), lr=" in coloured, "plain code has no colour"
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown(capsys, "train.py") == plain


def test_what_could_steer_the_terminal_is_written_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    attack = "\x1b]0;owned\x07\x1b[2J\u202e[bold]"
    (tmp_path / "odd.py").write_text(
        f"import torch\nfrom torchvision.models import resnet18\nnets = {{'[red]{attack}': resnet18()}}  # {attack}\n"
        f"with torch.no_grad():\n    nets['[red]{attack}'](1)\n"
    )
    text = shown(capsys, "odd.py")
    assert not set(text) & {"\x1b", "\x07", "\u202e"}
    assert r"# \x1b]0;owned\x07\x1b[2J\u202e[bold]" in text
    assert r"╭ nets['[red]" in text or r'╭ nets["[red]' in text


def test_a_notebook_by_cells(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sources = ["from torch import nn\nnet = nn.Dropout()\n%matplotlib inline", "net.eval()\nnet(1)"]
    cells = [{"cell_type": "code", "source": source} for source in sources]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}))
    assert shown(capsys, "n.ipynb").split("\n\n")[0].splitlines() == [
        "n.ipynb  the file's own code",
        "      ╭ net",
        " cell 1",
        " 1         from torch import nn",
        " 2   ▸T    net = nn.Dropout()",
        " 3    ██   %matplotlib inline",
        " cell 2",
        " 1   ▸E    net.eval()",
        " 2    ══   net(1)",
    ]


def test_a_terminal_without_these_characters_gets_others() -> None:
    command = [sys.executable, "-m", "evalguard", "show", "train.py:fit", "--project", "."]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    text = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    assert text.isascii()
    assert re.search(r"^1 23   >E ", text, re.MULTILINE)
    assert re.search(r"^5 22    #= ", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("train.py:fti", 'no module is seen in a function "fti"; in these there is: fit'),
        ("trian.py", "did you mean"),
        ("trian.py:fit", "did you mean"),
        (".", "is a folder"),
        ("plain.py", "nothing to show"),
    ],
)
def test_what_cannot_be_shown_is_said(
    target: str, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "plain.py").write_text("x = 1\n")
    assert main(["show", target]) == 2
    assert said in capsys.readouterr().err
