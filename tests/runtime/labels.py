"""What the fixtures said when they were run, as the file `labels.txt`, which must not grow unseen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from runtime.result import Result

HEAD = """\
# Which fixtures, or functions in them, do not run under PyTorch and why, and which findings no run reached.
# Written by `python -m pytest tests/runtime --bless`; a line more is a label that nothing proves.
"""


def table(results: Sequence[Result]) -> str:
    """The text of the file."""
    return HEAD + "".join(f"{line}\n" for line in _lines(results))


def lines_of(text: str) -> set[str]:
    """What a text of that form lists, without the reasons."""
    return {line.partition(": ")[0] for line in text.splitlines() if line and not line.startswith("#")}


def summary(results: Sequence[Result]) -> str:
    """The counts, in a line."""
    rulings = Counter(ruling for result in results for ruling in result.rulings.values())
    told = ", ".join(f"{number} {ruling}" for ruling, number in sorted(rulings.items()))
    ran = sum(not result.why_not for result in results)
    modes = sum(result.modes for result in results)
    wrong = sum(len(result.contradictions) for result in results)
    return f"{ran} of {len(results)} fixtures run; findings: {told}; {modes} modes seen; {wrong} disagreements"


def _lines(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        if result.why_not:
            yield f"{result.name} does not run: {result.why_not}"
    for result in results:
        for name, words in sorted(result.failed.items()):
            if not result.why_not:
                yield f"{result.name} {name.replace(': ', ' ')} fails: {words}"
    for result in results:
        for key, ruling in result.rulings.items():
            if ruling == "not reached" and not result.why_not:
                yield f"{result.name} {key} is not reached"
