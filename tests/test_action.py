"""The GitHub Action: its steps are run as GitHub would run them, in a shell, with the command of this clone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import evalguard

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def action() -> Any:
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with pre-commit")
    return yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


@pytest.fixture
def check(action: Any, tmp_path: Path) -> Any:
    """Run the step that checks, with these inputs."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is missing")
    command = tmp_path / "evalguard"
    command.write_text(f'#!{bash}\nexec "{sys.executable}" -m evalguard "$@"\n')
    command.chmod(0o755)

    def run(**inputs: str) -> subprocess.CompletedProcess[str]:
        step = action["runs"]["steps"][1]
        given = {name: each["default"] for name, each in action["inputs"].items()} | inputs
        environment = {**os.environ, "COMMAND": str(command)}
        for name, expression in step["env"].items():
            if expression.startswith("${{ inputs."):
                environment[name] = given[expression.removeprefix("${{ inputs.").removesuffix(" }}")]
        script = ["--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]  # as `shell: bash` means it
        return subprocess.run([bash, *script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    return run


def test_every_input_reaches_a_step_through_the_environment(action: Any) -> None:
    steps = action["runs"]["steps"]
    assert all("${{" not in step["run"] for step in steps)  # what stands in a script is run
    used = {value for step in steps for value in step["env"].values()}
    assert {f"${{{{ inputs.{name} }}}}" for name in action["inputs"]} <= used
    assert all(step["shell"] == "bash" for step in steps)


def test_findings_fail_and_are_shown(check: Any) -> None:
    run = check(paths="examples")
    assert (run.returncode, run.stderr) == (1, "")
    assert run.stdout.startswith("::error file=examples/leaky_validation.py,line=")


def test_several_paths_options_and_a_file_of_sarif(check: Any, tmp_path: Path) -> None:
    run = check(
        paths="examples\nevalguard/finding.py\n",
        arguments="--select EVG1 --no-cache",
        **{"sarif-file": str(tmp_path / "found.sarif")},
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert json.loads((tmp_path / "found.sarif").read_text())["runs"][0]["results"] == []


def test_the_action_installs_the_command_for_its_next_step(action: Any, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is missing")
    outputs = tmp_path / "outputs"
    given = {"RUNNER_TEMP": str(tmp_path / "runner"), "GITHUB_OUTPUT": str(outputs), "SOURCE": str(ROOT)}
    script = ["--noprofile", "--norc", "-eo", "pipefail", "-c", action["runs"]["steps"][0]["run"]]
    environment = {**os.environ, **given}
    run = subprocess.run([bash, *script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    if re.search("No matching distribution|[Cc]onnection|Max retries", run.stderr):
        pytest.skip("there is no package index")
    assert run.returncode == 0, run.stderr
    name, _, command = outputs.read_text().strip().partition("=")
    assert name == "command"
    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"evalguard {evalguard.__version__}\n"
