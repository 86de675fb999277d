"""What a user tells holds for one run, wherever it runs, and wins over what a body says.

The project fixtures/projects/user_tells_what_functions_do shows each kind of entry at work.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from msgspec.structs import replace

from evalguard import analysis
from evalguard.check import check_paths, check_source
from evalguard.config import Config
from evalguard.frontend import lower
from evalguard.project.link import link_project
from evalguard.source import document_of
from evalguard.user_vocabulary import read_vocabulary
from evalguard.vocabulary import lookup
from evalguard.vocabulary.terms import Factory, Table

SCORES = """
import torch
from mylib import nets, switches

def scores(x):
    net = nets.build()
    switches.freeze(net)
    with torch.no_grad():
        return net(x)
"""
TRAINED = {"factories": [{"name": "nets.build", "mode": "train"}]}
FROZEN = {**TRAINED, "sets-mode": [{"name": "switches.freeze", "mode": "eval"}]}


def told(vocabulary: object) -> Config:
    return Config(vocabulary=read_vocabulary(vocabulary, "evalguard.toml: vocabulary"))


def codes(text: str, vocabulary: object) -> list[str]:
    return [finding.code for finding in check_source(text, config=told(vocabulary)).findings]


def test_what_one_run_was_told_the_next_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "scores.py").write_text(SCORES)
    runs = [check_paths([tmp_path], config) for config in (told(TRAINED), None, told(FROZEN), None, told(TRAINED))]
    assert [[finding.code for finding in run.findings] for run in runs] == [["EVG101"], [], [], [], ["EVG101"]]
    assert lookup.told_names() == frozenset()


def test_the_tables_are_as_before_after_an_error() -> None:
    extra = Table(factories=(Factory("nets.build", "eval", "told", ""),))
    with contextlib.suppress(ZeroDivisionError), lookup.extended(extra):
        assert mode_of("mylib.nets.build") == "eval"
        with lookup.extended(Table(factories=(replace(extra.factories[0], mode="train"),))):
            assert mode_of("mylib.nets.build") == "train"
        assert mode_of("mylib.nets.build") == "eval"
        raise ZeroDivisionError
    assert mode_of("mylib.nets.build") is None


def mode_of(factory: str) -> str | None:
    found = lookup.factory(factory)
    return found.mode if found is not None else None


def test_processes_are_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        (tmp_path / f"scores{number}.py").write_text(SCORES)
    one = check_paths([tmp_path], told(TRAINED))
    monkeypatch.setattr(analysis, "MUCH_TEXT", 1)
    many = check_paths([tmp_path], told(TRAINED))
    assert len(one.findings) == 6
    assert many.findings == one.findings


def test_a_name_stands_for_all_that_end_with_it() -> None:
    with lookup.extended(told(TRAINED).vocabulary):
        assert lookup.factory("nets.build") is lookup.factory("a.b.nets.build") is not None
        assert lookup.factory("build") is None
        assert lookup.factory("mynets.build") is None


def test_a_user_wins_over_the_tables() -> None:
    with lookup.extended(told({"factories": [{"name": "create_model", "mode": "eval"}]}).vocabulary):
        assert mode_of("timm.create_model") == "eval"
    assert mode_of("timm.create_model") == "train"


NET = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = torch.nn.Dropout()

    def forward(self, x):
        return self.drop(x)

    def codes(self, x):
        return self.table[x]
"""

SWITCHED = f"""{NET}
def switch(mode, model):
    model.switches = mode

def scores(x):
    net = Net()
    net.eval()
    switch("train", model=net)
    with torch.no_grad():
        return net(x)
"""

CODED = f"""{NET}
def codes(x):
    net = Net()
    with torch.no_grad():
        return net.codes(x)
"""


@pytest.mark.parametrize("argument", [1, "model", [1, "model"]])
def test_an_argument_is_told_by_position_or_name(argument: object) -> None:
    assert codes(SWITCHED, {}) == []
    assert codes(SWITCHED, {"sets-mode": [{"name": "switch", "mode": "train", "argument": argument}]}) == ["EVG106"]


def test_a_method_of_the_project_is_a_forward_if_the_user_says_so() -> None:
    assert codes(CODED, {"forward-methods": ["Net.codes"]}) == ["EVG101"]
    assert codes(CODED, {"forward-methods": ["Other.codes"]}) == []


def test_a_class_of_the_project_is_built_in_the_mode_that_is_told() -> None:
    both = {"forward-methods": ["Net.codes"], "factories": [{"name": "Net", "mode": "eval"}]}
    assert codes(CODED, both) == []


TASK = """
import torch
from mylib import BaseTask

class Task(BaseTask):
    def __init__(self, net):
        self.net = net.train()

    def score(self, batch):
        with torch.no_grad():
            return self.net(batch)
"""


def test_a_framework_sets_the_mode_of_its_hooks() -> None:
    def base(**told_of_it: object) -> dict[str, object]:
        return {"frameworks": [{"name": "mylib.BaseTask", "module": False, **told_of_it}]}

    assert codes(TASK, base()) == ["EVG101"]
    assert codes(TASK, base(hooks={"score": "eval"})) == []
    assert codes(TASK, base(default="managed")) == []
    assert codes(TASK, base(hooks={"other": "eval"})) == ["EVG101"]


def test_the_base_class_may_be_one_of_the_project() -> None:
    text = TASK.replace("from mylib import BaseTask", "class BaseTask:\n    pass")
    assert codes(text, {}) == ["EVG101"]
    assert codes(text, {"frameworks": [{"name": "BaseTask", "hooks": {"score": "eval"}}]}) == []


def test_a_file_that_only_calls_what_was_told_is_looked_at() -> None:
    text = "from mylib import update\n\nfor x in data:\n    update(x)\n"
    assert check_source(text).skipped == ("<stdin>",)
    config = told({"steps": [{"name": "mylib.update", "loss": 0}]})
    assert check_source(text, config=config).analysed == ("<stdin>",)


@pytest.mark.parametrize(
    "name", ["freeze", "switches.freeze", "mylib.switches.freeze", "src.mylib.switches.freeze", "mylib.freeze"]
)
def test_a_function_of_the_project_goes_by_every_name_under_which_it_is_imported(name: str) -> None:
    files = {
        "src/mylib/__init__.py": "from .switches import freeze\n",
        "src/mylib/switches.py": "def freeze(net):\n    net.switched = True\n",
        "main.py": "import torch\nfrom mylib import freeze\nnet = torch.nn.Dropout()\nfreeze(net)\nreveal_mode(net)\n",
    }
    config = told({"sets-mode": [{"name": name, "mode": "eval"}]})
    with lookup.extended(config.vocabulary):
        project = link_project([lower(document_of(text, path)) for path, text in files.items()])
        assert [seen.modes for seen in project.observations() if seen.kind == "reveal"] == [{"eval"}]
