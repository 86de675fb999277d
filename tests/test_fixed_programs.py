"""Random programs that train and evaluate, mended and run.

The oracle's stub (`oracle/stub.py`) writes down the mode at every forward and step, over all outcomes of the branches.
A program is mended until nothing is found; then every inference must be seen in eval mode and every step in train mode,
whatever was wrong before. What cannot be mended is refused: the finding stays. The same programs are mended and run
under the real PyTorch where it is installed, with the mode recorded by hooks.
"""

from __future__ import annotations

import importlib.util
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from oracle.run import explore

from evalguard.check import check_for_fixes, check_source
from evalguard.repair import APPLIED, repaired

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
    Lines that infer or step say so in a comment."""
    draw = random.Random(seed)

    def maybe(line: str, chance: float = 0.5) -> list[str]:
        return [line] if draw.random() < chance else []

    helper = [
        "def validate(net):",
        *maybe("    was = net.training", 0.3),
        *maybe("    net.eval()"),
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
    inline = [
        *maybe("        model.eval()"),
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
        "            loss.backward()",
        "            optimizer.step()  # steps",
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
    return HEAD + "\n".join([*helper, *body, "", "", "main()"]) + "\n"


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
    return [line for line in text.splitlines() if not re.search(r"\.(?:train|eval)\(|\.training\b", line)]


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


def test_a_right_program_is_not_touched(tmp_path: Path) -> None:
    right = [text for number in range(COUNT) if not wrong_lines(text := program(f"right:{number}"))]
    assert right
    assert [text for text in right if mended(tmp_path, text)[0] != text] == []
