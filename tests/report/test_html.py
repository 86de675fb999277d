"""The page for people: what it shows, that nothing of the analysed project is markup, and that all can read it."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from itertools import pairwise
from pathlib import Path

import pages
import pytest
from pages import Element

import evalguard
from evalguard.cli import main
from evalguard.report import Problem, Report, html
from evalguard.report.html import _asset

TAGS = set(
    "a article b body button caption code dd div dl dt footer h1 h2 h3 head header html kbd main meta nav p script"
    " section span style table tbody td th thead title tr".split()
)
ATTRIBUTES = set(
    "id class href title scope data-value tabindex role rel lang charset content name http-equiv hidden type aria-label"
    " aria-labelledby aria-hidden aria-sort aria-pressed".split()
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return pages.page_of(pages.written(tmp_path_factory.mktemp("leak"), pages.LEAK))


@pytest.fixture
def tree(page: str) -> Element:
    return pages.read(page)


def article(tree: Element, code: str) -> Element:
    (found,) = [each for each in tree.all("article") if each.one("span", class_="badge").text == code]
    return found


def rows(panel: Element) -> dict[int, Element]:
    return {
        int(row.one("th", class_="no").text): row
        for row in panel.all("tr")
        if list(row.all("th", class_="no"))[:1] and row.one("th", class_="no").text.isdigit()
    }


def panels(finding: Element) -> dict[str, Element]:
    return {panel.one("span", class_="title").text: panel for panel in finding.all("div", class_="panel")}


def test_the_overview_counts_the_findings_by_rule_and_by_file(tree: Element) -> None:
    assert tree.one("h1").text == "2 findings in 2 of 3 files"
    by_rule, by_file, everything = tree.all("table", class_="sortable")
    assert [cell.text.split()[0] for cell in by_rule.all("td")] == ["EVG101", "1", "EVG201", "1"]
    assert [Path(cell.text).name for cell in by_file.all("td")] == ["sample.py", "1", "train.py", "1"]
    assert [[cell.text for cell in row.all("td")][:3] for row in everything.one("tbody").all("tr")] == [
        ["1", "EVG101 inference-in-train-mode", "net"],
        ["2", "EVG201 training-in-eval-mode", "model"],
    ]


def test_each_line_of_a_finding_says_its_mode_in_colour_and_words(tree: Element) -> None:
    shown = panels(article(tree, "EVG201"))
    assert list(shown) == ["fit", "evaluate"]
    band = {number: next(iter(row.all("td", class_="band"))) for number, row in rows(shown["fit"]).items()}
    assert {number: cell.attributes["class"].split()[2:3] for number, cell in band.items()} == {
        15: [],
        16: ["train"],
        17: ["train"],
        18: ["train"],
        **{line: ["either"] for line in (19, 20, 21, 22)},
        23: ["eval"],
    }
    assert band[22].one("span", class_="vh").text == "model: train or eval"
    assert band[23].one("span", class_="vh").text == "model: eval, was train or eval"
    assert [cell.text for cell in shown["fit"].one("thead").all("th", class_="band")] == ["model"]
    letters = {number: [each.text for each in cell.all(class_="letter")] for number, cell in band.items()}
    assert {number: letter for number, letter in letters.items() if letter} == {16: ["T"], 19: ["TE"], 23: ["E"]}


def test_the_way_is_drawn_in_numbered_steps_that_lead_on(tree: Element) -> None:
    finding = article(tree, "EVG201")
    number = finding.attributes["id"]
    steps = list(finding.all(class_="step"))
    by_number = {int(step.text): step.attributes.get("href") for step in steps}
    total = len(by_number)
    assert total >= 4
    assert by_number == {step: f"#{number}-{step + 1}" for step in range(1, total)} | {total: None}
    fit = panels(finding)["fit"]
    assert rows(fit)[22].one(class_="step").text == str(total)
    rails = {line: row.one("td", class_="rail").attributes["class"].split()[1:] for line, row in rows(fit).items()}
    first, last = (min(line for line, rail in rails.items() if rail), max(line for line, rail in rails.items() if rail))
    assert (rails[first], rails[last]) == (["down"], ["up"])
    assert all(rails[line] == ["through"] for line in range(first + 1, last))
    onward = rows(fit)[23].one("a", class_="on")
    assert onward.text == "on to evaluate"


def test_calls_lead_to_the_function_and_back(tree: Element) -> None:
    targets = {element.attributes["id"]: element for element in tree.all() if "id" in element.attributes}
    call = rows(panels(article(tree, "EVG201"))["fit"])[23].one("a", class_="call")
    assert call.text == "evaluate"
    assert Path(call.attributes["title"]).name == "engine.py"
    callee = targets[call.attributes["href"][1:]]
    assert callee.one("span", class_="title").text == "evaluate"
    (back,) = callee.one("span", class_="callers").all("a")
    assert back.text == "fit, line 23"
    assert targets[back.attributes["href"][1:]].one("th").text == "23"


def test_every_link_leads_somewhere_on_the_page_and_no_name_is_there_twice(page: str) -> None:
    tree = pages.read(page)
    names = [element.attributes["id"] for element in tree.all() if "id" in element.attributes]
    assert len(names) == len(set(names))
    links = [link.attributes["href"] for link in tree.all("a")]
    assert len(links) > 20
    assert {link for link in links if link[:1] != "#" or link[1:] not in names} == set()
    named = [i for e in tree.all() for i in e.attributes.get("aria-labelledby", "").split()]
    assert set(named) <= set(names)


def test_nothing_of_the_project_is_markup(tmp_path: Path) -> None:
    text = pages.page_of(pages.hostile(tmp_path))
    tree = pages.read(text)
    assert {element.tag for element in tree.all()} <= TAGS
    assert {name for element in tree.all() for name in element.attributes} <= ATTRIBUTES
    assert {link.attributes["href"][0] for link in tree.all("a")} == {"#"}
    assert [script.text for script in tree.all("script")] == [_asset("page.js")]
    assert [style.text for style in tree.all("style")] == [_asset("page.css")]
    assert pages.ATTACK in tree.text, "it is shown, as text"
    assert pages.HOSTILE_NAME in tree.text
    assert not set(text) & {"\x1b", "\u202e", "\0"}
    assert r"\u202e \x1b[31m" in tree.text
    assert any(pages.ATTACK in head.attributes["title"] for head in tree.all("th", class_="band"))


def test_the_page_asks_for_nothing_and_allows_only_its_own_style_and_script(page: str) -> None:
    tree = pages.read(page)
    (policy,) = [m.attributes["content"] for m in tree.all("meta") if "http-equiv" in m.attributes]
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(tree.one(tag).text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert not re.search(
        r"url\(|@import|https?://|\bfetch\b|XMLHttpRequest|innerHTML|\beval\(", _asset("page.css") + _asset("page.js")
    )
    assert not any(name in element.attributes for element in tree.all() for name in ("src", "style", "onclick"))


def test_the_page_is_made_for_all_readers(page: str) -> None:
    tree = pages.read(page)
    assert tree.one("html").attributes["lang"] == "en"
    assert tree.one("title").text == "2 findings · evalguard"
    assert next(iter(tree.one("body").all("a"))).attributes["class"] == "skip"
    levels = [int(element.tag[1]) for element in tree.all() if re.fullmatch("h[1-6]", element.tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all("scope" in head.attributes for head in tree.all("th"))
    assert all(head.text.strip() for head in tree.all("th"))
    for region in tree.all(role="region"):
        assert region.attributes["tabindex"] == "0", "what can be scrolled can be reached by keys"
        assert region.attributes["aria-label"]
    for link in tree.all("a"):
        assert link.text.strip()
    assert "prefers-reduced-motion" in page
    assert ":focus-visible" in page


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


TEXT = [
    *(
        (ink, ground)
        for ink in ("ink", "muted", "accent", "comment", "string")
        for ground in ("paper", "surface", "tint")
    ),
    *(("on-accent", "accent"), ("on-train", "train"), ("on-eval", "eval")),
]
SHAPES = [(shape, "surface") for shape in ("train", "eval", "edge", "accent")]


@pytest.mark.parametrize("theme", [":root {", ':root[data-theme="dark"] {', ':root:not([data-theme="light"]) {'])
def test_colours_stand_out_from_their_ground(theme: str) -> None:
    """As WCAG AA has it: 4.5 for text, 3 for shapes (https://www.w3.org/TR/WCAG22/#contrast-minimum)."""
    _, found, block = _asset("page.css").partition(theme)
    assert found
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block[: block.index("}")]))
    for ink, ground in TEXT:
        assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for shape, ground in SHAPES:
        assert contrast(colours[shape], colours[ground]) >= 3, (shape, ground)


