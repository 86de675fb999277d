"""The picture of a project in each form, against the snapshots beside it under fixtures/graphs/."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from evalguard.callgraph import CallEdge, CallGraph, Cause, FunctionNode, PlaceModes, Run, Site, UnknownCall
from evalguard.check import graph_paths
from evalguard.report.graph import dot, function, mermaid, text

GRAPHS = Path(__file__).resolve().parents[2] / "fixtures" / "graphs"
PROJECTS = sorted(folder.name for folder in GRAPHS.iterdir() if folder.is_dir())
FULL = ["studio.py:Studio.fit", "main", "evaluating"]  # functions of two_nets that are shown in full


def graph_of(name: str, monkeypatch: pytest.MonkeyPatch) -> CallGraph:
    monkeypatch.chdir(GRAPHS / name)
    graph, report = graph_paths(["."])
    assert not report.problems
    return graph


@pytest.mark.parametrize(("form", "render"), [("txt", text.render), ("mmd", mermaid.render), ("dot", dot.render)])
@pytest.mark.parametrize("name", PROJECTS)
def test_snapshot(
    name: str,
    form: str,
    render: Callable[[CallGraph], str],
    monkeypatch: pytest.MonkeyPatch,
    snapshot: Callable[[Path, str], None],
) -> None:
    snapshot(GRAPHS / f"{name}.{form}", render(graph_of(name, monkeypatch)))


def test_functions_in_full(monkeypatch: pytest.MonkeyPatch, snapshot: Callable[[Path, str], None]) -> None:
    graph = graph_of("two_nets", monkeypatch)
    shown = [function.render(node, graph) for name in FULL for node in graph.named(name)]
    assert len(shown) == len(FULL)
    snapshot(GRAPHS / "two_nets.functions.txt", "\n".join(shown))


def test_the_order_of_files_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of("two_nets", monkeypatch)
    assert graph_paths(["studio.py", "nets.py"])[0] == graph
    assert graph_paths(["nets.py", "studio.py"])[0] == graph


# Foreign text in pictures

ODD = 'a"b\\c#d<e>f`g[h]{i}(j)|k;l&m\nn\x1b'


def odd_graph() -> CallGraph:
    site = Site(f"{ODD}.py", 2, 1, "f")
    places = (PlaceModes(ODD, (Cause("train"),), (Cause("eval", ODD, site),), None, None),)
    calls = (CallEdge(site, ODD, "", (f"{ODD}.py", "f"), None),)
    unknowns = (UnknownCall(3, 1, ODD, "nobody knows what it holds", (ODD,)),)
    node = FunctionNode(f"{ODD}.py", "f", 1, (ODD,), True, (Run((), places, True),), (), (), calls, unknowns, 0, ())
    return CallGraph((node,))


def test_mermaid_labels_hold_no_character_of_its_own() -> None:
    lines = mermaid.render(odd_graph()).splitlines()
    assert lines[0] == "flowchart TD"
    labels = [label for line in lines for label in re.findall(r'"([^"]*)"', line)]
    assert len(labels) == 5
    for label in labels:
        assert re.fullmatch(r"(?:[^\"#<>&`\\]|#\d+;|<br/>)*", label), label
        assert label.isprintable()
    outside = [re.sub(r'"[^"]*"', "T", line).strip() for line in lines[1:-2]]
    form = r"subgraph file\d+\[T\]|end|f\d+\[T\](:::reported)?|u\d+\(\[T\]\):::unknown|\w+ (-->|-\.->)\|T\| \w+"
    assert [line for line in outside if not re.fullmatch(form, line)] == []


def test_dot_strings_are_closed() -> None:
    lines = dot.render(odd_graph()).splitlines()
    assert (lines[0], lines[-1]) == ("digraph evalguard {", "}")
    outside = [re.sub(r'"(?:[^"\\]|\\.)*"', "T", line).strip() for line in lines[1:-1]]
    form = r"(node|edge|\w+|\w+ -> \w+) \[[\w=T, ]+\];|label=T;|subgraph cluster_\d+ \{|\}"
    assert [line for line in outside if not re.fullmatch(form, line)] == []


def test_text_cannot_steer_the_terminal() -> None:
    graph = odd_graph()
    for shown in (text.render(graph), function.render(graph.functions[0], graph)):
        assert "\x1b" not in shown
