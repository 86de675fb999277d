"""Files whose bytes or whose code is hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile.run import HEAD, hostile, run_apart, run_here

BROKEN: dict[str, tuple[str | bytes, str]] = {
    "syntax error": (HEAD + "def f(:\n", "4:7: EVG901 cannot be parsed: invalid syntax"),
    "Python 2, print": (HEAD + "print 'x'\n", "4:1: EVG901 cannot be parsed: Missing parentheses"),
    "Python 2, exec": (HEAD + "exec 'a' in b\n", "4:1: EVG901 cannot be parsed: Missing parentheses"),
    "Python 2, backticks": (HEAD + "`a`\n", "4:1: EVG901 cannot be parsed: invalid syntax"),
    "NUL byte": (HEAD + "x\0y", "4:2: EVG901 cannot be parsed: it holds a NUL byte"),
    "UTF-16": (HEAD.encode("utf-16"), "1:1: EVG901 cannot be decoded: invalid or missing encoding"),
    "UTF-16 without a mark": (HEAD.encode("utf-16-le"), "1:2: EVG901 cannot be parsed: it holds a NUL byte"),
    "Latin-1": (HEAD.encode() + b"x = '\xe9'\n", "4:6: EVG901 cannot be decoded as utf-8"),
    "lone surrogate": (HEAD + "x = '\ud800'\n", "4:6: EVG901 cannot be decoded as utf-8"),
    "unknown encoding": ("# coding: klingon\n" + HEAD, "1:1: EVG901 cannot be decoded: unknown encoding"),
    "an encoding that is no text's": ("# coding: zlib\n" + HEAD, "1:1: EVG901 cannot be decoded as zlib"),
    "an encoding that refuses all": ("# coding: undefined\n" + HEAD, "1:1: EVG901 cannot be decoded as undefined"),
    "an encoding with a path": ("# coding: ../../x\n" + HEAD, "1:1: EVG901 cannot be decoded: unknown encoding"),
    "vertical tab": (HEAD + "\x0bx = 1\n", "4:1: EVG901 cannot be parsed"),
    "end of file of DOS": (HEAD + "\x1a", "4:1: EVG901 cannot be parsed"),
    "tabs and spaces": (HEAD + "if 1:\n\tx\n        y\n", "6:1: EVG901 cannot be parsed: inconsistent use"),
    "backslash at the end": (HEAD + "x = \\", "4:6: EVG901 cannot be parsed"),
    "open text": (HEAD + "x = '''\n" * 3, "EVG901 cannot be parsed"),
    "100,000 parentheses": (HEAD + "x = " + "(" * 100_000, "4:205: EVG901 cannot be parsed: too many nested"),
    "blocks": (HEAD + "".join(" " * n + "if a:\n" for n in range(1000)), "EVG901 cannot be parsed"),
    "attributes": (HEAD + "x = a" + ".b" * 10_000, "EVG901 cannot be parsed: nested too deeply"),
    "calls": (HEAD + "x = a" + ".b()" * 10_000, "EVG901 cannot be parsed: nested too deeply"),
    "calls of calls": (HEAD + "x = a" + "()" * 10_000, "EVG901 cannot be parsed: nested too deeply"),
    "items": (HEAD + "x = a" + "[0]" * 10_000, "EVG901 cannot be parsed: nested too deeply"),
    "sum": (HEAD + "x = " + "+".join(["a"] * 10_000), "EVG901 cannot be parsed: nested too deeply"),
    "comparison": (HEAD + "x = " + "<".join(["a"] * 10_000), "EVG901 cannot be parsed: nested too deeply"),
    "conjunction": (HEAD + "x = " + " and ".join(["a"] * 10_000), "EVG901 cannot be parsed: nested too deeply"),
    "powers": (HEAD + "x = " + "**".join(["a"] * 10_000), "EVG901 cannot be parsed: nested too deeply"),
    "not": (HEAD + "x = " + "not " * 10_000 + "a", "EVG901 cannot be parsed: nested too deeply"),
    "minus": (HEAD + "x = " + "-" * 100_000 + "a", "EVG901 cannot be parsed: nested too deeply"),
    "lambdas": (HEAD + "x = " + "lambda:" * 10_000 + "1", "EVG901 cannot be parsed: nested too deeply"),
    "conditional": (HEAD + "x = " + "a if b else " * 10_000 + "c", "EVG901 cannot be parsed: nested too deeply"),
    "strings": (HEAD + "x = (" + "'a'\n" * 10_000 + ")", "EVG901 cannot be parsed: nested too deeply"),
    "in an f-string": (HEAD + "x = f'{a" + ".b" * 10_000 + "}'", "EVG901 cannot be parsed: nested too deeply"),
    "behind a bracket in a string": (
        HEAD + "x = (a ')'" + "\n.b()" * 10_000 + ")",
        "EVG901 cannot be parsed: nested too deeply",
    ),
    "behind a quote in an f-string": (
        HEAD + "x = f'{a('\"\"\"')}' + a" + ".b" * 10_000,
        "EVG901 cannot be parsed: nested too deeply",
    ),
    "elif": (HEAD + "if a:\n  b()\n" + "elif c:\n  d()\n" * 5_000, "EVG901 cannot be"),
    "f-strings": (HEAD + "x = " + "f'{" * 1000 + "1" + "}'" * 1000, "EVG901 cannot be parsed: too many nested"),
    "imports": (HEAD + "import a" + ".b" * 10_000, "EVG901 cannot be parsed: nested too deeply"),
    # LibCST tries each bracket of these several times, so that time doubles with every one
    "tuples in del": (HEAD + "del " + "(" * 30 + "x" + ",)" * 30, "EVG901 cannot be parsed: nested too deeply"),
    "patterns": (
        HEAD + "match a:\n  case " + "[" * 30 + "x" + "]" * 30 + ": pass",
        "EVG901 cannot be parsed: nested too deeply",
    ),
    "alternatives": (
        HEAD + "match a:\n  case " + "|".join(map(str, range(10_000))) + ": pass",
        "EVG901 cannot be parsed: nested too deeply",
    ),
    "a string of the next Python beside another": (HEAD + 'x = """a"""T"""b"""', "EVG901 cannot be"),
    # was matched in as many ways as there are words before the last sign
    "backslash at the end of a string": (
        HEAD + 'x = """' + "word " * 1_000 + "\\",
        "EVG901 cannot be parsed",
    ),
    "10 MB of a list": (
        HEAD + "x = [" + "1," * 5_000_000 + "]",
        "EVG901 cannot be parsed: it holds more than 1,000,000",
    ),
    "10 MB of a dict": (
        HEAD + "x = {" + ",".join(f"'{n}': {n}" for n in range(500_000)) + "}",
        "EVG901 cannot be parsed: it holds more than 1,000,000",
    ),
}

