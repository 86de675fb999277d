"""The file that keeps things from run to run: one SQLite database in a folder of its own.

Several runs may use it at once; SQLite sees to that. Nothing depends on it: what cannot be read is worked out anew, and
what cannot be written is not kept. A file that is damaged or somebody else's is set aside under another name.

    .evalguard_cache/
        .gitignore          "*": git leaves the folder alone
        CACHEDIR.TAG        so do backups, see https://bford.info/cachedir/
        evalguard.sqlite3   table `entry`: kind, key (a hash of all that the value depends on), value, day of last use
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

FOLDER = ".evalguard_cache"
FILE = "evalguard.sqlite3"
APPLICATION = 0x45564721  # in the header of our databases: "EVG!"
LAYOUT = 1  # of the table; another one is made anew
MOST_BYTES = 512 * 1024 * 1024  # of all values; beyond it those are dropped that were not used for longest
PATIENCE = 5.0  # seconds to wait for another run that is writing
AT_ONCE = 500  # keys in one question
TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Kept by evalguard; it may be deleted at any time.\n"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID
"""


class Database:
    """A cache in a folder, which is made when there is something to keep."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._file = folder / FILE

    def read(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The values that are kept for these keys."""
        found: dict[str, bytes] = {}
        wanted, today = list(keys), _today()
        if not self._file.is_file():
            return found
        with self._ignoring_trouble(), self._connected() as connection:
            for start in range(0, len(wanted), AT_ONCE):
                some = wanted[start : start + AT_ONCE]
                marks = ",".join("?" * len(some))
                asked = f"kind = ? AND key IN ({marks})"
                rows = connection.execute(f"SELECT key, value FROM entry WHERE {asked}", (kind, *some))
                found |= {key: value for key, value in rows if isinstance(value, bytes)}
                with contextlib.suppress(sqlite3.OperationalError):  # another run is writing, or nobody may
                    given = (today, today, kind, *some)
                    connection.execute(f"UPDATE entry SET used = ? WHERE used < ? AND {asked}", given)
        return found

    def write(self, kind: str, values: Mapping[str, bytes]) -> None:
        """Keep these values, by their keys."""
        if not values:
            return
        with self._ignoring_trouble():
            self._make_folder()
            with self._connected() as connection:
                rows = [(kind, key, value, _today()) for key, value in values.items()]
                connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", rows)
                self._drop_the_oldest(connection)

    def _drop_the_oldest(self, connection: sqlite3.Connection) -> None:
        (size,) = connection.execute("SELECT COALESCE(SUM(LENGTH(value)), 0) FROM entry").fetchone()
        if size <= self._most_bytes:
            return
        oldest = connection.execute("SELECT kind, key, LENGTH(value) FROM entry ORDER BY used, kind, key").fetchall()
        for kind, key, length in oldest:
            if size <= self._most_bytes // 2:
                break
            connection.execute("DELETE FROM entry WHERE kind = ? AND key = ?", (kind, key))
            size -= length

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """A transaction in the database."""
        connection = sqlite3.connect(self._file, timeout=PATIENCE)
        try:
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
            self._prepare(connection)
            with connection:
                yield connection
        finally:
            connection.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if (application, layout) == (APPLICATION, LAYOUT):
            return
        if application != APPLICATION and (application or tables):
            raise sqlite3.DatabaseError("not a database of evalguard's")
        with connection:
            connection.execute("DROP TABLE IF EXISTS entry")
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {LAYOUT}")

    @contextlib.contextmanager
    def _ignoring_trouble(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError:
            pass  # locked for long, read-only, or the disk is full
        except sqlite3.DatabaseError:
            self._set_aside()
        except OSError:
            pass

    def _set_aside(self) -> None:
        """The file is damaged or not ours: out of the way with it, and begin anew."""
        with contextlib.suppress(OSError):
            os.replace(self._file, self._file.with_suffix(".set-aside"))

    def _make_folder(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
        for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", TAG)):
            file = self.folder / name
            if not file.exists():
                file.write_text(text, encoding="ascii")


def remove(folder: Path) -> bool:
    """Delete a cache's folder; whether there was one. A folder that is none is left alone: raises ValueError."""
    if not folder.exists():
        return False
    if not (folder / "CACHEDIR.TAG").is_file() or not (folder / ".gitignore").is_file():
        raise ValueError("not a folder that evalguard keeps its cache in")
    shutil.rmtree(folder)
    return True


def _today() -> int:
    return int(time.time() // 86_400)
