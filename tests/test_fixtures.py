"""Every fixture through the tool, from file to findings, against the markers in it (see `markers.py`).

A file under fixtures/rules, idioms, shapes, modes or notebooks is a case of its own; a folder of fixtures/projects is
one case of several files, run in two orders. In fixtures/rules/<CODE>/ that code is selected besides those that are on
by default. Files named `x.fixed.py` show the result of a fix and are no cases.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from conftest import FIXTURES, SINGLE, cases_under
from markers import Revealed, disagreements, in_cell, read_markers, read_options, texts_of

from evalguard.check import check_paths, known_codes
from evalguard.config import OWN_FILE, Config, load_config
from evalguard.finding import Finding
from evalguard.frontend import lower, without_broken_cells
from evalguard.ir.plain import changed
from evalguard.notebook import decode_notebook, is_notebook
from evalguard.project.link import link_project
from evalguard.source import Document, read_document
from evalguard.vocabulary import lookup


@dataclass(frozen=True, slots=True)
class Case:
    """`files` are relative to `root`; `selected` is the code of a rule's folder."""

    name: str
    root: Path
    files: tuple[str, ...]
    selected: str | None = None


def single_files() -> list[Case]:
    files = [file for folder in SINGLE for file in cases_under(FIXTURES / folder)]
    return [
        Case(
            name=file.relative_to(FIXTURES).as_posix(),
            root=file.parent,
            files=(file.name,),
            selected=file.parent.name if file.is_relative_to(FIXTURES / "rules") else None,
        )
        for file in files
        if not file.name.endswith(".fixed.py")
    ]


def projects() -> list[Case]:
    roots = sorted(root for root in (FIXTURES / "projects").iterdir() if root.is_dir())
    return [
        Case(
            f"projects/{root.name}",
            root,
            tuple(file.relative_to(root).as_posix() for file in cases_under(root)),
        )
        for root in roots
    ]


CASES = single_files() + projects()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_fixture(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case.root)
    problems = differences(case, tmp_path)
    assert not problems, "\n".join(["", *problems])


@pytest.mark.parametrize("case", projects(), ids=lambda case: case.name)
def test_order_of_files_does_not_matter(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case.root)
    assert findings(replace(case, files=case.files[::-1]), tmp_path) == findings(case, tmp_path)


@pytest.mark.parametrize("folder", sorted((FIXTURES / "rules").iterdir()), ids=lambda folder: folder.name)
def test_rule_has_cases_that_report_and_cases_that_do_not(folder: Path) -> None:
    cases = [
        [marker for text in texts_of(file, file.name).values() for marker in read_markers(file.name, text)]
        for file in cases_under(folder)
    ]
    reporting = [any(marker.code == folder.name for marker in markers) for markers in cases]
    assert any(reporting), f"no case of {folder.name} reports"
    assert not all(reporting), f"no case of {folder.name} is silent"


def differences(case: Case, tmp_path: Path) -> list[str]:
    """All points on which the tool and the markers of a case differ."""
    texts = {place: text for name in case.files for place, text in texts_of(case.root / name, name).items()}
    markers = [marker for place, text in texts.items() for marker in read_markers(place, text)]
    documents = [document_of(name) for name in case.files]
    lines = {located(document, line) for document in documents for line in reveal_lines(document)}
    found = [told(finding) for finding in findings(case, tmp_path)]
    return disagreements(markers, found, revealed(case, tmp_path) if lines else [], lines)


def told(finding: Finding) -> Finding:
    """A finding whose paths name cells, as those of the markers do."""
    steps = tuple(replace(step, path=in_cell(step.path, step.cell)) for step in finding.trace)
    return replace(finding, path=in_cell(finding.path, finding.cell), trace=steps)


def located(document: Document, line: int) -> tuple[str, int]:
    """The place of a line and its number there."""
    if document.cells is None:
        return document.path, line
    cell, line = document.cells.place(line)
    return in_cell(document.path, cell), line


def document_of(name: str) -> Document:
    """A file of the case, less the cells that cannot be parsed."""
    return without_broken_cells(read_document(Path(name), name, decode_notebook if is_notebook(name) else None))[0]


def findings(case: Case, tmp_path: Path) -> tuple[Finding, ...]:
    report = check_paths(case.files, configuration(case, tmp_path))
    assert not report.problems, "\n".join(problem.traceback for problem in report.problems)
    return report.findings


def revealed(case: Case, tmp_path: Path) -> list[Revealed]:
    documents = {name: document_of(name) for name in case.files}
    with lookup.extended(configuration(case, tmp_path).vocabulary):
        project = link_project([*map(lower, documents.values())])
        reveals = [observation for observation in project.observations() if observation.kind == "reveal"]
    places = [located(documents[reveal.path], reveal.span.line) for reveal in reveals]
    return [
        changed(reveal, path=path, span=reveal.span._replace(line=line))
        for reveal, (path, line) in zip(reveals, places, strict=True)
    ]


def configuration(case: Case, tmp_path: Path) -> Config:
    """What the first file by name begins with, or else the defaults, and the code of a rule's folder."""
    name = min(case.files)
    options = "".join(map(read_options, texts_of(case.root / name, name).values()))
    if options:
        (tmp_path / OWN_FILE).write_text(options, encoding="utf-8")
        return load_config([str(tmp_path)], known_codes())
    return Config(extend_select=(case.selected,) if case.selected else ())


def reveal_lines(document: Document) -> Sequence[int]:
    calls = (node for node in ast.walk(ast.parse(document.text)) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "reveal_mode"]