JUDGED: dict[str, str | bytes] = {
    "empty": "",
    "a mark alone": b"\xef\xbb\xbf",
    "a mark": b"\xef\xbb\xbf" + HEAD.encode(),
    "CRLF": HEAD.replace("\n", "\r\n"),
    "lone CR": HEAD.replace("\n", "\r"),
    "all line ends": "import torch\r\nm = torch.load('m')\rm.eval()\n\rm.train()\r\r\n",
    "form feeds": HEAD + "\x0c\ndef f():\n\x0c    return model(1)\n\x0c",
    "UTF-7": "# coding: utf-7\n" + HEAD,
    "line separator in a text": HEAD + "x = '\u2028'\n",
    "no last newline": HEAD.rstrip(),
    "a hundred thousand brackets in a text": HEAD + "x = '" + "(" * 100_000 + "'\n",
    "lists": HEAD + "x = " + "[" * 199 + "]" * 199,
    "dicts": HEAD + "x = " + "{1: " * 150 + "2" + "}" * 150,
    "blocks": HEAD + "".join(" " * n + "if a:\n" for n in range(99)) + " " * 99 + "model(a)",
    "finally in finally": HEAD
    + "".join(" " * n + "try:\n" for n in range(18))
    + " " * 18
    + "model(a)\n"
    + "".join(" " * n + "finally:\n" + " " * n + " model.eval()\n" for n in reversed(range(18))),
    "attributes": HEAD + "x = a" + ".b" * 1000,
    "calls": HEAD + "x = model" + ".to(d)" * 300,
    "negations": HEAD + "x = " + "not " * 900 + "model(1)",
    "f-strings of PEP 701": HEAD + "x = f'{f'{f'{1}'}'}' + f'{'\\n'.join(a)}' + f'{a!r:{b:{c}}}'\n",
    "syntax of PEP 695": HEAD
    + "type X[T: int, *Ts, **P] = dict[T, P]\nclass A[T]:\n  def f[U](self, x: U) -> T: ...\n",
    "soft keywords as names": HEAD
    + "match = 1\nmatch(1)\nmatch[1]\ncase = 2\ntype = 3\nmatch match:\n  case case: pass\n",
    "odd patterns": HEAD
    + "match model:\n  case {'a': [1, *_, {'b': C(x=1 | 2 as y)}], **r} if r: model.eval()\n"
    + "  case -1+2j: pass\n  case (a.b | None | True): pass\n  case [*_]: pass\n  case str() | int(): pass\n  case _: pass\n",
    "an integer": HEAD + "x = " + "9" * 1_000_000,
    "other large numbers": HEAD + "x = 0x" + "f" * 100_000 + "\ny = 1e" + "9" * 10_000 + "\nz = " + "9" * 5000 + "j",
    "large results": HEAD
    + "x = 9**9**9**9\ny = 'a' * 10**12\nz = 1 << 10**12\nmodel.train(9**9**9)\n"
    + "for i in range(10**100): model(i)\nfor j in [1] * 10**9: model(j)\nw = '%1000000000d' % 1\n",
    "growing results": HEAD
    + "s = 'ab'\n"
    + "s = s + s\n" * 60
    + "n = 2\n"
    + "n = n**n\n" * 60
    + "t = 1\n"
    + "t = (t, t)\n" * 100,
    "nonsense": HEAD
    + "x = 1 / 0\nif 1 % 0: model.eval()\ny = [][0]\nw = {}['a']\nv = 'a'[10**100]\nfor i in range(0, 10, 0): model(i)\n"
    + "q = -'a'\np = 1 < 'a'\n1 << -1\n0**-1\nh = {[]: 1}\ng = {{}: 2}\nif 1e400: model.eval()\n",
    "100,000 lines": HEAD + "f()\n" * 100_000,
    "100,000 empty lines": HEAD + "\n" * 100_000,
    "a comment of 10 MB": HEAD + "#" + "x" * 10_000_000,
    "a string of 10 MB": HEAD + "x = '" + "a" * 10_000_000 + "'",
    "a text of 10 MB": HEAD + "x = '''" + "a\n" * 5_000_000 + "'''",
    "a name of 1 MB": HEAD + "a" * 1_000_000 + " = model\n" + "a" * 1_000_000 + ".eval()\n",
    "a line that a pattern would read a million times": HEAD + "x = '" + "from " * 1_000_000 + "'\n",
    "imports without an end": HEAD + "x = '''" + "\nfrom a import (" * 100_000 + "'''\n",
    "arguments": HEAD + "f(" + ",".join(["a"] * 20_000) + ")",
    "parameters": HEAD + "def f(" + ",".join(f"a{n}" for n in range(10_000)) + "): model(a1)",
    "targets": HEAD + "=".join(["a"] * 1000) + " = 1\n" + ",".join(["a"] * 5000) + " = b",
    "cases": HEAD + "match a:\n" + "".join(f"  case {n}: model.eval()\n" for n in range(2000)),
    "managers": HEAD + "with " + ",".join(["torch.no_grad()"] * 1000) + ": model(x)",
    "closures": HEAD
    + "def f(model):\n"
    + "".join(f"  def g{n}():\n    model.eval()\n    g{n - 1}()\n" for n in range(2000)),
    "nested closures": HEAD + "".join(" " * n + "def f():\n" for n in range(90)) + " " * 90 + "model.eval()",
    "calls in a row": HEAD + "".join(f"def f{n}(model):\n  model.eval()\n  f{n + 1}(model)\n" for n in range(3000)),
    "classes in a row": HEAD
    + "from torch import nn\n"
    + "".join(
        f"class C{n}({f'C{n - 1}' if n else 'nn.Module'}):\n  def forward(self, x): return self.a(x)\n"
        for n in range(2000)
    ),
    "returns": HEAD + "def f(model):\n" + "".join(f"  if a{n}: model.eval(); return\n" for n in range(1000)),
}

