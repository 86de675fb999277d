"""The words for modes, functions and calls that every form of the picture uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from evalguard.callgraph import BODY, MODES, CallEdge, Cause, FunctionNode, Key, PlaceModes, Run, Site, modes_of

MADE = "made here"
GONE = "no longer there"
MOST_LINES = 5  # of the calls of one function
NEAREST = 2  # calls between a function and what gave a mode, in one line


def change(place: PlaceModes, resumed: bool = False, arrow: str = "->") -> str:
    """The modes of a place on entry and on exit: `train -> eval`."""
    if place.after is None:
        after = GONE
    else:
        unknown = "unchanged" if place.before is not None and "unknown" in modes_of(place.before) else "unknown"
        after = " or ".join(unknown if mode == "unknown" else mode for mode in modes_of(place.after))
    return f"goes on {arrow} {after}" if resumed else f"{_before(place)} {arrow} {after}"


def _before(place: PlaceModes) -> str:
    return MADE if place.before is None else " or ".join(modes_of(place.before))


def changes(runs: Iterable[Run], arrow: str = "->") -> dict[str, str]:
    """Each place whose mode may matter, with its modes on entry and exit in all runs: `train -> eval; eval -> eval`."""
    found: dict[str, dict[str, None]] = {}
    for run in sorted(runs, key=_run_order):
        for place in run.places:
            if place.listens is not False and (run.ends or run.resumed or place.before is not None):
                said = change(place, run.resumed, arrow) if run.ends else f"{_before(place)} {arrow} no end"
                found.setdefault(place.place, {})[said] = None
    return {name: "; ".join(said) for name, said in found.items()}


def indifferent(runs: Iterable[Run]) -> list[str]:
    """The places whose mode cannot matter, since no layer depends on it."""
    return list(dict.fromkeys(place.place for run in runs for place in run.places if place.listens is False))


def _run_order(run: Run) -> tuple[object, ...]:
    known = [[MODES.index(mode) for mode in modes_of(place.before or ())] for place in run.places]
    return (run.resumed, known, run.chain)


def title(node: FunctionNode) -> str:
    """`fit(model, loader)`; the body of a file has no name of its own."""
    if node.qualname == BODY:
        return "the body of the file"
    return f"{node.qualname}({', '.join(node.parameters)})"


def name_of(key: Key, home: str) -> str:
    """A function's name, with its path where that is another than `home`."""
    path, qualname = key
    name = "the body" if qualname == BODY else qualname
    return name if path == home else f"{path}: {name}"


def site_of(site: Site, home: str) -> str:
    """`line 12`, with the path where that is another than `home`."""
    return f"line {site.line}" if site.path == home else f"{site.path}, line {site.line}"


def in_order(causes: Iterable[Cause]) -> list[Cause]:
    """Train first, the nearest first."""
    return sorted(causes, key=lambda cause: (MODES.index(cause.mode), len(cause.chain), repr(cause)))


def since(cause: Cause, home: str, inside: Sequence[Site] = ()) -> str:
    """Why a place is in a mode: `eval since `model.eval()`, line 25, called from line 40`. The calls that lead to the
    function in question, `inside`, are not told again; of the others the nearest."""
    if cause.site is None:
        return "unknown, as the caller left it" if cause.mode == "unknown" else cause.mode
    chain = list(cause.chain)
    for site in inside:
        if chain[:1] != [site]:
            break
        del chain[0]
    through = "".join(f", called from {site_of(site, home)}" for site in reversed(chain[-NEAREST:]))
    return f"{cause.mode} since `{cause.text}`, {site_of(cause.site, home)}{through}"


def by_function(calls: Iterable[CallEdge], end: str, home: str) -> Iterator[str]:
    """The callers or callees of a function, each with the lines of the calls: `evaluate (40, 52)`."""
    lines: dict[Key, list[int]] = {}
    for call in calls:
        key = call.callee if end == "callee" else (call.site.path, call.site.function)
        known = lines.setdefault(key, [])
        if call.site.line not in known:
            known.append(call.site.line)
    for key, numbers in lines.items():
        yield f"{name_of(key, home)} ({shortened(map(str, sorted(numbers)), MOST_LINES)})"


def shortened(names: Iterable[str], most: int) -> str:
    """The first few, and how many more there are."""
    found = list(names)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
