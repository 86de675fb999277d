"""What is said of an edit at once, by its neighbourhood, and of the whole project soon after: mostly the same."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import FIXTURES

from evalguard.cli import main
from evalguard.finding import Span
from evalguard.lsp.jobs import Dropped, Job, Known, Link, Near, View, packed, received
from evalguard.lsp.moved import shift
from evalguard.lsp.near import MOST_LINES, Outlines, neighbourhood
from evalguard.lsp.outline import Outline, Part, outline
from evalguard.lsp.worker import Worker, overtaken

PROJECTS = sorted((FIXTURES / "projects").iterdir())
SWITCH = re.compile(r"[ \t]*[\w.]+\.(?:train|eval)\(\)[ \t]*(?:#.*)?")

DIFFERS = {"class_taken_from_a_file_by_getattr", "helper_waits_for_a_caller_in_a_later_file"}
"""Where names do not tell who leads to whom, `getattr(module, name)`, and where a helper of another file is judged by
the mode that the edited function leaves: the whole project says it, soon after."""


def outline_of(text: str) -> Outline:
    found = outline(text)
    assert found is not None
    return found


def found_in(views: Mapping[str, View]) -> set[tuple[str, str, Span]]:
    return {(finding.code, path, finding.span) for path, view in views.items() for finding in view.findings}


def known(answer: object) -> Known:
    assert isinstance(answer, Known)
    return answer


def edits_of(folder: Path) -> list[tuple[str, str]]:
    """Files with a switch less than they have: the first and the last of each."""
    edits = []
    for path in sorted(folder.rglob("*.py")):
        lines = path.read_text(encoding="utf-8").split("\n")
        switches = [number for number, line in enumerate(lines) if SWITCH.fullmatch(line)]
        for number in {*switches[:1], *switches[-1:]}:
            indent = re.match(r"\s*", lines[number])
            assert indent is not None
            edits.append((str(path), "\n".join([*lines[:number], f"{indent[0]}pass", *lines[number + 1 :]])))
    return edits


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_an_edit_is_judged_as_the_whole_project_would_be(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(os.path.realpath(tmp_path)) / "project"
    shutil.copytree(project, folder)
    monkeypatch.chdir(folder)
    for path, text in edits_of(folder):
        worker = Worker()
        views = dict(known(worker.answer(Link(1, (str(folder),), {}))).views)
        views.update(known(worker.answer(Near(2, path, text))).views)
        whole = known(worker.answer(Link(3, (str(folder),), {path: text})))
        assert (found_in(views) == found_in(whole.views)) is (project.name not in DIFFERS)


def test_the_case_that_differs_is_among_those_that_are_tried() -> None:
    assert {project.name for project in PROJECTS} >= DIFFERS


def test_a_file_of_which_nothing_is_known_has_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    worker = Worker()
    assert isinstance(worker.answer(Near(1, str(tmp_path / "a.py"), "x = 1\n")), Dropped)


MAIN = "from engine import fit\n\n\ndef main():\n    fit(1)\n\n\ndef plot():\n    pass\n"
ENGINE = "def helper(x):\n    pass\n\n\ndef fit(x):\n    helper(x)\n\n\ndef other():\n    pass\n"


def names(found: Mapping[str, frozenset[Part]]) -> dict[str, set[str]]:
    return {path: {part.name for part in parts} for path, parts in found.items()}


def test_a_neighbourhood_is_who_leads_to_the_edit_and_what_is_used() -> None:
    edited = outline_of(ENGINE.replace("helper(x)\n\n", "helper(x, 2)\n\n"))
    outlines = Outlines({"main.py": outline_of(MAIN), "engine.py": edited})
    near = neighbourhood("engine.py", outline_of(ENGINE), outlines)
    assert names(near.leading) == {"engine.py": {"fit"}, "main.py": {"main"}}
    assert names(near.kept) == {"engine.py": {"fit", "helper"}, "main.py": {"main"}}
    assert near.complete


def test_what_is_not_kept_is_an_empty_stretch() -> None:
    whole = outline_of(MAIN)
    [main, _] = whole.parts
    assert whole.only({main}) == "from engine import fit\n\n\ndef main():\n    fit(1)\n\n\n\n\n"


def test_a_changed_import_edits_what_uses_its_name() -> None:
    outlines = Outlines({"main.py": outline_of(MAIN.replace("from engine", "from motor"))})
    near = neighbourhood("main.py", outline_of(MAIN), outlines)
    assert names(near.leading) == {"main.py": {"main"}}
    assert near.rests == {"main.py"}


def test_a_neighbourhood_has_a_limit_and_says_so() -> None:
    body = "    pass\n" * MOST_LINES
    outlines = Outlines({"a.py": outline_of(f"def one():\n{body}\n\ndef two():\n    one()\n")})
    near = neighbourhood("a.py", outline_of("def two():\n    one()\n"), outlines)
    assert not near.complete


def test_what_cannot_be_parsed_has_no_outline() -> None:
    assert outline("def f(:\n") is None


def test_lines_above_an_edit_stay_and_those_below_it_move() -> None:
    edit = shift("a.py", "one\ntwo\nthree\nfour", "one\nTWO\nand more\nthree\nfour")
    assert [edit.line(line) for line in (1, 2, 3, 4)] == [1, None, 4, 5]
    assert edit.span("a.py", Span(3, 1, 4, 2)) == Span(4, 1, 5, 2)
    assert edit.span("a.py", Span(2, 1, 4, 2)) is None
    assert edit.span("b.py", Span(2, 1, 4, 2)) == Span(2, 1, 4, 2)


def test_a_text_that_is_not_edited_keeps_every_line() -> None:
    edit = shift("a.py", "one\none\none", "one\none\none")
    assert [edit.line(line) for line in (1, 2, 3)] == [1, 2, 3]


LEAK = """\
def evaluate(model, loader):
    model.eval()
    for x in loader:
        print(model(x))
