"""Identities of parts stay small, however a loop goes down."""

from __future__ import annotations

from evalguard.modes.evaluate import item
from evalguard.modes.state import State
from evalguard.modes.values import DEEPEST_PART, Expr, Identity, Known, Obj, Seq, folded, part_of

ROOT: Identity = ("param", "a.py", "f", "ids")


def test_parts_of_parts_come_to_an_end() -> None:
    identity = ROOT
    for _ in range(DEEPEST_PART * 3):
        identity = part_of(identity, "attr", "next")
    assert part_of(identity, "attr", "next") == identity


def test_an_index_computed_from_elements_with_a_computed_index_is_any_element() -> None:
    ids = Obj(ROOT)
    rest = item(ids, Expr("len", (Seq("list", ()),)), State())
    assert rest == Obj(("item", ROOT, Expr("len", (Seq("list", ()),))))
    assert item(ids, Expr("len", (rest,)), State()) == Obj(("each", ROOT))


def test_an_element_under_a_constant_key_is_itself() -> None:
    assert item(Obj(ROOT), Known("G"), State()) == Obj(("item", ROOT, "G"))


def test_a_part_that_is_reached_by_the_same_step_twice_is_the_first_one() -> None:
    child = part_of(part_of(ROOT, "attr", "children"), "each")
    assert folded(ROOT) == ROOT
    assert folded(child) == child
    assert folded(part_of(part_of(child, "attr", "children"), "each")) == child


def test_parts_by_different_steps_are_different() -> None:
    left, right = part_of(ROOT, "attr", "left"), part_of(ROOT, "attr", "right")
    assert folded(part_of(left, "attr", "right")) == part_of(left, "attr", "right")
    assert folded(part_of(part_of(left, "attr", "right"), "attr", "left")) == left
    assert folded(right) == right
