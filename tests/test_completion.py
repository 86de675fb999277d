"""Shell completion: what the real command tells a shell, and that its scripts are there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = "import sys; from evalguard.cli import main; sys.exit(main())"


def complete(*words: str) -> list[str]:
    """What is proposed for the last word, each as `type,value`."""
    environment = {"COMP_WORDS": " ".join(["evalguard", *words]), "COMP_CWORD": str(len(words))}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, **environment, "_EVALGUARD_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == ""
    return run.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("gr",), ["plain,graph", "file,gr"]),
        (("src", "gr"), ["file,gr"]),
        (("graph", "tr"), ["file,tr"]),
        (("--format", "s"), ["plain,sarif"]),
        (("graph", "--format", "me"), ["plain,mermaid"]),
        (("--select", "EVG20"), ["plain,EVG201", "plain,EVG202"]),
        (("--select", "EVG1,evg201"), ["plain,EVG1,EVG201"]),
        (("rule", "EVG901"), ["plain,EVG901"]),
        (("--outp",), ["plain,--output-file"]),
        (("--project", "s"), ["dir,s"]),
    ],
)
def test_a_word_is_completed(words: tuple[str, ...], expected: list[str]) -> None:
    assert complete(*words) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "_EVALGUARD_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=False,
    )
    if shell == "bash" and run.returncode:
        pytest.skip("this bash is too old for click's completion")
    assert "_EVALGUARD_COMPLETE" in run.stdout
    program = shutil.which(shell)
    if program is not None:
        (tmp_path / "script").write_text(run.stdout)
        subprocess.run([program, "-n", str(tmp_path / "script")], check=True)
