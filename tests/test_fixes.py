"""Fixes: beside a fixture `x.py`, `x.fixed.py` is what all of its proven fixes, unsafe ones too, make of it.

Marker comments are left out on both sides: a fixed line has no finding any more.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest
from conftest import FIXTURES
from markers import MARKER

from evalguard.check import check_for_fixes
from evalguard.config import Config
from evalguard.finding import Applicability, Finding
from evalguard.repair import APPLIED, SAFE_ONLY, Repaired, repaired, with_fixes

FIXED = sorted((FIXTURES / "rules").rglob("*.fixed.py"))
_MARKER_COMMENT = re.compile(rf"  # (?:{MARKER.pattern}).*$", re.MULTILINE)


def without_markers(text: str) -> str:
    return _MARKER_COMMENT.sub("", text)


def repair(folder: Path, names: list[str], *codes: str, allowed: frozenset[Applicability] = APPLIED) -> Repaired:
    paths = [str(folder / name) for name in names]
    return repaired(check_for_fixes(paths, Config(extend_select=codes)), allowed)


def repair_text(tmp_path: Path, text: str, allowed: frozenset[Applicability] = APPLIED) -> tuple[str, Repaired]:
    (tmp_path / "train.py").write_text(text, encoding="utf-8", newline="")
    result = repair(tmp_path, ["train.py"], allowed=allowed)
    return next(iter(result.texts.values()), text), result


def findings(tmp_path: Path, text: str) -> tuple[Finding, ...]:
    (tmp_path / "train.py").write_text(text, encoding="utf-8", newline="")
    return with_fixes(check_for_fixes([str(tmp_path / "train.py")])).findings


@pytest.mark.parametrize("fixed", FIXED, ids=lambda file: file.relative_to(FIXTURES).as_posix())
def test_fixture_is_fixed(
    fixed: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    monkeypatch.chdir(fixed.parent)
    name = fixed.name.replace(".fixed.py", ".py")
    source = Path(name).read_text(encoding="utf-8")
    result = repaired(check_for_fixes([name], Config(extend_select=(fixed.parent.name,))), APPLIED)
    made = without_markers(result.texts.get(name, source))
    if request.config.getoption("--bless"):
        fixed.write_text(made, encoding="utf-8", newline="\n")
    wanted = fixed.read_text(encoding="utf-8")
    difference = difflib.unified_diff(wanted.splitlines(), made.splitlines(), fixed.name, "made", lineterm="")
    assert made == wanted, "\n".join(["", *difference])
    assert result.texts, "nothing was fixed"


@pytest.mark.parametrize("fixed", FIXED, ids=lambda file: file.relative_to(FIXTURES).as_posix())
def test_fixing_twice_changes_nothing(fixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fixed.parent)
    assert repair(fixed.parent, [fixed.name], fixed.parent.name).texts == {}


def test_there_are_fixed_fixtures_of_most_rules() -> None:
    assert len({file.parent.name for file in FIXED}) >= 14


HELPER_AT_MID_EPOCH = """\
import torch
from torch import nn


def validate(model, val_loader):
    hits = 0
    with torch.no_grad():
        for x, y in val_loader:
            hits += (model(x).argmax(1) == y).sum().item()
    return hits


def fit(train_loader, val_loader):
    model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 2))
    optimizer = torch.optim.Adam(model.parameters())
    model.train()
    for step, (x, y) in enumerate(train_loader):
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % 100 == 0:
            print(validate(model, val_loader))
"""


def test_a_helper_whose_caller_trains_on_gives_the_mode_back(tmp_path: Path) -> None:
    """`eval()` alone would leak into the next step."""
    text, result = repair_text(tmp_path, HELPER_AT_MID_EPOCH)
    assert result.report.findings == ()
    assert (
        """\
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for x, y in val_loader:
            hits += (model(x).argmax(1) == y).sum().item()
    model.train(was_training)
    return hits
"""
        in text
    )


def test_the_caller_may_stand_in_another_file(tmp_path: Path) -> None:
    head, _, tail = HELPER_AT_MID_EPOCH.partition("def fit")
    (tmp_path / "validation.py").write_text(head)
    (tmp_path / "train.py").write_text(
        f"import torch\nfrom torch import nn\nfrom validation import validate\n\n\ndef fit{tail}"
    )
    result = repair(tmp_path, ["validation.py", "train.py"])
    assert [Path(path).name for path in result.texts] == ["validation.py"]
    assert result.report.findings == ()
    alone = repair(tmp_path, ["train.py"])
    assert alone.texts == {}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("indent", ["  ", "\t", "    "])
def test_newlines_and_indentation_are_those_of_the_file(tmp_path: Path, newline: str, indent: str) -> None:
    text = HELPER_AT_MID_EPOCH.replace("    ", indent).replace("\n", newline)
    mended, result = repair_text(tmp_path, text)
    assert result.report.findings == ()
    assert f"{newline}{indent}model.eval(){newline}{indent}with torch.no_grad():{newline}" in mended
    assert set(re.findall(r"\r\n|\n", mended)) == {newline}


PLACES = """\
import torch
from torch import nn


