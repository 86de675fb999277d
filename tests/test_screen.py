"""Which files are parsed, by their text alone."""

from __future__ import annotations

from evalguard.screen import files_with_layers, wanted_files

TEXTS = {
    "net.py": "from base import Base\nclass Net(Base):\n    def forward(self, x):\n        return F.dropout(x)\n",
    "base.py": "from lib import Thing\nclass Base(Thing):\n    pass\n",
    "plots.py": "import matplotlib\n",
    "main.py": "model.eval()\n",
}
LOCATIONS = {path: f"/project/{path}" for path in TEXTS}


def test_files_with_layers_bring_those_of_their_base_classes() -> None:
    wanted = wanted_files(TEXTS, LOCATIONS)
    assert wanted == {"main.py"}
    assert files_with_layers(TEXTS, LOCATIONS, wanted) == {"net.py", "base.py"}


def test_files_that_are_wanted_anyway_are_left_out() -> None:
    assert files_with_layers(TEXTS, LOCATIONS, set(TEXTS)) == set()
