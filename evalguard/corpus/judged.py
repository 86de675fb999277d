"""The process that judges one folder: `python -m evalguard.corpus.judged FOLDER SECONDS MEGABYTES`.

It sets its own limits of processor time and memory, then says what it knows as soon as it knows it, in lines of JSON:
so what exceeds a limit loses only what comes after. First what is there, then what was found and what it took, last
the processor time of `ast.parse` over the same files.
"""

from __future__ import annotations

import ast
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from evalguard.check import check_paths
from evalguard.config import Config
from evalguard.discover import discover
from evalguard.report import Report
from evalguard.report.json import finding_as_json
from evalguard.run import Means

PARSE_SECONDS = 600


def main(arguments: Sequence[str]) -> None:
    """Judge the folder and print what is known of it."""
    folder, seconds, megabytes = arguments[0], int(arguments[1]), int(arguments[2])
    os.chdir(folder)  # the paths of the findings are those in the package
    _limit(seconds, megabytes)
    config = Config()
    names = [str(file.path) for file in discover(["."], config.excludes()).files]
    contents = [content for content in map(_content, names) if content is not None]
    _say({"files": len(names), "lines": _lines(contents), "mention_torch": sum(b"torch" in text for text in contents)})
    del contents
    begin = time.process_time()
    report = check_paths(["."], config, means=Means(jobs=1))
    spent = time.process_time() - begin
    _say(_found(report) | {"seconds": round(spent, 2), "megabytes": _peak()})
    _limit(int(time.process_time()) + PARSE_SECONDS, megabytes)
    _say({"parse_seconds": round(_parsing(report.files), 3)})


def _limit(seconds: int, megabytes: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, most))
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, most))


def _found(report: Report) -> dict[str, object]:
    """What a run found, as JSON has it."""
    return {
        "analysed": len(report.analysed),
        "cut_short": [list(each) for each in report.cut_short],
        "internal_errors": [
            {"path": each.path, "message": each.message, "traceback": each.traceback} for each in report.problems
        ],
        "findings": [finding_as_json(finding) for finding in report.findings],
    }


def _peak() -> int:
    """The most memory that this process has held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> 20 if sys.platform == "darwin" else peak >> 10


def _lines(contents: Sequence[bytes]) -> int:
    return sum(text.count(b"\n") for text in contents)


def _parsing(files: Sequence[str]) -> float:
    """The processor time of parsing all files that can be parsed."""
    begin = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for file in files:
            content = None if file.endswith(".ipynb") else _content(file)
            if content is not None:
                _parse(content)
    return time.process_time() - begin


def _parse(content: bytes) -> None:
    try:
        ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return


def _content(file: str) -> bytes | None:
    try:
        return Path(file).read_bytes()
    except OSError:
        return None


def _say(known: Mapping[str, object]) -> None:
    print(json.dumps(known), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
