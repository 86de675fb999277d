"""The process that analyses one folder, at the server's bidding.

    link   n     the whole folder, with the texts of the editor: only files that have changed are read
    near   n+1   an edit: interrupts what is under way, and judges a neighbourhood, or gives it up after a second
    prove  n     a fix of a finding of the last link

A thread listens; an edit interrupts what is under way, by the way that Ctrl-C would take, so the analysis need not
ask. Whatever anybody prints goes to standard error: standard output is for answers.
"""

from __future__ import annotations

import _thread
import gc
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from types import FrameType
from typing import BinaryIO, TypeVar

from evalguard.check import Checked, check_texts, check_unsaved, config_for, contained, follows_modes
from evalguard.claims import Claim
from evalguard.config import Config, ConfigError
from evalguard.finding import Finding, Span
from evalguard.lsp.cures import proven
from evalguard.lsp.jobs import Answer, Dropped, Job, Known, Link, Near, Prove, Proven, View, packed, received
from evalguard.lsp.moved import Shift, shift
from evalguard.lsp.near import Neighbourhood, Outlines, neighbourhood
from evalguard.lsp.outline import Outline, outline
from evalguard.notebook import is_notebook
from evalguard.own_codes import UnreadableFile
from evalguard.report import Problem

UNREADABLE = UnreadableFile.code
MOST_SECONDS = 1.0  # for an edit; some neighbourhoods are small and take long, and the link waits for them

T = TypeVar("T")


class Overtaken(BaseException):
    """A newer job has come in. No Exception: nothing that contains failures may contain this."""


@dataclass(slots=True)
class _Inbox:
    """Jobs that wait. While `working`, an edit interrupts."""

    jobs: deque[Job] = field(default_factory=deque)
    job: Job | None = None  # the one under way
    arrived: threading.Condition = field(default_factory=threading.Condition)
    working: bool = False
    overtaken: bool = False
    late: bool = False
    ended: bool = False

    def listen(self, stream: BinaryIO) -> None:
        """Take jobs in, until there are no more."""
        while (job := received(stream)) is not None:
            assert isinstance(job, Link | Near | Prove)
            with self.arrived:
                self.jobs.append(job)
                self.arrived.notify()
            if isinstance(job, Near) and self.working:
                _thread.interrupt_main()
        with self.arrived:
            self.ended = True
            self.arrived.notify()
        _thread.interrupt_main()

    def expire(self, job: Job) -> None:
        """A job has had its time."""
        if self.job is job:
            self.late = True
            _thread.interrupt_main()

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """What `interrupt_main` ends in. Asked for too late, it is nothing."""
        if self.working and (self.ended or self.late or any(isinstance(job, Near) for job in tuple(self.jobs))):
            self.working = False
            self.overtaken = True
            raise Overtaken

    def check(self) -> None:
        """Raise again where somebody has made another exception of it, as Python itself does in `__set_name__`."""
        if self.overtaken:
            raise Overtaken

    def next(self) -> tuple[Job | None, list[Job]]:
        """The next job, None at the end, and those that it makes useless."""
        with self.arrived:
            while not self.jobs and not self.ended:
                self.arrived.wait()
            if self.ended:
                return None, []
            useless = overtaken(self.jobs)
            for job in useless:
                self.jobs.remove(job)
            return self.jobs.popleft(), useless


def overtaken(jobs: Iterable[Job]) -> list[Job]:
    """The jobs that a later one makes useless: all that judge before an edit, and links before a link."""
    found: list[Job] = []
    judging: list[Job] = []
    for job in jobs:
        match job:
            case Near():
                found += judging
                judging = [job]
            case Link():
                found += [each for each in judging if isinstance(each, Link)]
                judging = [*(each for each in judging if isinstance(each, Near)), job]
            case Prove():
                pass
    return found


