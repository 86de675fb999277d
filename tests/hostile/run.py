"""Runs the command on a folder in which one file is sound and others are hostile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalguard.cli import main

SOUND = """\
import torch


def train(model, loader, optimizer):
    for epoch in range(3):
        for x in loader:
            model(x).sum().backward()
            optimizer.step()
        validate(model, loader)


def validate(model, loader):
    model.eval()
    with torch.no_grad():
        for x in loader:
            print(model(x))
"""
HEAD = "import torch\nmodel = torch.load('m')\nmodel.eval()\n"  # so that the screen lets a hostile file through
MOST_MEMORY = 4 << 30
MOST_SECONDS = 300  # of the processor: only what never ends takes as long


@dataclass(frozen=True)
class Outcome:
    """What came of a run: `sound` are the codes found in the sound file, `others` the lines about other files."""

    status: int
    output: str
    errors: str

    @property
    def sound(self) -> list[str]:
        return [line.split()[1] for line in self.output.splitlines() if line.startswith("sound.py:")]

    @property
    def others(self) -> list[str]:
        return [line for line in self.output.splitlines() if not line.startswith("sound.py:")]


def hostile(folder: Path, name: str, content: str | bytes) -> None:
    """Write a hostile file beside a sound one."""
    (folder / "sound.py").write_text(SOUND, encoding="utf-8")
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    (folder / name).write_bytes(data)


def run_here(capsys: object, *arguments: str) -> Outcome:
    """Run the command in this process."""
    status = main(["--format", "flake8", "--no-cache", *arguments])
    captured = capsys.readouterr()  # type: ignore[attr-defined]
    return Outcome(status, captured.out, captured.err)


def run_apart(folder: Path, *arguments: str, command: Sequence[str] = ("-m", "evalguard")) -> Outcome:
    """Run the command in a process of its own, with an end to its memory and its time."""
    done = subprocess.run(
        [sys.executable, *command, "--format", "flake8", "--no-cache", *arguments],
        cwd=folder,
        capture_output=True,
        preexec_fn=_limits(),
        check=False,
        encoding="utf-8",
        errors="replace",
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def _limits() -> Callable[[], None] | None:
    try:
        import resource
    except ImportError:  # Windows
        return None

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))

    return limit
