"""Real code for the tests of the front end: files of the standard library, the same ones on every run."""

from __future__ import annotations

import ast
import os
from pathlib import Path

from evalguard.source import Document, read_document

_FOLDERS = (".", "asyncio", "concurrent/futures", "email", "importlib", "json", "logging", "unittest", "xml/dom")
_LARGEST = 60_000  # bytes; the tests stay quick


def documents(count: int) -> list[Document]:
    """So many documents, spread over the library."""
    root = Path(os.__file__).parent
    files = sorted(
        file for folder in _FOLDERS for file in (root / folder).glob("*.py") if file.stat().st_size < _LARGEST
    )
    return [read_document(file, file.relative_to(root).as_posix()) for file in files[:: len(files) // count][:count]]


def python_tree(document: Document) -> ast.Module:
    """The tree that Python itself makes of a document."""
    return ast.parse(document.text)
