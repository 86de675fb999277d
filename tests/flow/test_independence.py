"""Graphs are analysed without the parser: what `flow` knows, it knows from the facts alone."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from evalguard.flow import liveness, regions, solver
from evalguard.ir.text import read_function

print(liveness.live_paths(read_function("function f\\n  block 0\\n    --normal--> 1\\n  block 1\\n  block 2\\n")))
print("libcst" in sys.modules)
"""


def test_flow_and_the_text_form_need_no_libcst() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "False"
