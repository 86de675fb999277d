"""Evaluation or training? What names say of functions, loops and arguments.

`validate`, `test_epoch`, `for x in val_loader`, `model(x_test)` say evaluation; a name that also says training
(`train_and_eval`) says nothing.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from evalguard.flow.liveness import paths_in
from evalguard.ir import values as ir
from evalguard.ir.facts import MODULE, FileFacts, FunctionFacts
from evalguard.ir.graph import Loop
from evalguard.ir.ops import Assign, Call, Iterate
from evalguard.modes.evaluate import evaluate
from evalguard.modes.frame import Frame, source_of
from evalguard.modes.state import State
from evalguard.modes.values import Abstract, Identity, Iteration, Known, Map, Seq, identities
from evalguard.vocabulary.words import EVALUATION_WORDS, LOADER_WORDS, TRAINING_WORDS, words

GENERATING_METHODS = frozenset({"generate", "translate", "beam_search", "greedy_decode"})

NOT_OF_DATA = frozenset(
    {"epoch", "epochs", "step", "steps", "range", "freq", "interval", "every", "size", "num", "n", "len"}
)


def function_reason(function: FunctionFacts, file: FileFacts, folders: Sequence[str]) -> str | None:
    """Why a function is evaluation code by its name; for a module body, the file's name. `folders` are those around the
    file."""
    reason = _reason_of_name(function, file)
    if reason is None or _trains(function):  # names are asked first: few say anything
        return None
    return None if function.qualname != MODULE and is_unit_test(function, file, folders) else reason


def _reason_of_name(function: FunctionFacts, file: FileFacts) -> str | None:
    if function.qualname == MODULE:
        name = posixpath.basename(file.path)
        return f"script `{name}`" if says_evaluation(posixpath.splitext(name)[0]) else None
    if function.name.startswith("<"):
        return None
    if function.owner is not None and function.name in GENERATING_METHODS:
        return f"method `{function.name}`"
    return f"function `{function.name}`" if says_evaluation(function.name) else None


TEST_FOLDERS = frozenset({"tests", "unit_tests"})  # but not "test": evaluations stand there, too
TESTING_LIBRARIES = frozenset({"pytest", "unittest", "hypothesis", "nose", "absl", "parameterized", "testing"})


def is_unit_test(function: FunctionFacts, file: FileFacts, folders: Sequence[str]) -> bool:
    """Whether pytest or unittest would run it: there, modes are chosen by what is tested."""
    if not _uses_testing_tools(file, folders):
        return False
    return _is_named_as_test(file) or "Test" in function.qualname or function.name.startswith("test")


def is_unit_test_file(file: FileFacts, folders: Sequence[str]) -> bool:
    """Whether all that a file holds is run by pytest or unittest, or stands in a folder `tests` to serve it."""
    return not TEST_FOLDERS.isdisjoint(folders) or (_is_named_as_test(file) and _uses_testing_tools(file, folders))


def _is_named_as_test(file: FileFacts) -> bool:
    stem, suffix = posixpath.splitext(posixpath.basename(file.path))
    if suffix != ".py":
        return False  # pytest and unittest load no others
    return stem.startswith("test_") or stem.endswith("_test") or stem == "conftest"


def _uses_testing_tools(file: FileFacts, folders: Sequence[str]) -> bool:
    in_tests = any(folder in ("tests", "test", "testing", "unit_tests", "test_utils") for folder in folders)
    tools = any(
        target.partition(".")[0] in TESTING_LIBRARIES or {"testing", "test_utils"} & set(target.split("."))
        for target in file.imports.values()
    )
    return tools or (in_tests and _is_named_as_test(file))


def _trains(function: FunctionFacts) -> bool:
    """Whether a function computes gradients itself: then it is no evaluation, whatever its name."""
    return any(
        isinstance(op, Call)
        and isinstance(op.callee, ir.Attribute)
        and op.callee.name in ("backward", "manual_backward")
        for block in function.blocks
        for op in block.ops
    )


def _constants(value: ir.Value, state: State, frame: Frame) -> list[str]:
    """The strings that the names in an expression hold: "val" for `loaders[phase]` in that round of the loop."""
    found: list[str] = []
    for path in paths_in(value):
        held = state.env.get(path)
        if isinstance(held, Known) and isinstance(held.value, str):
            found.append(held.value)
        elif path.startswith("%"):
            made_by = frame.temps.get(int(path[1:].partition(".")[0]))
            if isinstance(made_by, Call):
                for argument in made_by.arguments:
                    found += _constants(argument.value, state, frame)
            elif isinstance(made_by, Assign):
                found += _constants(made_by.value, state, frame)
    return found


def says_evaluation(name: str) -> bool:
    """Whether a name says evaluation and not training."""
    found = set(words(name))
    return bool(found & EVALUATION_WORDS) and not found & TRAINING_WORDS


def loop_reason(frame: Frame, state: State) -> str | None:
    """Why the block at work is evaluation code by the loops around it, the innermost first."""
    for index in reversed(frame.blocks[frame.block].loops):
        loop = frame.function.loops[index]
        if loop.kind == "while" or loop.iterable is None:
            continue
        text = source_of(loop.iterable, frame)
        if (
            says_test_data(text)
            or _is_named_as_test_data(_iterable(loop, frame), state, frame)
            or any(says_test_data(said) for said in _constants(loop.iterable, state, frame))
        ):
            return f"loop over `{shorten(text)}`"
        if set(words(text)) & TRAINING_WORDS:
            return None
    return None


def _iterable(loop: Loop, frame: Frame) -> ir.Value:
    """What the loop's head advances: a temp that holds as long as the loop runs."""
    head = frame.blocks[loop.head]
    return head.ops[-1].iterable if head.ops and isinstance(head.ops[-1], Iterate) else ir.Const(None)


