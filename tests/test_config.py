"""Where the configuration comes from, what it may say, and how its errors read."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalguard.config import Config, ConfigError, load_config, with_options
from evalguard.user_vocabulary import LINK, WHY
from evalguard.vocabulary.terms import Factory, ForwardMethod, Framework, ModeManager, Parameter, Step, Table

CODES = {
    "EVG101": "inference-in-train-mode",
    "EVG102": "evaluation-in-train-mode",
    "EVG201": "training-in-eval-mode",
    "EVG202": "training-without-train-call",
    "EVG901": "unreadable-file",
}


@pytest.fixture(autouse=True)
def _in_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def own(text: str, folder: str = ".") -> None:
    write("evalguard.toml", text, folder)


def project(text: str, folder: str = ".") -> None:
    write("pyproject.toml", text, folder)


def write(name: str, text: str, folder: str = ".") -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder, name).write_text(text)


def load(*paths: str) -> Config:
    return load_config(paths or ["."], CODES)


def enabled(config: Config) -> list[str]:
    return [code for code in CODES if config.enables(code, default=code != "EVG202")]


def test_without_a_file_the_defaults_hold() -> None:
    assert load() == Config()
    assert enabled(load()) == ["EVG101", "EVG102", "EVG201", "EVG901"]


def test_every_key() -> None:
    own(
        """
        select = ["EVG2", "EVG101"]
        ignore = ["EVG202"]
        extend-select = ["evg102"]
        exclude = ["a"]
        extend-exclude = ["b"]
        respect-gitignore = false
        [per-file-ignores]
        "tests/*" = ["EVG1"]
        [vocabulary]
        forward-methods = ["encode_everything"]
        """
    )
    config = load()
    assert config == Config(
        select=("EVG2", "EVG101"),
        ignore=("EVG202",),
        extend_select=("EVG102",),
        exclude=("a",),
        extend_exclude=("b",),
        respect_gitignore=False,
        per_file_ignores=(("tests/*", ("EVG1",)),),
        vocabulary=Table(forward_methods=(ForwardMethod("encode_everything", WHY, LINK, unproved=True),)),
        folder=Path.cwd(),
        file=Path.cwd() / "evalguard.toml",
    )
    assert enabled(config) == ["EVG101", "EVG102", "EVG201"]


def test_the_nearest_file_upward_from_what_the_paths_share() -> None:
    project('[tool.evalguard]\nselect = ["EVG101"]')
    project('[tool.evalguard]\nselect = ["EVG201"]', "a")
    project("[tool.other]\n", "a/b")
    write("x.py", "", "a/b")
    write("y.py", "", "c")
    assert load("a/b").select == ("EVG201",)
    assert load("a/b/x.py").select == ("EVG201",)
    assert load("a/b/x.py", "c/y.py").select == ("EVG101",)
    assert load("-").select == ("EVG101",)
    assert load("a/new.py").select == ("EVG201",)


def test_our_own_file_wins_in_its_folder() -> None:
    project('[tool.evalguard]\nselect = ["EVG101"]')
    own('ignore = ["EVG2"]')
    assert load() == Config(ignore=("EVG2",), folder=Path.cwd(), file=Path.cwd() / "evalguard.toml")


def test_a_broken_project_file_that_never_names_us_is_passed_over() -> None:
    project("[tool.other\n")
    assert load() == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('selct = ["EVG201"]', 'evalguard.toml: unknown key "selct"; did you mean "select"?'),
        ("per_file_ignores = {}", 'evalguard.toml: unknown key "per_file_ignores"; did you mean "per-file-ignores"?'),
        ("banana = 1", 'evalguard.toml: unknown key "banana"'),
        ('select = ["EVG2O1"]', 'evalguard.toml: select: unknown code "EVG2O1"; did you mean "EVG201"?'),
        ('ignore = ["EVG3"]', 'evalguard.toml: ignore: unknown code "EVG3"'),
        (
            'ignore = ["training-in-eval-mode"]',
            'evalguard.toml: ignore: unknown code "TRAINING-IN-EVAL-MODE"; did you mean "EVG201"?',
        ),
        ('select = "EVG201"', 'evalguard.toml: select: must be a list of strings, not the string "EVG201"'),
        ("exclude = [1]", "evalguard.toml: exclude: must be a list of strings, but holds the number 1"),
        ("exclude = {}", "evalguard.toml: exclude: must be a list of strings, not a table"),
        ("respect-gitignore = 1", "evalguard.toml: respect-gitignore: must be true or false, not the number 1"),
        ("per-file-ignores = []", "evalguard.toml: per-file-ignores: must be a table of globs to codes, not a list"),
        (
            'per-file-ignores = {"a.py" = ["E501"]}',
            'evalguard.toml: per-file-ignores."a.py": unknown code "E501"',
        ),
        ("select = [", "evalguard.toml: not valid TOML: "),
        ("vocabulary = []", "evalguard.toml: vocabulary: must be a table, not a list"),
        (
            "vocabulary = { set-mode = [] }",
            'evalguard.toml: unknown key "vocabulary.set-mode"; did you mean "sets-mode"?',
        ),
        ("vocabulary = { steps = {} }", "evalguard.toml: vocabulary.steps: must be a list, not a table"),
        (
            'vocabulary = { sets-mode = ["mylib.freeze"] }',
            'evalguard.toml: vocabulary.sets-mode[0]: must be a table, not the string "mylib.freeze"',
        ),
        (
            'vocabulary = { sets-mode = [{ name = "f", mode = "eval" }, { name = "g", mod = "eval" }] }',
            'evalguard.toml: unknown key "vocabulary.sets-mode[1].mod"; did you mean "mode"?',
        ),
        ('vocabulary = { factories = [{ mode = "eval" }] }', 'evalguard.toml: vocabulary.factories[0]: has no "name"'),
        (
            'vocabulary = { factories = [{ name = "f" }] }',
            'evalguard.toml: vocabulary.factories[0]: has no "mode": one of "train", "eval", "unknown"',
        ),
        (
            'vocabulary = { sets-mode = [{ name = "f", mode = "evl" }] }',
            (
                'evalguard.toml: vocabulary.sets-mode[0].mode: must be one of "train", "eval", not the string "evl"; '
                'did you mean "eval"?'
            ),
        ),
        (
            'vocabulary = { factories = [{ name = "my lib", mode = "eval" }] }',
            (
                'evalguard.toml: vocabulary.factories[0].name: must be a dotted name, such as "mylib.freeze", '
                'not the string "my lib"'
            ),
        ),
        (
            'vocabulary = { sets-mode = [{ name = "f", mode = "eval", argument = -1 }] }',
            (
                "evalguard.toml: vocabulary.sets-mode[0].argument: must be a position, a name, both as in "
                '[0, "model"], or "self", not the number -1'
            ),
        ),
        (
            'vocabulary = { sets-mode = [{ name = "f", mode = "eval", restores = "yes" }] }',
            'evalguard.toml: vocabulary.sets-mode[0].restores: must be true or false, not the string "yes"',
        ),
        (
            'vocabulary = { frameworks = [{ name = "f", hooks = { training_step = "trian" } }] }',
            (
                "evalguard.toml: vocabulary.frameworks[0].hooks.training_step: must be one of "
                '"train", "eval", "managed", not the string "trian"; did you mean "train"?'
            ),
        ),
        (
            "vocabulary = { forward-methods = [1] }",
            "evalguard.toml: vocabulary.forward-methods[0]: must be the name of a method, not the number 1",
        ),
        (
            'vocabulary = { forward-methods = ["f", "f"] }',
            'evalguard.toml: vocabulary.forward-methods[1]: "f" is told twice',
        ),
        (
            'vocabulary = { steps = [{ name = "f" }] }',
            'evalguard.toml: vocabulary.steps[0]: says not what is trained: it needs "optimizer", "module" or "loss"',
        ),
        (
            'vocabulary = { steps = [{ name = "f", optimizer = 0, module = 1 }] }',
            'evalguard.toml: vocabulary.steps[0]: has an "optimizer" and a "module": one of them is enough',
        ),
    ],
)
def test_an_error_names_the_file_the_key_and_what_was_meant(text: str, message: str) -> None:
    own(text)
    with pytest.raises(ConfigError) as caught:
        load()
    assert str(caught.value).startswith(message)


def test_errors_in_a_project_file_name_its_table() -> None:
    project("[tool.evalguard]\nselect = 3", "a")
    with pytest.raises(ConfigError, match=r"^a/pyproject\.toml: tool\.evalguard\.select: must be a list"):
        load("a")
    project("[tool]\nevalguard = true", "a")
    with pytest.raises(ConfigError, match=r"^a/pyproject\.toml: tool\.evalguard: must be a table, not true$"):
        load("a")


def test_a_user_tells_what_functions_do() -> None:
    project(
        """
        [tool.evalguard.vocabulary]
        sets-mode = [
            { name = "mylib.freeze_for_eval", mode = "eval" },
            { name = "mylib.scoring", mode = "eval", argument = [1, "net"], restores = true },
            { name = "thaw", mode = "train", argument = "self" },
        ]
        factories = [{ name = "mylib.build_net", mode = "train", part = "first", layers = [] }]
        frameworks = [{ name = "mylib.BaseTask", hooks = { training_step = "train" }, module = true }]
        forward-methods = ["encode_everything"]
        steps = [
            { name = "mylib.engine.update", optimizer = "opt" },
            { name = "Engine.advance", module = "self", loss = 0 },
        ]
        """
    )
    proof = {"why": WHY, "link": LINK}
    assert load().vocabulary == Table(
        mode_managers=(
            ModeManager("mylib.freeze_for_eval", Parameter("module", 0, required=True), "eval", False, **proof),
            ModeManager("mylib.scoring", Parameter("net", 1, required=True), "eval", True, **proof),
            ModeManager("thaw", "receiver", "train", False, **proof),
        ),
        factories=(Factory("mylib.build_net", "train", **proof, part="first", layers=()),),
        frameworks=(Framework("mylib.BaseTask", True, {"training_step": "train"}, **proof),),
        forward_methods=(ForwardMethod("encode_everything", **proof, unproved=True),),
        steps=(
            Step("mylib.engine.update", Parameter("opt", None, required=True), **proof),
            Step("Engine.advance", "engine", **proof, loss=Parameter("", 0, required=True)),
        ),
    )
    project("[tool.evalguard.vocabulary]\nstep = []")
    with pytest.raises(ConfigError, match=r'^pyproject\.toml: unknown key "tool\.evalguard\.vocabulary\.step"; did'):
        load()


@pytest.mark.parametrize(
    ("config", "codes"),
    [
        (Config(select=("ALL",)), ["EVG101", "EVG102", "EVG201", "EVG202", "EVG901"]),
        (Config(ignore=("ALL",)), []),
        (Config(extend_select=("EVG202",)), ["EVG101", "EVG102", "EVG201", "EVG202", "EVG901"]),
        (Config(select=("EVG2",)), ["EVG201", "EVG202"]),
        (Config(select=("EVG2",), ignore=("EVG202",)), ["EVG201"]),
        (Config(select=("EVG201",), ignore=("EVG2",)), ["EVG201"]),
        (Config(select=("EVG201",), ignore=("EVG201",)), []),
        (Config(select=("EVG1",), extend_select=("EVG202",)), ["EVG101", "EVG102", "EVG202"]),
    ],
)
def test_the_longer_prefix_wins(config: Config, codes: list[str]) -> None:
    assert enabled(config) == codes


def test_options_come_after_the_file() -> None:
    config = Config(select=("EVG1",), ignore=("EVG102",), extend_select=("EVG202",))
    assert enabled(with_options(config, CODES)) == ["EVG101", "EVG202"]
    assert enabled(with_options(config, CODES, select=["EVG102"])) == ["EVG102"]
    assert enabled(with_options(config, CODES, ignore=["EVG2"])) == ["EVG101", "EVG202"]
    assert not with_options(config, CODES, respect_gitignore=False).respect_gitignore
    with pytest.raises(ConfigError, match=r'^--select: unknown code "EVG9999"; did'):
        with_options(config, CODES, select=["EVG9999"])


def test_globs_of_the_file_begin_at_its_folder() -> None:
    config = Config(per_file_ignores=(("tests/*.py", ("EVG1",)), ("conftest.py", ("ALL",))), folder=Path("/repo"))
    assert config.ignores_in_file("EVG101", Path("/repo/tests/a.py"))
    assert not config.ignores_in_file("EVG201", Path("/repo/tests/a.py"))
    assert not config.ignores_in_file("EVG101", Path("/repo/src/tests/a.py"))
    assert not config.ignores_in_file("EVG101", Path("/elsewhere/tests/a.py"))
    assert config.ignores_in_file("EVG201", Path("/repo/deep/conftest.py"))


def test_a_glob_may_name_a_folder() -> None:
    config = Config(per_file_ignores=(("tests/", ("EVG1",)),), folder=Path("/repo"))
    assert config.ignores_in_file("EVG101", Path("/repo/tests/deep/a.py"))
