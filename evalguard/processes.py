"""Work in several processes, which are forked: they find in memory what this one has made."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def may_fork() -> bool:
    """Whether this process can fork others, and they would be allowed to be its children."""
    return "fork" in multiprocessing.get_all_start_methods() and not multiprocessing.current_process().daemon


def in_processes(workers: int, work: Callable[[T], R], given: Sequence[T], at_once: int = 1) -> Iterator[R]:
    """What the work gives for each of these, in their order, `at_once` handed over at a time. It ends early if a
    process dies or cannot be started: the rest is for the caller to do."""
    try:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
            yield from pool.map(work, given, chunksize=at_once)
    except (BrokenProcessPool, OSError):
        return
