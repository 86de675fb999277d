"""Programs of several files, and the table of what came of many."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from .compare import judge
from .constructs import constructs
from .files import parts
from .programs import generate
from .run import explore
from .table import END, MARK, Counts, block, keep, kept, main
from .tool import evalguard_claims

TWO_FILES = """\
# file: nets.py
import torch.nn as nn
from outside import reveal_mode
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)
def silence(m):
    m.eval()
    reveal_mode(m)
# file: program.py
import nets
from nets import Net
from outside import reveal_mode
def program(x):
    model = Net()
    nets.silence(model)
    reveal_mode(model)
"""


def test_a_line_has_the_same_number_in_its_file() -> None:
    found = parts(TWO_FILES)
    assert list(found) == ["nets.py", "program.py"]
    lines = TWO_FILES.splitlines()
    for text in found.values():
        assert all(line in ("", lines[number]) for number, line in enumerate(text.splitlines()))
    assert parts("x = 1\n") == {"program.py": "x = 1\n"}


def test_files_are_run_and_analysed_as_one_program() -> None:
    assert explore(TWO_FILES).modes == {10: {"eval"}, 18: {"eval"}}
    assert {line: claim.modes for line, claim in evalguard_claims(TWO_FILES).items()} == {10: {"eval"}, 18: {"eval"}}
    assert judge(TWO_FILES, lambda text: {}).missed == ((10, "eval"), (18, "eval"))


def test_many_programs_have_several_files_and_they_import_each_other() -> None:
    texts = [text for text in (generate(f"files:{number}") for number in range(200)) if len(parts(text)) > 1]
    assert len(texts) > 30
    ways = frozenset[str]().union(*map(constructs, texts))
    assert ways >= {"import-from", "import-module", "import-as", "import-star"}


def test_counts_are_kept_and_added_up(tmp_path: Path) -> None:
    table = {"(all)": Counter(programs=1000, observed=9, missed=2, claimed=8), "with": Counter(programs=500, missed=1)}
    keep(Counts("7", 1000, table, ["7:3"]), tmp_path / "one.json")
    assert kept(tmp_path / "one.json").failing == ["7:3"]
    assert json.loads((tmp_path / "one.json").read_text())["seed"] == "7"
    made = block([kept(tmp_path / "one.json")] * 2)
    assert "| with | 1,000 | 2.00 | 0.00 | 0.00 |" in made
    assert "2,000 programs" in made
    page = tmp_path / "page.md"
    page.write_text(f"a\n{MARK}\nold\n{END}\nb\n")
    main([str(tmp_path / "one.json"), str(page)])
    assert page.read_text().splitlines()[0] == "a"
    assert "old" not in page.read_text()