def test_notebooks_are_shown_by_cells(tmp_path: Path) -> None:
    tree = pages.read(pages.page_of(pages.hostile(tmp_path)))
    (finding,) = [each for each in tree.all("article") if ".ipynb" in each.one("dl", class_="facts").text]
    assert "<i>note.ipynb:cell 3:2:" in finding.one("dl", class_="facts").text
    assert [row.text.strip() for row in finding.all("tr", class_="cell")] == ["cell 1", "cell 2", "cell 3"]


def test_nothing_found_is_a_page_too() -> None:
    tree = pages.read(html.render(Report(files=("a.py", "b.py"), problems=(Problem("a.py", "<b>oh"),))))
    assert tree.one("h1").text == "No problems found in 2 files"
    assert list(tree.all("table")) == []
    assert tree.one("p", class_="problem").text == "Internal error a.py: <b>oh"


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    folder = pages.written(tmp_path, pages.LEAK)
    assert pages.page_of(folder) == pages.page_of(folder)


def test_a_long_function_is_cut_to_the_lines_near_the_steps(tmp_path: Path) -> None:
    filling = "".join(f"        print({number})\n" for number in range(80))
    text = pages.LEAK["train.py"].replace("        evaluate(", f"{filling}        evaluate(")
    tree = pages.read(pages.page_of(pages.written(tmp_path, pages.LEAK | {"train.py": text})))
    fit = panels(article(tree, "EVG201"))["fit"]
    gap = fit.one("tr", class_="gap")
    assert gap.text.strip() == "74 lines left out"
    assert len(rows(fit)) < 30
    (whole,) = [p for p in tree.one(id="sources").all("div", class_="panel") if p.one(class_="title").text == "fit"]
    assert len(rows(whole)) == 89