class Trainer:
    def __init__(self):
        self.nets = {{"G": nn.Sequential(nn.Linear(2, 2), nn.Dropout())}}
        self.net = nn.Sequential(nn.Linear(2, 2), nn.Dropout())

    def predict(self, test_loader):
        with torch.no_grad():
            return [{place}(x).argmax() for x in test_loader]
"""


@pytest.mark.parametrize("place", ["self.net", 'self.nets["G"]'])
def test_the_receiver_is_written_as_the_user_does(tmp_path: Path, place: str) -> None:
    text, result = repair_text(tmp_path, PLACES.format(place=place))
    assert result.report.findings == ()
    assert f"        {place}.eval()\n        with torch.no_grad():\n" in text


def test_a_module_made_in_the_loop_is_switched_in_the_loop(tmp_path: Path) -> None:
    text, result = repair_text(
        tmp_path,
        """\
import torch
from torch import nn


@torch.no_grad()
def evaluate(test_loader):
    for x, y in test_loader:
        net = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
        print((net(x).argmax(1) == y).sum())
""",
    )
    assert result.report.findings == ()
    assert "nn.Dropout())\n        net.eval()\n" in text


def test_one_forward_for_training_and_validation_gets_the_mode_of_the_phase(tmp_path: Path) -> None:
    """`eval()` before it would stop the training, although the step is then "always in eval mode"."""
    folder = FIXTURES / "rules" / "EVG102"
    text = (folder / "validation_phase_without_switch.py").read_text()
    mended, _ = repair_text(tmp_path, text)
    assert 'model.train(phase == "train")\n' in mended
    assert "model.eval()" not in mended


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        ("self.norm(x) + nn.BatchNorm1d(x.shape[1])(x)", "how large it has to be, is not known in `__init__`"),
        ("F.dropout(x, 0.5, training=Net.training)", None),
    ],
)
def test_what_has_no_cure_says_why(tmp_path: Path, layer: str, reason: str | None) -> None:
    head = "import torch.nn.functional as F\nfrom torch import nn\n\n\nclass Net(nn.Module):\n"
    found = findings(tmp_path, f"{head}    def forward(self, x):\n        return {layer}\n")
    assert [finding.fix for finding in found] == [None] * (reason is not None)
    assert all(reason and reason in (finding.no_fix_reason or "") for finding in found)


def test_a_training_loop_that_is_called_train_is_not_renamed(tmp_path: Path) -> None:
    text = (FIXTURES / "rules" / "EVG304" / "loops_named_train.py").read_text()
    found = [f for f in findings(tmp_path, text) if f.fix is None]
    assert any("another name" in (finding.no_fix_reason or "") for finding in found)


STEP_IN_A_HELPER = """\
import torch
from torch import nn


def update(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def fit(train_loader, val_loader):
    net = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 2))
    optimizer = torch.optim.Adam(net.parameters())
    for epoch in range(3):
        for x, y in train_loader:
            update(optimizer, nn.functional.cross_entropy(net(x), y))
        net.eval()
        with torch.no_grad():
            for x, y in val_loader:
                print((net(x).argmax(1) == y).sum())
"""


def test_a_fix_stands_where_the_module_has_a_name(tmp_path: Path) -> None:
    """The step stands in a helper that does not know the net; its caller does."""
    text, result = repair_text(tmp_path, STEP_IN_A_HELPER)
    assert result.report.findings == ()
    head = "    for epoch in range(3):\n"
    assert text == STEP_IN_A_HELPER.replace(head, f"{head}        net.train()\n")


def test_the_whole_is_switched_back_if_the_whole_was_switched(tmp_path: Path) -> None:
    text, result = repair_text(
        tmp_path,
        """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 8), nn.Dropout())
        self.head = nn.Sequential(nn.Dropout(), nn.Linear(8, 2))

    def forward(self, x):
        return self.head(self.body(x))


def fit(train_loader, val_loader):
    net = Net()
    optimizer = torch.optim.Adam([{"params": net.body.parameters()}, {"params": net.head.parameters(), "lr": 1.0}])
    for epoch in range(3):
        for x, y in train_loader:
            nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            for x, y in val_loader:
                print((net(x).argmax(1) == y).sum())
