"""Which files are looked at, and in which order."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalguard.config import Config
from evalguard.discover import DEFAULT_EXCLUDE, discover, missing, shown_path
from evalguard.ignore import parse_patterns

EXCLUDES = [parse_patterns(DEFAULT_EXCLUDE, Path("/"))]


@pytest.fixture(autouse=True)
def _in_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(*names: str, text: str = "") -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


def ignore(*lines: str, folder: str = ".") -> None:
    write(f"{folder}/.gitignore", text="\n".join(lines) + "\n")


def repository(folder: str = ".") -> None:
    Path(folder, ".git", "info").mkdir(parents=True)


def found(*paths: str, respect_gitignore: bool = True) -> list[str]:
    return [file.shown for file in discover(paths or ["."], EXCLUDES, respect_gitignore).files]


def test_python_files_in_the_order_of_their_names() -> None:
    write("b.py", "a.py", "gui.pyw", "z/a.py", "stub.pyi", "notes.txt", "B.py", "z.py")
    assert found() == ["B.py", "a.py", "b.py", "gui.pyw", "z.py", "z/a.py"]


def test_a_folder_may_be_named_like_a_file() -> None:
    write("x.py/inside.py")
    assert found() == ["x.py/inside.py"]


def test_a_named_file_is_always_looked_at() -> None:
    ignore("*.py")
    write("script", "a.py", "build/b.py")
    assert found("script", "a.py", "build/b.py") == ["a.py", "build/b.py", "script"]


def test_each_file_once() -> None:
    write("pkg/a.py", "pkg/b.py")
    assert found("pkg/b.py", ".", "pkg", str(Path("pkg/a.py").absolute())) == ["pkg/a.py", "pkg/b.py"]


def test_paths_are_shown_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py", "sub/b.py")
    monkeypatch.chdir("sub")
    assert found("..") == ["../a.py", "b.py"]
    assert shown_path(tmp_path / "sub" / "b.py") == "b.py"


def test_usual_folders_are_left_out() -> None:
    for folder in [*DEFAULT_EXCLUDE, "my.egg-info"]:
        if "*" not in folder:
            write(f"{folder}/a.py", f"deep/{folder}/a.py")
    write("env/pyvenv.cfg", "env/lib/a.py", "environment/a.py", "buildings/a.py")
    assert found() == ["buildings/a.py", "environment/a.py"]


def test_a_usual_folder_that_is_named_is_looked_at() -> None:
    write("build/a.py", "build/build/b.py", "venv/pyvenv.cfg", "venv/c.py")
    assert found("build", "venv") == ["build/a.py", "venv/c.py"]


def test_gitignore_with_negation_nesting_and_anchors() -> None:
    ignore("*_gen.py", "!keep_gen.py", "/top.py", "data/", "deep/**/x.py")
    ignore("!a_gen.py", "own.py", folder="sub")
    write("a_gen.py", "keep_gen.py", "top.py", "data/a.py", "sub/top.py", "sub/a_gen.py", "sub/own.py", "own.py")
    write("deep/x.py", "deep/er/x.py", "deep/y.py", "sub/data/b.py")
    assert found() == ["deep/y.py", "keep_gen.py", "own.py", "sub/a_gen.py", "sub/top.py"]
    assert len(found(respect_gitignore=False)) == 12


def test_what_brings_folders_back_says_nothing_of_files() -> None:
    ignore("*", "!*/", "!/src/**")
    write("a.py", "lib/a.py", "src/a.py", "src/deep/b.py")
    assert found() == ["src/a.py", "src/deep/b.py"]


def test_patterns_of_the_parents_hold_up_to_the_root_of_the_repository() -> None:
    repository("repo")
    ignore("b.py")
    ignore("a.py", folder="repo")
    ignore("!a.py", folder="repo/sub/deep")
    write("repo/.git/info/exclude", text="secret.py\n")
    write("repo/sub/a.py", "repo/sub/b.py", "repo/sub/secret.py", "repo/sub/deep/a.py")
    assert found("repo/sub") == ["repo/sub/b.py", "repo/sub/deep/a.py"]


def test_outside_a_repository_the_parents_say_nothing() -> None:
    ignore("*.py")
    write("sub/a.py")
    assert found("sub") == ["sub/a.py"]


def test_a_named_folder_that_git_ignores_is_looked_at() -> None:
    repository()
    ignore("data/")
    ignore("b.py", folder="data")
    write("data/a.py", "data/b.py")
    assert found() == []
    assert found("data") == ["data/a.py"]
    assert found("data", "data/b.py") == ["data/a.py", "data/b.py"]


def test_a_work_tree_shares_the_exclude_file_of_its_repository() -> None:
    repository("repo")
    write("repo/.git/info/exclude", text="a.py\n")
    write("repo/.git/worktrees/tree/commondir", text="../..\n")
    write("tree/.git", text=f"gitdir: {Path('repo/.git/worktrees/tree').absolute()}\n")
    write("tree/a.py", "tree/b.py")
    assert found("tree") == ["tree/b.py"]


def test_later_patterns_of_the_configuration_decide() -> None:
    write("build/a.py", "gen/b.py", "c.py")
    config = Config(extend_exclude=("!build", "gen"))
    assert [file.shown for file in discover(["."], config.excludes()).files] == ["build/a.py", "c.py"]


def test_links() -> None:
    write("pkg/a.py")
    try:
        Path("pkg/loop").symlink_to("..", target_is_directory=True)
        Path("pkg/b.py").symlink_to("a.py")
        Path("pkg/nowhere.py").symlink_to("absent.py")
        Path("pkg/self.py").symlink_to("self.py")
        Path("other").symlink_to("pkg", target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    assert found() == ["pkg/a.py"]
    assert found("other") == ["other/a.py"]
    assert found("pkg/nowhere.py") == ["pkg/nowhere.py"]


def test_a_folder_that_cannot_be_listed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    write("shut/a.py", "b.py")
    scandir = os.scandir

    def guarded(folder: Path) -> object:
        if folder.name == "shut":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    discovery = discover(["."])
    assert [file.shown for file in discovery.files] == ["b.py"]
    assert discovery.problems == ("shut: cannot be listed: Permission denied",)


def test_missing_names_what_does_not_exist() -> None:
    write("a.py")
    assert missing(["a.py", "b.py", "-", "c"]) == ["b.py", "c"]


@pytest.mark.parametrize(
    ("line", "matching", "other"),
    [
        ("a.py", ["a.py", "sub/a.py"], ["ba.py", "a.pyc"]),
        ("/a.py", ["a.py"], ["sub/a.py"]),
        ("sub/a.py", ["sub/a.py"], ["deep/sub/a.py"]),
        ("**/sub/a.py", ["sub/a.py", "deep/er/sub/a.py"], ["a.py"]),
        ("sub/**", ["sub/a.py", "sub/deep/a.py"], ["sub", "a.py"]),
        ("a/**/b.py", ["a/b.py", "a/x/y/b.py"], ["b.py", "xa/b.py"]),
        ("*.py", ["a.py", "sub/a.py"], ["a.txt"]),
        ("a/*.py", ["a/b.py"], ["a/b/c.py"]),
        ("?.py", ["a.py"], ["ab.py", ".py"]),
        ("[a-c]x.py", ["ax.py", "cx.py"], ["dx.py", "-x.py"]),
        ("[!a]x.py", ["bx.py"], ["ax.py"]),
        ("[]x].py", ["].py", "x.py"], ["y.py"]),
        ("[[:digit:]_].py", ["1.py", "_.py"], ["a.py", ":.py"]),
        (r"[\]].py", ["].py"], ["\\.py"]),
        ("[z-a].py", [], ["a.py", "z.py"]),
        ("[a.py", [], ["[a.py", "a.py"]),
        (r"\#a.py", ["#a.py"], ["a.py"]),
        (r"\!a.py", ["!a.py"], ["a.py"]),
        ("a.py   ", ["a.py"], ["a.py   "]),
        ("a.py\\ ", ["a.py "], ["a.py"]),
        ("# a.py", [], ["# a.py", "a.py"]),
        ("+(a).py", ["+(a).py"], ["a.py"]),
    ],
)
def test_patterns(line: str, matching: list[str], other: list[str]) -> None:
    patterns = parse_patterns([line], Path("/"))
    assert [name for name in matching + other if patterns.verdict(Path("/", name), is_folder=False)] == matching


NAMES = st.sampled_from(["a", "b", "keep", "*", "**", "x.py", "*.py", "x*", "?", "[ab]", "[!a]", "y.py", "k*p"])
LINES = st.builds(
    lambda negation, anchor, parts, end: negation + anchor + "/".join(parts) + end,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(NAMES, min_size=1, max_size=3),
    st.sampled_from(["", "", "/", "  "]),
)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@settings(max_examples=30, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(st.sampled_from(["", "a", "a/b", "b"]), st.lists(LINES, min_size=1, max_size=4)),
    excluded=LINES,
)
def test_git_leaves_out_the_same(files: dict[str, list[str]], excluded: str, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "repo", ignore_errors=True)
    subprocess.run(["git", "init", "--quiet", "repo"], check=True, cwd=tmp_path)
    for folder in ["", "a", "a/b", "a/keep", "b", "b/a", "keep"]:
        write(*(f"repo/{folder}/{name}" for name in ["x.py", "y.py", "z.py"]))
    for folder, lines in files.items():
        ignore(*lines, folder=f"repo/{folder}")
    write("repo/.git/info/exclude", text=f"{excluded}\n")
    command = ["git", "ls-files", "--others", "--exclude-per-directory=.gitignore", "--exclude-from=.git/info/exclude"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True, cwd="repo").stdout.split()
    assert found("repo") == sorted(f"repo/{name}" for name in listed if name.endswith(".py"))