CIRCLES: dict[str, str] = {
    "classes": "class A(B): pass\nclass B(A): pass\nclass C(C): pass\nclass D(E.X): pass\nclass E(D):\n  class X(E): pass\nA().eval()\n",
    "functions": "def f(m):\n  m.eval(); g(m)\ndef g(m):\n  f(m); m(1)\nf = g\ng = f\nf(model)\n",
    "a function of itself": "def w(x): return x(x)\nw(w)\n(lambda x: x(x))(lambda x: x(x))\ng = lambda m: g(g)(g)\ng(g)\n",
    "decorators": "@d\ndef d(f): return d(f)\n@e\n@d\ndef e(f): return e\ne(d)()\n",
    "properties": "class A(torch.nn.Module):\n  @property\n  def a(self): return self.b\n  @property\n  def b(self): return self.a\n"
    "  def forward(self, x): return self.a(x)\nA().a.b.a.eval()\nA().a(1)\n",
    "generators": "def g(m):\n  yield from h(m)\n  m.eval()\ndef h(m):\n  yield from g(m)\n  m.train()\nfor x in g(model): model(x)\n",
    "attributes": "class N:\n  def __init__(self): self.n = N(); self.n.n = self\n  def f(self): self.n.n.f(); return self.n\n"
    "x = N()\nwhile x: x = x.n\nx.f()\n",
    "containers": "a = [model]\na.append(a)\na[0] = a\nb = {'x': a}\na.append(b)\nb['y'] = b\nfor c in a:\n  for d in c: d.eval()\n"
    "while 1: a = [a, a, {'b': a}]\n",
    "special methods": "class C:\n  def __enter__(self):\n    with self: return self\n  def __exit__(self, *a): self.__exit__()\n"
    "  def __call__(self): return self()\n  def __iter__(self):\n    for x in self: yield x\n"
    "  def __getattr__(self, n): return getattr(self, n)\nwith C() as c: c(); c.x\nfor z in c: model(z)\n",
    "train and eval": "class A(torch.nn.Module):\n  def train(self, mode=True):\n    self.train(mode); super().train(mode)\n"
    "    return self.eval()\n  def eval(self): return self.train(False)\nA().train()\nA().eval()\n",
    "managers": "from contextlib import contextmanager\n@contextmanager\ndef m(x):\n  with m(x): yield\n  x.eval()\nwith m(model): model(1)\n",
    "a metaclass": "class M(type):\n  def __call__(c): return M()\nclass A(metaclass=A): pass\nA()\n",
    "names": "a = b\nb = a\na.eval()\nc = c.c\nm = model\nwhile 1:\n  c = c.c\n  m = m.module[0]\n  m.eval()\n",
    "defaults": "def f(a=lambda: f()): return a()\nf()\nfrom functools import partial\ng = partial(g, partial(g, g))\ng(g)()\n",
    "the importing file": "import hostile\nfrom hostile import *\nfrom . import *\nfrom .... import x\n"
    + "from "
    + "." * 50
    + " import *\n",
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_refused_is_one_finding(content: str | bytes, message: str, tmp_path: Path) -> None:
    hostile(tmp_path, "hostile.py", content)
    outcome = run_apart(tmp_path, "--select", "EVG201,EVG901")
    assert (outcome.status, outcome.errors, outcome.sound) == (1, "", ["EVG201"])
    assert len(outcome.others) == 1
    assert message in outcome.others[0]


@pytest.mark.parametrize("content", JUDGED.values(), ids=JUDGED)
def test_a_file_that_is_accepted_is_judged(content: str | bytes, tmp_path: Path) -> None:
    hostile(tmp_path, "hostile.py", content)
    outcome = run_apart(tmp_path, "--select", "EVG201,EVG901")
    assert (outcome.status, outcome.errors, outcome.sound, outcome.others) == (1, "", ["EVG201"], [])


@pytest.mark.parametrize("text", CIRCLES.values(), ids=CIRCLES)
def test_what_goes_round_in_circles_comes_to_an_end(text: str, tmp_path: Path) -> None:
    hostile(tmp_path, "hostile.py", HEAD + text)
    outcome = run_apart(tmp_path)
    assert (outcome.status, outcome.errors) == (1, "")
    assert "EVG201" in outcome.sound
    assert not [line for line in outcome.others if "EVG901" in line]


def test_files_that_import_each_other_come_to_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"m{n}" for n in range(30)]
    for name in names:
        imports = "".join(f"from {other} import *\n" for other in names)
        hostile(
            tmp_path,
            f"{name}.py",
            imports + HEAD + f"class A(A): pass\ndef f(m):\n  m.eval()\n  f(m)\nf(A())\nx = {name}.x\n",
        )
    monkeypatch.chdir(tmp_path)
    outcome = run_here(capsys, "--select", "EVG201,EVG901")
    assert (outcome.status, outcome.errors, outcome.sound, outcome.others) == (1, "", ["EVG201"], [])


