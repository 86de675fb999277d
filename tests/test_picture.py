"""The README's picture: whole, on its own, and of the example as it is."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from evalguard.devtools.picture import EXAMPLE, FILE, picture

ROOT = Path(__file__).resolve().parent.parent
SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_shows_the_finding_step_by_step() -> None:
    text = picture(ROOT)
    tree = ElementTree.fromstring(text)
    steps = [each.text for each in tree.iter(f"{SVG}text") if each.get("class") == "step"]
    assert steps == ["1", "2", "3", "4", "5"]
    letters = [each.text for each in tree.iter(f"{SVG}text") if (each.get("class") or "").startswith("letter")]
    assert letters == ["T", "TE", "E", "TE", "E"]
    label = tree.get("aria-label") or ""
    assert "Step 2, line 25: `model.eval()` sets eval mode." in label
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|<script", text)


def test_the_picture_is_fresh_and_the_readme_shows_it() -> None:
    assert (ROOT / FILE).read_text(encoding="utf-8") == picture(ROOT)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (words,) = re.findall(rf"!\[([^\]]+)\]\({FILE}\)", readme)
    source = (ROOT / EXAMPLE).read_text(encoding="utf-8").splitlines()
    said = {int(line) for line in re.findall(r"line\s+(\d+)", words)}
    assert {"model = Classifier()", "for epoch in range(epochs):", "optimizer.step()"} <= {
        source[line - 1].strip() for line in said
    }
