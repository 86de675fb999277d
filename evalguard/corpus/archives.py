"""A package's archive, from the index by pip, and the Python files in it.

pip downloads wheels only: it cannot download a source archive without running its `setup.py` or its build backend
(pip's issue 1884), and nothing of a package is run here. Where there is no wheel, `source_archive.py` downloads the
source archive.

What is unpacked is written by us, byte by byte: regular files with Python code, at paths that stay in the folder. So no
link, device, absolute path or `..` of an archive is ever made, and neither a bomb nor a heap of small files fills the
disk.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from evalguard.corpus.entries import ARCHIVES, Entry, normal
from evalguard.discover import SUFFIXES

MOST_FILES = 100_000
MOST_BYTES = 1_000_000_000  # of all files together
MOST_BYTES_OF_A_FILE = 50_000_000
MOST_BYTES_PASSED = 20_000_000_000  # of all members, those that are passed over among them
DOWNLOAD_SECONDS = 1800

_NO_WHEEL = "No matching distribution found"  # as pip says it
_CHUNK = 1 << 20


class CannotFetch(Exception):
    """A package whose archive is not to be had; the text says why."""


class CannotUnpack(Exception):
    """An archive that is broken, or larger than anything is allowed to be; the text says why."""


def fetched(entry: Entry, folder: Path) -> Path:
    """The archive of a package, from the folder of archives if it is there, else downloaded into it."""
    own = folder / f"{normal(entry.name)}-{entry.version}"
    known = _archive_in(own)
    if known is not None:
        return known
    own.mkdir(parents=True, exist_ok=True)
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--no-input"]
    try:
        return _downloaded(["pip", "download", *options, "--dest", str(own), f"{entry.name}=={entry.version}"], own)
    except CannotFetch as error:
        if _NO_WHEEL not in str(error):  # else what cannot be reached today would be another archive tomorrow
            raise
    return _downloaded(["evalguard.corpus.source_archive", entry.name, entry.version, str(own)], own)


def _downloaded(module: Sequence[str], folder: Path) -> Path:
    """The archive that a module of Python downloads into the folder, when it is run as a program."""
    command = [sys.executable, "-m", *module]
    try:
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=DOWNLOAD_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotFetch(f"{module[0]}: {error}") from error
    archive = _archive_in(folder)
    if run.returncode == 0 and archive is not None:
        return archive
    errors = [line for line in run.stderr.splitlines() if line.startswith("ERROR:")]
    ended = f"{module[0]} ended with status {run.returncode}"
    raise CannotFetch(errors[-1].removeprefix("ERROR: ") if errors else ended)


def _archive_in(folder: Path) -> Path | None:
    found = sorted(path for path in folder.glob("*") if path.name.endswith(ARCHIVES))
    return found[0] if found else None


def unpack(archive: Path, folder: Path) -> None:
    """Write the Python files of an archive into an empty folder."""
    try:
        _unpack(archive, folder)
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise CannotUnpack(f"{type(error).__name__}: {error}") from error


def _unpack(archive: Path, folder: Path) -> None:
    files = passed = written = 0
    for name, size, opened in _members(archive):
        passed += size
        if passed > MOST_BYTES_PASSED:
            raise CannotUnpack("larger than is allowed")
        target = _inside(folder, name)
        if target is None or not name.endswith(SUFFIXES) or size > MOST_BYTES_OF_A_FILE or target.exists():
            continue
        files += 1
        if files > MOST_FILES:
            raise CannotUnpack("more Python files than are allowed")
        source = opened()
        if source is not None:
            with source:
                written += _copy(source, target, min(MOST_BYTES - written, MOST_BYTES_OF_A_FILE))


def _members(archive: Path) -> Iterator[tuple[str, int, Callable[[], IO[bytes] | None]]]:
    """The regular files of an archive: their names, their sizes as they say, and how each is opened."""
    if archive.name.endswith((".whl", ".zip")):
        with zipfile.ZipFile(archive) as wheel:
            for info in wheel.infolist():
                if not info.is_dir() and stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG):
                    yield info.filename, info.file_size, partial(wheel.open, info)
        return
    with tarfile.open(archive, "r|*") as tar:  # as a stream: a member is read while it passes, or not at all
        for member in tar:
            if member.isreg():
                yield member.name, member.size, partial(tar.extractfile, member)


def _inside(folder: Path, name: str) -> Path | None:
    """Where a member belongs; None if its name leads elsewhere or cannot be one of a file."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name or ":" in path.parts[0]:
        return None
    return folder.joinpath(*path.parts)


def _copy(source: IO[bytes], target: Path, most: int) -> int:
    """Write a file, and return its size; what it says of its size is not believed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with open(target, "xb", opener=_without_links) as file:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > most:
                raise CannotUnpack("more Python code than is allowed")
            file.write(chunk)
    return size


def _without_links(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o644)