def main() -> None:
    """Serve until standard input ends."""
    import evalguard.frontend  # noqa: F401  # loaded late, for most commands need no parser: here, never too late

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    inbox = _Inbox()
    signal.signal(signal.SIGINT, inbox.interrupt)
    threading.Thread(target=inbox.listen, args=(sys.stdin.buffer,), daemon=True).start()
    worker = Worker(inbox.check)

    def tell(answer: Answer) -> None:
        answers.write(packed(answer))
        answers.flush()

    def attempt(work: Callable[[], T], job: Job | None = None) -> T | Problem | None:
        try:
            inbox.job, inbox.late, inbox.overtaken, inbox.working = job, False, False, True
            try:
                return contained(work)
            finally:
                inbox.working, inbox.job = False, None
        except Overtaken:
            return None

    while True:
        job, useless = inbox.next()
        for old in useless:
            tell(Dropped(old.number))
        if job is None:
            return
        limit = threading.Timer(MOST_SECONDS, inbox.expire, (job,))
        if isinstance(job, Near):
            limit.start()
        answer = attempt(partial(worker.answer, job), job)
        limit.cancel()
        if isinstance(answer, Problem):
            print(answer.traceback, file=sys.stderr)
            answer = Dropped(job.number, f"internal error: {answer.message}")
        tell(answer or Dropped(job.number))
        if isinstance(job, Link) and not inbox.jobs:
            attempt(worker.prepare)
            gc.unfreeze()  # what is known now stays: it need not be looked through for garbage again and again
            gc.collect()
            gc.freeze()


