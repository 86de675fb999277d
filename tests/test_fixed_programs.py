"""Random programs that train and evaluate, mended and run.

The oracle's stub (`oracle/stub.py`) writes down the mode at every forward and step, over all outcomes of the branches.
A program is mended until nothing is found; then every inference must be seen in eval mode and every step in train mode,
whatever was wrong before. What cannot be mended is refused: the finding stays. The same programs are mended and run
under the real PyTorch where it is installed, with the mode recorded by hooks.
"""

from __future__ import annotations

import importlib
import random
import re
import sys
import textwrap
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from notebooks import notebook
from oracle.compare import judge
from oracle.programs import generate
from oracle.run import explore
from oracle.tool import evalguard_claims

from evalguard.check import check_for_fixes, check_source
from evalguard.fixes.edits import apply
from evalguard.notebook import notebook_of
from evalguard.repair import APPLIED, repaired, with_fix_proven_alone, with_fixes

COUNT = 40
HEAD = """\
import torch
import torch.nn as nn
from outside import choice, items


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)
    def forward(self, x):
        return self.drop(x)  # layer


"""


def program(seed: str) -> str:
    """A script with a helper that infers, a loop that trains and calls it here or there, and an inference at the end.
    The step may stand in a helper that does not know the model, and `eval` may not be called. Lines that infer or step
    say so in a comment."""
    draw = random.Random(seed)

    def maybe(line: str, chance: float = 0.5) -> list[str]:
        return [line] if draw.random() < chance else []

    helper = [
        "def validate(net):",
        *maybe("    was = net.training", 0.3),
        *maybe(f"    net.eval{draw.choice(['()', '()', ''])}"),
        "    total = 0",
        "    with torch.no_grad():",
        "        for x in items(1):",
        "            total = net(x).sum()  # infers",
    ]
    if any("was" in line for line in helper):
        helper += maybe("    net.train(was)", 0.8)
    else:
        helper += maybe("    net.train()", 0.2)
    helper += ["    return total", "", ""]
    update = ["def update(optimizer, loss):", "    loss.backward()", "    optimizer.step()  # steps", "", ""]
    is_apart = draw.random() < 0.3
    step = (
        [
            "            update(optimizer, loss)",
        ]
        if is_apart
        else ["            loss.backward()", "            optimizer.step()  # steps"]
    )
    inline = [
        *maybe(f"        model.eval{draw.choice(['()', '()', ''])}"),
        "        with torch.no_grad():",
        "            for x in items(4):",
        "                scores = model(x).sum()  # infers",
        *maybe("        model.train()", 0.2),
    ]
    loop = [
        *maybe("    model.train()", 0.4),
        "    for epoch in items(2):",
        *maybe("        model.train()", 0.3),
        "        for x in items(3):",
        *maybe("            model.train()", 0.1),
        "            loss = model(x).sum()  # trains",
        *step,
        *maybe("            if choice(5):\n                validate(model)", 0.3),
        *maybe("        validate(model)", 0.4),
        *(inline if draw.random() < 0.3 else []),
        *maybe("        if choice(6):\n            validate(model)", 0.2),
    ]
    end = [
        *maybe("    model.eval()", 0.3),
        *maybe("    validate(model)", 0.4),
        *maybe("    with torch.no_grad():\n        scores = model(torch.rand(3)).sum()  # infers", 0.4),
    ]
    body = [
        "def main():",
        "    model = Net()",
        "    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
        *loop,
        *end,
    ]
    return HEAD + "\n".join([*helper, *(update if is_apart else []), *body, "", "", "main()"]) + "\n"


def mended(tmp_path: Path, text: str) -> tuple[str, bool]:
    """The text with all fixes, and whether anything is left."""
    file = tmp_path / "program.py"
    file.write_text(text)
    result = repaired(check_for_fixes([str(file)]), APPLIED)
    return next(iter(result.texts.values()), text), bool(result.report.findings)


