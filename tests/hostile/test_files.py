"""Files and folders that are hostile by what they are, by their names, or by what happens to them meanwhile."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from evalguard import source
from evalguard.cli import main
from hostile.run import HEAD, SOUND, hostile, run_apart, run_here

on_posix = pytest.mark.skipif(os.name != "posix", reason="such files are known on POSIX only")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a sound file, in which the command is run."""
    hostile(tmp_path, "other.py", "")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@on_posix
def test_links_in_circles_dangling_links_and_folders_named_like_files(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "folder.py").mkdir()
    (project / "folder.py" / "loop").symlink_to(project)
    (project / "self.py").symlink_to("self.py")
    (project / "one.py").symlink_to("two.py")
    (project / "two.py").symlink_to("one.py")
    (project / "gone.py").symlink_to("nowhere.py")
    outcome = run_here(capsys)
    assert (outcome.status, outcome.errors, outcome.sound, outcome.others) == (1, "", ["EVG201"], [])


@on_posix
def test_a_link_that_leads_nowhere_is_told_when_it_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "self.py").symlink_to("self.py")
    (project / "gone.py").symlink_to("nowhere.py")
    outcome = run_here(capsys, "self.py", "gone.py", "sound.py")
    assert (outcome.status, outcome.errors, outcome.sound) == (1, "", ["EVG201"])
    assert [line.partition("EVG901 ")[2] for line in outcome.others] == [
        "cannot be read: No such file or directory",
        "cannot be read: Too many levels of symbolic links",
    ]


@on_posix
def test_pipes_sockets_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    hostile(tmp_path, "other.py", "")
    os.mkfifo(tmp_path / "pipe.py")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.py"))
        (tmp_path / "zero.py").symlink_to("/dev/zero")
        found = run_apart(tmp_path)
        named = run_apart(tmp_path, "pipe.py", "socket.py", "zero.py", "sound.py")
    assert (found.status, found.errors, found.sound, found.others) == (1, "", ["EVG201"], [])
    assert (named.status, named.errors, named.sound) == (1, "", ["EVG201"])
    assert [line.partition("cannot be read: ")[2] for line in named.others] == [
        "No such device or address",
        "it is no file",
    ]


@on_posix
def test_an_open_pipe_is_read_to_its_end(project: Path) -> None:
    command = f"cat sound.py | {sys.executable} -m evalguard --no-cache --format flake8 /dev/stdin"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "EVG201" in done.stdout


