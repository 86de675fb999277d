"""No code of the project that is looked at is ever run, and what it brings along is not loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from hostile.run import SOUND

OWN = "import pathlib; pathlib.Path(__file__).with_suffix('.ran').touch()\n"
NAMES = (
    "ast click codecs conftest dataclasses evil_codec gc hashlib jinja2 json libcst multiprocessing noxfile pygments "
    "rich setup sitecustomize sqlite3 tokenize tomllib torch typing_extensions usercustomize yaml zlib"
).split()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with modules that are named as what evalguard imports, and that tell when they are run."""
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(OWN + SOUND)
    (tmp_path / "coded.py").write_text("# coding: evil_codec\n" + SOUND)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "evil"\nversion = "1"\n[project.entry-points."flake8.extension"]\nEVG = "conftest:x"\n'
        '[project.entry-points."evalguard"]\nx = "conftest:x"\n[tool.evalguard]\nselect = ["EVG201", "EVG901"]\n'
    )
    (tmp_path / ".env").write_text("PYTHONSTARTUP=conftest.py\n")
    return tmp_path


COMMANDS = {
    "the command": [str(Path(sys.executable).with_name("evalguard"))],
    "the module": [sys.executable, "-m", "evalguard"],
    "the module, safely": [sys.executable, *(["-P"] if sys.version_info >= (3, 11) else ["-I"]), "-m", "evalguard"],
}
FORMS = [["--format", "text"], ["--format", "html"], ["--format", "sarif"], ["--diff"], ["graph", "."], ["config"]]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("arguments", FORMS, ids=" ".join)
def test_no_module_of_the_project_is_loaded(command: Sequence[str], arguments: Sequence[str], project: Path) -> None:
    if not os.path.exists(command[0]):
        pytest.skip("evalguard is not installed as a command here")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    done = subprocess.run(
        [*command, *arguments], cwd=project, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in project.rglob("*.ran")) == []


def test_a_module_would_tell(project: Path) -> None:
    subprocess.run([sys.executable, "-c", "import conftest"], cwd=project, capture_output=True, check=False)
    assert sorted(path.name for path in project.rglob("*.ran")) == ["conftest.ran", "torch.ran"]
