"""The command: what goes in, what comes out on which stream, and with which status."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from planted import plant

import evalguard
from evalguard import analysis, cli
from evalguard.cli import FORMATS, main
from evalguard.report import text as text_report

BUG = "model.eval()\nfor x in loader:\n    step()  # plant EVG201\n"
CLEAN = "model.eval()\n"
PLAIN = "x = 1\n"


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _in_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    plant(monkeypatch)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@dataclass(frozen=True)
class Runner:
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Outcome:
        status = main(arguments)
        captured = self.capsys.readouterr()
        return Outcome(status, captured.out, captured.err)


def write(name: str, content: str | bytes = BUG) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)


def codes(outcome: Outcome) -> list[str]:
    return re.findall(r": (EVG\d+) ", outcome.out)


# Exit status


def test_nothing_found_is_0(run: Runner) -> None:
    write("a.py", CLEAN)
    assert run() == Outcome(0, "No problems found in 1 file.\n", "")


def test_findings_are_1(run: Runner) -> None:
    write("a.py")
    outcome = run(".")
    assert (outcome.status, outcome.err) == (1, "")
    assert outcome.out.endswith("Found 1 problem in 1 of 1 file.\n")


def test_an_unreadable_file_alone_is_1(run: Runner) -> None:
    write("a.py", "model.eval()\nif\n")
    assert run("--format", "flake8") == Outcome(1, "a.py:2:3: EVG901 cannot be parsed: invalid syntax\n", "")


def test_exit_zero_forgives_findings_but_no_failure(run: Runner) -> None:
    write("a.py")
    assert run("--exit-zero").status == 0
    write("b.py", "model.eval()  # crash\n")
    assert run("--exit-zero").status == 2
    assert run("--exit-zero", "absent.py").status == 2


def test_a_path_that_does_not_exist_is_2(run: Runner) -> None:
    write("a.py")
    outcome = run("a.py", "absent.py", "nowhere")
    assert (outcome.status, outcome.out) == (2, "")
    assert "no such file or folder: absent.py, nowhere" in outcome.err


def test_no_python_files_is_a_warning(run: Runner) -> None:
    write("notes.txt")
    outcome = run()
    assert outcome.status == 0
    assert outcome.err == "evalguard: warning: no Python files found in .\n"


def test_files_that_are_all_left_out_are_said_to_be_there(run: Runner) -> None:
    write("old/a.py")
    write("evalguard.toml", 'exclude = ["old"]\n')
    assert run().err == (
        "evalguard: warning: no Python files found in .: one is left out by .gitignore or the configuration, which "
        "`evalguard config` shows\n"
    )


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("trian.py", '(did you mean "train.py"?)'),
        ("pkg/modle.py", '(did you mean "pkg/model.py"?)'),
        ("pgk/model.py", '(did you mean "pkg"?)'),
        ("grahp", '(did you mean the command "graph"?)'),
    ],
)
def test_a_path_that_does_not_exist_may_have_been_meant_otherwise(run: Runner, path: str, meant: str) -> None:
    write("train.py")
    write("pkg/model.py")
    assert f"no such file or folder: {path} {meant}\n" in run(path).err


def test_a_failure_of_our_own_is_2_and_the_other_files_go_on(run: Runner) -> None:
    write("a.py", "model.eval()  # crash\n")
    write("b.py")
    outcome = run("--format", "flake8")
    assert outcome.status == 2
    assert outcome.out == "b.py:3:1: EVG201 planted here\n"
    assert outcome.err == (
        "evalguard: internal error in a.py: ValueError: planted crash\n"
        "evalguard: please report this, with the file if you may (-v shows the traceback)\n"
    )
    assert "Traceback (most recent call last):" in run("-v").err


def test_a_failure_outside_of_any_file_is_2(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py")
    monkeypatch.setattr(text_report, "render", lambda *_: 1 / 0)
    outcome = run()
    assert outcome.status == 2
    assert outcome.err.startswith("evalguard: internal error: ZeroDivisionError: division by zero\n")


def test_an_interrupt_is_130(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(analysis, "link_project", interrupt)
    assert run().status == 130


# Options


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--selct", "EVG201"], "--select"),
        (
            ["--format", "flak8"],
            'unknown format "flak8"; did you mean "flake8"? (one of text, flake8, json, github, gitlab, html, junit,',
        ),
        (["--format", "xml"], 'unknown format "xml" (one of text, flake8, json, github, gitlab, html, junit, sarif)'),
        (["--select", "EVG2O1"], '--select: unknown code "EVG2O1"; did you mean "EVG201"?'),
        (["--ignore", "EVG1,training-in-eval-mode"], 'unknown code "TRAINING-IN-EVAL-MODE"; did you mean "EVG201"?'),
        (["--statistics", "--format", "json"], "use one of --statistics and --format json"),
        (["--stdin-filename", "a.py"], "give - as a path"),
        (["--project", "nowhere"], "no such"),
        (["--project", ".", "-"], "--stdin-filename"),
    ],
)
def test_wrong_usage_says_what_was_meant(run: Runner, arguments: list[str], message: str) -> None:
    outcome = run(*arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_every_option(run: Runner, option: str) -> None:
    outcome = run(option)
    assert outcome.status == 0
    shown = [each for each in cli.command.params if not (isinstance(each, click.Option) and each.hidden)]
    options = [name for parameter in shown for name in parameter.opts if name.startswith("-")]
    assert [name for name in options if name not in outcome.out] == []


def test_version(run: Runner) -> None:
    assert run("--version") == Outcome(0, f"evalguard {evalguard.__version__}\n", "")


def test_selection(run: Runner) -> None:
    write("a.py", "model.eval()  # plant EVG201 plant EVG101 plant EVG202\n")
    assert codes(run()) == ["EVG101", "EVG201"]
    assert codes(run("--select", "EVG2")) == ["EVG201", "EVG202"]
    assert codes(run("--select", "ALL", "--ignore", "EVG201,EVG101")) == ["EVG202"]
    assert codes(run("--select", "EVG202", "--select", "EVG101")) == ["EVG101", "EVG202"]
    assert codes(run("--ignore", "EVG1, EVG2")) == []


def test_an_unreadable_file_is_told_unless_it_is_ignored(run: Runner) -> None:
    write("a.py", b"x = '\xff'\n")
    assert codes(run("--select", "EVG201")) == ["EVG901"]
    assert codes(run("--ignore", "EVG901")) == []


def test_files_that_hold_nothing_of_interest_are_skipped(run: Runner) -> None:
    write("plain.py", PLAIN)
    write("old.py", 'print "x"\n')
    write("a.py")
    summary = json.loads(run("--format", "json").out)["summary"]
    assert summary == {"files": 3, "analysed": 1, "skipped": 2, "findings": 1}


@pytest.mark.parametrize(
    "line",
    [
        "model.train()",
        "net.to(device) . eval ()",
        "if self.training: pass",
        "with torch.no_grad(): pass",
        "@inference_mode()\ndef f(): pass",
        "loss.backward()",
        "optimizer.step()",
        "net.load_state_dict(state)",
        "class Net(nn.Module): pass",
    ],
)
def test_files_that_touch_a_mode_are_analysed(line: str) -> None:
    assert evalguard.check_source(line).analysed == ("<stdin>",)


def test_gitignore_and_excludes(run: Runner) -> None:
    for name in ("a.py", "gen/b.py", "out/c.py", "build/d.py"):
        write(name)
    write(".gitignore", "gen/\n")
    files = ["--format", "flake8"]
    assert run(*files).out.count("EVG201") == 2
    assert run(*files, "--no-respect-gitignore").out.count("EVG201") == 3
    assert run(*files, "--extend-exclude", "out", "--extend-exclude", "a.*").out == ""


def test_per_file_ignores_and_configuration(run: Runner) -> None:
    write("pyproject.toml", '[tool.evalguard]\nper-file-ignores = {"tests/*" = ["EVG2"]}\nextend-exclude = ["gen"]\n')
    for name in ("a.py", "tests/b.py", "gen/c.py"):
        write(name)
    assert run("--format", "flake8").out == "a.py:3:1: EVG201 planted here\n"
    assert "evalguard: configuration: " in run("-v").err


def test_a_wrong_configuration_is_2(run: Runner) -> None:
    write("evalguard.toml", 'slect = ["EVG201"]\n')
    outcome = run()
    assert outcome.status == 2
    assert 'Error: evalguard.toml: unknown key "slect"; did you mean "select"?' in outcome.err


def test_comments_silence(run: Runner) -> None:
    write("a.py", "step()  # plant EVG201 # noqa: EVG201\nx.eval()  # plant EVG201 # evalguard: ignore[EVG201] demo\n")
    assert run().status == 0


def test_a_marker_inside_a_string_silences_nothing(run: Runner) -> None:
    write("a.py", 'x.eval("# noqa")  # plant EVG201\n')
    assert codes(run()) == ["EVG201"]


def test_verbose_tells_what_was_skipped_and_how_long_it_took(run: Runner) -> None:
    write("a.py")
    write("plain.py", PLAIN)
    outcome = run("-v")
    assert "evalguard: skipped, nothing in it sets or uses a mode: plain.py\n" in outcome.err
    assert "evalguard: 2 files, 1 analysed, 1 skipped\n" in outcome.err
    stages = re.findall(r"^evalguard: (\w+): \d+\.\d{3} s$", outcome.err, re.MULTILINE)
    assert stages == ["discover", "read", "cache", "screen", "parse", "link", "rules"]


def test_statistics(run: Runner) -> None:
    write("a.py", BUG + "step()  # plant EVG201\nstep()  # plant EVG101\n")
    outcome = run("--statistics")
    assert outcome == Outcome(1, "2  EVG201  training-in-eval-mode\n1  EVG101  inference-in-train-mode\n", "")


def test_no_cache_is_accepted(run: Runner) -> None:
    write("a.py", CLEAN)
    assert run("--no-cache").status == 0


# Standard input


@pytest.mark.parametrize(("arguments", "path"), [([], "<stdin>"), (["--stdin-filename", "pkg/new.py"], "pkg/new.py")])
def test_standard_input(run: Runner, monkeypatch: pytest.MonkeyPatch, arguments: list[str], path: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BUG.encode())))
    assert run("-", "--format", "flake8", *arguments) == Outcome(1, f"{path}:3:1: EVG201 planted here\n", "")


def test_the_configuration_of_standard_input_is_that_of_its_name(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    write("pkg/evalguard.toml", 'per-file-ignores = {"new.py" = ["EVG201"]}\n')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BUG.encode())))
    assert run("-", "--stdin-filename", "pkg/new.py").status == 0


# A part of a project


def test_with_a_project_only_what_has_to_do_with_the_paths_is_reported(run: Runner) -> None:
    for name in ("pkg/a.py", "pkg/b.py", "other.py"):
        write(name)
    assert run("--format", "flake8", "--project", ".", "pkg/a.py").out == "pkg/a.py:3:1: EVG201 planted here\n"
    assert run("--format", "flake8", "--project", ".", "pkg").out.count("\n") == 2
    assert run("--format", "flake8", "--project", ".").out.count("\n") == 3
    assert run("--project", ".", "pkg/a.py").out.endswith("Found 1 problem in 1 of 3 files.\n")


def test_what_a_project_leaves_out_is_left_out_although_it_is_named(run: Runner) -> None:
    write("pyproject.toml", '[tool.evalguard]\nextend-exclude = ["old"]\n')
    write("old/a.py")
    write("b.py", CLEAN)
    assert run("--project", ".", "old/a.py").status == 0
    assert run("old/a.py").status == 1


def test_a_script_without_a_suffix_and_a_file_outside_belong_to_it_when_named(run: Runner) -> None:
    write("project/script")
    write("outside.py")
    assert codes(run("--project", "project", "project/script", "outside.py")) == ["EVG201", "EVG201"]
    assert run("--project", "project", "project").status == 0


def test_standard_input_takes_the_place_of_a_file_of_the_project(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py")
    write("b.py", CLEAN)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"model.eval()\nstep()  # plant EVG201\n")))
    outcome = run("--format", "flake8", "--project", ".", "--stdin-filename", "a.py", "-")
    assert outcome.out == "a.py:2:1: EVG201 planted here\n"


# Output


def test_each_format(run: Runner) -> None:
    write("a.py")
    outputs = {form: run("--format", form).out for form in FORMATS}
    assert outputs["flake8"] == "a.py:3:1: EVG201 planted here\n"
    assert json.loads(outputs["json"])["findings"][0]["line"] == 3
    assert all(outputs.values())
    assert outputs["text"].startswith("a.py:3:1: EVG201 training-in-eval-mode planted here\n  |\n3 |     step()")


def test_the_same_input_gives_the_same_bytes_in_a_fixed_order(run: Runner) -> None:
    for name in ("b.py", "a.py", "c/a.py"):
        write(name, BUG + "step()  # plant EVG101 plant EVG201\n")
    first = run("--format", "json").out
    assert first == run("--format", "json", "c", "b.py", "a.py").out
    found = [(finding["path"], finding["line"], finding["code"]) for finding in json.loads(first)["findings"]]
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (False, {}, False),
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "0"}, False),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals(
    run: Runner, monkeypatch: pytest.MonkeyPatch, terminal: bool, environment: dict[str, str], coloured: bool
) -> None:
    write("a.py")
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert ("\x1b[" in run().out) == coloured
    assert "\x1b[" not in run("--format", "flake8").out + run("--format", "json").out


def test_source_and_names_cannot_steer_the_terminal(run: Runner) -> None:
    try:
        write("a\x1b[31m\n.py", "model.eval('\x1b]0;title\x07')  # plant EVG201\n")
    except OSError:
        pytest.skip("no such names here")
    for form in FORMATS:
        assert "\x1b" not in run("--format", form).out
    assert run("--format", "flake8").out.count("\n") == 1


def test_an_output_file_takes_what_would_be_printed(run: Runner) -> None:
    write("a.py")
    printed = run("--format", "sarif")
    assert run("--format", "sarif", "--output-file", "found.sarif") == Outcome(1, "", "")
    assert Path("found.sarif").read_text(encoding="utf-8") == printed.out
    assert sorted(path.name for path in Path().iterdir()) == ["a.py", "found.sarif"]


def test_an_output_file_is_not_coloured(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py")
    monkeypatch.setenv("FORCE_COLOR", "1")
    run("--output-file", "found.txt")
    assert "\x1b" not in Path("found.txt").read_text(encoding="utf-8")


def test_an_output_file_is_replaced_as_a_whole(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py")
    write("found.txt", "old")
    os.chmod("found.txt", 0o600)
    os.symlink("found.txt", "link.txt")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        outcome = run("--output-file", "link.txt")
    assert (outcome.status, outcome.err) == (2, "Error: link.txt cannot be written: No space left on device\n")
    assert Path("found.txt").read_text() == "old"
    assert sorted(path.name for path in Path().iterdir()) == ["a.py", "found.txt", "link.txt"]
    run("--output-file", "link.txt")
    assert Path("found.txt").read_text().startswith("a.py:3:1: EVG201")
    assert Path("found.txt").stat().st_mode & 0o777 == 0o600


def test_an_output_file_may_be_a_device(run: Runner) -> None:
    write("a.py")
    assert run("--output-file", os.devnull) == Outcome(1, "", "")


# The real command, in a process of its own


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    whole = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-m", "evalguard", *arguments], capture_output=True, env=whole, check=False)


def test_the_module_is_the_command() -> None:
    write("a.py", b"x = '\xff'\n")
    result = command(".", "--format", "flake8")
    assert (result.returncode, result.stderr) == (1, b"")
    assert result.stdout.splitlines() == [
        b"a.py:1:1: EVG901 cannot be decoded: invalid or missing encoding declaration"
    ]


def test_an_encoding_without_the_character_gets_an_escape() -> None:
    write("é.py", b"x = '\xff'\n")
    result = command(".", "--format", "flake8", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert result.stdout.startswith(b"\\xe9.py:1:1: EVG901")


@pytest.mark.skipif(os.name == "nt", reason="pipes of Unix")
def test_a_reader_that_has_had_enough_is_no_error() -> None:
    for number in range(2000):
        write(f"many/{number}.py", b"\xff")
    run = subprocess.Popen([sys.executable, "-m", "evalguard", "many"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None
    run.stdout.read(10)
    run.stdout.close()
    assert run.stderr is not None
    with run.stderr:
        assert run.stderr.read() == b""
    assert run.wait() == 1


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["--selct", "EVG2"], "No such option '--selct'. Did you mean '--select'?"),
        (["--fixx"], "Did you mean '--fix'?"),
        (["config", "--ignor", "EVG2"], "Did you mean '--ignore'?"),
        (["serve"], '(did you mean the command "server"?)'),
    ],
)
def test_a_misspelt_word_is_answered_with_the_one_that_was_meant(
    arguments: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert meant in capsys.readouterr().err