""",
    )
    assert result.report.findings == ()
    assert (
        len(re.findall(r"\.train\(", text)) == text.count("        net.train()\n        for x, y in train_loader") == 1
    )


LEAVES = """\
import torch
from torch import nn


def validate(net, x):
    {head}return net(x).argmax(1)


def fit(train_loader, val_loader):
    net = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 2))
    optimizer = torch.optim.Adam(net.parameters())
    for x, y in train_loader:
        print(validate(net, x))
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
"""


def test_the_mode_is_given_back_before_a_helper_returns(tmp_path: Path) -> None:
    text = LEAVES.format(head="with torch.no_grad():\n        ")
    mended, result = repair_text(tmp_path, text)
    assert result.report.findings == ()
    assert (
        """\
    was_training = net.training
    net.eval()
    with torch.no_grad():
        result = net(x).argmax(1)
        net.train(was_training)
        return result
"""
        in mended
    )


def test_a_cure_may_take_in_what_it_would_bring(tmp_path: Path) -> None:
    """`eval()` in a helper leaks into the training of its caller, which gets a `train()` in the same fix."""
    text = LEAVES.format(head="with torch.no_grad():\n        ")
    mended, result = repair_text(tmp_path, text, SAFE_ONLY)
    assert result.report.findings == ()
    assert "    net.eval()\n    with torch.no_grad():\n" in mended
    assert "        print(validate(net, x))\n        net.train()\n" in mended
    ((title,),) = [[finding.fix.title for finding in result.fixed if finding.fix]]
    assert title == "call `net.eval()` before the inference, and call `net.train()` after the evaluation"


def test_a_second_inference_of_one_cause_is_mended_with_the_first(tmp_path: Path) -> None:
    """A rule names the first of them only; the loop between needs the mode back."""
    text, result = repair_text(
        tmp_path,
        """\
import torch
from torch import nn


def fit(train_loader, val_loader, test_loader):
    net = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 2))
    optimizer = torch.optim.Adam(net.parameters())
    for epoch in range(9):
        for x, y in train_loader:
            nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()
        with torch.no_grad():
            for x, y in val_loader:
                print((net(x).argmax(1) == y).sum())
    with torch.no_grad():
        for x, y in test_loader:
            print((net(x).argmax(1) == y).sum())
""",
    )
    assert result.report.findings == ()
    assert len(result.fixed) == 1
    assert "net.eval()" in text


def test_a_helper_that_only_returns_gives_the_mode_back(tmp_path: Path) -> None:
    text = LEAVES.format(head="").replace("def validate", "@torch.no_grad()\ndef validate")
    mended, result = repair_text(tmp_path, text)
    assert result.report.findings == ()
    body = [
        "was_training = net.training",
        "net.eval()",
        "result = net(x).argmax(1)",
        "net.train(was_training)",
        "return result",
    ]
    assert "".join(f"    {line}\n" for line in body) in mended


def test_a_server_switches_once_where_it_loads(tmp_path: Path) -> None:
    text = """\
import os

import torch
from torch import nn


def load():
    net = nn.Sequential(nn.Linear(8, 8), nn.Dropout())
    if "WEIGHTS" in os.environ:
        net.load_state_dict(torch.load(os.environ["WEIGHTS"]))
    return net


net = load()


def answer(request):
    with torch.no_grad():
        return net(request.x).argmax().item()
"""
    mended, result = repair_text(tmp_path, text)
    assert result.report.findings == ()
    assert mended == text.replace("net = load()\n", "net = load()\nnet.eval()\n")


@pytest.mark.parametrize("given", ["lambda x: x + 1", "main"])
def test_a_function_is_not_asked_to_switch(tmp_path: Path, given: str) -> None:
    """What is called in the evaluation is a module for the one caller, and a function for the other."""
    text = """\
import torch
from torch import nn


def score(predict, loader):
    with torch.no_grad():
        for x, y in loader:
            print((predict(x).argmax(1) == y).sum())


def main(test_loader):
    net = nn.Sequential(nn.Linear(8, 8), nn.Dropout())
    score(net, test_loader)
    score({given}, test_loader)
"""
    text = text.format(given=given)
    assert "predict.eval()" not in repair_text(tmp_path, text)[0]


def test_unsafe_fixes_wait_to_be_asked_for(tmp_path: Path) -> None:
    text = (FIXTURES / "rules" / "EVG404" / "lightning_module_with_lists.py").read_text()
    assert repair_text(tmp_path, text, SAFE_ONLY)[1].texts == {}
    assert repair_text(tmp_path, text)[1].texts != {}


def test_a_fix_is_proven_with_the_rules_that_were_not_selected(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(HELPER_AT_MID_EPOCH)
    checked = check_for_fixes([str(tmp_path / "train.py")], Config(select=("EVG101",)))
    (text,) = repaired(checked, APPLIED).texts.values()
    assert "model.train(was_training)" in text


def test_two_fixes_at_one_place_take_two_rounds(tmp_path: Path) -> None:
    text, result = repair_text(
        tmp_path,
        """\
