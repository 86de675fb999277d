"""A store does what a plain dictionary does, whatever it shares with others."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalguard.modes import store as store_module
from evalguard.modes.store import Shelf, Store
from evalguard.modes.values import Abstract, Expr, Identity, Known, Obj, identities, is_within

OWNERS: list[Identity] = [
    ("global", "a"),
    ("new", "b"),
    ("attr", ("new", "b"), "net"),
    ("item", ("attr", ("new", "b"), "net"), 0),
]
NAMES = ["x", "y"]
VALUES: list[Abstract] = [Known(1), Known(2), Obj(("new", "b")), Obj(("global", "a"))]

Plain = dict[tuple[Identity, Hashable], Abstract]

owners, names, values = map(st.sampled_from, (OWNERS, NAMES, VALUES))
steps = st.one_of(
    st.tuples(st.just("set"), st.integers(0, 2), owners, names, values),
    st.tuples(st.just("discard"), st.integers(0, 2), owners, names),
    st.tuples(st.just("discard_within"), st.integers(0, 2), owners),
    st.tuples(st.just("put"), st.integers(0, 2), owners, names, values),
    st.tuples(st.just("settle"), st.integers(0, 2)),
    st.tuples(st.just("copy"), st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.just("join"), st.integers(0, 2), st.integers(0, 2)),
)


def united(name: Hashable, one: Abstract, other: Abstract) -> Abstract:
    return Expr("either", (one, other))


def joined(mine: Plain, theirs: Plain) -> Plain:
    both = dict(mine)
    for key, value in theirs.items():
        both[key] = value if key not in mine or mine[key] == value else united(key[1], mine[key], value)
    return both


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=40))
def test_a_store_is_a_dictionary(taken: list[tuple[Any, ...]]) -> None:
    stores, plain = [Store(), Store(), Store()], [Plain(), Plain(), Plain()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_module, "MANY", 1)
        for step in taken:
            match step:
                case ("set", number, owner, name, value):
                    stores[number][owner, name] = value
                    plain[number][owner, name] = value
                case ("discard", number, owner, name):
                    stores[number].discard((owner, name))
                    plain[number].pop((owner, name), None)
                case ("discard_within", number, whole):
                    stores[number].discard_within(whole)
                    plain[number] = {key: held for key, held in plain[number].items() if not is_within(key[0], whole)}
                case ("put", number, owner, name, value):
                    stores[number].put(owner, Shelf({name: value}))
                    plain[number][owner, name] = value
                case ("settle", number):
                    stores[number].settle()
                case ("copy", source, target):
                    stores[target] = stores[source].copy()
                    plain[target] = dict(plain[source])
                case ("join", number, other):
                    plain[number] = joined(plain[number], plain[other])
                    stores[number].take_over(stores[other].copy(), united)
            for store, expected in zip(stores, plain, strict=True):
                _holds(store, expected)
        for one, one_plain in zip(stores, plain, strict=True):
            for other, other_plain in zip(stores, plain, strict=True):
                assert (one == other) == (one_plain == other_plain)
                assert one.fingerprint() != other.fingerprint() or one_plain == other_plain


def _holds(store: Store, expected: Plain) -> None:
    assert dict(store.items()) == expected
    for kind in {owner[0] for owner in OWNERS}:
        found = store.of_kind(kind)
        assert set(found) == {owner for owner, _ in expected if owner[0] == kind}
        assert len(found) == len(set(found))
        for names in ({"x"}, {"x", "y"}):
            wanted = [(*key, held) for key, held in expected.items() if key[0][0] == kind and key[1] in names]
            assert sorted(map(repr, store.held_by(kind, names))) == sorted(map(repr, wanted))
    assert store.held() == {identity for value in expected.values() for identity in identities(value)}
    for name in NAMES:
        assert store.holders(name) == {owner for owner, held in expected if held == name}
    for owner in OWNERS:
        for name in NAMES:
            assert store.get((owner, name)) == expected.get((owner, name))
            assert ((owner, name) in store) == ((owner, name) in expected)


def test_equal_stores_on_one_base_have_equal_fingerprints() -> None:
    store = Store()
    for number in range(store_module.MANY):
        store[("new", number), "x"] = Known(number)
    store.settle()
    other = store.copy()
    other[("new", 0), "x"] = Known("else")
    assert other.fingerprint() != store.fingerprint()
    other[("new", 0), "x"] = Known(0)
    assert other.fingerprint() == store.fingerprint()
