"""One entry to one row: its archive is fetched and unpacked, and judged by a process of its own.

Whatever happens there is a row: a package that is not to be had, an archive that is broken, a limit that is reached, a
process that dies. `ended` says which, `detail` what is known of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalguard.corpus.archives import CannotFetch, CannotUnpack, fetched, unpack
from evalguard.corpus.entries import Entry
from evalguard.corpus.rows import DONE, NOT_FETCHED, Row

NOT_UNPACKED = "not unpacked"
OUT_OF_TIME = "out of time"
OUT_OF_MEMORY = "out of memory"
DIED = "died"

WALL_FACTOR = 10  # a process that waits uses no processor time, and is not waited for longer than this
WALL_MORE = 120
DETAIL_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one entry may take: seconds of processor time, and megabytes of address space."""

    seconds: int = 300
    megabytes: int = 8192


def row_of(entry: Entry, limits: Limits, archives: str | None = None) -> Row:
    """Judge an entry. Archives are kept in their folder, if there is one."""
    with tempfile.TemporaryDirectory(prefix="evalguard-corpus-", ignore_cleanup_errors=True) as scratch:
        known: dict[str, Any] = {}
        judged = Path(entry.place)
        try:
            if not os.path.isdir(entry.place):
                archive = _archive(entry, Path(archives or Path(scratch, "archives")))
                known["archive"] = archive.name
                judged = _unpacked(archive, Path(scratch, "unpacked"))
        except CannotFetch as error:
            known |= {"ended": NOT_FETCHED, "detail": str(error)}
        except CannotUnpack as error:
            known |= {"ended": NOT_UNPACKED, "detail": str(error)}
        else:
            known |= _judged(judged, limits, Path(scratch))
    return {"name": entry.name, "version": entry.version, **known}


def _archive(entry: Entry, archives: Path) -> Path:
    """The archive of an entry that is no folder."""
    if not entry.place:
        return fetched(entry, archives)
    if not os.path.isfile(entry.place):
        raise CannotFetch("no such folder or archive")
    return Path(entry.place)


def _unpacked(archive: Path, folder: Path) -> Path:
    """The folder that is to be judged. A source archive has all that it holds in one, `name-version`, and what it holds
    is the project: `setup.py` stands at its top, beside the folders of the package and of the tests."""
    folder.mkdir()
    unpack(archive, folder)
    inside = list(folder.iterdir())
    around_all = len(inside) == 1 and inside[0].is_dir() and not (inside[0] / "__init__.py").exists()
    return inside[0] if around_all and not archive.name.endswith(".whl") else folder


def _judged(folder: Path, limits: Limits, scratch: Path) -> dict[str, Any]:
    """What a process of its own says of the folder, and how it ended."""
    words = [str(folder.absolute()), str(limits.seconds), str(limits.megabytes)]
    out, err = scratch / "out", scratch / "err"
    with open(out, "wb") as output, open(err, "wb") as errors:
        command = [sys.executable, "-m", "evalguard.corpus.judged", *words]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        alarm = threading.Timer(limits.seconds * WALL_FACTOR + WALL_MORE, process.kill)
        alarm.start()
        try:
            status = process.wait()
        finally:
            alarm.cancel()
            process.kill()
    known: dict[str, Any] = {}
    for line in out.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            known |= json.loads(line)
    said = err.read_text(encoding="utf-8", errors="replace").strip()
    return {**_ending(known, status, said), **known}


def _ending(known: Mapping[str, Any], status: int, said: str) -> dict[str, str]:
    """How a judgement ended. One that came to its findings is done, whatever happened to the process after it."""
    out_of_memory = any(each["message"].startswith("MemoryError") for each in known.get("internal_errors", ()))
    if "findings" in known and not out_of_memory:
        return {"ended": DONE}
    if out_of_memory or "MemoryError" in said:
        return {"ended": OUT_OF_MEMORY, "detail": said[-DETAIL_LENGTH:]}
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"ended": OUT_OF_TIME, "detail": said[-DETAIL_LENGTH:]}
    return {"ended": DIED, "detail": f"status {status}\n{said[-DETAIL_LENGTH:]}"}
