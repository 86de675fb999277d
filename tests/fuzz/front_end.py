"""Bytes into the front end: decoded, parsed and lowered, or refused with a SourceProblem, and nothing else.

    python -m pip install atheris
    mkdir -p corpus && cp fixtures/rules/*/*.py corpus && find fixtures -name "*.ipynb" -exec cp {} corpus \\;
    python tests/fuzz/front_end.py -max_total_time=900 -timeout=20 -rss_limit_mb=4000 corpus

What begins with a brace is taken for a notebook. What ends the run is written to a file `crash-...` or
`timeout-...`: make it small, mend the cause, and keep it in `tests/test_hostile.py`. Coverage is that of evalguard's
own code; LibCST's parser is native, and not instrumented.
"""

from __future__ import annotations

import sys
import warnings

import atheris

with atheris.instrument_imports(include=["evalguard"]):
    from evalguard.frontend import lower, without_broken_cells
    from evalguard.ir.facts import MODULE
    from evalguard.notebook import decode_notebook
    from evalguard.source import SourceProblem, decode_document

NOTEBOOK = ord("{")  # how each begins


def one_input(data: bytes) -> None:
    """Judge one file."""
    warnings.simplefilter("ignore")
    try:
        if data[:1] == b"{":
            document, _ = without_broken_cells(decode_notebook(data, "a.ipynb"))
        else:
            document = decode_document(data, "a.py")
        facts = lower(document)
    except SourceProblem as problem:
        refused = problem
    else:
        assert MODULE in facts.functions
        return
    assert refused.line >= 1, refused
    assert refused.column >= 1, refused
    assert "\n" not in refused.message, refused


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
