"""Where there is no wheel, the source archive is downloaded from where pip looks, and nothing of it is run."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from evalguard.corpus import archives, source_archive
from evalguard.corpus.archives import CannotFetch, fetched
from evalguard.corpus.entries import Entry
from evalguard.corpus.judge import Limits, row_of
from evalguard.corpus.source_archive import NotToBeHad, Places, download, places_of_pip

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="limits of time and memory are those of POSIX"),
    pytest.mark.skipif(importlib.util.find_spec("unearth") is None, reason="unearth is not installed"),
]

THING = Entry("Some_Thing", "1.0")
BUG = """\
import torch
from some_thing.nets import net


def fit(loader, criterion):
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    model.train()
    for x, y in loader:
        criterion(model(x), y).backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            print(model(x))
"""
NETS = """\
import torch


def net():
    return torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout())
"""


@pytest.fixture(autouse=True)
def _pip_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration but that of the test."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "*")


def archive_of(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"some_thing-1.0/{name}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return packed.getvalue()


@pytest.fixture
def source(tmp_path: Path) -> bytes:
    """A source archive that tells if anything of it is run."""
    run = f"open({str(tmp_path / 'has-run')!r}, 'w')\n"
    build = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    files = {"setup.py": run, "backend.py": run, "pyproject.toml": build}
    return archive_of({**files, "src/some_thing/nets.py": NETS, "tests/check.py": BUG, "docs/check.py": BUG})


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def index_folder(folder: Path, content: bytes, digest: str | None) -> str:
    """An index in a folder, with one archive; its address."""
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "some_thing-1.0.tar.gz").write_bytes(content)
    (folder / "some-thing").mkdir()
    ending = f"#sha256={digest}" if digest else ""
    page = f'<a href="../files/some_thing-1.0.tar.gz{ending}">some_thing-1.0.tar.gz</a>'
    (folder / "some-thing" / "index.html").write_text(f"<!DOCTYPE html><html><body>{page}</body></html>")
    return folder.as_uri()


class Index:
    """An index on the network of this machine: for each path a status, headers and a body; what it was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.seconds = 0.0  # between the parts of a body
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.asked.append(self.path)
                status, headers, body = index.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in {"Content-Type": "application/octet-stream", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(BrokenPipeError, ConnectionResetError):  # the other side has had enough
                    for start in range(0, len(body), 100):
                        time.sleep(index.seconds)
                        self.wfile.write(body[start : start + 100])

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/simple/"

    def has(self, content: bytes, digest: str | None, url: str = "/files/some_thing-1.0.tar.gz") -> None:
        hashes = {"sha256": digest} if digest else {}
        page = {"meta": {"api-version": "1.0"}, "name": "some-thing", "files": []}
        page["files"] = [{"filename": "some_thing-1.0.tar.gz", "url": url, "hashes": hashes}]
        kind = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
        self.answers["/simple/some-thing/"] = (200, kind, json.dumps(page).encode())
        self.answers["/files/some_thing-1.0.tar.gz"] = (200, {}, content)


@pytest.fixture
def index() -> Iterator[Index]:
    made = Index()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def of_index(index: Index, folder: Path) -> Path:
    """The archive, as it is downloaded in the process of the test."""
    return download("Some_Thing", "1.0", folder, Places((index.url,)))


def test_what_has_no_wheel_is_downloaded_as_a_source_archive_and_nothing_of_it_is_run(
    source: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index_folder(tmp_path / "index", source, sha256(source)))
    archive = fetched(THING, tmp_path / "archives")
    assert archive == tmp_path / "archives" / "some-thing-1.0" / "some_thing-1.0.tar.gz"
    assert archive.read_bytes() == source
    assert not (tmp_path / "has-run").exists()


def test_a_source_archive_is_judged_as_the_project_that_it_holds(
    source: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index_folder(tmp_path / "index", source, sha256(source)))
    row = row_of(THING, Limits())
    assert (row["ended"], row["archive"], row["files"]) == ("done", "some_thing-1.0.tar.gz", 5)
    assert {finding["path"] for finding in row["findings"]} == {"docs/check.py"}  # a test may train in any mode
    assert not (tmp_path / "has-run").exists()


def test_a_package_that_is_all_of_an_archive_keeps_its_name(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(archive_of({"__init__.py": "", "nets.py": NETS, "check.py": BUG.replace("some_thing", "")}))
    row = row_of(Entry("a.tar.gz", place=str(archive)), Limits())
    assert {finding["path"] for finding in row["findings"]} == {"some_thing-1.0/check.py"}


def test_an_index_on_the_network_is_asked_in_the_newer_form(index: Index, source: bytes, tmp_path: Path) -> None:
    index.has(source, sha256(source))
    assert of_index(index, tmp_path).read_bytes() == source
    assert index.asked == ["/simple/some-thing/", "/files/some_thing-1.0.tar.gz"]


def test_another_index_is_asked_too(
    index: Index, source: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.has(source, sha256(source))
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "empty").as_uri())
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", index.url)
    assert fetched(THING, tmp_path / "archives").read_bytes() == source


def test_an_archive_with_another_hash_is_refused_and_not_kept(index: Index, source: bytes, tmp_path: Path) -> None:
    index.has(source, sha256(b"another"))
    with pytest.raises(NotToBeHad, match="SHA-256"):
        of_index(index, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == []


@pytest.mark.parametrize("digest", [None, "", "0" * 10])
def test_an_archive_of_the_network_without_a_hash_is_refused_unread(
    digest: str | None, index: Index, source: bytes, tmp_path: Path
) -> None:
    index.has(source, digest)
    with pytest.raises(NotToBeHad, match="gives no SHA-256"):
        of_index(index, tmp_path)
    assert index.asked == ["/simple/some-thing/"]


def test_a_file_that_lies_here_needs_no_hash(source: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "some-thing-1.0.tar.gz").write_bytes(source)
    assert download("Some_Thing", "1.0", tmp_path, Places((), (str(folder),))).read_bytes() == source


def test_redirects_are_followed(index: Index, source: bytes, tmp_path: Path) -> None:
    index.has(source, sha256(source), "/moved/some_thing-1.0.tar.gz")
    index.answers["/moved/some_thing-1.0.tar.gz"] = (302, {"Location": "/files/some_thing-1.0.tar.gz"}, b"")
    assert of_index(index, tmp_path).read_bytes() == source


@pytest.mark.parametrize("from_page", [True, False])
def test_no_index_leads_to_a_file_of_this_machine(from_page: bool, index: Index, source: bytes, tmp_path: Path) -> None:
    (tmp_path / "some_thing-1.0.tar.gz").write_bytes(source)
    here = (tmp_path / "some_thing-1.0.tar.gz").as_uri()
    index.has(source, sha256(source), here if from_page else "/files/some_thing-1.0.tar.gz")
    index.answers["/files/some_thing-1.0.tar.gz"] = (302, {"Location": here}, b"")
    (tmp_path / "out").mkdir()
    with pytest.raises(NotToBeHad, match="no source archive" if from_page else "leads away from the network"):
        of_index(index, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_an_archive_that_is_too_large_is_given_up(
    index: Index, source: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.has(source, sha256(source))
    monkeypatch.setattr(source_archive, "MOST_BYTES_DOWNLOADED", 100)
    with pytest.raises(NotToBeHad, match="larger than is allowed"):
        of_index(index, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_index_that_never_ends_is_given_up(
    index: Index, source: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.has(source + b"0" * 10_000, sha256(source))
    index.seconds = 0.5
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    monkeypatch.setattr(archives, "DOWNLOAD_SECONDS", 4)
    begin = time.monotonic()
    with pytest.raises(CannotFetch, match="timed out"):
        fetched(THING, tmp_path)
    assert time.monotonic() - begin < 20
    index.seconds = 0


@pytest.mark.parametrize("version", ["2.0", "1.0.1"])
def test_another_version_is_not_taken(version: str, index: Index, source: bytes, tmp_path: Path) -> None:
    index.has(source, sha256(source))
    with pytest.raises(NotToBeHad, match=f"no source archive of Some_Thing=={version}"):
        download("Some_Thing", version, tmp_path, Places((index.url,)))


def test_what_pip_cannot_reach_is_not_taken_as_another_archive(
    source: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(module: Any, folder: Path) -> Path:
        assert module[0] == "pip"
        raise CannotFetch("pip: timed out")

    monkeypatch.setattr(archives, "_downloaded", unreachable)
    with pytest.raises(CannotFetch, match="timed out"):
        fetched(THING, tmp_path)


def test_a_password_is_not_told(index: Index, tmp_path: Path) -> None:
    index.has(b"", sha256(b""), index.url.replace("://", "://me:secret@") + "some_thing-1.0.tar.gz")
    with pytest.raises(NotToBeHad, match="404") as told:
        of_index(index, tmp_path)
    assert "secret" not in str(told.value)


def test_without_unearth_it_is_said_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "unearth", None)
    with pytest.raises(NotToBeHad, match=r"pip install \"torch-evalguard\[corpus\]\""):
        download("thing", "1.0", tmp_path, Places(("http://127.0.0.1:9/",)))


def test_the_environment_wins_over_the_command_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://a.example/simple\ntimeout = 7\nfind-links =\n  /one\n  /two\n"
        "[download]\nindex-url = https://b.example/simple\nextra-index-url = https://c.example/simple\n"
        "[install]\ncert = /never\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    places = places_of_pip()
    assert places.indexes == ("https://b.example/simple", "https://c.example/simple")
    assert {"/one", "/two"} <= set(places.find_links)
    assert places.seconds == 7
    assert places.certificates != "/never"
    monkeypatch.setenv("PIP_INDEX_URL", "https://d.example/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "0")
    assert places_of_pip().indexes[0] == "https://d.example/simple"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert places_of_pip().indexes == ()


def test_without_a_configuration_the_default_is_that_of_pip() -> None:
    assert places_of_pip().indexes[0].startswith("https://")
