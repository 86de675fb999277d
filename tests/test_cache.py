"""What is kept from run to run: it changes no finding, and nothing that anybody does to it does any harm."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalguard.cache import kept
from evalguard.cache.database import FILE, Database, remove
from evalguard.check import check_paths
from evalguard.cli import main
from evalguard.finding import Finding, Span, Step
from evalguard.frontend import lower
from evalguard.ir.facts import FileFacts
from evalguard.ir.packed import NoGood
from evalguard.ir.plain import changed
from evalguard.ir.reading import packed_reading, unpacked_reading
from evalguard.report import Report
from evalguard.run import Means
from evalguard.source import document_of

FIXTURES = Path(__file__).parent.parent / "fixtures"

LEAK = """\
import torch
import torch.nn as nn


def evaluate(test_loader):
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout())
    net.load_state_dict(torch.load("net.pt"))
    with torch.no_grad():
        return [net(x).argmax() for x in test_loader]
"""
MENDED = LEAK.replace("    with torch", "    net.eval()\n    with torch")

spans = st.builds(Span, *[st.integers(1, 99)] * 4)
steps = st.builds(Step, st.text(), spans, st.text())
found = st.builds(Finding, *[st.text()] * 4, spans, trace=st.lists(steps, max_size=3).map(tuple))


@given(st.lists(found, max_size=3))
def test_a_report_comes_back_as_it_was(findings: list[Finding]) -> None:
    with TemporaryDirectory() as folder:
        cache = Database(Path(folder))
        report = Report(tuple(findings), files=("a.py",), cut_short=(("a.py", "f"),))
        kept.keep_reports(cache, {"key": report})
        assert kept.kept_report(cache, "key") == report


def at_hand(facts: FileFacts) -> FileFacts:
    """The facts with all bodies unpacked."""
    functions = {name: changed(function, body=function.blocks) for name, function in facts.functions.items()}
    return changed(facts, functions=functions)


@pytest.mark.parametrize("path", sorted(FIXTURES.rglob("*.py"))[::17], ids=lambda path: path.name)
def test_facts_come_back_as_they_were(path: Path) -> None:
    facts = lower(document_of(path.read_text(encoding="utf-8"), path.name))
    data = packed_reading([facts])
    assert data is not None
    (back,) = unpacked_reading(data)
    assert isinstance(back, FileFacts)
    assert at_hand(back) == facts


def test_numbers_and_texts_come_back_as_they_were() -> None:
    values = (1, True, 1.0, 10**30, -(10**30), 1e-300, "ä\0", None)
    text = "f(" + ", ".join(map(repr, values)) + ', 1e999, b"x", 1j)\n'
    facts = lower(document_of(text, "a.py"))
    data = packed_reading([facts])
    assert data is not None
    (back,) = unpacked_reading(data)
    assert isinstance(back, FileFacts)
    assert repr(at_hand(back)) == repr(facts)  # 1 and True are equal


def test_half_a_character_cannot_be_packed() -> None:
    assert packed_reading([lower(document_of('x = "\\ud800"\n', "a.py"))]) is None


@given(st.binary())
def test_bytes_that_nobody_packed_are_no_good(data: bytes) -> None:
    with pytest.raises(NoGood):
        unpacked_reading(data)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", "[[]]", "[[], {}]", '[["x"], null]', "[" * 9_999, "[[], [1]]"),
        '[[], ["a.py", {"f": ["Name", "x"]}, {}, {}]]',
        '[[], ["a.py", {"f": ["f", [[["Name", "x"], []]], "f", [1,1,1,1], [1,1,1,1], [], [], 0, 1, [], []]}, {}, {}]]',
    ],
)
def test_json_that_is_not_ours_is_no_good(text: str) -> None:
    with pytest.raises(NoGood):
        unpacked_reading(zlib.compress(text.encode()))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(LEAK)
    Path("other.py").write_text(MENDED)
    Path("broken.py").write_text("import torch.nn as nn\nclass Net(nn.Module:\n")
    return tmp_path


def run(cache: Database | None, *paths: str) -> Report:
    return check_paths(paths or (".",), means=Means(cache))


def alike(one: Report, other: Report) -> bool:
    return one == other and one.texts == other.texts and one.cells == other.cells


def count(monkeypatch: pytest.MonkeyPatch, name: str) -> Callable[[], int]:
    """How often a step of the pipeline is taken from here on."""
    from evalguard import analysis

    calls: list[object] = []
    step = getattr(analysis, name)
    monkeypatch.setattr(analysis, name, lambda *given, **named: (calls.append(given), step(*given, **named))[1])
    return lambda: len(calls)


def test_a_second_run_finds_the_same_and_does_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Database(project / "kept")
    first = run(cache)
    assert [finding.path for finding in first.findings] == ["broken.py", "train.py"]
    lowered, linked = count(monkeypatch, "lowered_and_packed"), count(monkeypatch, "link_project")
    assert alike(run(cache), first)
    assert (lowered(), linked()) == (0, 0)
    assert alike(run(None), first)


def test_only_what_changed_is_read_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Database(project / "kept")
    run(cache)
    Path("train.py").write_text(MENDED)
    lowered, linked = count(monkeypatch, "lowered_and_packed"), count(monkeypatch, "link_project")
    second = run(cache)
    assert (lowered(), linked()) == (1, 1)
    assert [finding.path for finding in second.findings] == ["broken.py"]
    assert alike(second, run(None))


@pytest.mark.parametrize("change", ["moved", "added", "gone", "ignored"])
def test_a_report_holds_for_the_same_files_and_choices_only(project: Path, change: str) -> None:
    from evalguard.config import Config

    cache = Database(project / "kept")
    run(cache)
    config = Config()
    match change:
        case "moved":
            Path("train.py").rename("fit.py")
        case "added":
            Path("third.py").write_text(LEAK)
        case "gone":
            Path("train.py").unlink()
        case "ignored":
            config = replace(config, ignore=("EVG1",))
    means = Means(cache)
    assert alike(check_paths(["."], config, means=means), check_paths(["."], config))


def test_a_changed_evalguard_keeps_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Database(project / "kept")
    run(cache)
    monkeypatch.setattr(kept, "own_state", lambda: "another one")
    linked = count(monkeypatch, "link_project")
    run(cache)
    assert linked() == 3  # no file of the project imports another


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\0" * 4000, os.urandom(5000)])
def test_a_damaged_file_is_set_aside_and_made_anew(project: Path, content: bytes) -> None:
    cache = Database(project / "kept")
    wanted = run(cache)
    (project / "kept" / FILE).write_bytes(content)
    assert alike(run(cache), wanted)
    assert alike(run(cache), wanted)
    assert sqlite3.connect(project / "kept" / FILE).execute("SELECT COUNT(*) FROM entry").fetchone() > (0,)


def test_a_file_of_somebody_else_is_not_written_to(project: Path) -> None:
    (project / "kept").mkdir()
    file = project / "kept" / FILE
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE entry (precious TEXT)")
        connection.execute("INSERT INTO entry VALUES ('mine')")
    connection.close()
    run(Database(project / "kept"))
    aside = file.with_suffix(".set-aside")
    assert sqlite3.connect(aside).execute("SELECT precious FROM entry").fetchall() == [("mine",)]


def test_values_that_somebody_changed_are_worked_out_anew(project: Path) -> None:
    cache = Database(project / "kept")
    wanted = run(cache)
    with sqlite3.connect(project / "kept" / FILE) as connection:
        connection.execute("UPDATE entry SET value = ?", (zlib.compress(b'["no", "report"]'),))
    connection.close()
    assert alike(run(cache), wanted)


def test_what_cannot_be_written_is_not_kept(project: Path) -> None:
    (project / "kept").write_text("a file where the folder would be")
    assert alike(run(Database(project / "kept")), run(None))


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalguard.cache import database

    cache = Database(tmp_path / "kept", most_bytes=100)

    def on_day(day: int) -> None:
        monkeypatch.setattr(database, "_today", lambda: day)

    for day in range(9):
        on_day(day)
        cache.write("facts", {f"day {day}": bytes(10)})
    on_day(20)
    cache.read("facts", ["day 0"])
    on_day(21)
    cache.write("facts", {"one": bytes(10), "two": bytes(10)})
    assert cache.read("facts", [*(f"day {day}" for day in range(9)), "one", "two"]).keys() == {
        *("day 0", "day 7", "day 8", "one", "two")
    }


def test_several_runs_at_once_get_in_nobodys_way(project: Path) -> None:
    command = [sys.executable, "-m", "evalguard", "--format", "flake8", "--cache-dir", "kept", "."]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    outcomes = {(*each.communicate(), each.returncode) for each in runs}
    assert len(outcomes) == 1
    assert next(iter(outcomes))[1:] == ("", 1)


def test_a_broken_file_stays_a_finding(project: Path) -> None:
    cache = Database(project / "kept")
    for _ in range(2):
        found: list[Finding] = [finding for finding in run(cache, "broken.py").findings if finding.code == "EVG901"]
        assert [finding.span.line for finding in found] == [2]


def test_clean_deletes_the_folder_and_nothing_else(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVALGUARD_CACHE_DIR")
    assert main(["--exit-zero", "."]) == 0
    assert (project / ".evalguard_cache" / ".gitignore").read_text() == "*\n"
    assert main(["clean"]) == 0
    assert not (project / ".evalguard_cache").exists()
    assert main(["clean"]) == 0
    (project / "precious").mkdir()
    assert main(["clean", "--cache-dir", "precious"]) == 2
    assert (project / "precious").is_dir()
    with pytest.raises(ValueError, match="not a folder"):
        remove(project / "precious")
    assert "cannot be deleted" in capsys.readouterr().err


def test_without_a_cache_nothing_is_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVALGUARD_CACHE_DIR")
    assert main(["--no-cache", "."]) == 1
    assert not (project / ".evalguard_cache").exists()


def test_the_findings_do_not_depend_on_shortcuts_or_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    from evalguard import analysis

    monkeypatch.setattr(analysis, "MUCH_TEXT", 1)
    paths = [FIXTURES / "rules"]
    wanted = check_paths(paths).findings
    assert len(wanted) > 100
    for means in (Means(shortcuts=False), Means(jobs=1), Means(jobs=3)):
        assert check_paths(paths, means=means).findings == wanted
