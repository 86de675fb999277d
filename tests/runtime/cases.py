"""All cases, each in a process of its own, and what its run says of its markers.

error            every finding that is reached is confirmed, or something is wrong with it or with the analysis
false-alarm      a known one: it must not be confirmed
(no marker)      nothing in a wrong mode, unless a marker `missed` speaks of it
modes            every mode seen is among those claimed
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from markers import Marker, read_markers, texts_of
from test_fixtures import CASES, Case, findings

from runtime.result import Result

FOLDERS = ("rules", "idioms", "shapes", "modes", "projects")
LOADED_ONCE = ("torch._dynamo", "torch.onnx", "torch.optim.swa_utils", "torch.utils.checkpoint")


def cases() -> list[Case]:
    """Those that could be run: no notebooks, which nothing runs, and none that is not for Python or PyTorch."""
    return [case for case in CASES if case.name.partition("/")[0] in FOLDERS]


def in_a_process(case: Case) -> Result:
    """Run a case in a fork, with PyTorch and the tool already loaded."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        status = 1
        try:
            answer = json.dumps(asdict(_run(case))).encode()
            with os.fdopen(write, "wb") as stream:
                stream.write(answer)
            status = 0
        except BaseException:  # noqa: BLE001  whatever it is, the process must end here
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        answer = stream.read()
    os.waitpid(child, 0)
    return Result(**json.loads(answer)) if answer else Result(case.name, why_not="the process ended by itself")


def _run(case: Case) -> Result:
    from evalguard.trace.compare import compare, unpredicted
    from runtime.drive import Drive

    sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if not os.environ.get("SHOW_STDERR"):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warnings.simplefilter("ignore")
    result = Result(case.name)
    os.chdir(case.root)
    folder = Path(tempfile.mkdtemp())
    found = findings(case, folder)
    texts = {name: "".join(texts_of(case.root / name, name).values()) for name in case.files}
    markers = [marker for name, text in texts.items() for marker in read_markers(name, text)]
    for name in case.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((case.root / name).read_bytes())
    os.chdir(folder)
    try:
        drive = Drive(case.files)
    except SyntaxError as error:
        result.why_not = f"it cannot be parsed: {error.msg}"
        return result
    begun = time.monotonic()
    seen = drive.run()
    result.seconds = time.monotonic() - begun
    result.failed = {name: words for name, words in drive.errors.items() if name not in drive.worked}
    result.forwards = sum(sighting.count for sighting in seen if sighting.kind == "forward" and sighting.stack)
    if not drive.worked:
        result.why_not = next(iter(drive.errors.values()), "nothing in it can be called")
        return result
    for verdict in compare(found, seen):
        finding = verdict.finding
        key = f"{finding.path}:{finding.span.line} {finding.code}"
        failed = verdict.ruling == "contradicted" and any(name.startswith(f"{finding.path}:") for name in result.failed)
        if failed:
            result.rulings[key] = "not reached"  # what failed on the way proves nothing
            continue
        result.rulings[key] = verdict.ruling
        known = _marked(markers, "false-alarm", finding.path, finding.span.line, finding.code)
        if verdict.ruling == "contradicted" and not known:
            result.contradictions.append(f"{key} is contradicted: {verdict.seen} events, none as it says")
        if verdict.ruling == "confirmed" and known:
            result.contradictions.append(f"{key} is confirmed, and marked as a false alarm")
    for each in unpredicted(found, seen):
        frames = [(frame.path, frame.span.line) for frame in each.sighting.stack]
        if not any(marker.kind == "missed" and (marker.path, marker.line) in frames for marker in markers):
            result.contradictions.append(f"{frames[0][0]}:{frames[0][1]} without a finding: {each.claim}")
    for marker in markers:
        if marker.kind == "modes" and (modes := drive.revealed.get((marker.path, marker.line))):
            result.modes += 1
            if "unknown" not in marker.modes and not modes <= marker.modes:
                result.contradictions.append(f"{marker.path}:{marker.line} `{marker}`, but seen {sorted(modes)}")
    return result


def _marked(markers: Iterable[Marker], kind: str, path: str, line: int, code: str) -> bool:
    return any((each.kind, each.path, each.line, each.code) == (kind, path, line, code) for each in markers)


def main(words: Sequence[str], shard: str) -> list[Result]:
    """The results of the cases whose names have all the words, of one shard of them, with everything loaded once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("torch").set_num_threads(1)
        for name in (*LOADED_ONCE, "runtime.drive", "evalguard.frontend.parse"):
            importlib.import_module(name)
    number, _, of = shard.partition("/")
    chosen = [case for case in cases() if all(word in case.name for word in words)]
    return [in_a_process(case) for case in chosen[int(number) - 1 :: int(of)]]
