"""Each construct of Python, lowered: fixtures/lowering/*.py beside the facts that are read from them, as text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import FIXTURES
from standard_library import documents

from evalguard.frontend import lower
from evalguard.ir.text import print_file, print_function, read_file, read_function
from evalguard.source import Document, document_of, read_document

LOWERING = FIXTURES / "lowering"
NAMES = sorted(file.stem for file in LOWERING.glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_snapshot(name: str, snapshot: Callable[[object, str], None]) -> None:
    facts = lower(read_document(LOWERING / f"{name}.py", f"{name}.py"))
    snapshot(LOWERING / f"{name}.ir", print_file(facts))


def test_every_snapshot_has_its_source() -> None:
    assert sorted(file.stem for file in LOWERING.glob("*.ir")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_text_form_reads_back(name: str) -> None:
    facts = lower(read_document(LOWERING / f"{name}.py", f"{name}.py"))
    assert read_file(print_file(facts)) == facts
    for function in facts.functions.values():
        assert read_function(print_function(function)) == function


@pytest.mark.parametrize("document", documents(12), ids=lambda document: document.path)
def test_text_form_of_the_standard_library_reads_back(document: Document) -> None:
    facts = lower(document)
    assert read_file(print_file(facts)) == facts


def test_the_same_text_gives_the_same_facts() -> None:
    text = (LOWERING / "definitions.py").read_text(encoding="utf-8")
    assert lower(document_of(text, "a.py")) == lower(document_of(text, "a.py"))
