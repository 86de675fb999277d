"""`--watch`, as a user has it: a process that checks again when a file changes."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import heeding_interrupts

from evalguard.cli import main

WRONG = "import torch\n\nnet = torch.nn.Dropout()\nnet.eval\n"
PATIENCE = 60  # seconds: other processes may be at work


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[queue.Queue[str]]:
    """What a watching process prints, on both streams, line by line."""
    if os.name == "nt":
        pytest.skip("Windows has no such interrupt")
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text(WRONG)
    command = [sys.executable, "-u", "-m", "evalguard", "--watch", "--format", "flake8"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=heeding_interrupts
    )
    assert process.stdout is not None
    stream, read = process.stdout, queue.Queue[str]()
    thread = threading.Thread(target=lambda: [read.put(line) for line in stream])
    thread.start()
    try:
        yield read
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    finally:
        process.kill()
        process.wait()
        thread.join()
        stream.close()


def test_a_change_is_checked_and_a_broken_configuration_is_survived(lines: queue.Queue[str]) -> None:
    waiting = "evalguard: waiting for a change, Ctrl-C ends\n"
    assert lines.get(timeout=PATIENCE).startswith("a.py:4:1: EVG301 ")
    assert lines.get(timeout=PATIENCE) == waiting
    Path("a.py").write_text(WRONG.replace("net.eval", "net.eval()"))
    assert lines.get(timeout=PATIENCE) == waiting
    Path("b.py").write_text(f"\n{WRONG}")
    assert lines.get(timeout=PATIENCE).startswith("b.py:5:1: EVG301 ")
    assert lines.get(timeout=PATIENCE) == waiting


def test_standard_input_cannot_be_watched(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--watch", "-"]) == 2
    assert "--watch watches files" in capsys.readouterr().err
