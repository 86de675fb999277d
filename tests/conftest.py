"""Options and the closing line of a test run: `--bless` rewrites snapshots, and the known limits are counted aloud."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from markers import known_limits, read_markers, texts_of

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
SINGLE = ("rules", "idioms", "shapes", "modes", "notebooks")  # folders in which every file is a case of its own


def heeding_interrupts() -> None:
    """For a new process: end by Ctrl-C, although a shell that started the tests in the background ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def cases_under(folder: Path) -> list[Path]:
    """The Python files and notebooks below a folder."""
    return sorted(file for file in folder.rglob("*") if file.suffix in (".py", ".ipynb"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="rewrite the snapshots under fixtures/ instead of comparing")


@pytest.fixture(autouse=True)
def _a_cache_for_each_test(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds what another has kept, nor leaves anything in its working directory."""
    monkeypatch.setenv("EVALGUARD_CACHE_DIR", str(tmp_path_factory.mktemp("cache") / "kept"))


@pytest.fixture
def snapshot(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with a file under fixtures/, or write it there under `--bless`."""
    bless = bool(request.config.getoption("--bless"))

    def compare(path: Path, actual: str) -> None:
        if bless:
            path.write_text(actual, encoding="utf-8", newline="\n")
            return
        assert path.exists(), f"{path} is missing: run `pytest --bless` and read what it writes"
        assert actual == path.read_text(encoding="utf-8"), (
            f"{path} differs: run `pytest --bless` if the new text is right"
        )

    return compare


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    files = [file for folder in (*SINGLE, "projects") for file in cases_under(FIXTURES / folder)]
    texts = [entry for file in files for entry in texts_of(file, file.name).items()]
    limits = known_limits(marker for name, text in texts for marker in read_markers(name, text))
    counts = ", ".join(f"{kind} {count}" for kind, count in limits.items())
    terminalreporter.write_line(f"known limits in fixtures: {counts}")