"""
LOOP = """\
import torch
from leak import evaluate


def fit(loader):
    net = torch.nn.Dropout()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net.train()
    for epoch in range(3):
        for x in loader:
            net(x).sum().backward()
            optimizer.step()
        evaluate(net, loader)
"""


@pytest.fixture
def leak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(os.path.realpath(tmp_path))
    (folder / "leak.py").write_text(LEAK)
    (folder / "loop.py").write_text(LOOP)
    monkeypatch.chdir(folder)
    return folder


def codes(view: View) -> list[str]:
    return [finding.code for finding in view.findings]


def test_a_text_that_cannot_be_parsed_takes_nothing_from_the_others(leak: Path) -> None:
    path, loop = str(leak / "leak.py"), str(leak / "loop.py")
    broken = f"x = (\n{LEAK}"
    worker = Worker()
    worker.answer(Link(1, (str(leak),), {path: LEAK}))
    near = known(worker.answer(Near(2, path, broken)))
    whole = known(worker.answer(Link(3, (str(leak),), {path: broken})))
    for answer in (near, whole):
        assert codes(answer.views[path]) == ["EVG901"]
        assert [(claim.span.line, claim.modes) for claim in answer.views[path].claims] == [(5, ("eval",))]
    assert codes(whole.views[loop]) == ["EVG201"]
    mended = known(worker.answer(Near(4, path, LEAK.replace("eval()", "train()"))))
    assert [claim.modes for claim in mended.views[path].claims] == [("train",)]
    assert codes(mended.views[loop]) == []


def test_a_text_that_could_never_be_parsed_is_one_finding(leak: Path) -> None:
    path = str(leak / "new.py")
    whole = known(Worker().answer(Link(1, (str(leak), path), {path: "model.eval(:\n"})))
    assert codes(whole.views[path]) == ["EVG901"]


def test_a_baseline_counts_near_and_far(leak: Path) -> None:
    path, loop = str(leak / "leak.py"), str(leak / "loop.py")
    (leak / "pyproject.toml").write_text('[tool.evalguard]\nbaseline = "known.json"\n')
    assert main(["baseline"]) == 0
    worker = Worker()
    assert found_in(known(worker.answer(Link(1, (str(leak),), {loop: LOOP}))).views) == set()
    near = known(worker.answer(Near(2, loop, f"{LOOP}        net.eval\n")))
    assert codes(near.views[loop]) == ["EVG301"]
    (leak / "known.json").unlink()
    answer = known(worker.answer(Link(3, (str(leak),), {path: LEAK})))
    assert "baseline: " in answer.troubles[0]
    assert codes(answer.views[loop]) == ["EVG201"]


def test_jobs_before_an_edit_are_useless() -> None:
    link, edit, later = Link(1, ("a",), {}), Near(2, "a", ""), Near(3, "a", "x")
    assert overtaken([link, edit]) == [link]
    assert overtaken([edit, Link(4, ("a",), {})]) == []
    assert overtaken([edit, link, later]) == [edit, link]
    assert overtaken([link, Link(4, ("a",), {})]) == [link]


def test_every_job_of_a_worker_has_one_answer_even_if_it_is_interrupted(leak: Path) -> None:
    loop = str(leak / "loop.py")
    jobs: list[Job] = []
    for number in range(0, 40, 2):
        jobs += [Link(number, (str(leak),), {loop: LOOP}), Near(number + 1, loop, f"{LOOP}\n# {number}")]
    jobs.append(Link(99, (str(leak),), {loop: LOOP}))
    command = [sys.executable, "-c", "from evalguard.lsp.worker import main; main()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=leak) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        answers = []
        for job in jobs:
            process.stdin.write(packed(job))
            process.stdin.flush()
        while not answers or answers[-1].number != 99:
            answer = received(process.stdout)
            assert isinstance(answer, Known | Dropped)
            answers.append(answer)
        process.stdin.close()  # it ends when nobody speaks to it any more
        assert process.wait(60) == 0
    assert sorted(answer.number for answer in answers) == sorted(job.number for job in jobs)
    assert [answer for answer in answers if isinstance(answer, Dropped) and answer.trouble] == []
    assert codes(known(answers[-1]).views[loop]) == ["EVG201"]
