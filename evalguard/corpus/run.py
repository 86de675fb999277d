"""A list, or one shard of it, judged here by some workers, or by the workers of a Dask scheduler.

    entries without a row -> workers -> rows, written one by one as they come

Dask is asked for one thing, to run a function for each entry somewhere. Any engine that can do so would do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from typing import Any

from evalguard.corpus.entries import Entry
from evalguard.corpus.judge import Limits, row_of
from evalguard.corpus.rows import Row

LOCAL = "local"  # instead of the address of a scheduler


def rows_here(entries: Sequence[Entry], limits: Limits, archives: str | None, jobs: int) -> Iterator[Row]:
    """The rows of the entries as they come, from some workers in this process; each waits for a process of its own."""
    pool = ThreadPoolExecutor(max_workers=jobs)
    try:
        for future in as_completed([pool.submit(row_of, entry, limits, archives) for entry in entries]):
            yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def rows_of_dask(
    entries: Sequence[Entry], limits: Limits, archives: str | None, jobs: int, scheduler: str
) -> Iterator[Row]:
    """The same from the workers of a scheduler, or of a cluster in this process, which needs no port.

    A worker needs evalguard installed, and the index within reach. Folders of the list, and that of the archives, are
    places on the machine of the worker.
    """
    import distributed

    dask: Any = distributed  # which says nothing of its types
    with ExitStack() as stack:
        if scheduler == LOCAL:
            cluster = stack.enter_context(
                dask.LocalCluster(
                    n_workers=1, threads_per_worker=jobs, processes=False, dashboard_address=None, memory_limit=0
                )
            )
            client = stack.enter_context(dask.Client(cluster))
        else:
            client = stack.enter_context(dask.Client(scheduler))
        futures = client.map(row_of, list(entries), limits=limits, archives=archives, pure=False)
        for future in dask.as_completed(futures):
            yield future.result()
            future.release()
