"""Notebooks from their JSON to what is said of them."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

import pytest
from notebooks import notebook, old_notebook

from evalguard.check import check_paths, check_source
from evalguard.cli import main
from evalguard.finding import Applicability, Edit, Finding, Fix, Span, Step
from evalguard.frontend import lower, without_broken_cells
from evalguard.notebook import decode_notebook, notebook_of, placed
from evalguard.source import Cells, Document, SourceProblem

MAKES = "import torch\nfrom torchvision.models import resnet18\n\nmodel = resnet18()\n"
INFERS = "with torch.no_grad():\n    print(model(torch.load('x.pt')).argmax(1))"


def test_code_cells_are_one_text_and_each_place_is_known() -> None:
    document = notebook_of(notebook("x = 1\n%time f()", "#md Text", "", "  y = 2\n  z = 3"), "a.ipynb")
    assert document.text == "x = 1\npass; f()\n\n\n\ny = 2\nz = 3\n\n"
    assert document.sources == ("x = 1\n%time f()", "", "  y = 2\n  z = 3")
    assert document.cells == Cells((1, 4, 6), (0, 0, 2))
    assert [document.cells.place(line) for line in (1, 2, 4, 6, 7)] == [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2)]
    assert document.cells.placed(Span(6, 1, 7, 6)) == (3, Span(1, 3, 2, 8))


@pytest.mark.parametrize(
    "text",
    [
        notebook("x = 1", "y = 2"),
        "\ufeff" + notebook("x = 1", "y = 2"),
        old_notebook(["x = 1", "y = 2"]),
        old_notebook(["x = 1"], ["y = 2"]),
        json.dumps(
            {"cells": [{"cell_type": "code", "source": ["x ", "= 1"]}, {"cell_type": "code", "source": "y = 2"}]}
        ),
        json.dumps(
            {"cells": [3, {}, {"cell_type": "code", "source": "x = 1"}, {"cell_type": "code", "source": "y = 2"}]}
        ),
    ],
    ids=["nbformat 4", "mark", "nbformat 3", "two sheets", "text or lines", "strange cells"],
)
def test_forms_of_notebooks(text: str) -> None:
    assert decode_notebook(text.encode(), "a.ipynb").text == "x = 1\n\ny = 2\n\n"


@pytest.mark.parametrize("text", [notebook(), notebook("#md Nothing"), notebook(""), old_notebook(), old_notebook([])])
def test_no_code_is_no_problem(text: str) -> None:
    assert check_source(text, "a.ipynb").findings == ()


@pytest.mark.parametrize(
    ("data", "message", "place"),
    [
        (b"", "is no notebook: JSON: Expecting value", (1, 1)),
        (b'{"cells": [\n  {"a" 1}]}', "is no notebook: JSON: Expecting ':' delimiter", (2, 8)),
        (b"<<<<<<< HEAD\n", "is no notebook: JSON: Expecting value", (1, 1)),
        (b"[]", "is no notebook: it is JSON, but no object", (1, 1)),
        (b"{}", "is no notebook: it has no list of cells", (1, 1)),
        (b'{"cells": 3}', "is no notebook: it has no list of cells", (1, 1)),
        (b'{"cells": "\xff"}', "cannot be decoded as utf-8: invalid start byte", (1, 1)),
        (b"[" * 100_000, "is no notebook: JSON: ", (1, 1)),
    ],
)
def test_what_is_no_notebook(data: bytes, message: str, place: tuple[int, int]) -> None:
    with pytest.raises(SourceProblem) as caught:
        decode_notebook(data, "a.ipynb")
    assert caught.value.message.startswith(message)
    assert (caught.value.line, caught.value.column) == place


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({}, ""),
        ({"kernelspec": {"name": "python3", "language": "python"}, "language_info": {"version": "3.9.1"}}, ""),
        ({"kernelspec": {"name": "python3"}, "language_info": {"name": "python", "version": "2.7.6"}}, ""),
        ({"language_info": {"name": "pyspark"}}, ""),
        ({"kernelspec": {"name": "python2"}}, "Python 2"),
        ({"kernelspec": {"name": "mine"}, "language_info": {"name": "python", "version": "2.7.15"}}, "Python 2"),
        ({"kernelspec": {"name": "ir", "language": "R"}}, "R"),
        ({"language_info": {"name": "julia"}, "kernelspec": "odd"}, "julia"),
        (["odd"], ""),
    ],
)
def test_languages(metadata: dict[str, object], language: str) -> None:
    document = notebook_of(notebook("model.eval()\nprint 'done'", metadata=metadata), "a.ipynb")
    assert (document.foreign, bool(document.text)) == (language, not language)


def test_what_both_pythons_read_is_read() -> None:
    metadata: dict[str, object] = {"kernelspec": {"name": "python2"}}
    assert notebook_of(notebook("%matplotlib inline\nprint('a')", "b = u'\\d'", metadata=metadata), "a.ipynb").text
    assert notebook_of(notebook("print('a')", "print 'b'", metadata=metadata), "a.ipynb").foreign == "Python 2"


def test_a_cell_in_another_language_is_left_blank_and_counts() -> None:
    content = json.loads(notebook("select *", "x = 1"))
    content["cells"][0]["metadata"] = {"vscode": {"languageId": "sql"}}
    assert notebook_of(json.dumps(content), "a.ipynb").text == "\n\nx = 1\n\n"


def test_cells_that_cannot_be_parsed_are_left_out_alone() -> None:
    text = notebook(
        "x = (", "y = 1", "  if y:\n  z", "text = '''", "w \\", "a = 'null \0'", "b = '\ud800'", "\ufeffreturn b"
    )
    document, problems = without_broken_cells(notebook_of(text, "a.ipynb"))
    assert document.cells is not None
    assert [document.cells.place(problem.line)[0] for problem in problems] == [1, 3, 4, 5, 6]
    assert document.text.split() == ["y", "=", "1", "b", "=", "'\N{REPLACEMENT CHARACTER}'", "return", "b"]
    assert lower(document).cells == document.cells


def test_a_finding_is_placed_with_its_steps_and_edits() -> None:
    span = Span(5, 1, 5, 3)
    fix = Fix("cure", Applicability.SAFE, (Edit("a.ipynb", span, "x"), Edit("b.py", span, "x")))
    steps = (Step("b.py", span, "there"), Step("a.ipynb", span, "here"))
    finding = placed(
        Finding("EVG201", "name", "m", "a.ipynb", span, trace=steps, fix=fix), {"a.ipynb": Cells((1, 4), (0, 2))}
    )
    there = Span(2, 3, 2, 5)
    assert (finding.cell, finding.span) == (2, there)
    assert [(step.cell, step.span) for step in finding.trace] == [(None, span), (2, there)]
    assert finding.fix is not None
    assert [(edit.cell, edit.span) for edit in finding.fix.edits] == [(2, there), (None, span)]


def test_a_finding_in_each_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.ipynb").write_text(notebook(MAKES, "#md Look", f"%time 1\n{INFERS}", "("))
    assert main(["--format", "flake8"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("a.ipynb:cell_2:3:11: EVG101 ")
    assert "made by `resnet18()` on line 4 of cell 1" in lines[0]
    assert lines[1].startswith("a.ipynb:cell_3:1:1: EVG901 ")
    main([])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("a.ipynb:cell 2:3:11: EVG101 ")
    assert lines[2] == "3 |     print(model(torch.load('x.pt')).argmax(1))"
    assert "  1 a.ipynb:cell 1:4  `resnet18()` gives a module in train mode" in lines
    main(["--format", "json"])
    finding = json.loads(capsys.readouterr().out)["findings"][0]
    assert [finding["cell"], finding["line"], finding["column"], finding["end_line"]] == [2, 3, 11, 3]
    assert [(step["cell"], step["line"]) for step in finding["trace"]] == [(1, 4), (2, 3)]


def test_the_frame_shows_the_cell_as_it_is_written() -> None:
    from evalguard.report import text

    report = check_source(
        notebook(MAKES, "  with torch.no_grad():\n    %time print(model(torch.load('x')).argmax(1))"), "a.ipynb"
    )
    lines = text.render(report).splitlines()
    assert lines[2] == "2 |     %time print(model(torch.load('x')).argmax(1))"
    assert lines[3] == "  |                 ^^^^^^^^^^^^^^^^^^^^^^"


def test_discovery_leaves_out_the_copies_and_what_git_ignores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.ipynb", ".ipynb_checkpoints/a-checkpoint.ipynb", "old/b.ipynb", "ignored.ipynb", ".git/x.ipynb"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(notebook("x = 1"))
    Path(".gitignore").write_text("ignored.ipynb\n")
    assert check_paths(["."]).files == ("a.ipynb", "old/b.ipynb")
    assert check_paths([".ipynb_checkpoints/a-checkpoint.ipynb"]).files == (".ipynb_checkpoints/a-checkpoint.ipynb",)


def test_standard_input_is_a_notebook_by_its_name_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def given(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    given(notebook(MAKES, INFERS))
    assert main(["-", "--stdin-filename", "lab/a.ipynb", "--format", "flake8"]) == 1
    assert capsys.readouterr().out.startswith("lab/a.ipynb:cell_2:2:11: EVG101 ")
    given(notebook(MAKES, INFERS))
    assert main(["-", "--format", "flake8"]) == 0


def test_verbose_names_the_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.ipynb").write_text(notebook("model$eval()", metadata={"kernelspec": {"language": "R"}}))
    assert main(["-v"]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "skipped," in line]
    assert told == ["evalguard: skipped, its language is R: a.ipynb"]


def test_outputs_are_neither_screened_nor_slow(tmp_path: Path) -> None:
    content = json.loads(notebook("x = 1"))
    image = {"output_type": "display_data", "data": {"image/png": "A" * 10_000_000}}
    content["cells"][0]["outputs"] = [image, {"output_type": "stream", "text": ["model.eval()\n", "loss.backward()\n"]}]
    (tmp_path / "a.ipynb").write_text(json.dumps(content))
    start = time.perf_counter()
    report = check_paths([tmp_path])
    assert time.perf_counter() - start < 2
    assert len(report.skipped) == 1


def test_a_notebook_is_no_module_that_others_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lib.ipynb").write_text(notebook(f"{MAKES}model.eval()"))
    Path("use.ipynb").write_text(notebook("import torch\nfrom lib import model", INFERS))
    assert check_paths(["."]).findings == ()


def test_a_notebook_named_as_a_test_is_none_of_pytest() -> None:
    cells = [
        MAKES,
        "def accuracy(model, loader):\n    with torch.no_grad():\n        return model(loader).argmax(1)",
        "accuracy(model, 3)",
    ]
    report = check_source(notebook("import pytest", *cells), "test_resnet.ipynb")
    assert [finding.code for finding in report.findings] == ["EVG101"]


def test_python_files_have_no_cells() -> None:
    assert Document("a.py", "").cells is None
    assert {finding.cell for finding in check_source(MAKES + INFERS, "a.py").findings} == {None}


def test_the_graph_names_lines_by_their_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.ipynb").write_text(
        notebook(MAKES, "def look(model):\n    " + INFERS.replace("\n", "\n    "), "look(model)")
    )
    assert main(["graph", "a.ipynb"]) == 0
    shown = capsys.readouterr().out
    assert "  2:1  look(model)" in shown
    assert "called by the body (3:1)" in shown
    assert "EVG101 on line 2:3: " in shown
    assert main(["graph", "a.ipynb", "--function", "look"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("a.ipynb:2:1  look(model)")
    assert "train since `resnet18()`, line 1:4" in shown
    assert "\n  2:3  forward of `model`: train\n" in shown
