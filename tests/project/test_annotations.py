"""Which class an annotation names."""

from __future__ import annotations

import pytest

from evalguard.project.annotations import class_named


@pytest.mark.parametrize(
    "annotation",
    ["Net", "'Net'", "Optional[Net]", "typing.Optional['Net']", "Net | None", "'None | Net'", "t.Union[Net, None]"],
)
def test_what_may_be_missing_has_a_class(annotation: str) -> None:
    assert class_named(annotation) == "Net"


@pytest.mark.parametrize("annotation", ["Net | Critic", "Union[Net, str]", "list[Net]", "Optional[list[Net]]", "None"])
def test_several_none_and_collections_have_no_class(annotation: str) -> None:
    assert class_named(annotation) is None
