"""What is recorded for the graph is what happens, and recording it changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalguard.callgraph import CallGraph, FunctionNode, modes_of
from evalguard.check import check_paths, graph_paths
from evalguard.frontend import lower
from evalguard.modes.record import Record
from evalguard.project.explain import explain
from evalguard.project.link import link_project
from evalguard.source import document_of, read_document

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
HEAD = """
import torch
from torch import nn
from torch.optim import SGD

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout()

    def forward(self, x):
        return self.drop(x)

"""


def graph_of(text: str) -> CallGraph:
    record = Record()
    project = link_project([lower(document_of(HEAD + text, "a.py"))], record=record)
    return explain(project, record, [])


def node_of(text: str, name: str) -> FunctionNode:
    (node,) = graph_of(text).named(name)
    return node


def modes(node: FunctionNode) -> set[tuple[str, tuple[str, ...] | None, tuple[str, ...] | None]]:
    """Each place with its modes on entry and on exit, in each run."""
    return {
        (p.place, None if p.before is None else modes_of(p.before), None if p.after is None else modes_of(p.after))
        for run in node.runs
        for p in run.places
    }


def test_each_call_of_a_helper_is_a_run_of_its_own() -> None:
    text = "def use(net):\n    net.eval()\n\ndef main():\n    net = Net()\n    use(net)\n    use(net)\n"
    node = node_of(text, "use")
    assert [(run.chain[0].function, run.chain[0].line - HEAD.count("\n")) for run in node.runs] == [
        ("main", 6),
        ("main", 7),
    ]
    assert modes(node) == {("net", ("train",), ("eval",)), ("net", ("eval",), ("eval",))}
    assert not node.alone


def test_a_function_that_nobody_calls_stands_alone() -> None:
    node = node_of("def use(net):\n    net.eval()\n    net(1)\n", "use")
    assert node.alone
    assert [run.chain for run in node.runs] == [()]
    assert modes(node) == {("net", ("unknown",), ("eval",))}


def test_what_a_function_makes_and_returns() -> None:
    text = "def build():\n    net = Net()\n    net.eval()\n    return net, 1\n"
    assert modes(node_of(text, "build")) == {("net", None, ("eval",)), ("the result[0]", None, ("eval",))}


def test_attributes_and_globals_have_their_names() -> None:
    text = (
        "shared = Net()\n\nclass Trainer:\n    def __init__(self, net):\n        self.net = net\n\n"
        "    def fit(self):\n        self.net.train()\n        shared.eval()\n\nTrainer(Net()).fit()\n"
    )
    assert {("self.net", ("train",), ("train",)), ("shared", ("train",), ("eval",))} <= modes(node_of(text, "fit"))


@pytest.mark.parametrize(
    ("text", "kind", "callee"),
    [
        ("def f(net, hook):\n    hook(net)\n\ndef g(net):\n    net.eval()\n\nf(Net(), g)\n", "", "g"),
        ("class C:\n    def __init__(self, net):\n        net.eval()\n\nC(Net())\n", "makes", "C.__init__"),
        ("class C:\n    def __call__(self, net):\n        net.eval()\n\nC()(Net())\n", "object", "C.__call__"),
        ("def d(f):\n    Net().eval()\n    return f\n\n@d\ndef g(net):\n    net.eval()\n", "decorator", "d"),
        ("def g(net):\n    net.eval()\n    yield 1\n\nfor x in g(Net()):\n    pass\n", "loop", "g"),
        (
            "class C:\n    def __enter__(self):\n        Net().eval()\n\nwith C():\n    pass\n",
            "with",
            "C.__enter__",
        ),
    ],
)
def test_each_sort_of_call_is_an_edge(text: str, kind: str, callee: str) -> None:
    calls = [call for node in graph_of(text).functions for call in node.calls]
    assert (kind, callee) in {(call.kind, call.callee[1]) for call in calls if call.unfollowed is None}


def test_what_is_not_followed_is_told() -> None:
    text = (
        "from elsewhere import train\n\ndef mean(values):\n    return sum(values)\n\n"
        "def main():\n    net = Net()\n    net.eval()\n    train(net)\n    mean([1])\n    train(1)\n"
    )
    graph = graph_of(text)
    (node,) = graph.named("main")
    assert [(call.text, call.given) for call in node.unknowns] == [("train", ("net",))]
    assert [(call.callee[1], call.unfollowed) for call in node.calls] == [("mean", "only computes with data")]
    assert node.plain_unknowns > 0
    assert {key[1] for left in graph.left_out for key in left.what} == {"mean", "Net.__init__", "Net.forward"}


@pytest.mark.parametrize(
    ("helper", "call"),
    [
        (
            "def helper(n):\n    if n < 0:\n        raise ValueError\n    for i in range(n):\n        yield i\n",
            "helper(3)",
        ),
        ("def helper(tree):\n    return [helper(branch) for branch in tree]\n", "helper([])"),
        (
            "class Tree(tuple):\n    def val(self):\n        return self[0]\n\ndef helper(tree):\n    return tree\n",
            "helper(Tree([]))",
        ),
    ],
)
def test_helpers_of_data_are_not_followed(helper: str, call: str) -> None:
    text = f"{helper}\ndef main():\n    net = Net()\n    net.eval()\n    for each in {call}:\n        net(each)\n"
    (node,) = graph_of(text).named("main")
    assert ("helper", "only computes with data") in [(call.callee[1], call.unfollowed) for call in node.calls]


def test_a_function_that_is_too_large_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalguard.project.engine.MOST_STEPS_OF_FILE", 0)
    graph = graph_of("def a(net):\n    net.eval()\n\ndef b(net):\n    net.eval()\n")
    assert [left.what for left in graph.left_out if "too large" in left.reason] == [(("a.py", "a"), ("a.py", "b"))]


@pytest.mark.parametrize("name", sorted(folder.name for folder in (FIXTURES / "projects").iterdir()))
def test_recording_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FIXTURES / "projects" / name)
    files = [lower(read_document(path, str(path))) for path in sorted(Path().rglob("*.py"))]
    plain, recorded = link_project(files), link_project(files, record=Record())
    assert list(plain.observations()) == list(recorded.observations())
    assert plain.events.forwards.keys() == recorded.events.forwards.keys()


def test_a_verdict_stands_at_each_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FIXTURES.parent)
    graph, report = graph_paths(["examples"])
    (node,) = graph.named("fit")
    assert [use.verdict.partition(":")[0] for use in node.uses] == ["no inference", "EVG201"]
    assert report.findings == check_paths(["examples"]).findings
