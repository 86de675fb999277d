"""`evalguard corpus`: a row for each entry, whatever happens to it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from evalguard.cli import main
from evalguard.corpus import judge
from evalguard.corpus.archives import CannotFetch
from evalguard.corpus.entries import Entry
from evalguard.corpus.judge import Limits, row_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits of time and memory are those of POSIX")

BUG = """\
import torch


def fit(loader, criterion):
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    model.train()
    for x, y in loader:
        criterion(model(x), y).backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            print(model(x))
"""
RIGHT = BUG.replace("    model.train()\n    for x, y in loader:\n", "    for x, y in loader:\n        model.train()\n")


@pytest.fixture(autouse=True)
def _three_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "wrong": BUG,
        "right": RIGHT,
        "broken": "import torch\nmodel.eval(\n",
    }.items():
        Path(name).mkdir()
        Path(name, "a.py").write_text(text)
    Path("list.txt").write_text("wrong\nright\nbroken\n")


def rows(file: str = "rows.jsonl") -> dict[str, dict[str, Any]]:
    read = [json.loads(line) for line in Path(file).read_text().splitlines()]
    assert len({row["name"] for row in read}) == len(read)
    return {row["name"]: row for row in read}


def codes(row: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in row["findings"]]


def test_each_folder_is_a_row() -> None:
    assert main(["corpus", "list.txt", "--output", "rows.jsonl"]) == 0
    found = rows()
    assert {name: codes(row) for name, row in found.items()} == {"wrong": ["EVG201"], "right": [], "broken": ["EVG901"]}
    wrong = found["wrong"]
    assert (wrong["ended"], wrong["version"], wrong["files"], wrong["lines"], wrong["analysed"]) == (
        "done",
        "",
        1,
        13,
        1,
    )
    assert (wrong["mention_torch"], wrong["cut_short"], wrong["internal_errors"]) == (1, [], [])
    assert wrong["findings"][0]["path"] == "a.py"
    assert wrong["seconds"] > 0
    assert wrong["parse_seconds"] >= 0
    assert 5 < wrong["megabytes"] < 2000


def test_without_a_file_the_rows_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpus", "list.txt"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert {json.loads(line)["name"] for line in printed} == {"wrong", "right", "broken"}


def test_an_interrupted_run_goes_on_where_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    main(["corpus", "list.txt", "--output", "whole.jsonl"])
    first, second, _ = Path("whole.jsonl").read_text().splitlines(keepends=True)
    Path("rows.jsonl").write_text(first + second[:40])
    capsys.readouterr()
    assert main(["corpus", "list.txt", "--output", "rows.jsonl"]) == 0
    assert "1 of 3 are done already" in capsys.readouterr().err
    assert Path("rows.jsonl").read_text().startswith(first)
    assert rows().keys() == {"wrong", "right", "broken"}


def test_shards_merge_to_what_one_run_finds(capsys: pytest.CaptureFixture[str]) -> None:
    main(["corpus", "list.txt", "--output", "whole.jsonl"])
    files = [f"part-{number}.jsonl" for number in (1, 2, 3)]
    for number, file in enumerate(files, 1):
        Path(file).touch()  # a shard may be empty
        assert main(["corpus", "list.txt", "--shard", f"{number}/3", "--output", file]) == 0
    capsys.readouterr()
    tables = []
    for names in (["whole.jsonl"], files):
        assert main(["corpus", "--merge", *names]) == 0
        tables.append(capsys.readouterr().out)
    assert tables[0].partition("| package |")[0] == tables[1].partition("| package |")[0]  # then come time and memory
    assert "| EVG201 | training-in-eval-mode | 1 | 1 |" in tables[1]
    assert "| packages judged to the end | 3 |" in tables[1]


def test_several_at_the_same_time_find_the_same() -> None:
    main(["corpus", "list.txt", "--output", "rows.jsonl"])
    assert main(["corpus", "list.txt", "--jobs", "3", "--output", "at-once.jsonl"]) == 0
    assert {name: codes(row) for name, row in rows("at-once.jsonl").items()} == {
        name: codes(row) for name, row in rows().items()
    }


@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="Dask is not installed")
def test_the_workers_of_dask_find_the_same() -> None:
    main(["corpus", "list.txt", "--output", "rows.jsonl"])
    command = [sys.executable, "-m", "evalguard", "corpus", "list.txt", "--dask", "local", "--output", "dask.jsonl"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert {name: codes(row) for name, row in rows("dask.jsonl").items()} == {
        name: codes(row) for name, row in rows().items()
    }


def test_a_package_is_unpacked_and_its_paths_are_those_inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = tmp_path / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("thing/fit.py", BUG)
    monkeypatch.setattr(judge, "fetched", lambda entry, folder: archive)
    row = row_of(Entry("thing", "1.0"), Limits())
    assert (row["name"], row["version"], row["ended"]) == ("thing", "1.0", "done")
    assert [finding["path"] for finding in row["findings"]] == ["thing/fit.py"]


def test_a_package_that_is_not_to_be_had_is_a_row_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(entry: Entry, folder: Path) -> Path:
        raise CannotFetch("no such package")

    monkeypatch.setattr(judge, "fetched", nothing)
    Path("list.txt").write_text("thing==1.0\nwrong\n")
    assert main(["corpus", "list.txt", "--output", "rows.jsonl"]) == 0
    assert rows()["thing"] == {"name": "thing", "version": "1.0", "ended": "not fetched", "detail": "no such package"}
    with zipfile.ZipFile("thing.whl", "w") as wheel:
        wheel.writestr("a.py", BUG)
    monkeypatch.setattr(judge, "fetched", lambda entry, folder: Path("thing.whl"))
    assert main(["corpus", "list.txt", "--output", "rows.jsonl"]) == 0
    lines = [json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()]
    assert [(row["name"], row["ended"]) for row in lines] == [
        ("thing", "not fetched"),
        ("wrong", "done"),
        ("thing", "done"),
    ]


def test_a_broken_archive_is_a_row() -> None:
    Path("a.tar.gz").write_bytes(b"nothing")
    row = row_of(Entry("a.tar.gz", place=os.path.abspath("a.tar.gz")), Limits())
    assert row["ended"] == "not unpacked"


def test_what_takes_too_long_is_a_row_with_what_is_known() -> None:
    body = "".join(f"    if flags[{number}]:\n        model.eval()\n" for number in range(20_000))
    Path("wrong", "b.py").write_text(f"import torch\n\ndef run(model, flags):\n{body}    model(1)\n")
    row = row_of(Entry("wrong", place=os.path.abspath("wrong")), Limits(seconds=1))
    assert (row["ended"], row["files"]) == ("out of time", 2)
    assert "findings" not in row


def test_what_takes_too_much_memory_is_a_row() -> None:
    row = row_of(Entry("wrong", place=os.path.abspath("wrong")), Limits(megabytes=20))
    assert row["ended"] in ("out of memory", "died")  # by what failed first: Python itself, or its loader


def test_an_internal_error_is_told_with_its_text_and_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    main(["corpus", "list.txt", "--output", "rows.jsonl"])
    row = rows()["right"]
    row["internal_errors"] = [{"path": "a.py", "message": "ValueError: planted", "traceback": "..."}]
    Path("rows.jsonl").write_text(json.dumps(row) + "\n")
    capsys.readouterr()
    assert main(["corpus", "--merge", "rows.jsonl"]) == 2
    assert "| internal errors | 1 |" in capsys.readouterr().out


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "a/b", "1/0", "-1/3"])
def test_a_shard_is_one_of_a_number(shard: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpus", "list.txt", "--shard", shard]) == 2
    assert "must be a shard" in capsys.readouterr().err


def test_a_file_that_holds_something_else_is_not_added_to(capsys: pytest.CaptureFixture[str]) -> None:
    Path("notes.txt").write_text("my notes\nand more")
    assert main(["corpus", "list.txt", "--output", "notes.txt"]) == 2
    assert "line 1 is no row" in capsys.readouterr().err
    assert Path("notes.txt").read_text() == "my notes\nand more"
