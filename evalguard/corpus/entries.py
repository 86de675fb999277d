"""What is to be judged: the lines of a list, and which of them belong to a shard.

numpy-like==1.2.3     a package, pinned
./projects/mine       a folder, from the folder of the list
./old-1.0.tar.gz      an archive: a wheel or a source archive
# a comment
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

_PINNED = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*==\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)")


class ListError(Exception):
    """A list that cannot be used; the text is for people."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One package: a name and a version, or the `place` of a folder or an archive, whose name is as it is listed."""

    name: str
    version: str = ""
    place: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others: the name as the index compares names, and the version."""
        return (self.name if self.place else normal(self.name), self.version)


def normal(name: str) -> str:
    """A package's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_list(text: str, folder: Path) -> list[Entry]:
    """The entries of a list that stands in a folder, each once, in their order."""
    entries: dict[tuple[str, str], Entry] = {}
    for number, line in enumerate(text.splitlines(), 1):
        word = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if not word:
            continue
        entry = _entry(word, folder)
        if entry is None:
            raise ListError(
                f"line {number}: `{word}` is no `name==version`, and no folder or archive of that name is there"
            )
        entries.setdefault(entry.key, entry)
    return list(entries.values())


def _entry(word: str, folder: Path) -> Entry | None:
    pinned = _PINNED.fullmatch(word)
    if pinned is not None:
        return Entry(pinned[1], pinned[2])
    place = os.path.abspath(folder / word)
    return Entry(word, place=place) if os.path.isdir(place) or place.endswith(ARCHIVES) else None


def of_shard(entries: Iterable[Entry], number: int, count: int) -> list[Entry]:
    """The entries of shard `number` of `count`, counted from 1. It depends on the name alone: a list that grows leaves
    the others where they are."""
    return [entry for entry in entries if _place_of(entry) % count == number - 1]


def _place_of(entry: Entry) -> int:
    return int.from_bytes(hashlib.sha256(entry.key[0].encode("utf-8", "surrogateescape")).digest()[:8], "big")
