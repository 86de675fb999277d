"""Notebooks are mended in the source of the cell that a fix changes; every other byte of the file stays."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notebooks import notebook, old_notebook

from evalguard.check import check_for_fixes
from evalguard.cli import main
from evalguard.fixes.notebook_json import NotWritable, with_sources
from evalguard.notebook import notebook_of
from evalguard.repair import APPLIED, repaired, with_fixes

SETUP = "import torch\nfrom torch import nn"
NET = "net = nn.Sequential(nn.Linear(2, 2), nn.Dropout())\nnet.load_state_dict(torch.load('net.pt'))"
EVALUATION = "with torch.no_grad():\n    for x, y in test_loader:\n        print((net(x).argmax(1) == y).sum())"
USE = "with torch.no_grad():\n    print(net(torch.rand(2)))"


def fixed(tmp_path: Path, content: str, *options: str) -> str:
    """What `--fix` makes of a notebook, with nothing left."""
    file = tmp_path / "a.ipynb"
    file.write_text(content, encoding="utf-8", newline="")
    assert main(["--fix", *options, str(file)]) == 0
    with file.open(encoding="utf-8", newline="") as stream:
        return stream.read()


def sources(content: str) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(content)["cells"]]


# Every byte outside of the cell


@st.composite
def layouts(draw: st.DrawFn) -> dict[str, Any]:
    """How a program may write its JSON."""
    indent = draw(st.sampled_from([None, 0, 1, 2, 4, "\t"]))
    compact = (",", ":") if indent is None else (",", ": ")
    return {
        "indent": indent,
        "separators": draw(st.sampled_from([None, compact])),
        "ensure_ascii": draw(st.booleans()),
        "sort_keys": draw(st.booleans()),
    }


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)
lines = st.one_of(
    texts, st.sampled_from(["net.eval()", "# caf\u00e9", "x = '\\\\u00e9'", "\U0001f600", '"quoted"', ""])
)
codes = st.lists(lines, max_size=5).map("\n".join)
outputs = st.recursive(texts | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=2), max_leaves=4)


@st.composite
def cells(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["code", "code", "markdown"]))
    source = draw(codes)
    written: object = source if draw(st.booleans()) else source.splitlines(True)
    cell = {"cell_type": kind, "metadata": {"source": draw(outputs)}, "source": written}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": [{"cell_type": "code", "text": draw(outputs)}]}
    if draw(st.booleans()):
        cell = dict(reversed(cell.items()))
    return cell


@st.composite
def notebooks(draw: st.DrawFn) -> tuple[str, str, str, int]:
    """A notebook, what stands in it before and behind the source of one of its code cells, and the number of that."""
    content = {"metadata": {"cells": draw(outputs)}, "cells": draw(st.lists(cells(), max_size=4)), "nbformat": 4}
    chosen = {"cell_type": "code", "source": draw(codes.filter(bool))}
    chosen["source"] = chosen["source"].splitlines(True) if draw(st.booleans()) else chosen["source"]
    place = draw(st.integers(0, len(content["cells"])))
    content["cells"].insert(place, chosen)
    layout = draw(layouts())
    newline, end = draw(st.sampled_from(["\n", "\r\n"])), draw(st.sampled_from(["", "\n", "\n\n"]))
    upper = draw(st.booleans())

    def written() -> str:
        text = json.dumps(content, **layout) + end
        if upper:
            text = re.sub(r"(?<!\\)((?:\\\\)*\\u)([0-9a-f]{4})", lambda m: m[1] + m[2].upper(), text)
        return text.replace("\n", newline)

    whole = written()
    chosen["source"] = "@place of the source@"
    head, tail = written().split('"@place of the source@"')
    number = sum(cell["cell_type"] == "code" for cell in content["cells"][: place + 1])
    return whole, head, tail, number


@settings(max_examples=400, deadline=None)
@given(notebooks(), st.data())
def test_another_source_of_one_cell_changes_only_that(made: tuple[str, str, str, int], data: st.DataObject) -> None:
    whole, head, tail, number = made
    known = notebook_of(whole, "a.ipynb").sources
    old = known[number - 1]
    cut, end = sorted((data.draw(st.integers(0, len(old))), data.draw(st.integers(0, len(old)))))
    new = old[:cut] + data.draw(codes) + old[end:]
    if old.startswith("\ufeff"):
        return
    mended = with_sources(whole, known, {number: new})
    assert mended.startswith(head)
    assert mended.endswith(tail)
    before, after = whole[len(head) : len(whole) - len(tail)], mended[len(head) : len(mended) - len(tail)]
    assert after[0] == before[0]
    assert "".join(json.loads(after)) == new
    if after.startswith("[") and new:
        assert set(re.findall(r"\n[ \t]*", after)) <= set(re.findall(r"\n[ \t]*", before))
    assert with_sources(whole, known, {number: old}) == whole


@settings(max_examples=40, deadline=None)
@given(layouts(), st.lists(cells(), max_size=2), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_a_fix_changes_only_its_cell(
    tmp_path_factory: pytest.TempPathFactory,
    layout: dict[str, Any],
    others: list[dict[str, Any]],
    as_list: bool,
    newline: str,
) -> None:
    more = [cell for cell in others if cell["cell_type"] == "markdown"]
    texts_of = [SETUP, NET, USE]
    code = [{"cell_type": "code", "outputs": [], "source": t.splitlines(True) if as_list else t} for t in texts_of]
    content = json.dumps({"cells": [*more, *code, *more], "metadata": {}}, **layout).replace("\n", newline)
    mended = fixed(tmp_path_factory.mktemp("notebook"), content)
    expected = json.loads(content)
    cell = expected["cells"][len(more) + 1]
    cell["source"] = f"{NET}\nnet.eval()".splitlines(True) if as_list else f"{NET}\nnet.eval()"
    assert mended == json.dumps(expected, **layout).replace("\n", newline)


def test_a_cell_that_is_not_what_was_read_is_not_written() -> None:
    content = notebook(NET)
    with pytest.raises(NotWritable):
        with_sources(content, ["something else"], {1: "x"})
    with pytest.raises(NotWritable):
        with_sources(content, [NET, ""], {2: "x"})


# Fixes in cells


def test_a_fix_in_the_cell_before(tmp_path: Path) -> None:
    mended = fixed(tmp_path, notebook(SETUP, "#md words", NET, USE))
    assert sources(mended) == [SETUP, "#md words", f"{NET}\nnet.eval()", USE]


def test_the_difference_names_the_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.ipynb"
    file.write_text(notebook(SETUP, NET, USE))
    before = file.read_bytes()
    assert main(["--diff", str(file)]) == 1
    printed = capsys.readouterr().out
    assert "a.ipynb:cell 2\n" in printed
    assert "+net.eval()\n" in printed
    assert "@@ -1,2 +1,3 @@" in printed
    assert file.read_bytes() == before


def test_the_list_of_fixes_names_the_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fixed(tmp_path, notebook(SETUP, NET, USE), "--show-fixes")
    assert "a.ipynb:cell 3:2: EVG105 call `net.eval()` after it is loaded" in capsys.readouterr().err


def test_the_fix_in_json_names_the_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.ipynb").write_text(notebook(SETUP, NET, USE))
    assert main(["--show-fixes", "--format", "json", str(tmp_path / "a.ipynb")]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    (edit,) = finding["fix"]["edits"]
    assert (edit["cell"], edit["line"], edit["column"]) == (2, 2, 42)
    assert edit["content"] == "\nnet.eval()"


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("%%time\n" + EVALUATION, "%%time\nnet.eval()\nwith"),
        ("%matplotlib inline\n" + EVALUATION, "%matplotlib inline\nnet.eval()\nwith"),
        ("    " + EVALUATION.replace("\n", "\n    "), "    net.eval()\n    with torch.no_grad():\n        for"),
        ("\t" + EVALUATION.replace("\n", "\n\t"), "\tnet.eval()\n\twith torch.no_grad():\n\t    for"),
        ("!ls\nfiles = !ls\n" + EVALUATION + "\n", "!ls\nfiles = !ls\nnet.eval()\nwith"),
        ("import asyncio\nawait asyncio.sleep(1)\n" + EVALUATION, "sleep(1)\nnet.eval()\nwith"),
        (EVALUATION.replace("\n", "\r\n"), "net.eval()\r\nwith torch.no_grad():\r\n    for"),
    ],
    ids=["cell magic", "line magic", "indented", "tabs", "shell", "await", "CRLF in the cell"],
)
def test_cells_as_ipython_takes_them(tmp_path: Path, cell: str, wanted: str) -> None:
    content = notebook(SETUP, "def build(): return nn.Sequential(nn.Linear(2, 2), nn.Dropout())", "net = build()", cell)
    assert wanted in sources(fixed(tmp_path, content))[-1]


def test_what_a_cell_loads_is_switched_there(tmp_path: Path) -> None:
    """Not in the function that uses it, at each call."""
    load = "encoder, head = torch.hub.load('someone/nets', 'both')"
    use = "def score(x):\n    with torch.no_grad():\n        return head(encoder(x)).argmax(1)"
    mended = sources(fixed(tmp_path, notebook(SETUP, load, use, "for x in test_loader:\n    print(score(x))")))
    assert set(mended[1].splitlines()) == {load, "encoder.eval()", "head.eval()"}
    assert mended[2] == use


def test_a_line_that_a_magic_runs(tmp_path: Path) -> None:
    """`%time` is nothing before which a statement of its own line could be put."""
    content = notebook(SETUP, NET, "with torch.no_grad():\n    %time scores = net(torch.rand(2))")
    assert sources(fixed(tmp_path, content))[1].endswith("net.eval()")


def test_a_broken_cell_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a.ipynb"
    file.write_text(notebook("this is (no Python", SETUP, NET, USE))
    assert main(["--fix", str(file)]) == 1
    assert sources(file.read_text()) == ["this is (no Python", SETUP, f"{NET}\nnet.eval()", USE]


def test_worksheets_of_old_notebooks(tmp_path: Path) -> None:
    mended = json.loads(fixed(tmp_path, old_notebook([SETUP], [NET, USE])))
    assert mended["worksheets"][1]["cells"][0]["input"] == f"{NET}\nnet.eval()"


def test_a_switch_in_a_cell_is_turned(tmp_path: Path) -> None:
    cell = "net.train()\nwith torch.no_grad():\n    for x, y in test_loader:\n        print(net(x).argmax())"
    mended = fixed(tmp_path, notebook(SETUP, NET, cell))
    assert sources(mended)[-1] == cell.replace("net.train()", "net.eval()")


def test_a_fix_of_a_file_that_the_notebook_needs(tmp_path: Path) -> None:
    """A helper gives the mode back, since a notebook that imports it trains on."""
    (tmp_path / "helpers.py").write_text(
        f"{SETUP}\n\n\ndef validate(net, val_loader):\n    with torch.no_grad():\n"
        "        for x, y in val_loader:\n            print((net(x).argmax(1) == y).sum())\n"
    )
    train = (
        "for x, y in train_loader:\n    nn.functional.cross_entropy(net(x), y).backward()\n    optimizer.step()\n"
        "    validate(net, val_loader)"
    )
    content = notebook(
        f"{SETUP}\nfrom helpers import validate", f"{NET}\noptimizer = torch.optim.Adam(net.parameters())", train
    )
    (tmp_path / "a.ipynb").write_text(content)
    result = repaired(check_for_fixes([str(tmp_path)]), APPLIED)
    assert result.report.findings == ()
    assert [Path(path).name for path in result.texts] == ["helpers.py"]
    assert "net.train(was_training)" in next(iter(result.texts.values()))


def test_fixing_twice_changes_nothing(tmp_path: Path) -> None:
    mended = fixed(tmp_path, notebook(SETUP, NET, USE))
    assert fixed(tmp_path, mended) == mended


def test_standard_input_is_mended_to_standard_output() -> None:
    command = [sys.executable, "-m", "evalguard", "--fix", "--stdin-filename", "a.ipynb", "-"]
    content = json.dumps(json.loads(notebook(SETUP, NET, USE)), indent=1)
    done = subprocess.run(command, input=content, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert sources(done.stdout) == [SETUP, f"{NET}\nnet.eval()", USE]


def test_a_notebook_that_has_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.ipynb"
    file.write_text(notebook(SETUP, NET, USE))
    checked = check_for_fixes([str(file)])
    file.write_text(notebook(SETUP, NET, USE, "print('more')"))
    assert repaired(checked, APPLIED).texts == {}
    (finding,) = with_fixes(checked).findings
    assert finding.no_fix_reason == "the notebook has changed since it was read"
    file.unlink()
    (finding,) = with_fixes(checked).findings
    assert finding.no_fix_reason == "the notebook cannot be read: No such file or directory"


def test_add_noqa(tmp_path: Path) -> None:
    file = tmp_path / "a.ipynb"
    build = "net = nn.Sequential(nn.Linear(2, 2), nn.Dropout())"
    long = EVALUATION.replace("((net(x)", "(\n            (net(x)").replace("sum())", "sum()\n        )")
    file.write_text(notebook(SETUP, build, "%%time\n" + long))
    assert main(["add-noqa", str(file)]) == 0
    assert sources(file.read_text()) == [SETUP, build, f"%%time\n{long}  # noqa: EVG101"]
    assert main([str(file)]) == 0


def test_an_idle_comment_is_taken_away(tmp_path: Path) -> None:
    mended = fixed(tmp_path, notebook(SETUP, NET + "\nnet.eval()", f"{USE}  # noqa: EVG105"), "--select", "EVG902")
    assert sources(mended)[-1] == USE
