"""Mended files are written whole or not at all, and keep what no edit touches."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import evalguard.check
import evalguard.fixes.candidates
from evalguard.cli import main
from evalguard.fixes.write import Prepared, Refused, prepare, write

BAD = """\
import torch
from torch import nn


def evaluate(test_loader):
    # {comment}
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    with torch.no_grad():
        for x in test_loader:
            print(net(x))
"""
GOOD = BAD.replace("    with", "    net.eval()\n    with")


def text(template: str, comment: str = "plain") -> str:
    return template.format(comment=comment)


def fixed(path: Path) -> bytes:
    assert main(["--fix", str(path)]) == 0
    return path.read_bytes()


def test_bytes_of_other_lines_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(text(BAD, "trailing  ").encode())
    assert fixed(file) == text(GOOD, "trailing  ").encode()


def test_crlf_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(text(BAD).replace("\n", "\r\n").encode())
    assert fixed(file) == text(GOOD).replace("\n", "\r\n").encode()


def test_a_byte_order_mark_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"\xef\xbb\xbf" + text(BAD).encode())
    assert fixed(file) == b"\xef\xbb\xbf" + text(GOOD).encode()


def test_the_encoding_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    cookie = "# -*- coding: latin-1 -*-\n"
    file.write_bytes((cookie + text(BAD, "façade")).encode("latin-1"))
    assert fixed(file) == (cookie + text(GOOD, "façade")).encode("latin-1")


def test_characters_before_an_edit_count_as_characters(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    line = "    'ü€😀'; net.eval  # ü\n"
    file.write_text(text(BAD).replace("    with", f"{line}    with"), encoding="utf-8")
    assert "'ü€😀'; net.eval()  # ü\n" in fixed(file).decode()


def test_permissions_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(text(BAD))
    file.chmod(0o750)
    fixed(file)
    assert file.stat().st_mode & 0o777 == 0o750


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    real, link = tmp_path / "real.py", tmp_path / "links" / "link.py"
    real.write_text(text(BAD))
    link.parent.mkdir()
    link.symlink_to(real)
    fixed(link)
    assert link.is_symlink()
    assert real.read_text() == text(GOOD)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["links", "real.py"]


def test_a_read_only_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, other = tmp_path / "a.py", tmp_path / "b.py"
    file.write_text(text(BAD))
    other.write_text(text(BAD))
    file.chmod(0o444)
    assert main(["--fix", str(file), str(other)]) == 2
    assert "a.py is read-only" in capsys.readouterr().err
    assert (file.read_text(), other.read_text()) == (text(BAD), text(BAD))


def test_a_file_that_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("x = 1\n")
    with pytest.raises(Refused, match="has changed since it was read"):
        prepare(str(file), "x = 2\n", "x = 3\n")
    prepared = prepare(str(file), "x = 1\n", "x = 3\n")
    file.write_text("x = 4\n")
    with pytest.raises(Refused, match="has changed since it was read"):
        write(prepared)
    assert file.read_text() == "x = 4\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        prepare(str(tmp_path / "a.py"), "", "x = 1\n")


def test_a_character_that_the_encoding_lacks_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    before = "# coding: latin-1\n"
    file.write_text(before, encoding="latin-1")
    with pytest.raises(Refused, match="iso-8859-1, has no such character"):
        prepare(str(file), before, f"{before}# €\n")


@pytest.mark.parametrize("failing", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_nothing_is_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, error: BaseException
) -> None:
    file = tmp_path / "a.py"
    file.write_text("x = 1\n")
    prepared = Prepared(file, b"x = 1\n", b"x = 2\n")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os if failing == "fsync" else Path, failing, fail)
    with pytest.raises((Refused, KeyboardInterrupt)):
        write(prepared)
    assert file.read_bytes() == b"x = 1\n"
    assert list(tmp_path.iterdir()) == [file]


# The command


def test_diff_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text(text(BAD))
    assert main(["--diff", "a.py"]) == 1
    printed = capsys.readouterr()
    assert printed.out == (
        "--- a.py\n+++ a.py\n@@ -5,6 +5,7 @@\n def evaluate(test_loader):\n     # plain\n"
        "     net = nn.Sequential(nn.Linear(2, 2), nn.Dropout())\n+    net.eval()\n     with torch.no_grad():\n"
        "         for x in test_loader:\n             print(net(x))\n"
    )
    assert printed.err == "evalguard: would fix 1 problem in 1 file\n"
    assert Path("a.py").read_text() == text(BAD)
    Path("a.py").write_text(text(GOOD))
    assert main(["--diff", "a.py"]) == 0


def test_a_diff_tells_of_a_missing_newline_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.py"
    file.write_text(text(BAD).rstrip("\n"))
    assert main(["--diff", str(file)]) == 1
    assert capsys.readouterr().out.endswith("print(net(x))\n\\ No newline at end of file\n")


LEFT = "class Net(nn.Module):\n    def forward(self, x):\n        return nn.Linear(x.shape[1], 2)(x)\n"


def test_what_is_left_decides_the_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.py"
    file.write_text(f"{text(BAD)}\n\n{LEFT}")
    assert main(["--fix", str(file)]) == 1
    assert "EVG403" in capsys.readouterr().out
    assert main(["--fix-only", str(file)]) == 0
    assert capsys.readouterr().out == ""


def test_show_fixes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.py"
    file.write_text(f"{text(BAD)}\n\n{LEFT}")
    assert main(["--show-fixes", str(file)]) == 1
    printed = capsys.readouterr().out
    assert "fix (safe): call `net.eval()` before the inference" in printed
    assert "no safe fix: which attribute is to hold the layer" in printed
    assert printed.endswith("1 can be mended with --fix.\n")
    assert main(["--fix", "--show-fixes", str(file)]) == 1
    assert "a.py:10: EVG101 call `net.eval()` before the inference" in capsys.readouterr().err


def test_unsafe_fixes_alone_make_no_sense(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--unsafe-fixes"]) == 2
    assert "--fix" in capsys.readouterr().err


def test_standard_input_is_mended_to_standard_output() -> None:
    command = [sys.executable, "-m", "evalguard", "--fix", "-"]
    run = subprocess.run(command, input=text(BAD).encode(), capture_output=True, check=False)
    assert run.returncode == 0
    assert run.stdout.decode() == text(GOOD)
    assert "fixed 1 problem in 1 file" in run.stderr.decode()
    right = subprocess.run(command, input=text(GOOD).encode(), capture_output=True, check=False)
    assert right.stdout.decode() == text(GOOD)


def test_a_plain_run_looks_for_no_fixes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each proof costs an analysis: only who asks pays for it."""

    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(evalguard.fixes.candidates, "candidates", fail)
    monkeypatch.setattr(evalguard.check.Checked, "again", fail)
    file = tmp_path / "a.py"
    file.write_text(text(BAD))
    assert main([str(file)]) == 1
