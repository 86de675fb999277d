"""The page of limits names every known one, with its fixture, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from conftest import FIXTURES, cases_under
from markers import read_markers, texts_of

PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "limits.md"
KINDS = {"missed": "missed alarm", "false-alarm": "false alarm"}


def test_every_known_limit_stands_on_the_page_with_its_fixture() -> None:
    marked = {
        (marker.code, KINDS[marker.kind], case.relative_to(FIXTURES).as_posix())
        for case in cases_under(FIXTURES)
        for name, text in texts_of(case, case.name).items()
        for marker in read_markers(name, text)
        if marker.kind in KINDS
    }
    rows = re.findall(r"^\| (EVG\d+) \| ([a-z ]+) \| .+ \| `(.+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert marked, "there are some"
    assert sorted(rows) == sorted(marked)
