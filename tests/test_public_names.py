"""What `evalguard` offers to a program, and that it costs nothing until it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import evalguard


@pytest.mark.parametrize("name", evalguard.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(evalguard, name) is not None


def test_the_list_of_names_is_sorted_and_complete() -> None:
    assert evalguard.__all__ == sorted(evalguard.__all__)
    assert dir(evalguard) == evalguard.__all__
    assert set(evalguard.__all__) == {*evalguard._HOMES, "__version__"}


def test_any_other_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="module 'evalguard' has no attribute 'check_folder'"):
        evalguard.check_folder  # noqa: B018


def test_importing_the_package_loads_nothing_else() -> None:
    script = "import sys, evalguard; print(*sorted(name for name in sys.modules if name.startswith('evalguard')))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["evalguard"]