SHADOW = "from torch import *\nimport torch\nclass Module(torch.nn.Module): pass\ndef no_grad(): return no_grad()\nnn = torch\n"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("torch.py", []),  # `import torch` means this file: nothing here uses PyTorch
        ("torch/__init__.py", []),
        ("torch/nn/__init__.py", ["EVG201"]),
        ("evalguard.py", ["EVG201"]),
    ],
)
def test_a_project_that_has_a_module_named_torch_is_judged(
    name: str, found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    hostile(tmp_path, name, SHADOW)
    monkeypatch.chdir(tmp_path)
    outcome = run_here(capsys, "--select", "EVG201,EVG901")
    assert (outcome.status, outcome.errors, outcome.sound, outcome.others) == (len(found), "", found, [])


@pytest.mark.parametrize(
    "comment", ["# noqa", "# noqa: EVG901", "# evalguard: ignore", "# flake8: noqa", "# noqa: EVG"]
)
def test_no_comment_hides_that_a_file_cannot_be_read(
    comment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile(tmp_path, "hostile.py", f"{comment}\nmodel.eval()\ndef f(:  {comment}\n{comment}\n")
    monkeypatch.chdir(tmp_path)
    outcome = run_here(capsys)
    assert ["EVG901" in line for line in outcome.others] == [True]
