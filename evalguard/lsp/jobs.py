"""What a worker is asked, and what it answers: plain data that can be pickled. Paths are real, absolute ones; those in
findings and claims are as shown, and `places` says which real ones they mean."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias

from evalguard.claims import Claim
from evalguard.finding import Finding, Fix


@dataclass(frozen=True, slots=True)
class Link:
    """Judge all that lies in the paths; some files have other texts than on the disk."""

    number: int
    paths: tuple[str, ...]
    unsaved: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Near:
    """Judge an edit at once: a file has this text now."""

    number: int
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Prove:
    """Prove a fix of a finding of the last link."""

    number: int
    finding: Finding


Job: TypeAlias = Link | Near | Prove


@dataclass(frozen=True, slots=True)
class View:
    """What is known of a file whose text was `text`, "" if no editor has it open."""

    shown: str
    text: str = ""
    findings: tuple[Finding, ...] = ()
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """The answer to Link and Near: the files in which something is found or claimed, of all or of those that were
    judged. `troubles` are for people to read: a configuration that cannot be used, failures of our own."""

    number: int
    views: Mapping[str, View]
    places: Mapping[str, str]
    whole: bool
    troubles: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proven:
    """The answer to Prove: a fix, or why there is none."""

    number: int
    fix: Fix | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """The answer to a job that a newer one has overtaken, or that failed."""

    number: int
    trouble: str | None = None


Answer: TypeAlias = Known | Proven | Dropped

HEAD = struct.Struct(">Q")  # the length of the pickle that follows


def packed(message: Job | Answer) -> bytes:
    """A message, ready to be sent."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return HEAD.pack(len(data)) + data


def received(stream: BinaryIO) -> Job | Answer | None:
    """The next message, None at the end."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    message: Job | Answer = pickle.loads(stream.read(HEAD.unpack(head)[0]))
    return message
