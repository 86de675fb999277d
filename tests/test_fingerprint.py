"""What a finding is known by: the same while lines move, and another for another place."""

from __future__ import annotations

import pytest

from evalguard.finding import Finding, Span
from evalguard.fingerprint import Key, keys_of


def finding(line: int, function: str = "fit", model: str = "model") -> Finding:
    return Finding("EVG201", "name", f"on line {line}", "a.py", Span(line, 1, line, 5), function=function, model=model)


def key_of(text: str, line: int) -> Key:
    (key,) = keys_of([finding(line)], lambda _: text)
    return key


ORIGINAL = "scaler.step(optimizer, x)\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import torch\n\n\nscaler.step(optimizer, x)\n", 4),
        ("if ready:\n    scaler.step(optimizer, x)\n", 2),
        ("if ready:\n\tscaler.step( optimizer,x )  # a comment\n", 2),
        ("scaler.step(\n    optimizer,  # why\n    x,\n)\n", 1),
        ("scaler.step(\r\n    optimizer,\r\n    x\r\n)\r\n", 1),
    ],
)
def test_moving_indenting_and_wrapping_keep_it(text: str, line: int) -> None:
    assert key_of(text, line) == key_of(ORIGINAL, 1)


@pytest.mark.parametrize("text", ["scaler.step(optimizer, y)\n", "scaler.step(optimizer)\n", ""])
def test_another_statement_is_another(text: str) -> None:
    assert key_of(text, 1) != key_of(ORIGINAL, 1)


def test_where_python_cannot_tell_tokens_the_words_count() -> None:
    magic = "!ls 'it\nmodel  (x)\n"
    assert key_of(magic, 2).statement in ("model (x)", "model ( x )")
    assert key_of(f"%cd ..\n{magic}", 3) == key_of(magic, 2)


def test_those_that_are_alike_are_counted() -> None:
    text = "step()\nstep()\n"
    first, second = keys_of([finding(1), finding(2)], lambda _: text)
    assert (first.occurrence, second.occurrence) == (1, 2)
    assert first.digest() != second.digest()


def test_function_and_module_tell_apart() -> None:
    found = [finding(1), finding(1, function="train"), finding(1, model="critic")]
    assert len({key.digest() for key in keys_of(found, lambda _: ORIGINAL)}) == 3


def test_a_text_that_is_not_known_is_no_obstacle() -> None:
    (key,) = keys_of([finding(1)], lambda _: None)
    assert key.statement == ""