def wrong_lines(text: str) -> list[tuple[int, str, set[str]]]:
    """The lines that infer and step, and the modes seen there, where one is the wrong one."""
    seen = explore(text).likely  # what only a loop without any element leads to is doubtful, and not reported
    wanted = {"infers": "eval", "steps": "train", "trains": "train"}
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        kind = line.rpartition("# ")[2] if "# " in line else ""
        if kind in wanted and seen.get(number, set()) - {wanted[kind]}:
            found.append((number, kind, seen[number]))
    return found


def without_switches(text: str) -> list[str]:
    """The lines of a program less those that only set or save a mode."""
    return [line for line in text.splitlines() if not re.search(r"\.(?:train|eval|training)\b", line)]


def test_a_mended_program_is_right_or_refused(tmp_path: Path) -> None:
    bad = refused = 0
    for number in range(COUNT):
        text = program(f"mend:{number}")
        wrong = wrong_lines(text)
        bad += bool(wrong)
        after, left = mended(tmp_path, text)
        assert without_switches(after) == without_switches(text)
        if left:
            refused += 1
            continue
        assert check_source(after).findings == ()
        assert wrong_lines(after) == [], f"{number}\n{text}\n{after}"
    assert bad > COUNT // 3
    assert refused <= COUNT // 20


def in_cells(text: str) -> str:
    """A program as a notebook: its definitions in cells, and what `main` does in one of its own."""
    *cells, main, _ = text.split("\n\n\n")
    return notebook(*cells, "# in the middle", textwrap.dedent(main.partition("\n")[2]))


def from_cells(content: str) -> str:
    return "\n\n\n".join(notebook_of(content, "a.ipynb").sources) + "\n"