def test_what_fixes_leave_is_drawn_as_it_is_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pages.written(tmp_path, pages.LEAK))
    arguments = ["--select", "EVG201", "--format", "html", "--output-file", "left.html", "."]

    def left() -> Element:
        return pages.read(Path("left.html").read_text(encoding="utf-8"))

    assert main(["--show-fixes", *arguments]) == 1
    finding = article(left(), "EVG201")
    assert "fix" in finding.one("dl", class_="facts").text
    assert list(panels(finding)["fit"].all("td", class_="either"))
    assert main(["--fix", "--unsafe-fixes", *arguments]) == 0
    assert left().one("h1").text.startswith("No problems found")


@pytest.mark.parametrize("arguments", [["--format", "html"], ["show"]])
def test_what_is_not_installed_is_named(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages.written(tmp_path, pages.LEAK)
    for name in [
        name for name in sys.modules if re.match(r"evalguard\.report\.(html|show|highlight)|jinja2|rich", name)
    ]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("jinja2", "rich", "rich.console"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("html", "show"):
        monkeypatch.delattr(evalguard.report, name, raising=False)
    assert main([*arguments, str(tmp_path / "train.py")]) == 2
    assert re.search(
        r'needs (jinja2|rich\S*), which is not installed: .*"torch-evalguard\[report\]"', capsys.readouterr().err
    )
