"""`python -m evalguard.devtools new-rule`, in a copy of the project: what it writes, and that it asks to be filled."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE, NAME = "EVG107", "step-of-anything"
RULE = f"evalguard/rules/{NAME.replace('-', '_')}.py"
TRAINING = """def fit(model, optimizer, loader):
    for batch in loader:
        model(batch).sum().backward()
        optimizer.step()"""

FILLED_IN = {
    "One sentence: what is wrong, as the table of rules shows it.": "A step is taken.",
    "Reports ... when ...": "Reports each step.",
    "Say what happens to somebody": "It is not, but it is told to somebody",
    "print('the shortest code that is wrong')": TRAINING.replace("\n", "\n    "),
    "print('the same code, as it should be')": "print('nothing')",
    "What it does not see": "All that is no step",
    "yield from ()": "for step in view.steps:\n            yield self.finding(view, step.span, 'a step')",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which the new rule has been begun."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("evalguard", "tests", "fixtures"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("CHANGELOG.md", "pyproject.toml"):
        shutil.copy(ROOT / name, copy)
    done = devtools(copy, "new-rule", CODE.lower(), NAME)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"written: {RULE}" in done.stdout
    assert "python -m evalguard.devtools docs" in done.stdout
    return copy


def devtools(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "-m", "evalguard.devtools", *arguments)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True)


def failing_tests(folder: Path) -> set[str]:
    """Which tests of the rule fail."""
    files = ["tests/test_rule_documentation.py", "tests/test_fixtures.py"]
    done = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", CODE, *files)
    assert done.returncode in (0, 1), done.stdout
    assert re.search(r"\d+ (?:passed|failed)", done.stdout)
    return set(re.findall(r"^FAILED \S+?::(\S+)", done.stdout, re.MULTILINE))


def test_the_changelog_line_stands_in_the_order_of_codes(project: Path) -> None:
    text = (project / "CHANGELOG.md").read_text(encoding="utf-8")
    codes = re.findall(r"^- (EVG\d+) ", text, re.MULTILINE)
    assert CODE in codes
    assert codes == sorted(codes)
    old = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.sub(rf"^- {CODE} .*\n", "", text, flags=re.MULTILINE) == old


def test_the_files_are_in_style(project: Path) -> None:
    for command in (("check",), ("format", "--check")):
        done = run(project, "-m", "ruff", *command, "--no-cache", RULE)
        assert done.returncode == 0, done.stdout


def test_the_rules_tests_fail_until_it_finds_something(project: Path, tmp_path: Path) -> None:
    assert failing_tests(project) == {
        f"test_the_example_is_reported[{CODE}]",
        f"test_nothing_is_left_as_the_template_has_it[{CODE}]",
        f"test_fixture[rules/{CODE}/step_of_anything.py]",
    }

    filled = tmp_path / "filled"
    shutil.copytree(project, filled)
    rule = (filled / RULE).read_text(encoding="utf-8")
    for old, new in FILLED_IN.items():
        assert old in rule
        rule = rule.replace(old, new)
    (filled / RULE).write_text(rule, encoding="utf-8")
    case = filled / f"fixtures/rules/{CODE}/step_of_anything.py"
    case.write_text(f"{TRAINING}  # error: {CODE}\n", encoding="utf-8")
    assert failing_tests(filled) == set()


@pytest.mark.parametrize(
    ("code", "name", "message"),
    [
        (CODE, "another-name", f"{CODE} is {NAME} already"),
        ("EVG201", "another-name", "EVG201 is training-in-eval-mode already"),
        ("EVG108", "training-in-eval-mode", "is the name of EVG201 already"),
        ("EVG501", "another-name", "EVG501 is no code of a rule: they are EVG101 to EVG199, "),
        ("EVG902", "another-name", "EVG902 is no code of a rule"),
        ("EVG100", "another-name", "EVG100 is no code of a rule"),
        ("EVG1", "another-name", "EVG1 is no code of a rule"),
        ("ABC101", "another-name", "ABC101 is no code of a rule"),
        ("EVG108", "Another-Name", "is no name of a rule"),
        ("EVG108", "another_name", "is no name of a rule"),
        ("EVG108", "another--name", "is no name of a rule"),
        ("EVG108", "wording", "is no name of a rule"),
    ],
)
def test_what_is_refused(project: Path, code: str, name: str, message: str) -> None:
    before = sorted(project.rglob("*.py"))
    done = devtools(project, "new-rule", code, name)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert sorted(project.rglob("*.py")) == before


def test_it_belongs_in_a_clone(tmp_path: Path) -> None:
    done = devtools(tmp_path, "new-rule", "EVG108", "another-name")
    assert done.returncode == 2
    assert "at the top of a clone" in done.stderr
