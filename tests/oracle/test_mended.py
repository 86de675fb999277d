"""Programs of the oracle that were missed or claimed by mistake, cut down: their causes are mended."""

from __future__ import annotations

import pytest

from .compare import judge
from .programs import NET as CLASS
from .tool import evalguard_claims

NET = f"import torch.nn as nn\n{CLASS}"
OUTSIDE = "from outside import choice, items, more, pick, reveal_mode\n"

PROGRAMS = {
    "a_helper_that_only_a_later_file_calls": f"""\
# file: parts/models.py
{NET}
# file: parts/routines.py
{OUTSIDE}
from parts.models import Net
shared = Net()  # global-module
def helper(x):
    reveal_mode(shared)
# file: program.py
import parts.routines
def program(x):
    parts.routines.shared.eval()
    parts.routines.helper(x)
""",
    "a_generator_that_only_a_later_file_advances": f"""\
# file: common.py
{NET}
def stream(m, x):
    m.eval()
    yield x
    m(x)
# file: program.py
from common import *
def program(x):
    model = Net()
    for y in stream(model, x):
        model.train()
""",
    "a_file_that_is_imported_by_a_dotted_name_alone": f"""\
# file: parts/models.py
{NET}
shared = Net()
# file: program.py
import parts.models
{OUTSIDE}
def program(x):
    model = parts.models.Net()
    reveal_mode(model)
    parts.models.shared.forward(x)
""",
    "a_copy_of_a_part": f"""\
{NET}
{OUTSIDE}
from copy import deepcopy
def program(x):
    model = Net()
    reveal_mode(model)
    part = deepcopy(model.drop)
    part.forward(x)
""",
    "a_method_that_leaves_a_mode_where_a_call_fails": f"""\
{NET}
{OUTSIDE}
class Runner:
    def __init__(self, model):
        self.model = model
    def look(self, x):
        reveal_mode(self.model)
    def run(self, x):
        try:
            self.model(x)
        except Exception:
            self.model.eval()
        else:
            self.model.train()
def program(x):
    model = Net()
    runner = Runner(model)
    while more(1):
        match pick(2):
            case 0:
                runner.look(x)
            case _:
                runner.run(x)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_is_missed_or_claimed_by_mistake(name: str) -> None:
    verdict = judge(PROGRAMS[name], evalguard_claims)
    assert verdict.bad is None
    assert verdict.observed
    assert (verdict.missed, verdict.false) == ((), ())
