"""Blocks are unpacked when they are asked for, and given free when others are."""

from __future__ import annotations

import gc
import weakref

import pytest

from evalguard.frontend import lower
from evalguard.ir import bodies
from evalguard.ir.facts import MODULE, FileFacts
from evalguard.ir.reading import packed_reading, unpacked_reading
from evalguard.source import document_of

TEXT = """\
def f(net, x):
    if x:
        net.eval()
    return net(x)


def g():
    return [f(net, 1) for net in ()]
"""


@pytest.fixture
def facts() -> FileFacts:
    return lower(document_of(TEXT, "a.py"))


def unpacked(facts: FileFacts) -> FileFacts:
    data = packed_reading([facts])
    assert data is not None
    (back,) = unpacked_reading(data)
    assert isinstance(back, FileFacts)
    return back


def test_each_function_gets_its_own_blocks(facts: FileFacts) -> None:
    back = unpacked(facts)
    assert list(back.functions) == list(facts.functions) == [MODULE, "f", "g"]
    for name, function in facts.functions.items():
        assert back.functions[name].blocks == function.blocks


def test_what_is_at_hand_is_not_unpacked_again(facts: FileFacts) -> None:
    function = unpacked(facts).functions["f"]
    assert function.blocks is function.blocks


def test_little_is_at_hand(facts: FileFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_AT_HAND", 1)
    back = unpacked(facts)
    first = back.functions["f"].blocks
    assert back.functions["g"].blocks == facts.functions["g"].blocks
    again = back.functions["f"].blocks
    assert again == first
    assert again is not first


def test_what_was_given_free_is_never_taken_for_another(facts: FileFacts) -> None:
    # What is at hand is known by its `id`, which a new object may have once an old one is gone.
    for number in range(200):
        text = f"def f():\n    return {number}\n"
        assert unpacked(lower(document_of(text, "a.py"))).functions["f"].blocks == (
            lower(document_of(text, "a.py")).functions["f"].blocks
        )


def test_facts_are_given_free(facts: FileFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_AT_HAND", 1)
    back = unpacked(facts)
    body = back.functions["f"].body
    assert isinstance(body, bodies.PackedBody)
    packed = weakref.ref(body.packed)
    assert back.functions["f"].blocks
    del back, body
    other = unpacked(facts)
    assert other.functions["g"].blocks
    gc.collect()
    assert packed() is None
