"""Archives are foreign: what is written stays in the folder, and is Python code in regular files of bounded size."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evalguard.corpus import archives
from evalguard.corpus.archives import CannotFetch, CannotUnpack, fetched, unpack
from evalguard.corpus.entries import Entry

CODE = b"x = 1\n"


def wheel(path: Path, files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for name, target in (links or {}).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, target)
    return path


def source_archive(path: Path, files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


MAKERS = {"a.whl": wheel, "a.tar.gz": source_archive}


@pytest.fixture(params=sorted(MAKERS))
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    def made(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> Path:
        return MAKERS[request.param](tmp_path / request.param, files, links)

    return made


def unpacked(archive: Path, folder: Path) -> list[str]:
    folder.mkdir()
    unpack(archive, folder)
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def test_python_files_and_notebooks_are_unpacked_and_nothing_else(make: Any, tmp_path: Path) -> None:
    archive = make({"p/a.py": CODE, "p/b/c.ipynb": b"{}", "p/data.bin": b"0", "p/lib.so": b"0"})
    assert unpacked(archive, tmp_path / "out") == ["p/a.py", "p/b/c.ipynb"]
    assert (tmp_path / "out/p/a.py").read_bytes() == CODE


def test_no_path_leads_out_of_the_folder(make: Any, tmp_path: Path) -> None:
    names = ["../out.py", "p/../../out.py", "/tmp/evalguard-out.py", "..\\out.py", "C:\\out.py", "good.py"]
    assert unpacked(make(dict.fromkeys(names, CODE)), tmp_path / "out") == ["good.py"]
    assert not (tmp_path / "out.py").exists()
    assert not Path("/tmp/evalguard-out.py").exists()


def test_no_link_is_made_and_none_is_followed(make: Any, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    links = {"link.py": "/etc/passwd", "folder": str(tmp_path / "elsewhere")}
    assert unpacked(make({"folder/a.py": CODE}, links), tmp_path / "out") == ["folder/a.py"]
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_name_that_comes_twice_is_unpacked_once(tmp_path: Path) -> None:
    archive = source_archive(tmp_path / "a.tar.gz", {"a.py": CODE, "./a.py": b"y = 2\n"})
    assert unpacked(archive, tmp_path / "out") == ["a.py"]
    assert (tmp_path / "out/a.py").read_bytes() == CODE


def test_a_file_that_is_too_large_is_left_out(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES_OF_A_FILE", 100)
    assert unpacked(make({"a.py": b"#" * 101, "b.py": CODE}), tmp_path / "out") == ["b.py"]


@pytest.mark.parametrize("limit", ["MOST_BYTES", "MOST_FILES", "MOST_BYTES_PASSED"])
def test_an_archive_that_is_too_large_is_given_up(
    limit: str, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, limit, 2)
    with pytest.raises(CannotUnpack, match="allowed"):
        unpacked(make({"a.py": CODE, "b.py": CODE, "c.py": CODE}), tmp_path / "out")


def test_a_size_that_is_a_lie_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES_OF_A_FILE", 1000)
    path = wheel(tmp_path / "a.whl", {"a.py": b"#" * 5000})
    content = path.read_bytes()
    assert content.count((5000).to_bytes(4, "little")) == 2
    path.write_bytes(content.replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    (tmp_path / "out").mkdir()
    with pytest.raises(CannotUnpack):
        unpack(path, tmp_path / "out")
    assert sum(file.stat().st_size for file in (tmp_path / "out").rglob("*.py")) <= 1000


@pytest.mark.parametrize("name", ["a.whl", "a.tar.gz", "a.tar.xz"])
@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04", b"\x1f\x8b\x08\x00"])
def test_what_is_no_archive_is_said_to_be_none(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CannotUnpack):
        unpacked(tmp_path / name, tmp_path / "out")


def test_an_archive_that_breaks_off_is_said_to_be_broken(make: Any, tmp_path: Path) -> None:
    archive = make({f"{number}.py": bytes(range(256)) * 40 for number in range(20)})
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(CannotUnpack):
        unpacked(archive, tmp_path / "out")


def test_an_archive_that_is_there_is_not_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("pip was asked"))
    (tmp_path / "some-thing-1.0").mkdir()
    there = source_archive(tmp_path / "some-thing-1.0" / "some_thing-1.0.tar.gz", {"a.py": CODE})
    assert fetched(Entry("Some_Thing", "1.0"), tmp_path) == there


def test_pip_is_asked_for_one_wheel_and_never_for_what_it_would_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        assert {"--no-deps", "--only-binary"} <= set(command)
        assert command[command.index("--only-binary") + 1] == ":all:"
        assert command[-1] == "thing==1.0"
        wheel(Path(command[command.index("--dest") + 1], "thing-1.0-py3-none-any.whl"), {"a.py": CODE})
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pip)
    assert fetched(Entry("thing", "1.0"), tmp_path).name == "thing-1.0-py3-none-any.whl"


def test_what_pip_says_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "ERROR: Could not find a version\nERROR: No matching distribution found for thing==1.0\n"
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", said))
    with pytest.raises(CannotFetch, match="No matching distribution found for thing"):
        fetched(Entry("thing", "1.0"), tmp_path)
