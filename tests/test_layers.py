"""The law of the layers: which part of the package may import which.

finding <- source <- ir <- +- frontend (the only importer of libcst) --------+
                           +- flow <- modes <- project <- rules <- analysis +- check <- cli
vocabulary (tables, imports nothing) is read by modes and project, and extended by check;   finding <- report
fixes (candidates and their proof, by the words of finding and source) <- repair (asks check again and again) <- cli
cache (facts and reports, from run to run) is asked by check
claims (the modes at every forward and step) are made by project, kept by check, and shown by lsp
lsp (the language server: a process that speaks to editors, and workers that ask check and repair) <- cli
sightings (what a run showed) are made by trace, the only layer that runs code of a user, and rendered by report
corpus (many projects, each checked in a process of its own) <- cli
callgraph (what `evalguard graph` shows) and ribbon (the modes on each line) are made by project and rendered by report
rule_documentation (read from the docstrings of rules and own_codes by check) is rendered by report
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import evalguard

PACKAGE = Path(evalguard.__file__).parent
MAY_IMPORT: dict[str, set[str]] = {
    "finding": set(),
    "sightings": {"finding"},
    "callgraph": {"finding"},
    "ribbon": {"finding"},
    "claims": {"finding"},
    "vocabulary": set(),
    "ignore": set(),
    "discover": {"ignore"},
    "toml_values": set(),
    "user_vocabulary": {"toml_values", "vocabulary"},
    "config": {"discover", "ignore", "toml_values", "user_vocabulary", "vocabulary"},
    "source": {"finding"},
    "ipython": {"source", "vocabulary"},
    "notebook": {"claims", "finding", "ipython", "source"},
    "screen": {"project", "vocabulary"},
    "suppress": {"finding", "source"},
    "ir": {"finding", "source"},
    "flow": {"ir"},
    "frontend": {"finding", "source", "ir"},
    "modes": {"finding", "ir", "flow", "vocabulary"},
    "project": {"callgraph", "claims", "finding", "ir", "flow", "modes", "ribbon", "vocabulary"},
    "rule_documentation": {"finding"},
    "own_codes": {"finding"},
    "rules": {"finding", "ir", "flow", "modes", "project"},
    "fixes": {"finding", "ipython", "notebook", "source", "vocabulary"},
    "fingerprint": {"finding", "source"},
    "trace": {"finding", "sightings", "vocabulary"},
    "report": {"callgraph", "finding", "fingerprint", "ribbon", "rule_documentation", "sightings", "source"},
    "cache": {"finding", "ir", "report", "source"},
    "baseline": {"fingerprint", "report"},
    "changes": {"finding"},
    "lowering": {"finding", "frontend", "ir", "run", "source"},
    "processes": set(),
    "run": {
        "cache",
        "claims",
        "config",
        "finding",
        "ir",
        "lowering",
        "modes",
        "own_codes",
        "report",
        "ribbon",
        "source",
    },
    "analysis": {
        *("cache", "callgraph", "claims", "config", "finding", "ir", "lowering", "modes", "notebook", "own_codes"),
        *(
            "processes",
            "project",
            "report",
            "ribbon",
            "rule_documentation",
            "rules",
            "run",
            "screen",
            "source",
            "suppress",
        ),
        "vocabulary",
    },
    "check": {
        *("analysis", "baseline", "cache", "callgraph", "claims", "config", "discover", "finding", "lowering", "modes"),
        *("notebook", "report", "rule_documentation", "run", "source"),
    },
    "repair": {
        *("check", "config", "finding", "fixes", "frontend", "ipython", "notebook", "report", "source", "suppress"),
    },
    "project_root": {"config"},
    "lsp": {
        *("check", "claims", "config", "discover", "finding", "fixes", "frontend", "notebook", "own_codes"),
        *("project_root", "repair", "report", "rule_documentation", "source", "suppress"),
    },
    "corpus": {"check", "config", "discover", "report", "run"},
    "cli": {
        *("baseline", "cache", "callgraph", "changes", "check", "config", "corpus", "discover", "finding"),
        *("fingerprint", "fixes", "lsp", "repair", "report", "ribbon", "rule_documentation", "run", "trace"),
    },
    "flake8_plugin": {"check", "config", "discover", "finding", "project_root", "report", "source"},
    "__main__": {"cli"},
    "devtools": {"check", "cli", "corpus", "report", "rule_documentation", "trace"},
    "__init__": {"check", "config", "finding", "report"},
}
ONLY_IN = {
    "flake8": {"flake8_plugin"},
    "distributed": {"cli", "corpus"},
    **{name: {"corpus"} for name in ("httpx2", "unearth")},
    "libcst": {"frontend"},
    "click": {"cli", "devtools"},
    "pygls": {"lsp"},
    "lsprotocol": {"lsp"},
    **{name: {"report"} for name in ("jinja2", "pygments", "rich")},
}


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every absolute dotted name that a module imports, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, node.lineno) for alias in names)
            case ast.ImportFrom(module=module, level=0, names=names):
                yield from ((f"{module}.{alias.name}", node.lineno) for alias in names)
            case ast.ImportFrom():
                pytest.fail(f"{path}:{node.lineno}: own modules are imported by their full path")


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_layer_imports_only_what_it_may(path: Path) -> None:
    layer = layer_of(path)
    assert layer in MAY_IMPORT, f"{layer} has no place among the layers"
    for name, line in imports(path):
        package, _, rest = name.partition(".")
        where = f"{path}:{line}: {layer} imports {name}"
        assert layer in ONLY_IN.get(package, {layer}), where
        own = rest.partition(".")[0]
        if package == "evalguard" and own in MAY_IMPORT and own != layer:
            assert own in MAY_IMPORT[layer], where


def test_nothing_imports_the_tools_for_those_who_work_on_evalguard() -> None:
    assert [layer for layer, others in MAY_IMPORT.items() if "devtools" in others] == []


def test_a_worker_of_the_server_loads_nothing_of_the_protocol() -> None:
    script = "import sys, evalguard.lsp.worker; print(not {'pygls', 'lsprotocol'} & sys.modules.keys())"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "True\n"


def test_the_command_loads_no_libcst_until_there_is_something_to_parse(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("x = 1\n")
    script = "import sys; from evalguard.cli import main; print(main(sys.argv[1:]), 'libcst' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "0 False"


def test_only_the_pipeline_catches_every_exception() -> None:
    """And what runs a program of a user, for that may raise anything."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler) and layer_of(path) != "run" and path.name != "launch.py":
                caught = ast.unparse(node.type) if node.type else "BaseException"
                assert not re.search(r"\b(?:Base)?Exception\b", caught), f"{path}:{node.lineno}"


RUNS_CODE = {"exec", "eval", "__import__", "run_path", "run_module", "exec_module", "import_module"}


def test_only_trace_runs_code_of_a_user() -> None:
    """Elsewhere nothing can: modules of our own are imported by their names, by the package itself."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or layer_of(path) in ("trace", "devtools", "__init__", "rules"):
                continue
            last = ast.unparse(node.func).rpartition(".")[2]
            assert last not in RUNS_CODE, f"{path}:{node.lineno}: {last}"
    others = [layer for layer, may in MAY_IMPORT.items() if "trace" in may]
    assert others == ["cli", "devtools"]


def test_trace_is_loaded_by_nothing_else() -> None:
    script = "import sys, evalguard.cli, evalguard.check; print([name for name in sys.modules if '.trace.' in name])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(run.stdout.strip("[]\n").replace("'", "").split(", ")) <= {"", "evalguard.cli.trace"}
