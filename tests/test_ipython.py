"""What IPython takes besides Python, and that all else stays where it is."""

from __future__ import annotations

import ast

import pytest

from evalguard.ipython import dedented, python_of
from evalguard.source import split_lines

CALL = "get_ipython().getoutput()"


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("!pip install timm", "pass"),
        ("!!ls", "pass"),
        ("?model", "pass"),
        ("??model.forward", "pass"),
        ("model.forward?", "pass"),
        ("model.forward??  # its source", "pass"),
        ("torch.*load*?", "pass"),
        ("%time?", "pass"),
        ("if colab:\n    !pip install timm\nelse:\n\t%cd ..", "if colab:\n    pass\nelse:\n\tpass"),
        ("!pip install \\\n    timm \\\n    einops\nx = 1", "pass\n\n\nx = 1"),
        ("files = !ls data", f"files = {CALL}"),
        ("files = !ls \\\n  data\nx = 1", f"files = {CALL}\n\nx = 1"),
        ("a, b = %magic some thing", f"a, b = {CALL}"),
        ("for x in y:\n    z=!echo {x}", f"for x in y:\n    z={CALL}"),
        ("%%html\n<b>bold</b>\n%%time", "\n\n"),
        ("%%bash\necho '", "\n"),
        ("%%unheard_of\nmodel.train()", "\n"),
        ("%%python\nmodel.train()", "\n"),
        ("%sql\nselect it", "\n"),
        ("%sql select it\nx = 1", "pass\nx = 1"),
        ("%%!\nls", "\n"),
        ("%%time\nfit(model)", "\nfit(model)"),
        ("\n\n%%capture out --no-stderr\nfit(model)", "\n\n\nfit(model)"),
        ("#@title Train\n%%capture\n%%time\nfit(model)", "#@title Train\n\n\nfit(model)"),
        ("%%capture\n%%bash\nfit model", "\n\n"),
        ("%%time\n!nvidia-smi\nfit(model)", "\npass\nfit(model)"),
        ("pip install timm", ""),
        ("cd ../data", ""),
        ("model(x);", "model(x);"),
        ("await model(x)", "await model(x)"),
    ],
)
def test_the_python_of_a_cell(cell: str, python: str) -> None:
    assert python_of(cell) == python
    ast.parse(python_of(cell))


@pytest.mark.parametrize(
    "cell",
    [
        "x = (a\n     % b)",
        "x = [\n5\n% 3]",
        "x = a \\\n% b",
        'text = """\n%time fit(model)\n!ls\nwhat?\n"""',
        "text = '''it's \"\"\"\n?x\n'''",
        "print('what?')  # really?",
        "print('x = !ls')  # x = !ls",
        "a != b\na == b",
        "x = {\n    'a': 1,  # (\n}\ny = f(a,\n% b)",
        "text = 'one \\\n%two'",
        "cd = 1\nls",
        "pip = install",
        "time.sleep(1)",
        "matplotlib.use('agg')",
    ],
)
def test_python_stays_as_it_is(cell: str) -> None:
    assert python_of(cell) == cell


@pytest.mark.parametrize(
    ("line", "statement"),
    [
        ("%time fit(model)", "fit(model)"),
        ("%time x = fit(model)  # a comment", "x = fit(model)  # a comment"),
        ("%timeit fit(model)", "fit(model)"),
        ("%timeit -n 10 -r3 fit(model)", "fit(model)"),
        ("%timeit -n10 -o -q fit(model)", "fit(model)"),
        ("%prun -s cumulative -l 10 fit(model)", "fit(model)"),
        ("%lprun -f fit -f step fit(model)", "fit(model)"),
        ("%memit fit(model)", "fit(model)"),
        ("%time fit(model, \\", "fit(model, \\"),
    ],
)
def test_a_magic_that_runs_a_statement_leaves_it_in_its_columns(line: str, statement: str) -> None:
    python = python_of(f"if x:\n    {line}\n    0)").split("\n")[1]
    assert python.startswith("    pass;")
    assert python.endswith(statement)
    assert len(python) == len(line) + 4


@pytest.mark.parametrize("line", ["%time", "%time for x in y: fit(x)", "%timeit -n 10", "%timeit", "%time {code}("])
def test_a_magic_without_a_plain_statement_runs_none(line: str) -> None:
    assert python_of(line) == "pass"


@pytest.mark.parametrize(
    ("cell", "text", "indent"),
    [
        ("x = 1\n  y", "x = 1\n  y", 0),
        ("  x = 1\n  if x:\n    y\n", "x = 1\nif x:\n  y\n", 2),
        ("\n\tx = '''\nleft\n\t'''", "\nx = '''\nleft\n'''", 1),
        ("", "", 0),
        ("  \n", "  \n", 0),
    ],
)
def test_a_cell_may_be_indented_as_a_whole(cell: str, text: str, indent: int) -> None:
    assert dedented(cell) == (text, indent)


def test_lines_end_where_python_ends_them() -> None:
    assert python_of("x = 1\r\n%time\r!ls\x0c\ny = 2") == "x = 1\npass\npass\ny = 2"


def test_whatever_a_cell_holds_its_lines_are_as_many() -> None:
    pieces = [
        "%time f()",
        "!ls \\",
        "x = !ls \\",
        "'''",
        '"',
        "(",
        ")",
        "%%bash",
        "?x",
        "x?",
        "# it's",
        "\\",
        "  y",
        "",
        "]",
    ]
    for first in pieces:
        for second in pieces:
            for third in pieces:
                cell = f"{first}\n{second}\n{third}"
                assert len(python_of(cell).split("\n")) == len(split_lines(cell))
