"""The baseline: what is known does not fail, what is new does, and what is gone is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import evalguard
from evalguard.cli import main

BUG = """\
import torch


def fit(loader, criterion):
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    model.eval()
    for x, y in loader:
        predict(model, x)
        criterion(model(x), y).backward()
        optimizer.step()


def predict(model, x):
    with torch.no_grad():
        print(model(x))


def show(x):
    model = torch.nn.Dropout()
    with torch.no_grad():
        print(model(x))
"""


@pytest.fixture(autouse=True)
def _in_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(BUG)


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    capsys.readouterr()
    status = main(["--format", "flake8", *arguments])
    captured = capsys.readouterr()
    return status, [line.split(": ")[1].split()[0] for line in captured.out.splitlines()], captured.err


def test_what_is_known_does_not_fail(capsys: pytest.CaptureFixture[str]) -> None:
    before = found(capsys)
    assert before[0] == 1
    assert main(["baseline"]) == 0
    number = len(before[1])
    assert capsys.readouterr().out == f"{number} finding{'s' * (number > 1)} written to evalguard-baseline.json\n"
    assert found(capsys, "--baseline", "evalguard-baseline.json") == (0, [], "")


def test_moved_indented_and_wrapped_lines_keep_their_entry(capsys: pytest.CaptureFixture[str]) -> None:
    main(["baseline"])
    text = BUG.replace("import torch\n", "import torch\nimport os\n\n# a comment\n", 1)
    text = text.replace(
        "    with torch.no_grad():\n        print(", "    if x:\n        with torch.no_grad():\n            print("
    )
    Path("train.py").write_text(text.replace("model(x))", "model(\n x, # why\n))"))
    assert found(capsys, "--baseline", "evalguard-baseline.json") == (0, [], "")


def test_what_is_new_fails(capsys: pytest.CaptureFixture[str]) -> None:
    main(["baseline"])
    Path("new.py").write_text(BUG[BUG.index("import") : BUG.index("def fit")] + BUG[BUG.index("def show") :])
    status, codes, _ = found(capsys, "--baseline", "evalguard-baseline.json")
    assert (status, len(codes)) == (1, 1)


def test_a_stale_entry_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    main(["baseline"])
    Path("train.py").write_text(BUG[: BUG.index("\n\ndef show")])
    status, codes, told = found(capsys, "--baseline", "evalguard-baseline.json")
    assert (status, codes) == (0, [])
    assert "evalguard: warning: 1 stale in evalguard-baseline.json, to be written anew:" in told
    assert "train.py: EVG101 in `show`: print ( model ( x ) )" in told
    assert found(capsys, "--baseline", "evalguard-baseline.json", "--select", "EVG2")[2] == ""
    assert found(capsys, "--baseline", "evalguard-baseline.json", "--project", ".", "train.py")[2] == ""


def test_entries_of_files_that_are_gone_are_stale_and_of_files_not_asked_for_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["baseline"])
    Path("clean.py").write_text("x = 1\n")
    assert found(capsys, "--baseline", "evalguard-baseline.json", "clean.py") == (0, [], "")
    Path("train.py").unlink()
    assert "stale" in found(capsys, "--baseline", "evalguard-baseline.json", "clean.py")[2]


def test_paths_are_those_from_the_file_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    main(["baseline", "--output", "sub/known.json", "train.py"])
    assert {each["path"] for each in json.loads(Path("sub/known.json").read_text())["findings"]} == {"../train.py"}
    monkeypatch.chdir(tmp_path / "sub")
    assert found(capsys, "--baseline", "known.json", "..") == (0, [], "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file"),
        ("{", "not valid JSON"),
        ("[]", "not a baseline"),
        ('{"version": 2, "findings": []}', "a baseline of version 2; this evalguard reads 1"),
        ('{"version": 1, "findings": [{"code": 1}]}', 'not an entry of a baseline: {"code": 1}'),
    ],
)
def test_what_is_no_baseline_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], content: str | None, message: str
) -> None:
    if content is not None:
        Path("known.json").write_text(content)
    status, _, told = found(capsys, "--baseline", "known.json")
    assert status == 2
    assert f"--baseline: known.json: {message}" in told


def test_the_same_findings_give_the_same_bytes() -> None:
    main(["baseline"])
    first = Path("evalguard-baseline.json").read_bytes()
    main(["baseline"])
    assert Path("evalguard-baseline.json").read_bytes() == first


def configured(name: str = "known.json") -> None:
    Path("pyproject.toml").write_text(f'[tool.evalguard]\nbaseline = "{name}"\n')


def test_the_configuration_names_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    configured()
    main(["baseline"])
    assert Path("known.json").exists()
    assert found(capsys) == (0, [], "")
    main(["baseline"])  # what is known already is kept
    assert found(capsys) == (0, [], "")
    assert evalguard.check_paths(["."], evalguard.config_for(["."])).findings == ()
    text = Path("train.py").read_text()
    assert evalguard.check_source(text, "train.py", evalguard.config_for(["."])).findings == ()


def test_an_option_wins_over_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    configured()
    main(["baseline"])
    Path("other.json").write_text('{"version": 1, "findings": []}')
    status, codes, _ = found(capsys, "--baseline", "other.json")
    assert (status, len(codes) > 0) == (1, True)
    status, with_none, told = found(capsys, "--no-baseline")
    assert (status, with_none, told) == (1, codes, "")
    status, _, told = found(capsys, "--no-baseline", "--baseline", "other.json")
    assert status == 2
    assert "use one of them" in told


def test_the_file_is_seen_from_the_configuration(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    configured("sub/known.json")
    main(["baseline"])
    monkeypatch.chdir(tmp_path / "sub")
    assert found(capsys, "..") == (0, [], "")


def test_a_configured_file_that_is_missing_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    configured()
    status, _, told = found(capsys)
    assert status == 2
    assert "the configuration's baseline: known.json: cannot be read" in told
    assert "`evalguard baseline` writes it, --no-baseline does without" in told
    with pytest.raises(evalguard.ConfigError, match=r"baseline: .*cannot be read"):
        evalguard.check_paths(["."], evalguard.config_for(["."]))


def test_the_configuration_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    configured()
    assert main(["config"]) == 0
    assert 'baseline = "known.json"' in capsys.readouterr().out


@pytest.mark.parametrize("value", ["3", '""', "[]"])
def test_what_is_no_path_is_wrong_usage(capsys: pytest.CaptureFixture[str], value: str) -> None:
    Path("pyproject.toml").write_text(f"[tool.evalguard]\nbaseline = {value}\n")
    status, _, told = found(capsys)
    assert status == 2
    assert "tool.evalguard.baseline: must be the path of a file" in told