def test_a_file_that_may_not_be_read_is_one_finding(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = source._open_at_once

    def refuse(path: str, flags: int) -> int:
        if os.path.basename(path) == "other.py":
            raise PermissionError(13, "Permission denied")
        return real(path, flags)

    monkeypatch.setattr(source, "_open_at_once", refuse)
    outcome = run_here(capsys)
    assert (outcome.status, outcome.errors, outcome.sound) == (1, "", ["EVG201"])
    assert outcome.others == ["other.py:1:1: EVG901 cannot be read: Permission denied"]


def test_a_file_without_an_end_is_one_finding(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(source, "MOST_BYTES", 1 << 20)
    with open("other.py", "wb") as file:
        file.truncate(1 << 40)  # a hole, of no blocks
    outcome = run_here(capsys)
    assert (outcome.status, outcome.errors, outcome.sound) == (1, "", ["EVG201"])
    assert outcome.others == ["other.py:1:1: EVG901 cannot be read: it is larger than 1 MiB"]


@pytest.mark.parametrize("change", ["vanishes", "is cut", "becomes a folder", "grows"])
def test_files_that_change_while_they_are_read(
    change: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "other.py").write_text(HEAD)
    real = source._open_at_once

    def changing(path: str, flags: int) -> int:
        if os.path.basename(path) != "other.py":
            return real(path, flags)
        match change:
            case "vanishes":
                os.unlink(path)
            case "is cut":
                os.truncate(path, 20)
            case "becomes a folder":
                os.unlink(path)
                os.mkdir(path)
            case _:
                Path(path).write_text(HEAD * 2)
        return real(path, flags)

    monkeypatch.setattr(source, "_open_at_once", changing)
    outcome = run_here(capsys)
    assert (outcome.status, outcome.errors, outcome.sound) == (1, "", ["EVG201"])
    assert len(outcome.others) == {"vanishes": 1, "is cut": 0, "becomes a folder": 1, "grows": 0}[change]


ODD_NAMES = [
    "new\nline.py",
    "x\r\n::error file=y.py::owned\n.py",
    "\x1b[31mred\x1b]0;title\x07.py",
    "\u202egnp.py",
    "a,b:c%0A.py",
    "<script>alert(1)<&'\".py",
    "b\udc80\udcff.py",
    "--select=ALL.py",
    " .py",
    "-.py",
]
FORMATS = ("text", "flake8", "github", "gitlab", "json", "junit", "sarif", "html", "statistics")
GITHUB = {"file", "line", "endLine", "col", "endColumn", "title"}
STEERING = {chr(code) for code in range(32) if chr(code) not in "\n\t"} | {"\x7f", "\x9b", "\u202e"}


@on_posix
@pytest.mark.parametrize("form", FORMATS)
def test_no_name_and_no_text_breaks_out_of_a_form(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if form == "html":
        pytest.importorskip("jinja2")
    evil = SOUND.replace("(model,", "(nets,").replace("model", "nets['<script>\\x1b[31m::error::\u202e</script>']")
    evil = evil.replace("validate(nets['<script>\\x1b[31m::error::\u202e</script>'],", "validate(nets,")
    for number, name in enumerate(ODD_NAMES):
        text = evil if number % 2 else f"{HEAD}\ndef f(::  # \x1b[31m ::error:: <script>\n"
        Path(os.fsdecode(os.fsencode(str(tmp_path)) + b"/" + os.fsencode(name))).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    options = ["--statistics"] if form == "statistics" else ["--format", form]
    assert main(["--no-cache", *options, "."]) == 1
    output = capsys.readouterr().out
    assert not STEERING & set(output)
    match form:
        case "json" | "sarif" | "gitlab":
            json.loads(output)
        case "junit":
            assert len(ElementTree.fromstring(output).findall(".//testcase")) >= len(ODD_NAMES)
        case "github":
            for line in output.splitlines():
                nothing, command, _ = line.split("::", 2)
                properties = command.partition(" ")[2].split(",")
                assert nothing == ""
                assert [each.partition("=")[0] for each in properties][:2] == ["file", "line"]
                assert {each.partition("=")[0] for each in properties} <= GITHUB
        case "flake8":
            assert len(output.splitlines()) >= len(ODD_NAMES)
            assert all(": EVG" in line for line in output.splitlines())
        case "html":
            assert "<script>alert" not in output
            assert output.count("<script>") == 1, "our own"


@on_posix
@pytest.mark.parametrize("arguments", [["--diff"], ["--diff", "--unsafe-fixes"], ["graph"], ["-v"], ["--show-fixes"]])
def test_no_name_breaks_out_of_another_output(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ODD_NAMES[:7]:
        text = f"{SOUND}\n# hostile\n"
        Path(os.fsdecode(os.fsencode(str(tmp_path)) + b"/" + os.fsencode(name))).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "."]) in (0, 1)
    captured = capsys.readouterr()
    assert not STEERING & set(captured.out + captured.err)


@on_posix
def test_a_difference_shows_no_escape_on_a_terminal_and_keeps_it_for_patch(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "sound.py").write_text(SOUND.replace("optimizer):", "optimizer):  # \x1b[31m"), "utf-8")
    assert main(["--no-cache", "--diff", "--unsafe-fixes", "."]) == 1
    assert "\x1b[31m" in capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["--no-cache", "--diff", "--unsafe-fixes", "."]) == 1
    output = capsys.readouterr().out
    assert "\\x1b[31m" in output
    assert "\x1b" not in output


NOTEBOOKS: dict[str, tuple[str | bytes, str]] = {
    "cut": ('{"cells": [{"cell_type": "code", "sour', "is no notebook: JSON:"),
    "no JSON": ("import torch\n", "is no notebook: JSON:"),
    "a list": ("[1, 2]", "is no notebook: it is JSON, but no object"),
    "a number": ("1" * 5000, "is no notebook: "),
    "null": ("null", "is no notebook: it is JSON, but no object"),
    "cells are a text": ('{"cells": "all"}', "is no notebook: it has no list of cells"),
    "deep": ('{"cells": ' + "[" * 100_000, "is no notebook: JSON"),
    "deep objects": ('{"a":' * 100_000, "is no notebook: JSON"),
    "NUL byte in a cell": (
        json.dumps({"cells": [{"cell_type": "code", "source": HEAD + "x\0"}]}),
        "EVG901 cannot be parsed",
    ),
    "a deep cell": (
        json.dumps({"cells": [{"cell_type": "code", "source": HEAD + "x = a" + ".b" * 10_000}]}),
        "cannot be parsed: nested too deeply",
    ),
    "no text": (b"\xff\xfe\x00", "cannot be decoded as utf-8"),
}
HARMLESS_NOTEBOOKS: dict[str, object] = {
    "cells of wrong types": {"cells": [1, None, [], "x", {"cell_type": 5}, {"cell_type": "code", "source": 7}]},
    "sources of wrong types": {"cells": [{"cell_type": "code", "source": [1, None, HEAD, {}]}]},
    "metadata of wrong types": {"cells": [], "metadata": [{"language_info": 3}]},
    "a large output": {"cells": [{"cell_type": "code", "source": HEAD, "outputs": ["x" * 20_000_000]}]},
    "surrogates": {"cells": [{"cell_type": "code", "source": "x = '\ud800'\n" + HEAD}]},
    "magics": {"cells": [{"cell_type": "code", "source": "%" * 1000 + "\n!" + "(" * 1000 + "\n%%%%\n?" * 100}] * 50},
}


@pytest.mark.parametrize(("content", "message"), NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_a_notebook_that_is_none_is_one_finding(content: str | bytes, message: str, tmp_path: Path) -> None:
    hostile(tmp_path, "hostile.ipynb", content)
    outcome = run_apart(tmp_path)
    assert (outcome.status, outcome.errors, outcome.sound) == (1, "", ["EVG201"])
    assert len(outcome.others) == 1
    assert message in outcome.others[0]


@pytest.mark.parametrize("content", HARMLESS_NOTEBOOKS.values(), ids=HARMLESS_NOTEBOOKS)
def test_a_notebook_with_odd_parts_is_judged(content: object, tmp_path: Path) -> None:
    hostile(tmp_path, "hostile.ipynb", json.dumps(content))
    outcome = run_apart(tmp_path, "--select", "EVG201")
    assert (outcome.status, outcome.errors, outcome.sound) == (1, "", ["EVG201"])