def test_a_mended_notebook_is_right_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "program.ipynb"
    bad = refused = 0
    for number in range(COUNT // 2):
        content = in_cells(program(f"cells:{number}"))
        bad += bool(wrong_lines(from_cells(content)))
        file.write_text(content)
        result = repaired(check_for_fixes([str(file)]), APPLIED)
        after = from_cells(next(iter(result.texts.values()), content))
        assert without_switches(after) == without_switches(from_cells(content))
        if result.report.findings:
            refused += 1
            continue
        assert wrong_lines(after) == [], f"{number}\n{from_cells(content)}\n{after}"
    assert bad > COUNT // 6
    assert refused <= COUNT // 20


def test_a_right_program_is_not_touched(tmp_path: Path) -> None:
    texts = [program(f"right:{number}") for number in range(COUNT)]
    right = [text for text in texts if not wrong_lines(text) and ".eval\n" not in text]
    assert right
    assert [text for text in right if mended(tmp_path, text)[0] != text] == []


def test_a_fix_that_is_proven_alone_holds_alone(tmp_path: Path) -> None:
    """An editor applies one fix of several: that finding goes, and none comes."""
    file = tmp_path / "program.py"
    others = 0
    for number in range(45, 55):
        file.write_text(program(f"alone:{number}"))
        checked = check_for_fixes([str(file)])
        before = checked.report.findings
        for together in with_fixes(checked).findings:
            finding = with_fix_proven_alone(checked, together)
            assert finding.fix is not None
            others += finding.fix != together.fix
            texts = {(str(path), None): document.text for path, document in checked.documents.items()}
            [((path, _), text)] = apply(texts, finding.fix.edits).items()
            after = checked.again({path: text}).report.findings
            assert len(after) < len(before), text
    assert others, "each was also proven together with the others"


@pytest.mark.parametrize("seed", ["fix:22", "fix:159"])
def test_a_random_program_of_the_oracle_is_right_or_refused(tmp_path: Path, seed: str) -> None:
    """Of the oracle's programs hardly one in a hundred has a finding: these do."""
    text = generate(seed)
    assert check_source(text).findings
    after, left = mended(tmp_path, text)
    assert left or check_source(after).findings == ()
    assert not judge(after, evalguard_claims).failed


# Under the real PyTorch


@pytest.fixture(scope="module")
def torch() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e '.[oracle]'")


def events_of(text: str, torch: Any) -> list[tuple[str, str]]:
    """What happens when the program runs: the line of each forward and step, and the mode of the net then."""
    found: list[tuple[str, str]] = []
    nets: list[Any] = []

    def log(module: Any) -> None:
        frame = sys._getframe()
        while frame is not None and frame.f_code.co_filename != "<program>":
            frame = frame.f_back  # type: ignore[assignment]
        line = text.splitlines()[frame.f_lineno - 1].strip()
        found.append((line, "train" if module.training else "eval"))

    def forward(module: Any, inputs: object) -> None:
        if type(module).__name__ == "Net":
            nets[:] = [module]
            log(module)

    draw = random.Random(0)
    outside = ModuleType("outside")
    vars(outside).update(choice=lambda _: draw.random() < 0.5, items=lambda _: [torch.rand(3) for _ in range(2)])
    optimizers = importlib.import_module("torch.optim.optimizer")
    hooks = [
        torch.nn.modules.module.register_module_forward_pre_hook(forward),
        optimizers.register_optimizer_step_pre_hook(lambda *_: log(nets[0])),
    ]
    before = sys.modules.get("outside")
    sys.modules["outside"] = outside
    try:
        layers = "nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))"
        exec(compile(text.replace("nn.Dropout(0.5)", layers), "<program>", "exec"), {"__name__": "__main__"})
    finally:
        for hook in hooks:
            hook.remove()
        del sys.modules["outside"]
        if before is not None:
            sys.modules["outside"] = before
    return found


def wanted_mode(line: str) -> str:
    return "eval" if line.endswith("# infers") else "train"


def test_under_pytorch_the_bad_mode_is_gone_and_nothing_else_changed(tmp_path: Path, torch: Any) -> None:
    bad = 0
    for number in range(20):
        text = program(f"torch:{number}")
        after, left = mended(tmp_path, text)
        if left:
            continue
        was, now = events_of(text, torch), events_of(after, torch)
        bad += was != now
        assert [line for line, _ in was] == [line for line, _ in now]
        assert now == [(line, wanted_mode(line)) for line, _ in now], f"{number}\n{text}\n{after}"
    assert bad >= 5


def test_under_pytorch_a_mended_notebook_runs_in_the_right_modes(tmp_path: Path, torch: Any) -> None:
    file = tmp_path / "program.ipynb"
    bad = 0
    for number in range(6):
        content = in_cells(program(f"torch cells:{number}"))
        file.write_text(content)
        result = repaired(check_for_fixes([str(file)]), APPLIED)
        if result.report.findings:
            continue
        text, after = from_cells(content), from_cells(next(iter(result.texts.values()), content))
        was, now = events_of(text, torch), events_of(after, torch)
        bad += was != now
        assert [line for line, _ in was] == [line for line, _ in now]
        assert now == [(line, wanted_mode(line)) for line, _ in now], f"{number}\n{text}\n{after}"
    assert bad >= 2


LAYERS = {
    "EVG306": "return F.dropout(x, 0.5, training=self.is_training)",
    "EVG401": "return F.dropout(x, 0.5)",
    "EVG402": "return F.scaled_dot_product_attention(x, x, x, dropout_p=0.5)",
    "EVG403": "return nn.Dropout(0.5)(x)",
    "EVG404": "for layer in self.layers: x = layer(x)\n        return x",
}


@pytest.mark.parametrize("code", LAYERS)
def test_under_pytorch_a_mended_layer_hears_of_eval_mode(tmp_path: Path, torch: Any, code: str) -> None:
    text = f"""\
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        {"self.is_training = True" if code == "EVG306" else "pass"}
        self.layers = {"[nn.Dropout(0.5), nn.Dropout(0.1)]" if code == "EVG404" else "nn.ModuleList()"}

    def forward(self, x):
        {LAYERS[code]}
"""
    assert {finding.code for finding in check_source(text).findings} == {code}
    after, left = mended(tmp_path, text)
    assert not left
    x = torch.ones(4, 64, 64)
    for source, drops in ((text, True), (after, False)):
        namespace: dict[str, Any] = {"__name__": "program"}
        exec(compile(source, "<program>", "exec"), namespace)
        net = namespace["Net"]().eval()
        assert bool((net(x) != net(x)).any()) is drops
        net.train()
        assert bool((net(x) != net(x)).any())
