"""Which files are parsed, by their text alone."""

from __future__ import annotations

from evalguard.screen import Screen

TEXTS = {
    "net.py": "from base import Base\nclass Net(Base):\n    def forward(self, x):\n        return F.dropout(x)\n",
    "base.py": "from lib import Thing\nclass Base(Thing):\n    pass\n",
    "plots.py": "import matplotlib\n",
    "main.py": "model.eval()\n",
}
LOCATIONS = {path: f"/project/{path}" for path in TEXTS}


def test_files_with_layers_bring_those_of_their_base_classes() -> None:
    screen = Screen(TEXTS, LOCATIONS)
    wanted = screen.wanted()
    assert wanted == {"main.py"}
    assert screen.with_layers(wanted) == {"net.py", "base.py"}


def test_files_that_are_wanted_anyway_are_left_out() -> None:
    assert Screen(TEXTS, LOCATIONS).with_layers(set(TEXTS)) == set()


def test_files_that_no_import_connects_stand_apart() -> None:
    texts = {
        "lib/__init__.py": "",
        "lib/engine.py": "import torch\ndef fit(net): ...\n",
        "main.py": "from lib.engine import fit\n",
        "named.py": "make('lib.engine.fit')\n",
        "text.py": "open('lib.engine.txt'), open('lib.engine')\n",
        "short.py": "import os; import one_line\n",
        "one_line.py": "x = 1\n",
        "far.py": "from split \\\n    import name\n",
        "split.py": "from torch import nn\n",
        "alone.py": "import torch\n",
        "skipped.py": "import alone\n",
    }
    among = [path for path in texts if path != "skipped.py"]
    groups = Screen(texts, {path: f"/project/{path}" for path in texts}).connected(among)
    assert sorted(map(sorted, groups)) == [
        ["alone.py"],
        ["far.py", "split.py"],
        ["lib/__init__.py", "lib/engine.py", "main.py", "named.py"],
        ["one_line.py", "short.py"],
        ["text.py"],
    ]