class Worker:
    """What is known of a folder, between jobs."""

    def __init__(self, may_go_on: Callable[[], None] = lambda: None) -> None:
        self._may_go_on = may_go_on
        self._checked: Checked | None = None
        self._near_by: Checked | None = None  # the last neighbourhood
        self._config = Config()
        self._shown: dict[str, str] = {}  # real path to the path under which it is shown
        self._views: dict[str, View] = {}  # of the last texts that could be parsed
        self._outlines = Outlines({})
        self._outlined: dict[str, tuple[str, Outline | None]] = {}
        self._is_ready = False  # to judge an edit: the outlines are those of the last link

    def answer(self, job: Job) -> Answer:
        """Do a job."""
        match job:
            case Link():
                return self._link(job)
            case Near():
                return self._near(job)
            case Prove():
                if self._checked is None:
                    return Proven(job.number, None, "nothing is known yet")
                fix, reason = proven(self._checked, job.finding)
                return Proven(job.number, fix, reason)

    def prepare(self) -> None:
        """Get ready for edits, when there is time."""
        if self._checked is None or self._is_ready:
            return
        analysed = set(self._checked.report.analysed)
        for path, document in self._checked.documents.items():
            if path in analysed and document.cells is None:
                self._outline(self._checked.sources[path].location, document.text)
        known = {path: found for path, (_, found) in self._outlined.items() if found is not None}
        self._outlines = Outlines(known)
        self._is_ready = True

    def _link(self, job: Link) -> Known:
        troubles: list[str] = []
        try:
            self._config = config_for(job.paths)
        except ConfigError as error:
            troubles.append(str(error))
        refused = {place: why for place, text in job.unsaved.items() if (why := self._refused(place, text))}
        unsaved = {place: self._views[place].text if place in refused else text for place, text in job.unsaved.items()}
        try:
            checked = check_unsaved(job.paths, self._config, unsaved, self._checked)
        except ConfigError as error:
            troubles.append(str(error))
            self._config = replace(self._config, baseline=None)
            checked = check_unsaved(job.paths, self._config, unsaved, self._checked)
        self._may_go_on()
        report = checked.asked
        troubles += [f"internal error in {problem.path}: {problem.message}" for problem in report.problems]
        for problem in report.problems:
            print(problem.traceback, file=sys.stderr)
        places = {path: os.path.realpath(source.location) for path, source in checked.sources.items()}
        views: dict[str, View] = {}
        found: dict[str, list[Finding]] = {}
        claimed: dict[str, list[Claim]] = {}
        for finding in report.findings:
            found.setdefault(finding.path, []).append(finding)
        for claim in checked.claims:
            claimed.setdefault(claim.path, []).append(claim)
        for shown, place in places.items():
            text = unsaved.get(place, "")
            if shown in found or shown in claimed or place in unsaved:
                views[place] = View(shown, text, tuple(found.get(shown, ())), tuple(claimed.get(shown, ())))
        self._checked, self._views, self._is_ready = checked, views, False
        self._shown = {place: shown for shown, place in places.items()}
        for path in self._outlined.keys() - self._shown.keys():
            del self._outlined[path]
        told = views | {
            place: self._as_refused(place, job.unsaved[place], why) for place, why in refused.items() if place in views
        }
        return Known(job.number, told, places, True, tuple(troubles), dict(report.seconds))

    def _near(self, job: Near) -> Answer:
        path, text = job.path, job.text
        shown = self._shown.get(path)
        if shown is None or self._checked is None or shown not in self._checked.documents or is_notebook(shown):
            return Dropped(job.number)
        self.prepare()
        view = self._views.get(path, View(shown))
        before = view.text or self._checked.documents[shown].text
        self._views[path] = replace(view, text=before)
        old, new = self._outline(path, before), outline(text)
        if new is None:
            why = self._refused(path, text)
            if not why:  # our parser knows more than Python's
                return Dropped(job.number)
            return Known(job.number, {path: self._as_refused(path, text, why)}, {}, False)
        self._outlined[path] = (text, new)
        self._outlines.put(path, new)
        near = neighbourhood(path, old, self._outlines)
        texts = {self._shown[at]: self._outlines.of[at].only(parts) for at, parts in near.kept.items()}
        locations = {self._shown[at]: at for at in near.kept}
        checked = self._near_by = check_texts(texts, locations, self._config, self._near_by)
        self._may_go_on()
        edit = shift(shown, before, text)
        touched = sorted({*near.kept, *self._touched(shown)})
        views = {at: self._merged(at, near, checked, edit) for at in touched}
        views[path] = replace(views[path], text=text)
        self._views |= views
        return Known(job.number, views, {}, False)

    def _refused(self, place: str, text: str) -> tuple[Finding, ...]:
        """Why a text cannot be parsed, if that is so and another text of the file is known. Until it is mended that one
        stands for it, lest all that hangs on it comes and goes while somebody types."""
        view = self._views.get(place)
        if view is None or not view.text or is_notebook(place) or outline(text) is not None:
            return ()
        found = check_texts(
            {view.shown: text}, {view.shown: place}, replace(self._config, baseline=None)
        ).report.findings
        return tuple(finding for finding in found if finding.code == UNREADABLE)

    def _as_refused(self, place: str, text: str, findings: tuple[Finding, ...]) -> View:
        """What is known of a file that cannot be parsed: why, and the modes that were claimed."""
        view = self._views[place]
        return replace(shift(view.shown, view.text, text).view(view), text=text, findings=findings)

    def _touched(self, shown: str) -> set[str]:
        """The files with a finding whose trace leads through another file."""
        return {
            place
            for place, view in self._views.items()
            if any(step.path == shown for finding in view.findings for step in finding.trace)
        }

    def _merged(self, place: str, near: Neighbourhood, checked: Checked, edit: Shift) -> View:
        """What is known of a file: what was found near, of all that it was judged for, and the rest as it was."""
        shown = self._shown[place]
        at = {self._shown[path]: path for path in near.kept}

        def concerns(path: str, line: int) -> bool:
            real = at.get(path)
            if real is None:
                return False
            if any(part.first <= line <= part.last for part in near.leading.get(real, ())):
                return True
            return real in near.rests and self._outlines.of[real].is_rest(line)

        def may_judge(finding: Finding) -> bool:
            return near.complete or not follows_modes(finding.code)

        def is_judged(finding: Finding) -> bool:
            return may_judge(finding) and any(concerns(path, span.line) for path, span in _places(finding))

        def stays(finding: Finding, moved: Finding | None) -> bool:
            if moved is None or is_judged(moved) or finding.code == UNREADABLE:
                return False
            return not may_judge(finding) or all(edit.span(*each) is not None for each in _places(finding))

        def is_claimed(claim: Claim) -> bool:
            return near.complete and concerns(claim.path, claim.span.line)

        old = self._views.get(place, View(shown))
        moved = [(finding, edit.finding(finding)) for finding in old.findings]
        findings = [found for finding, found in moved if found is not None and stays(finding, found)]
        findings += [f for f in checked.asked.findings if f.path == shown and (is_judged(f) or f.code == UNREADABLE)]
        claims = [c for claim in old.claims if (c := edit.claim(claim)) is not None and not is_claimed(c)]
        claims += [c for c in checked.claims if c.path == shown and is_claimed(c)]
        return View(
            shown,
            old.text,
            tuple(sorted(findings, key=Finding.sort_key)),
            tuple(sorted(claims, key=lambda claim: (claim.span, claim.place))),
        )

    def _outline(self, path: str, text: str) -> Outline | None:
        known = self._outlined.get(path)
        if known is None or known[0] != text:
            known = self._outlined[path] = (text, outline(text))
        return known[1]


def _places(finding: Finding) -> list[tuple[str, Span]]:
    return [(finding.path, finding.span), *((step.path, step.span) for step in finding.trace)]
