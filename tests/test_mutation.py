"""`benchmarks/mutation.py` on a small project: what is a candidate, what counts as reported, and nothing is written."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "mutation.py"
NETS = """\
import torch.nn as nn


def build():
    return nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))


def plain():
    return nn.Linear(4, 4)
"""
TRAIN = """\
import torch
from nets import build, plain


def evaluate(net, val_loader):
    net.eval()
    with torch.no_grad():
        return [net(x).argmax().item() for x in val_loader]


def fit(loader, val_loader):
    net, head = build(), plain()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for epoch in range(3):
        net.train()
        head.train()
        for x in loader:
            optimizer.zero_grad()
            net(head(x)).sum().backward()
            optimizer.step()
        evaluate(net, val_loader)
        trainer.train(epoch)
"""


@pytest.fixture(scope="module")
def mutation() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutation", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutation"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "train.py").write_text(TRAIN)
    return tmp_path


def test_each_call_that_decides_a_mode_is_a_candidate_and_reported(mutation: ModuleType, project: Path) -> None:
    measured = mutation.measure(str(project), 60)
    assert measured.calls == 3  # that of the trainer has an argument that is no flag
    assert [(mutant.call.line, mutant.codes) for mutant in measured.mutants] == [(6, ("EVG101",)), (15, ("EVG201",))]
    assert (project / "train.py").read_text() == TRAIN


def test_a_finding_that_was_there_before_is_no_report(mutation: ModuleType, project: Path) -> None:
    text = TRAIN.replace("    net.eval()\n", "    net.eval()\n    list(map(net, [x for x in val_loader]))\n")
    (project / "train.py").write_text(text.replace("        net.train()\n", ""))
    assert not [mutant for mutant in mutation.measure(str(project), 60).mutants if "EVG201" in mutant.codes]


def test_a_call_is_cut_down_to_its_receiver(mutation: ModuleType) -> None:
    text = "é = Net().to(d).eval()\nself.a[0].train(mode=False)\nf.train(loader)\nx.eval('a')\n"
    cut = {text[: call.start] + text[call.end :] for call in mutation.calls_in("a.py", text)}
    assert cut == {text.replace("(d).eval()", "(d)"), text.replace("[0].train(mode=False)", "[0]")}


def test_a_project_that_takes_too_long_is_left(mutation: ModuleType, project: Path) -> None:
    measured = mutation.measure(str(project), 0)
    assert not measured.in_time
    assert not measured.mutants


def test_the_table_of_a_page_holds_counts_only(mutation: ModuleType, project: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{mutation.MARK}\nstale counts\n{mutation.END}\nafter\n")
    measured = mutation.measure(str(project), 60)
    mutation.put_into(page, [measured, measured], 60)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| 2 | 3 | 2 | 2 | EVG101 1, EVG201 1 |" in text
    assert "stale" not in text
    assert "100% of the candidates" in text
