"""Options and the closing line of a test run: `--bless` rewrites snapshots, and the known limits are counted aloud."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from markers import known_limits, read_markers

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
SINGLE = ("rules", "idioms", "shapes", "modes")  # folders in which every file is a case of its own


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="rewrite the snapshots under fixtures/ instead of comparing")


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
    files = [file for folder in (*SINGLE, "projects") for file in sorted((FIXTURES / folder).rglob("*.py"))]
    limits = known_limits(marker for file in files for marker in read_markers(file.name, file.read_text("utf-8-sig")))
    counts = ", ".join(f"{kind} {count}" for kind, count in limits.items())
    terminalreporter.write_line(f"known limits in fixtures: {counts}")
