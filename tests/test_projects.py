"""What is found in a project does not depend on how it is asked for: not on the working directory, on the order of the
files, or on the number of processes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import pytest
from conftest import FIXTURES

from evalguard import analysis
from evalguard.check import check_paths
from evalguard.finding import Span

Said: TypeAlias = tuple[str, str, Span, str, tuple[tuple[str, Span, str], ...]]
"""A finding: its code, its file relative to the project, its span, its message with such files too, and its trace."""

PROJECTS = (
    "absolute_import_of_a_package_leaks_eval",
    "decorator_fills_a_registry_of_classes",
    "override_in_a_subclass_of_another_file",
    "property_returns_a_module",
    "script_puts_the_folder_above_on_its_path",
    "several_roots_in_one_repository",
    "src_layout_with_scripts_beside_it",
    "two_callers_have_two_verdicts",
)


@pytest.fixture(params=PROJECTS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of its own, for the folders above must not matter either."""
    copied = tmp_path / "somewhere" / str(request.param)
    shutil.copytree(FIXTURES / "projects" / str(request.param), copied)
    return copied


def test_findings_do_not_depend_on_the_working_directory(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    inside = said(["."], project)
    assert inside
    monkeypatch.chdir(project.parent)
    assert said([project.name], project) == inside
    monkeypatch.chdir(project.parent.parent)
    assert said([str(project)], project) == inside


def test_findings_do_not_depend_on_the_order_of_files(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    files = [file.relative_to(project).as_posix() for file in sorted(project.rglob("*.py"))]
    assert said(files[::-1], project) == said(files, project) == said(["."], project)


def test_findings_do_not_depend_on_the_number_of_processes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setattr(analysis, "MUCH_TEXT", 10**9)
    alone = said(["."], project)
    monkeypatch.setattr(analysis, "MUCH_TEXT", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert said(["."], project) == alone


def test_files_that_each_end_in_two_ways_are_not_a_thousand_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"net{number}" for number in range(20)]
    for name in names:
        (tmp_path / f"{name}.py").write_text(
            "import sys\nfrom torchvision.models import resnet18\n\n"
            f"{name} = resnet18()\nif len(sys.argv) > 1:\n    {name}.eval()\n"
        )
    imports = "".join(f"from {name} import {name}\n" for name in names)
    use = "with torch.no_grad():\n    print(net0(torch.load('x.pt')).argmax(1), net19(torch.load('x.pt')).argmax(1))\n"
    (tmp_path / "main.py").write_text(f"import torch\n{imports}{use}")
    monkeypatch.chdir(tmp_path)
    assert [(code, path) for code, path, *_ in said(["."], tmp_path)] == [("EVG101", "main.py")] * 2


def said(paths: Sequence[str], project: Path) -> list[Said]:
    report = check_paths(paths)
    assert not report.problems
    shown_as = os.path.relpath(project)

    def relative(path: str) -> str:
        return os.path.relpath(os.path.abspath(path), project)

    return sorted(
        (
            finding.code,
            relative(finding.path),
            finding.span,
            finding.message.replace(f" in {shown_as}/", " in "),
            tuple((relative(step.path), step.span, step.message) for step in finding.trace),
        )
        for finding in report.findings
    )
