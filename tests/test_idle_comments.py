"""EVG902 and EVG903, comments that silence nothing, their fixes, and `add-noqa`, which writes comments that do."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalguard.check import check_for_fixes, check_source
from evalguard.cli import main
from evalguard.config import Config
from evalguard.repair import SAFE_ONLY, repaired

BAD = """\
import torch
from torch import nn


def evaluate(test_loader):
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    with torch.no_grad():
        for x in test_loader:
            print(net(x))
"""


def found(line: str, *codes: str) -> list[tuple[str, str]]:
    """The codes found in a file with that line, and the text at each."""
    text = f"import torch\n{line}\nmodel.eval()\n"
    report = check_source(text, "a.py", Config(select=codes or None, extend_select=("EVG902",)))
    return [(f.code, line[f.span.column - 1 : f.span.end_column - 1]) for f in report.findings]


def mended(tmp_path: Path, line: str) -> str:
    file = tmp_path / "a.py"
    file.write_text(f"import torch\n{line}\nmodel.eval()\n")
    result = repaired(check_for_fixes([str(file)], Config(extend_select=("EVG902",))), SAFE_ONLY)
    assert not result.report.findings
    return next(iter(result.texts.values())).removeprefix("import torch\n").removesuffix("\nmodel.eval()\n")


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("x = 1  # noqa: EVG101", [("EVG902", "EVG101")]),
        ("x = 1  # noqa: EVG1,EVG2", [("EVG902", "EVG1"), ("EVG902", "EVG2")]),
        ("x = 1  # noqa: E501", []),
        ("x = 1  # noqa: E501, EVG101", [("EVG902", "EVG101")]),
        ("x = 1  # noqa", []),
        ("x = 1  # evalguard: ignore", [("EVG902", "# evalguard: ignore")]),
        ("x = 1  # evalguard: ignore[EVG101] for a reason", [("EVG902", "EVG101")]),
        ("x = 1  # noqa: EVG999", [("EVG903", "EVG999")]),
        ("x = 1  # evalguard: ignore[E501]", [("EVG903", "E501")]),
        ("x = '# noqa: EVG101'", []),
    ],
)
def test_idle_codes_are_found(line: str, codes: list[tuple[str, str]]) -> None:
    assert found(line) == codes


def test_a_used_code_is_not_idle() -> None:
    text = BAD.replace("print(net(x))", "print(net(x))  # noqa: EVG101, EVG201")
    report = check_source(text, "a.py", Config(extend_select=("EVG902",)))
    assert [(finding.code, finding.span.column) for finding in report.findings] == [("EVG902", 44)]


def test_unused_codes_are_looked_for_only_if_selected() -> None:
    assert check_source("model.eval()  # noqa: EVG101\n").findings == ()


def test_a_code_whose_rule_is_off_is_not_judged() -> None:
    assert found("x = 1  # noqa: EVG202") == []


def test_selecting_unused_codes_alone_reports_nothing_else() -> None:
    report = check_source(
        BAD.replace("import torch\n", "import torch  # noqa: EVG201\n", 1), "a.py", Config(select=("EVG902",))
    )
    assert [finding.code for finding in report.findings] == ["EVG902"]


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("x = 1  # noqa: EVG101", "x = 1"),
        ("x = 1  # noqa: EVG101, EVG102", "x = 1"),
        ("x = 1  # noqa: E501, EVG101", "x = 1  # noqa: E501"),
        ("x = 1  # noqa: EVG101, E501", "x = 1  # noqa: E501"),
        ("x = 1  # note  # noqa: EVG101", "x = 1  # note"),
        ("x = 1  # noqa: EVG101  # note", "x = 1  # note"),
        ("x = 1  # evalguard: ignore[EVG101] for a reason", "x = 1"),
        ("x = 1  # evalguard: ignore[EVG101, EVG999]", "x = 1"),
        ("x = 1  # evalguard: ignore", "x = 1"),
        ("x = 1  # noqa: EVG999", "x = 1"),
    ],
)
def test_idle_codes_are_taken_away(tmp_path: Path, line: str, rest: str) -> None:
    assert mended(tmp_path, line) == rest


def test_add_noqa_silences_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(BAD.replace("\n", "\r\n").encode())
    assert main([str(file)]) == 1
    assert main(["add-noqa", str(file)]) == 0
    assert file.read_bytes().decode() == BAD.replace("net(x))", "net(x))  # noqa: EVG101").replace("\n", "\r\n")
    assert main([str(file)]) == 0
    assert main(["add-noqa", str(file)]) == 0
    assert capsys.readouterr().err.endswith("silenced 0 problems in 0 files\n")


@pytest.mark.parametrize(
    ("line", "silenced"),
    [
        ("print(net(x))  # noqa: E501", "print(net(x))  # noqa: E501, EVG101"),
        ("print(net(x))  # why not", "print(net(x))  # why not  # noqa: EVG101"),
        (
            "print(\n                net(x)\n            )",
            "print(\n                net(x)\n            )  # noqa: EVG101",
        ),
    ],
)
def test_add_noqa_uses_the_comment_that_is_there(tmp_path: Path, line: str, silenced: str) -> None:
    file = tmp_path / "a.py"
    file.write_text(BAD.replace("print(net(x))", line))
    assert main(["add-noqa", str(file)]) == 0
    assert file.read_text() == BAD.replace("print(net(x))", silenced)
    assert main([str(file)]) == 0
