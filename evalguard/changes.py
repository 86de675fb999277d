"""Which lines have changed since a revision of git, so that only findings which touch them are reported.

The revision is compared with the files as they are on the disk; for a branch, from where the two parted, so that what
others have done on it meanwhile does not count. Where lines were only taken away, those on both sides of the gap count:
a `model.train()` that is gone is a change like any other. Of a notebook every line counts, since git knows the lines of
its file and not those of its cells. So does every line of a file that git does not know yet.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from evalguard.finding import Finding, Step

_HUNK = re.compile(rb"^@@ -\S+ \+(?P<first>\d+)(?:,(?P<count>\d+))? @@")


class ChangesError(Exception):
    """Why git does not tell the changes."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The changed lines of each file, by its real path; None for all of its lines."""

    lines: Mapping[str, frozenset[int] | None]

    def touch(self, finding: Finding) -> bool:
        """Whether the finding, or a step of its trace, is on a changed line."""
        return self._touch(finding) or any(map(self._touch, finding.trace))

    def _touch(self, place: Finding | Step) -> bool:
        changed = self.lines.get(os.path.realpath(place.path), frozenset())
        if changed is None or place.cell is not None:
            return changed is None or bool(changed)
        return not changed.isdisjoint(range(place.span.line, max(place.span.end_line, place.span.line) + 1))


def changes_since(revision: str) -> Changes:
    """What has changed in the repository around the working directory."""
    root = os.fsdecode(_git("rev-parse", "--show-toplevel").rstrip(b"\n"))
    commit = _commit(revision)
    diff = ("diff", "--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-prefix")
    lines: dict[str, frozenset[int] | None] = dict(_changed_lines(_git("-C", root, *diff, commit, "--"), root))
    for name in _git("-C", root, "ls-files", "--others", "--exclude-standard", "-z").split(b"\0"):
        if name:
            lines[_real(root, name)] = None
    return Changes(lines)


def _commit(revision: str) -> str:
    try:
        commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    except ChangesError as error:
        raise ChangesError(f'git knows no revision "{revision}" here (a shallow clone may lack it)') from error
    try:
        return _git("merge-base", commit, "HEAD").decode().strip()
    except ChangesError:
        return commit  # nothing in common, or not fetched


def _changed_lines(diff: bytes, root: str) -> dict[str, frozenset[int]]:
    changed: dict[str, set[int]] = {}
    lines: set[int] = set()
    in_head = False  # where `+++` names a file; elsewhere it is an added line
    for line in diff.split(b"\n"):
        if line.startswith(b"diff --git "):
            in_head = True
        elif in_head and line.startswith(b"+++ "):
            lines = changed.setdefault(_real(root, _unquoted(line[4:].removesuffix(b"\t"))), set())
        elif hunk := _HUNK.match(line):
            in_head = False
            first, count = int(hunk["first"]), int(hunk["count"] or 1)
            lines |= set(range(first, first + count)) if count else {first, first + 1}
    return {path: frozenset(lines) for path, lines in changed.items()}


def _unquoted(name: bytes) -> bytes:
    """A name as git writes it: in quotes, with escapes as in C, where it has odd characters."""
    if not name.startswith(b'"'):
        return name
    value = ast.literal_eval("b" + name.decode("ascii"))
    assert isinstance(value, bytes)
    return value


def _real(root: str, name: bytes) -> str:
    return os.path.realpath(os.path.join(root, os.fsdecode(name)))


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise ChangesError("git is not installed, or cannot be run") from error
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise ChangesError(told or f"git {arguments[0]} failed")
    return done.stdout