def _is_named_as_test_data(value: ir.Value, state: State, frame: Frame) -> bool:
    """Whether what is looped over was first given to a variable that says so: `batches = tqdm(test_loader)`."""
    held = evaluate(value, state, frame) if isinstance(value, (ir.Name, ir.Temp)) else None
    names = [frame.info(identity).name for identity in _sources(held)] if held is not None else []
    return any(name is not None and says_test_data(name) for name in names)


def _sources(value: Abstract) -> Iterator[Identity]:
    """What is looped over itself, not what a list or a dict holds: each task in one may have a loader to train by and
    one to test by."""
    match value:
        case Seq() | Map():
            return
        case Iteration(of=inner):
            for part in inner:
                yield from _sources(part)
        case _:
            yield from identities(value)


def says_test_data(text: str) -> bool:
    """Whether an expression names data to evaluate on: `val_loader`, `loaders["test"]`,
    `enumerate(tqdm(testloader))`."""
    found = set(words(text))
    glued = {
        word for word in found if word.startswith(("val", "test", "eval", "dev")) and word.endswith(tuple(LOADER_WORDS))
    }
    if found & TRAINING_WORDS or (found & NOT_OF_DATA and not found & LOADER_WORDS and not glued):
        return False
    return bool(found & EVALUATION_WORDS) or bool(glued)


def names_test_data(name: str) -> bool:
    """Whether one name says data to evaluate on: `val_loader`, `X_test`."""
    found = set(words(name))
    return bool(found & {"val", "valid", "validation", "test", "eval"}) and bool(found & LOADER_WORDS)


def argument_reason(arguments: tuple[str, ...]) -> str | None:
    """Why a forward is an evaluation by what it is given: `model(x_test)`."""
    for text in arguments:
        found = set(words(text))
        if found & {"test", "val", "valid", "validation", "eval", "holdout"} and not found & TRAINING_WORDS:
            return f"input `{shorten(text)}`"
    return None


def shorten(text: str) -> str:
    """At most 40 characters of a source text."""
    return text if len(text) <= 40 else text[:37] + "..."
