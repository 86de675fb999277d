"""Notebooks in a compact form: the code of each cell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence


def notebook(*cells: str, metadata: Mapping[str, object] | None = None) -> str:
    """The JSON of a notebook of code cells; a cell that begins with `#md` is Markdown."""
    return json.dumps(
        {"cells": list(map(_cell, cells)), "metadata": metadata or {}, "nbformat": 4, "nbformat_minor": 5}
    )


def old_notebook(*sheets: Sequence[str]) -> str:
    """The same as nbformat 3 keeps it, on worksheets."""
    worksheets = [
        {"cells": [{"cell_type": "code", "language": "python", "input": cell, "outputs": []} for cell in sheet]}
        for sheet in sheets
    ]
    return json.dumps({"worksheets": worksheets, "metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0})


def _cell(text: str) -> dict[str, object]:
    lines = text.splitlines(keepends=True)
    if text.startswith("#md"):
        return {"cell_type": "markdown", "metadata": {}, "source": lines}
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": lines}
