"""Input that is deep, old, broken or odd: lowered all the same, or refused with a place."""

from __future__ import annotations

import subprocess
import sys

import pytest

from evalguard.finding import Span
from evalguard.frontend import lower
from evalguard.ir.facts import MODULE, FunctionFacts
from evalguard.ir.ops import Assign, Call
from evalguard.ir.text import read_value
from evalguard.ir.values import Binary, Value
from evalguard.source import SourceProblem, document_of

DEEP = {
    "sum": "x = " + " + ".join(["a"] * 1000),
    "comparison": "x = " + " < ".join(["a"] * 1000),
    "conjunction": "x = " + " and ".join(["a"] * 1000),
    "test": "if " + " or ".join(["a()"] * 1000) + ": b()",
    "elif": "if a:\n  b()\n" + "elif c:\n  d()\n" * 1000,
    "conditional": "x = " + "a if b else " * 500 + "c",
    "strings": "x = (" + "'a'\n" * 1000 + ")",
    "parentheses": "x = " + "(" * 150 + "a" + ")" * 150,
    "chain of calls": "x = a" + ".b()" * 300,
    "nested ifs": "".join(" " * depth + "if a:\n" for depth in range(90)) + " " * 90 + "b()",
    "nested functions": "".join(" " * depth + "def f():\n" for depth in range(90)) + " " * 90 + "b()",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_code_is_lowered(text: str) -> None:
    assert MODULE in lower(document_of(text + "\n", "deep.py")).functions


def test_the_recursion_limit_is_put_back() -> None:
    before = sys.getrecursionlimit()
    lower(document_of(DEEP["sum"], "deep.py"))
    assert sys.getrecursionlimit() == before


def test_no_value_is_much_deeper_than_what_people_write() -> None:
    function = module(DEEP["sum"])
    assert max(depth(op.value) for op in function.blocks[0].ops if isinstance(op, Assign)) < 40


def depth(value: Value) -> int:
    levels = 0
    while isinstance(value, Binary):
        levels, value = levels + 1, value.left
    return levels


def test_deeper_than_the_recursion_limit_is_a_problem_of_the_source() -> None:
    with pytest.raises(SourceProblem, match="nested too deeply"):
        lower(document_of("if a:\n  b()\n" + "elif c:\n  d()\n" * 5000, "deep.py"))


@pytest.mark.parametrize("brackets", ["()", "[]", "{}"])
def test_brackets_that_would_crash_the_parser_are_refused(brackets: str) -> None:
    with pytest.raises(SourceProblem, match="too many nested parentheses"):
        lower(document_of("x = " + brackets[0] * 5000 + brackets[1] * 5000, "deep.py"))


def test_many_brackets_in_strings_are_no_problem() -> None:
    lower(document_of(f"x = '{'(' * 5000}'\n# {'[' * 5000}\nf()\n", "strings.py"))


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("x = 1\ndef f():\n    print 'x'\n", 3, 5),
        ("x = (\n", 1, 5),
        ("if a:\nb\n", 2, 1),
        ("a\nx = 'b\n", 2, 5),
        ("exec 'a'\n", 1, 1),
    ],
)
def test_what_python_refuses_has_a_place(text: str, line: int, column: int) -> None:
    with pytest.raises(SourceProblem) as problem:
        lower(document_of(text, "broken.py"))
    assert (problem.value.line, problem.value.column) == (line, column)


def test_what_only_libcst_refuses_has_a_line() -> None:
    with pytest.raises(SourceProblem, match="LibCST does not know this syntax") as problem:
        lower(document_of("a = 1\ndef f():\n    (b): int\n", "odd.py"))
    assert problem.value.line == 3


def test_a_lone_surrogate_is_a_problem_of_the_source() -> None:
    with pytest.raises(SourceProblem):
        lower(document_of("x = '\ud800'\n", "surrogate.py"))


def test_strings_with_wrong_escapes_give_no_warning() -> None:
    function = module("x = b'\\q'\ny = '\\d'\n")
    assert function.blocks[0].ops[1].value == read_value(r"'\\d'")  # type: ignore[union-attr]


def test_new_syntax_is_lowered() -> None:
    text = "type Pair[T] = tuple[T, T]\ndef f[T: int](*args: *tuple[T]) -> T:\n    return a[*args]\nclass C[T]: pass\n"
    facts = lower(document_of(text, "new.py"))
    assert [parameter.annotation for parameter in facts.functions["f"].parameters] == ["*tuple[T]"]
    assert set(facts.classes) == {"C"}


def test_comments_have_their_lines() -> None:
    text = "# one\nx = '# no'  # two\nif x:\n    # three\n    f(  # four\n    )\n# five"
    facts = lower(document_of(text, "comments.py"))
    assert facts.comments == ((1, "# one"), (2, "# two"), (4, "# three"), (5, "# four"), (7, "# five"))


def test_spans_of_ops_count_characters() -> None:
    call = module("é = 'ü' + f(é)\n").blocks[0].ops[0]
    assert isinstance(call, Call)
    assert (call.span.column, call.span.end_column, call.statement.column) == (11, 15, 1)


def test_reading_graphs_imports_no_libcst() -> None:
    code = "import sys, evalguard.ir.text; sys.exit('libcst' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def module(text: str) -> FunctionFacts:
    return lower(document_of(text, "module.py")).functions[MODULE]


def test_async_was_the_name_of_an_argument_once() -> None:
    old = "def load(x, flag):\n    y = x.cuda(device, async = True).half()\n    return f(y, async=flag, w=1)\n"
    today = old.replace("async", "later")
    assert spans_of_calls(old) == spans_of_calls(today)
    assert len(spans_of_calls(old)) == 3


def spans_of_calls(text: str) -> list[Span]:
    function = lower(document_of(text, "old.py")).functions["load"]
    return [op.span for block in function.blocks for op in block.ops if isinstance(op, Call)]


def test_async_elsewhere_is_the_keyword_that_it_is() -> None:
    with pytest.raises(SourceProblem, match="invalid syntax"):
        lower(document_of("async = 1\nclass await: pass\n", "broken.py"))
    assert "run" in lower(document_of("async def run(x): return await x\n", "today.py")).functions
