"""Run a script or a module as `python script.py` and `python -m module` do.

`__main__` is a module of its own, `sys.argv` and `sys.path[0]` are as Python sets them, a traceback begins with the
program's own frames, and what ends the program gives the exit status that Python gives.
"""

from __future__ import annotations

import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType, ModuleType, TracebackType

SCRIPT_FAILED = 1


class CannotRun(Exception):
    """There is no such script or module, or it cannot be compiled."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended: the exit status, and in words. `interrupted` if it was by Ctrl-C: Python then ends itself by
    that signal."""

    status: int
    words: str
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: its code, and what `__main__` and `sys` have to hold."""

    code: CodeType
    file: str
    argv: tuple[str, ...]
    first_path: str
    spec: importlib.machinery.ModuleSpec | None = None


def script(path: str, arguments: Sequence[str]) -> Program:
    """The program `python path arguments`."""
    if os.path.isdir(path):
        return _folder(path, arguments)
    file = os.path.abspath(path)
    try:
        with io.open_code(file) as stream:
            text = stream.read()
    except OSError as error:
        raise CannotRun(f"can't open file {file!r}: {error.strerror}") from error
    return Program(_compiled(text, file), file, (path, *arguments), os.path.dirname(os.path.realpath(path)))


def _folder(path: str, arguments: Sequence[str]) -> Program:
    """`python folder`: its `__main__.py`, with the folder on the path as it was given."""
    spec = importlib.machinery.PathFinder.find_spec("__main__", [path])
    if spec is None or spec.origin is None:
        raise CannotRun(f"can't find '__main__' module in {path!r}")
    try:
        with io.open_code(spec.origin) as stream:
            text = stream.read()
    except OSError as error:
        raise CannotRun(f"can't open file {spec.origin!r}: {error.strerror}") from error
    return Program(_compiled(text, spec.origin), spec.origin, (path, *arguments), path, spec)


def module(name: str, arguments: Sequence[str]) -> Program:
    """The program `python -m name arguments`. The packages around the module are imported."""
    sys.path.insert(0, os.getcwd())
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except (ImportError, ValueError) as error:
        raise CannotRun(f"error while finding module {name!r}: {error}") from error
    finally:
        sys.path.pop(0)
    if spec is None or not isinstance(spec.loader, importlib.abc.InspectLoader) or spec.origin is None:
        raise CannotRun(f"no module named {name!r} that can be run")
    try:
        code = spec.loader.get_code(spec.name)
    except SyntaxError as error:
        raise CannotRun(f"{spec.origin}: {error}") from error
    if code is None:
        raise CannotRun(f"module {name!r} has no code")
    return Program(code, spec.origin, (spec.origin, *arguments), os.getcwd(), spec)


def _compiled(text: bytes, file: str) -> CodeType:
    try:
        return compile(text, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise CannotRun(f"{file}: {error}") from error


def run(program: Program, at_the_end: Callable[[], None]) -> Ending:
    """Run a program, and say how it ended. `at_the_end` is called before a traceback is printed."""
    main = ModuleType("__main__")
    main.__file__ = program.file
    vars(main)["__builtins__"] = builtins
    main.__spec__ = program.spec
    main.__package__ = program.spec.parent if program.spec is not None else None
    main.__loader__ = (
        program.spec.loader
        if program.spec is not None
        else importlib.machinery.SourceFileLoader("__main__", program.file)
    )
    vars(main)["__cached__"] = None
    sys.modules["__main__"] = main
    sys.argv[:] = program.argv
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0:1] = [program.first_path]
    try:
        try:
            exec(program.code, vars(main))
            _wait_for_threads()
        finally:
            at_the_end()
    except SystemExit as error:
        return _exited(error)
    except BaseException as error:  # noqa: BLE001  what a program raises is its own affair, and Python's to print
        _print(error, program.code)
        if isinstance(error, KeyboardInterrupt):
            return Ending(130, "it was interrupted", interrupted=True)
        return Ending(SCRIPT_FAILED, f"it raised {type(error).__name__}")
    return Ending(0, "it ran to its end")


def _wait_for_threads() -> None:
    """As Python does before it ends."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()


def _exited(error: SystemExit) -> Ending:
    """As Python understands `sys.exit`: nothing is 0, a number is the status, and anything else is printed."""
    code = error.code
    if code is None:
        return Ending(0, "it called `sys.exit`")
    if isinstance(code, int):
        return Ending(int(code) & 0xFF, f"it called `sys.exit({int(code)})`")
    sys.stdout.flush()
    print(code, file=sys.stderr)
    return Ending(SCRIPT_FAILED, "it called `sys.exit` with a message")


def _print(error: BaseException, code: CodeType) -> None:
    """By the program's own hook if it has set one, without the frames that are ours."""
    place: TracebackType | None = error.__traceback__
    while place is not None and place.tb_frame.f_code is not code:
        place = place.tb_next
    shown = place if place is not None else error.__traceback__
    sys.stdout.flush()
    try:
        sys.excepthook(type(error), error.with_traceback(shown), shown)
    except Exception:  # noqa: BLE001  the hook is the program's, too
        traceback.print_exc()
    sys.stderr.flush()
