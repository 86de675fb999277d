"""A cache that somebody else has written to: it may be of no use, but makes nothing fail."""

from __future__ import annotations

import json
import random
import sqlite3
import zlib
from pathlib import Path
from typing import Any

import pytest

from evalguard.cli import main
from hostile.run import SOUND

COMMAND = ["--cache-dir", "kept", "--format", "flake8", "."]


@pytest.mark.parametrize("seed", range(40))
def test_what_somebody_changed_in_the_cache_makes_nothing_fail(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sound.py").write_text(SOUND, "utf-8")
    assert main(COMMAND) == 1
    poison(
        tmp_path / "kept" / "evalguard.sqlite3", random.Random(seed), ("facts", "report") if seed % 2 else ("facts",)
    )
    capsys.readouterr()
    assert main(COMMAND) in (0, 1)
    assert capsys.readouterr().err == ""


def test_a_value_that_unpacks_to_very_much_is_no_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("evalguard.ir.packed.MOST_BYTES", 1 << 20)
    (tmp_path / "sound.py").write_text(SOUND, "utf-8")
    assert main(COMMAND) == 1
    with sqlite3.connect(tmp_path / "kept" / "evalguard.sqlite3") as connection:
        connection.execute("UPDATE entry SET value = ?", (zlib.compress(b"[" + b"1," * 5_000_000 + b"1]"),))
    connection.close()
    assert main(COMMAND) == 1


def poison(file: Path, chance: random.Random, kinds: tuple[str, ...]) -> None:
    """Change parts of the kept values about; values of other kinds are taken away."""
    connection = sqlite3.connect(file)
    with connection:
        for kind, key, value in connection.execute("SELECT kind, key, value FROM entry").fetchall():
            if kind not in kinds:
                connection.execute("DELETE FROM entry WHERE kind = ? AND key = ?", (kind, key))
                continue
            whole = json.loads(zlib.decompress(value))
            for _ in range(chance.randint(1, 3)):
                lists = lists_in(whole)
                one, other = chance.choice(lists), chance.choice(lists)
                at, to = chance.randrange(len(one)), chance.randrange(len(other))
                if chance.random() < 0.5:
                    one[at], other[to] = json.loads(json.dumps([other[to], one[at]]))
                else:
                    one[at] = chance.choice([None, 1, -5, "x", [], {}, 10**30])
            packed = zlib.compress(json.dumps(whole).encode())
            connection.execute("UPDATE entry SET value = ? WHERE kind = ? AND key = ?", (packed, kind, key))
    connection.close()


def lists_in(value: Any) -> list[list[Any]]:
    """The lists in a value of JSON that hold anything, itself included."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, list) and value else []
    return [*own, *(found for each in inner for found in lists_in(each))]
