"""What `evalguard` offers to a program, and that it costs nothing until it is used."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

import evalguard


@pytest.mark.parametrize("name", evalguard.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(evalguard, name) is not None


def test_the_list_of_names_is_sorted_and_complete() -> None:
    assert evalguard.__all__ == sorted(evalguard.__all__)
    assert dir(evalguard) == evalguard.__all__
    assert set(evalguard.__all__) == {*evalguard._HOMES, "__version__"}


def test_any_other_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="module 'evalguard' has no attribute 'check_folder'"):
        evalguard.check_folder  # noqa: B018


def test_importing_the_package_loads_nothing_else() -> None:
    script = "import sys, evalguard; print(*sorted(name for name in sys.modules if name.startswith('evalguard')))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["evalguard"]


def test_a_program_that_uses_them_sees_their_types(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed")
    assert resources.files("evalguard").joinpath("py.typed").is_file()
    program = tmp_path / "program.py"
    program.write_text(
        "from evalguard import Finding, Fix, Report, check_paths, check_source, config_for\n"
        'report: Report = check_paths(["src"], config_for(["src"]), project=".")\n'
        "findings: tuple[Finding, ...] = report.findings\n"
        'fixes: list[Fix | None] = [each.fix for each in check_source("x", "a.py", project=".").findings]\n'
        "line: str = findings[0].span.line\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(program)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    told, *rest = run.stdout.splitlines()
    assert told.startswith('program.py:5: error: Incompatible types in assignment (expression has type "int"')
    assert len(rest) == 1  # the number of errors


def test_the_configuration_is_the_commands(tmp_path: Path) -> None:
    (tmp_path / "evalguard.toml").write_text('select = ["EVG4"]\n')
    (tmp_path / "train.py").touch()
    assert evalguard.config_for([tmp_path / "train.py"]).select == ("EVG4",)
    (tmp_path / "evalguard.toml").write_text("select = 4\n")
    with pytest.raises(evalguard.ConfigError, match="select: must be a list"):
        evalguard.config_for([tmp_path])


def test_a_text_takes_the_place_of_its_file_in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("engine.py").write_text("def validate(model):\n    model.eval()\n")
    train = (
        "import torch\nfrom engine import validate\n\n\ndef fit(loader):\n    model = torch.nn.Dropout()\n"
        "    optimizer = torch.optim.SGD(model.parameters(), 0.1)\n    for x in loader:\n        model(x).backward()\n"
        "        optimizer.step()\n        validate(model)\n"
    )
    Path("train.py").write_text(train)
    codes = [finding.code for finding in evalguard.check_source(train, "train.py", project=".").findings]
    assert codes == ["EVG201"]
    harmless = "def validate(model):\n    pass\n"
    assert evalguard.check_source(harmless, "engine.py", project=".").findings == ()
    leaky = Path("engine.py").read_text()
    assert [each.path for each in evalguard.check_source(leaky, "engine.py", project=".").findings] == ["train.py"]
