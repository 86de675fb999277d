"""IPython's magic commands: which of them run Python in the notebook's own namespace, and which names stand for a command.

Sources: https://ipython.readthedocs.io/en/stable/interactive/magics.html, and the pages of the extensions named below.
"""

from __future__ import annotations

from typing import Final

from evalguard.vocabulary.terms import names

RUNS_ITS_CELL: Final = frozenset(
    names("""
        time timeit capture prun debug
        memit heat scalene snakeviz pyinstrument lprun
        wandb ipytest
    """)
)
"""`%%time` and kin run the rest of their cell as if it stood there alone. IPython's own; then profilers: memory_profiler,
py-heat-magic, scalene, snakeviz, pyinstrument, line_profiler; then wandb (shows the run below the cell) and ipytest. All
others take text (`%%writefile`, `%%html`) or run it elsewhere (`%%bash`, `%%python`, `%%cython`)."""

LANGUAGES: Final = frozenset({"%fs", "%md", "%r", "%scala", "%sh", "%sql"})
"""A first line that says the language of its cell on Databricks (https://docs.databricks.com/en/notebooks/notebooks-code.html);
elsewhere `%sql` takes a statement on its own line."""

RUNS_ITS_LINE: Final = {
    "time": "",
    "timeit": "nrtp",
    "prun": "lsTD",
    "memit": "rti",
    "lprun": "fmDTuz",
    "mprun": "fT",
    "snakeviz": "f",
    "pyinstrument": "",
}
"""`%time statement` runs a statement: by name, the letters of the options that take a value, as `-n` in
`%timeit -n 10 statement` (the string that the magic gives to `parse_options`:
https://github.com/ipython/ipython/blob/main/IPython/core/magics/execution.py)."""

COMMANDS: Final = frozenset(
    names("""
        alias bookmark cat cd conda config cp env less ll load load_ext ls lsmagic man mamba matplotlib micromamba mkdir
        more mv pinfo pip precision pwd pycat pylab reload_ext reset rm rmdir run set_env sx system time timeit uv who whos
    """)
)
"""Magics that a cell of one line may call without `%`, as `pip install timm`: "automagic", on by default
(https://ipython.readthedocs.io/en/stable/interactive/magics.html#magic-automagic)."""