import torch
from torch import nn


def evaluate(test_loader):
    one = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    two = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    with torch.no_grad():
        for x in test_loader:
            print(one(x), two(x))
""",
    )
    assert result.report.findings == ()
    assert len(result.fixed) == 2
    assert text.count(".eval()") == 2


def test_forwards_on_two_branches_get_one_switch_before_them(tmp_path: Path) -> None:
    text, result = repair_text(
        tmp_path,
        """\
import torch
from torch import nn


@torch.inference_mode()
def estimate(loaders):
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    for loader in loaders:
        for x in loader:
            if isinstance(x, tuple):
                loss = net(*x)
            else:
                loss = net(x)
            print(loss.item())
""",
    )
    assert result.report.findings == ()
    assert text.count("net.eval()") == 1
    assert "    net.eval()\n    for loader" in text


NOT_CALLED = """\
import torch
from torch import nn


def fit(train_loader, val_loader):
    net = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 2))
    optimizer = torch.optim.Adam(net.parameters())
    for epoch in range(9):
        for x, y in train_loader:
            nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()
        net.eval
        with torch.no_grad():
            for x, y in val_loader:
                print((net(x).argmax(1) == y).sum())
"""


def test_two_findings_with_one_cause_get_one_fix(tmp_path: Path) -> None:
    """`eval` without brackets is the cause; called, it leaks into the next epoch, which had no need of `train()`."""
    text, result = repair_text(tmp_path, NOT_CALLED)
    called = NOT_CALLED.replace("net.eval\n", "net.eval()\n")
    assert text == called.replace("range(9):\n", "range(9):\n        net.train()\n")
    assert {finding.code: finding.fix is None for finding in result.fixed} == {"EVG301": False, "EVG101": True}


def test_a_second_switch_is_not_written_where_the_first_reaches(tmp_path: Path) -> None:
    text, result = repair_text(
        tmp_path,
        """\
import torch
from torch import nn


def evaluate(val_loader, test_loader):
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    with torch.no_grad():
        for x, y in val_loader:
            print((net(x).argmax(1) == y).sum())
    for x, y in test_loader:
        print((net(x).argmax(1) == y).sum())
""",
    )
    assert result.report.findings == ()
    assert text.count("net.eval()") == 1
    assert len(result.fixed) == 2


def test_a_switch_stands_before_the_branches_that_both_infer(tmp_path: Path) -> None:
    """Also if all who call the function take the same branch."""
    text, result = repair_text(
        tmp_path,
        """\
import torch
from torch import nn


def test(net, test_loader, is_flat):
    for x, y in test_loader:
        if is_flat:
            scores = net(x)
        else:
            scores = net.forward(x[None])
        print((scores.argmax(1) == y).sum())


test(nn.Sequential(nn.Linear(2, 2), nn.Dropout()), torch.load("data.pt"), True)
""",
    )
    assert result.report.findings == ()
    assert "    net.eval()\n    for x, y in test_loader:\n" in text


def test_a_function_that_computes_a_loss_is_not_put_in_eval_mode(tmp_path: Path) -> None:
    text = """\
import torch
from torch import nn


@torch.no_grad()
def detection_loss(net, test_loader):
    net.train()
    return sum(nn.functional.cross_entropy(net(x), y).item() for x, y in test_loader)


print(detection_loss(nn.Sequential(nn.Linear(2, 2), nn.Dropout()), torch.load("data.pt")))
"""
    (finding,) = findings(tmp_path, text)
    assert finding.code == "EVG106"
    assert finding.fix is None
    assert finding.no_fix_reason == "the function computes a loss, by which somebody may train"


def test_what_a_function_declares_global_comes_first(tmp_path: Path) -> None:
    text, result = repair_text(
        tmp_path,
        '''\
import torch
from torch import nn

net = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
optimizer = torch.optim.Adam(net.parameters())


def evaluate(x):
    global net
    net.eval()
    with torch.no_grad():
        return net(x)


def learn(x, y):
    """One step."""
    global net, optimizer
    nn.functional.cross_entropy(net(x), y).backward()
    optimizer.step()


for x, y in torch.load("data.pt"):
    learn(x, y)
    evaluate(x)
''',
    )
    assert result.report.findings == ()
    assert "global net, optimizer\n    net.train()\n" in text
    compile(text, "train.py", "exec")
