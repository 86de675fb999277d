"""A folder that is open in the editor: the texts that are not saved, its worker, and what is known of its files.

edit   ->  near, answered within `AT_ONCE` or else with what was known before, moved to where it is now
quiet  ->  link, after `QUIET`; any edit meanwhile drops it
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from evalguard.finding import Finding
from evalguard.lsp.jobs import Dropped, Known, Link, Near, Prove, Proven, View
from evalguard.lsp.moved import shift
from evalguard.lsp.process import Process
from evalguard.notebook import is_notebook

AT_ONCE = 0.08  # seconds that an edit waits for its answer
QUIET = 0.3  # seconds without an edit, after which the folder is linked

_LOG = logging.getLogger(__name__)


class Session:
    """One folder, or, where `folder` is None, files that belong to none. `changed` is called with the paths of which
    something else is known than before, and `trouble` with what people should be told."""

    def __init__(
        self, folder: Path | None, changed: Callable[[Session, set[str]], None], trouble: Callable[[str], None]
    ) -> None:
        self.folder = folder
        self.texts: dict[str, str] = {}
        self.views: dict[str, View] = {}
        self.places: dict[str, str] = {}
        self.is_linked = False
        self._changed = changed
        self._trouble = trouble
        self._worker = Process(folder)
        self._numbers = itertools.count(1)
        self._edits = 0  # what is said of a text before the last one is of no use any more
        self._settled = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: set[str] = set()

    def opened(self, path: str, text: str, on_disk: bool) -> None:
        """A file is open now, with this text."""
        self.texts[path] = text
        view = self.views.get(path)
        if view is not None:
            self.views[path] = replace(view, text=text)
        if on_disk and self._settled.is_set() and path in self.places.values():
            self._changed(self, {path})
        else:
            self.edited(path, text)

    def closed(self, path: str, on_disk: bool) -> None:
        """A file is not open any more; what was not saved of it is lost."""
        self.texts.pop(path, None)
        if not on_disk or self.folder is None:
            self.link_soon()

    def edited(self, path: str, text: str) -> None:
        """A file has another text now."""
        self.texts[path] = text
        self._edits += 1
        if self.is_linked:
            self._start(self._judge(path, text, self._edits))
        self.link_soon()

    def link_soon(self, delay: float = QUIET) -> None:
        """Judge the whole folder when there is time."""
        self._settled.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay, lambda: self._start(self._link()))

    def view(self, path: str) -> View | None:
        """What is known of a file, where it is in the text as it is now."""
        view, text = self.views.get(path), self.texts.get(path)
        if view is None or text is None or view.text in ("", text) or is_notebook(path):
            return view
        return replace(shift(view.shown, view.text, text).view(view), text=text)

    async def proven(self, path: str, finding: Finding) -> Proven:
        """A fix of a finding that is proven by the whole folder as it is now."""
        await self._settled.wait()
        found = self.views.get(path)
        same = [each for each in found.findings if _is_same(each, finding)] if found is not None else []
        if not same:
            return Proven(0, None, "the finding is not there any more")
        answer = await self._worker.ask(Prove(next(self._numbers), same[0]))
        if isinstance(answer, Proven) and self._settled.is_set():
            return answer
        trouble = answer.trouble if isinstance(answer, Dropped) else None
        return Proven(0, None, trouble or "the text was changed meanwhile")

    async def stop(self) -> None:
        """End the worker, and all that waits for it."""
        if self._timer is not None:
            self._timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await self._worker.stop()

    async def _judge(self, path: str, text: str, edit: int) -> None:
        asked = asyncio.ensure_future(self._worker.ask(Near(next(self._numbers), path, text)))
        done, _ = await asyncio.wait({asked}, timeout=AT_ONCE)
        if not done and self._edits == edit:
            self._move(path)
        answer = await asked
        if self._edits != edit:
            return
        if isinstance(answer, Known):
            self._learn(answer)
        elif done:
            self._move(path)

    def _move(self, path: str) -> None:
        """What was known of a file is shown where it is now."""
        view = self.view(path)
        if view is not None and view != self.views[path]:
            self.views[path] = view
            self._changed(self, {path})

    async def _link(self) -> None:
        edit = self._edits
        answer = await self._worker.ask(Link(next(self._numbers), self._paths(), dict(self.texts)))
        if self._edits != edit:
            return
        self._settled.set()
        if isinstance(answer, Known):
            _LOG.info("linked %s: %s", self.folder, ", ".join(f"{k} {v:.2f}" for k, v in answer.seconds.items()))
            self.is_linked = True
            self._learn(answer)
        elif isinstance(answer, Dropped) and answer.trouble:
            self._tell([answer.trouble])

    def _learn(self, known: Known) -> None:
        before = self.views
        if known.whole:
            self.views, self.places = dict(known.views), dict(known.places)
            self._tell(known.troubles)
        else:
            self.views = {**before, **known.views}
        for path, text in self.texts.items():
            if path in self.views and not self.views[path].text:
                self.views[path] = replace(self.views[path], text=text)
        paths = known.views.keys() | (before.keys() if known.whole else set())
        self._changed(self, {path for path in paths if before.get(path) != self.views.get(path)})

    def _paths(self) -> tuple[str, ...]:
        if self.folder is None:
            return tuple(sorted(self.texts))
        return (str(self.folder), *sorted(path for path in self.texts if not os.path.exists(path)))

    def _tell(self, troubles: Iterable[str]) -> None:
        new = set(troubles)
        for trouble in sorted(new - self._told):
            self._trouble(trouble)
        self._told = new

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("internal error", exc_info=task.exception())


def _is_same(one: Finding, other: Finding) -> bool:
    return (one.code, one.span, one.model) == (other.code, other.span, other.model)
