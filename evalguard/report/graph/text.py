"""The picture of a project for people: every function that was followed, and then what was not.

train.py
  30  fit(train_loader, test_loader)
      called by nobody here: judged on its own
      `model`: made here -> train or eval
      calls evaluate (40)
      EVG201 on line 39
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from evalguard.callgraph import BODY, CallGraph, FunctionNode, Key, LeftOut
from evalguard.report.graph.wording import by_function, changes, indifferent, shortened, title
from evalguard.report.terminal import visible

FEW = 4  # callers, callees and the like, in a line
MOST = 8  # of what was left out for one reason


def render(graph: CallGraph) -> str:
    """All functions by file and line, and what was not followed."""
    telling = graph.telling()
    shown = [node for node in graph.functions if node.key in telling]
    parts = [
        "\n".join([path, *(line for node in nodes for line in _function(node, graph))])
        for path, nodes in groupby(shown, key=lambda node: node.path)
    ]
    if not shown:
        parts.append("Nothing to follow: no function here sets or uses a mode.")
    left = [
        *_unknown_callees(graph),
        *_without_modules(graph, telling),
        *(line for left in graph.left_out for line in _left_out(left)),
    ]
    if left:
        parts.append("\n".join(["Not followed", *(f"  {line}" for line in left)]))
    return visible_lines("\n\n".join(parts) + "\n")


def visible_lines(text: str) -> str:
    """The text with all that could steer a terminal written out, its line ends excepted."""
    return "\n".join(map(visible, text.split("\n")))


def _function(node: FunctionNode, graph: CallGraph) -> Iterator[str]:
    yield f"{node.line:>5}  {title(node)}"
    yield from (f"       {line}" for line in _about(node, graph))


def _about(node: FunctionNode, graph: CallGraph) -> Iterator[str]:
    if node.qualname != BODY:
        callers = list(by_function(graph.callers(node.key), "caller", node.path))
        alone = "nobody here: judged on its own"
        yield f"called by {shortened(callers, FEW) or alone}"
    places = changes(node.runs)
    for place, change in places.items():
        yield f"{_quoted(place)}: {change}"
    followed = list(by_function((call for call in node.calls if call.unfollowed is None), "callee", node.path))
    if followed:
        yield f"calls {shortened(followed, 2 * FEW)}"
    unfollowed = [call for call in node.calls if call.unfollowed is not None]
    for why, calls in groupby(sorted(unfollowed, key=lambda call: call.unfollowed or ""), lambda c: c.unfollowed):
        yield f"not followed, since it {why}: {shortened(by_function(calls, 'callee', node.path), FEW)}"
    unknown = [f"{call.text} ({call.line}) with {_quoted(', '.join(call.given))}" for call in node.unknowns]
    if unknown:
        yield f"not followed, since it is unknown: {shortened(unknown, FEW)}"
    if silent := [place for place in indifferent(node.runs) if place not in places]:
        yield f"no layer depends on the mode of {shortened(silent, FEW)}"
    for finding in node.findings:
        yield f"{finding.code} on line {finding.span.line}: {finding.message}"


def _quoted(place: str) -> str:
    return place if place.startswith("the result") else f"`{place}`"


# ------------------------------------------------------------------------------------------------ not followed


def _unknown_callees(graph: CallGraph) -> Iterator[str]:
    """What is called and unknown, and gets a module: often the reason why something is not seen."""
    found: dict[str, list[str]] = {}
    for node in graph.functions:
        for call in node.unknowns:
            found.setdefault(call.text, []).append(f"{node.path}:{call.line}")
    if found:
        yield f"callees that are unknown, taken to keep the modes of the modules they get: {len(found)}"
        yield from (f"    {text} ({shortened(sites, FEW)})" for text, sites in list(found.items())[:MOST])
        yield from _more(len(found) - MOST)
    plain = sum(node.plain_unknowns for node in graph.functions)
    if plain:
        yield f"calls of something unknown that get no module: {plain}"


def _without_modules(graph: CallGraph, telling: set[Key]) -> Iterator[str]:
    left = [node.key for node in graph.functions if node.key not in telling and node.qualname != BODY]
    if left:
        yield from _left_out(LeftOut("functions that were followed, and in which no module is seen", tuple(left)))


def _left_out(left: LeftOut) -> Iterator[str]:
    """A reason, and what was left out for it, by file."""
    yield f"{left.reason}: {len(left.what)}"
    if not left.what[0][1]:
        yield from (f"    {path}" for path, _ in left.what[:MOST])
        yield from _more(len(left.what) - MOST)
        return
    files = [(path, [qualname for _, qualname in keys]) for path, keys in groupby(left.what, key=lambda key: key[0])]
    yield from (f"    {path}: {shortened(names, MOST)}" for path, names in files[:MOST])
    yield from _more(len(files) - MOST, " files")


def _more(number: int, noun: str = "") -> Iterator[str]:
    if number > 0:
        yield f"    and {number} more{noun}"
