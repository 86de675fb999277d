"""One function in full: how it is entered and left, what happens in it line by line, and who calls it.

train.py:30  fit(train_loader, test_loader)

Entered
  on its own: nobody here calls it
    `model`: made here -> train or eval
      eval since `model.eval()`, line 25, called from line 40

Line by line
  39  step of `model`: train or eval
        EVG201: `model` may be in eval mode in this training step: ...
"""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.callgraph import CallEdge, CallGraph, FunctionNode, PlaceModes, Run, Switch, UnknownCall, Use, modes_of
from evalguard.report.graph.text import visible_lines
from evalguard.report.graph.wording import by_function, change, changes, in_order, indifferent, name_of, since, title

MOST_RUNS = 12
MOST_CAUSES = 4  # of one place in one run
KINDS = {"makes": "makes an object by", "with": "enters or leaves", "loop": "advances", "decorator": "decorates by"}
GIVES = {"set": "sets", "loaded": "loads weights and leaves", "assumed": "is taken to give"}


def render(node: FunctionNode, graph: CallGraph) -> str:
    """Everything about one function."""
    lines = [f"{node.path}:{node.line}  {title(node)}", "", "Entered", *_runs(node)]
    lines += ["", "Line by line", *_happenings(node, graph)]
    lines += ["", "Called by", *_callers(node, graph)]
    left = list(_not_followed(node))
    if left:
        lines += ["", "Not followed", *left]
    return visible_lines("".join(f"{line}\n" for line in lines))


# ------------------------------------------------------------------------------------------------ entries


def _runs(node: FunctionNode) -> Iterator[str]:
    for run in node.runs[:MOST_RUNS]:
        yield f"  {_way(run, node)}"
        silent = set(indifferent([run]))
        for place in run.places:
            if place.place not in silent:
                yield from (f"      {line}" for line in _place(place, run, node.path))
        if silent:
            yield f"      no layer depends on the mode of {', '.join(sorted(silent))}"
        if not run.places:
            yield "      no module is seen here"
        if not run.ends:
            yield "      no path was seen to its end"
    if len(node.runs) > MOST_RUNS:
        yield f"  and in {len(node.runs) - MOST_RUNS} more ways"


def _way(run: Run, node: FunctionNode) -> str:
    if not run.chain:
        return "on its own: nobody here calls it" if node.alone else "on its own"
    calls = " > ".join(f"{name_of((site.path, site.function), node.path)} ({site.line})" for site in run.chain)
    return f"from {calls}" + (", again after a yield" if run.resumed else "")


def _place(place: PlaceModes, run: Run, home: str) -> Iterator[str]:
    shown = change(place, run.resumed)
    yield f"{place.place}: {shown}"
    found = (*in_order(place.before or ()), *in_order(place.after or ()))
    causes = list(dict.fromkeys(cause for cause in found if cause.site))
    yield from (f"    {since(cause, home, run.chain)}" for cause in causes[:MOST_CAUSES])
    if len(causes) > MOST_CAUSES:
        yield f"    and for {len(causes) - MOST_CAUSES} more reasons"


# ------------------------------------------------------------------------------------------------ line by line


def _happenings(node: FunctionNode, graph: CallGraph) -> Iterator[str]:
    found = [(switch.line, switch.column, 0, [_switch(switch)]) for switch in node.switches]
    found += [(use.line, use.column, 1, list(_use(use, node.path))) for use in node.uses]
    followed = [call for call in node.calls if call.unfollowed is None]
    found += [(call.site.line, call.site.column, 2, list(_call(call, node, graph))) for call in followed]
    found += [(unknown.line, unknown.column, 3, list(_unknown(unknown))) for unknown in node.unknowns]
    told = " ".join(use.verdict for use in node.uses)
    for finding in node.findings:
        said = f"{finding.code}: {finding.message}"
        if said not in told:
            found.append((finding.span.line, finding.span.column, 4, [said]))
    for line, _, _, texts in sorted(found):
        yield f"{line:>5}  {texts[0]}"
        yield from (f"         {text}" for text in texts[1:])
    if not found:
        yield "  nothing that has to do with modes"


def _switch(switch: Switch) -> str:
    return f"`{switch.text}` {GIVES.get(switch.kind, 'gives')} {switch.mode} mode"


def _use(use: Use, home: str) -> Iterator[str]:
    modes = " or ".join(modes_of(use.modes)) or "none on a sure path"
    hardly = f", hardly ever {' or '.join(use.doubtful)}" if use.doubtful else ""
    yield f"{use.kind} of `{use.place}`: {modes}{hardly}"
    if use.notes:
        yield "; ".join(use.notes)
    yield use.verdict
    if len(modes_of(use.modes)) > 1:
        yield from (since(cause, home) for cause in in_order(use.modes)[:MOST_CAUSES])


def _call(call: CallEdge, node: FunctionNode, graph: CallGraph) -> Iterator[str]:
    callee = name_of(call.callee, node.path)
    written = f", written `{call.text}`" if call.text.rpartition(".")[2] != call.callee[1].rpartition(".")[2] else ""
    yield f"{KINDS.get(call.kind, 'calls')} {callee}{written if call.kind in ('', 'object') else ''}"
    for other in graph.functions:
        if other.key == call.callee:
            runs = [run for run in other.runs if run.chain and run.chain[-1] == call.site]
            yield from (f"{place}: {said}" for place, said in changes(runs).items())


def _unknown(call: UnknownCall) -> Iterator[str]:
    yield f"calls `{call.text}`, which is unknown: {call.why}"
    yield f"taken to keep the mode of {', '.join(call.given)}"


def _not_followed(node: FunctionNode) -> Iterator[str]:
    reasons = sorted({call.unfollowed for call in node.calls if call.unfollowed is not None})
    for why in reasons:
        names = by_function((call for call in node.calls if call.unfollowed == why), "callee", node.path)
        yield from (f"  {name}: it {why}" for name in names)
    if node.plain_unknowns:
        calls = "call" if node.plain_unknowns == 1 else "calls"
        yield f"  {node.plain_unknowns} {calls} of something unknown that get no module"


def _callers(node: FunctionNode, graph: CallGraph) -> Iterator[str]:
    callers = list(by_function(graph.callers(node.key), "caller", node.path))
    yield from (f"  {caller}" for caller in callers or ["nobody here"])
