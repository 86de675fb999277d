"""The labels of the fixtures, proven by running them under PyTorch (see `cases.py`)."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.labels import lines_of, summary, table
from runtime.result import Result

HERE = Path(__file__).resolve().parent
pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("torch") is None, reason="PyTorch is not installed: pip install -e '.[oracle]'"
    ),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="each fixture runs in a fork"),
]


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """Of all cases, in order."""
    shards = os.cpu_count() or 1
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", str(HERE), "--json", f"--shard={number + 1}/{shards}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(shards)
    ]
    found = [Result(**each) for process in started for each in json.loads(process.communicate()[0].splitlines()[-1])]
    return sorted(found, key=lambda result: result.name)


def test_what_was_seen_agrees_with_the_markers(results: list[Result]) -> None:
    assert [f"{result.name}: {words}" for result in results for words in result.contradictions] == []


def test_no_label_more_is_left_unproven(results: list[Result], snapshot: Callable[[Path, str], None]) -> None:
    file = HERE / "labels.txt"
    text = table(results)
    known = lines_of(file.read_text(encoding="utf-8")) if file.exists() else set()
    if lines_of(text) != known:  # the words of a reason may be another version's
        snapshot(file, text)


def test_most_labels_are_proven(results: list[Result]) -> None:
    rulings = [ruling for result in results for ruling in result.rulings.values() if ruling != "not shown"]
    assert rulings.count("confirmed") > 0.75 * len(rulings), summary(results)
    assert sum(result.modes for result in results) > 200
    assert sum(result.forwards for result in results) > 10_000
