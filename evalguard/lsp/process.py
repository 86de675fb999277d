"""A worker, as the server sees it: a process that is started when it is first needed, and again if it dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path

import evalguard
from evalguard.lsp.jobs import HEAD, Answer, Dropped, Job, packed

_LOG = logging.getLogger(__name__)

# Python would look for modules in the folder first, were it not told otherwise before it imports any.
_START = "import sys; sys.path[:] = {path!r}; from evalguard.lsp.worker import main; main()"


class Process:
    """A worker for one folder."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._starting = asyncio.Lock()

    async def ask(self, job: Job) -> Answer:
        """The answer to a job. A worker that dies over it has none."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[job.number] = answer
        try:
            async with self._starting:
                if self._process is None:
                    await self._start()
            assert self._process is not None
            assert self._process.stdin is not None
            self._process.stdin.write(packed(job))
            await self._process.stdin.drain()
        except (OSError, ConnectionError) as error:
            self._waiting.pop(job.number, None)
            return Dropped(job.number, f"the analysis cannot be started: {error}")
        return await answer

    async def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def _start(self) -> None:
        command = [sys.executable, "-c", _START.format(path=search_path(sys.path, self._folder))]
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=self._folder
        )
        self._listening = asyncio.create_task(self._listen(self._process))

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = await process.stdout.readexactly(HEAD.size)
                answer: Answer = pickle.loads(await process.stdout.readexactly(HEAD.unpack(head)[0]))
                waiting = self._waiting.pop(answer.number, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        await process.wait()
        if self._process is process:
            _LOG.error("the worker of %s ended with status %s", self._folder, process.returncode)
            self._process = None
        for number, waiting in list(self._waiting.items()):
            del self._waiting[number]
            if not waiting.done():
                waiting.set_result(Dropped(number, "the analysis has died"))


def search_path(path: Sequence[str], folder: Path | None) -> list[str]:
    """Where a worker looks for modules: where we do, but for what lies in the folder that it analyses and belongs
    neither to Python nor to evalguard."""
    own = os.path.dirname(os.path.dirname(os.path.abspath(evalguard.__file__)))
    trusted = [*map(os.path.realpath, (sys.prefix, sys.base_prefix))]
    mistrusted = os.path.realpath(folder or os.getcwd())
    kept = []
    for place in path:
        real = os.path.realpath(place)
        if place == own or any(_is_in(real, each) for each in trusted) or not _is_in(real, mistrusted):
            kept += [os.path.abspath(place)] if place else []
    return kept if own in kept else [*kept, own]


def _is_in(place: str, folder: str) -> bool:
    return place == folder or place.startswith(folder.rstrip(os.sep) + os.sep)
