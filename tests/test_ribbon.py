"""The mode ribbon: in which mode each module is on each line, joined over all ways in which the line is reached."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
from conftest import FIXTURES

import evalguard
from evalguard.check import check_paths
from evalguard.ribbon import EITHER, Band, Ribbon, Strip, state_of, words_for


def strips_of(folder: Path, **texts: str) -> dict[str, Strip]:
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(dedent(text))
    report = check_paths([folder], ribbons=True)
    assert report.problems == ()
    return {Path(path).stem: strip for path, strip in report.strips.items()}


def ribbon_of(folder: Path, text: str, function: str) -> Ribbon:
    (strip,) = strips_of(folder, code=text).values()
    (found,) = [ribbon for ribbon in strip.ribbons if ribbon.function == function]
    return found


def drawn(ribbon: Ribbon, place: str) -> list[str]:
    """The states of a place on the lines of a function, `*` where a line switches it, `-` where it is not there."""
    cells = band_of(ribbon, place).by_line()
    return [
        "-" if cell is None else f"{cell.state}{'*' if cell.switches else ''}"
        for cell in (cells.get(line) for line in ribbon.lines())
    ]


def band_of(ribbon: Ribbon, place: str) -> Band:
    (found,) = [band for band in ribbon.bands if band.place == place]
    return found


def test_paths_that_meet_in_different_modes_are_either(tmp_path: Path) -> None:
    ribbon = ribbon_of(
        tmp_path,
        """\
        def work(model, x, flag):
            if flag:
                model.train()
            else:
                model.eval()
            return model(x)
        """,
        "work",
    )
    assert drawn(ribbon, "model") == ["unknown", "unknown", "train*", "unknown", "eval*", "either"]


def test_a_loop_brings_its_end_back_to_its_head(tmp_path: Path) -> None:
    ribbon = ribbon_of(
        tmp_path,
        """\
        def fit(model, loader, optimizer, epochs):
            model.train()
            for epoch in range(epochs):
                for x in loader:
                    model(x).sum().backward()
                    optimizer.step()
                model.eval()
            return model
        """,
        "fit",
    )
    assert drawn(ribbon, "model") == ["unknown", "train*", "either", "either", "either", "either", "eval*", "eval"]


def test_a_function_that_is_called_in_two_modes_is_entered_in_either(tmp_path: Path) -> None:
    strips = strips_of(
        tmp_path,
        engine="""\
        def run(net, x):
            return net(x)
        """,
        main="""\
        from torch import nn
        from engine import run

        def main(x):
            net = nn.Dropout()
            net.train()
            run(net, x)
            net.eval()
            run(net, x)
        """,
    )
    (run,) = strips["engine"].ribbons
    assert drawn(run, "net") == [EITHER, EITHER]
    (cell, _) = band_of(run, "net").cells
    assert cell.before == ("train", "eval")
    (main,) = strips["main"].ribbons
    assert drawn(main, "net") == ["-", "train*", "train", "train", "eval*", "eval"]
    assert [(call.span.line, Path(call.path).stem, call.function, call.line) for call in main.calls] == [
        (7, "engine", "run", 1),
        (9, "engine", "run", 1),
    ]


def test_a_part_in_another_mode_than_its_whole_has_a_band_of_its_own(tmp_path: Path) -> None:
    ribbon = ribbon_of(
        tmp_path,
        """\
        def freeze(net):
            net.backbone.eval()

        def fit(net, loader, optimizer):
            net.train()
            freeze(net)
            for x in loader:
                net(x).sum().backward()
                optimizer.step()
        """,
        "fit",
    )
    assert [(band.place, band.whole) for band in ribbon.bands] == [("net", ""), ("net.backbone", "net")]
    assert drawn(ribbon, "net")[1:] == ["train*", "train", "train", "train", "train"]
    assert drawn(ribbon, "net.backbone")[1:] == ["train*", "eval*", "eval", "eval", "eval"]


def test_a_part_that_is_always_as_its_whole_has_none(tmp_path: Path) -> None:
    ribbon = ribbon_of(
        tmp_path,
        """\
        def fit(net, x):
            net.train()
            return net.head(net.backbone(x))
        """,
        "fit",
    )
    assert [band.place for band in ribbon.bands] == ["net"]


def test_places_are_named_as_the_function_writes_them(tmp_path: Path) -> None:
    text = """\
    from torchvision.models import resnet18

    class Trainer:
        def __init__(self):
            self.net = resnet18()
            self.nets = {"G": resnet18(), "D": resnet18()}

        def run(self, x):
            student = self.net
            student.eval()
            self.nets["G"].eval()
            return student(self.nets["G"](self.nets["D"](x)))
    """
    ribbon = ribbon_of(tmp_path, text, "Trainer.run")
    assert {(band.place, band.aliases) for band in ribbon.bands} == {
        ("self.net", ("student",)),
        ('self.nets["D"]', ()),
        ('self.nets["G"]', ()),
    }
    assert drawn(ribbon, 'self.nets["G"]')[-2:] == ["eval*", "eval"]
    assert drawn(ribbon, 'self.nets["D"]')[-2:] == ["train", "train"]


def test_lines_on_which_nothing_happens_are_as_those_around_them(tmp_path: Path) -> None:
    ribbon = ribbon_of(
        tmp_path,
        '''\
        def work(model, x, flag, again):
            """What it does."""

            model.train()
            if flag:
                # now it is evaluated
                model.eval()
                model(
                    x,
                )
            else:
                print()
            while again:
                model.eval()
                break
            # the end

            return 1
        ''',
        "work",
    )
    assert drawn(ribbon, "model") == [
        *("unknown", "unknown", "unknown", "train*", "train", "train", "eval*", "eval", "eval", "eval"),
        *("train", "train", "either", "eval*", "eval", "eval", "eval", "eval"),
    ]


def test_a_line_that_is_never_reached_has_no_mode(tmp_path: Path) -> None:
    ribbon = ribbon_of(
        tmp_path,
        """\
        def work(model, x):
            model.eval()
            return model(x)
            model.train()
        """,
        "work",
    )
    assert drawn(ribbon, "model") == ["unknown", "eval*", "eval", "-"]


def test_what_is_no_module_and_what_no_mode_changes_has_no_band(tmp_path: Path) -> None:
    ribbon = ribbon_of(
        tmp_path,
        """\
        from torch import nn

        def work(trainer, loader, x):
            linear, net = nn.Linear(2, 2), nn.Dropout()
            trainer.train()
            frame.eval("a + b")
            net.eval()
            return net(linear(x))
        """,
        "work",
    )
    assert [band.place for band in ribbon.bands] == ["net"]


def test_a_call_on_the_way_through_a_line_is_told_from_what_it_leaves(tmp_path: Path) -> None:
    ribbon = ribbon_of(
        tmp_path,
        """\
        def evaluate(model, xs):
            model.eval()
            return [model(x) for x in xs]

        def fit(model, xs):
            model.train()
            print(xs if xs else None, evaluate(model, [x for x in xs]), model if xs else None)
            return model
        """,
        "fit",
    )
    assert drawn(ribbon, "model") == ["unknown", "train*", "eval*", "eval"]
    (line,) = [cell for cell in band_of(ribbon, "model").cells if cell.line == 7]
    assert (line.before, line.after) == (("train",), ("eval",))


def test_a_notebook_has_its_ribbon_by_cells(tmp_path: Path) -> None:
    sources = ["from torch import nn\n%matplotlib inline\nnet = nn.Dropout()", "net.eval()\nnet(1)"]
    cells = [{"cell_type": "code", "source": source} for source in sources]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    (strip,) = check_paths([tmp_path], ribbons=True).strips.values()
    assert [part.text for part in strip.parts] == sources
    (ribbon,) = strip.ribbons
    cells_by_line = band_of(ribbon, "net").by_line()
    assert cells_by_line[strip.line_of(1, 3)].state == "train"
    assert cells_by_line[strip.line_of(2, 1)].state == "eval"
    assert strip.place_of(strip.line_of(2, 2)) == (2, 2)


def test_a_line_belongs_to_the_innermost_function(tmp_path: Path) -> None:
    text = """\
    def outer(model):
        model.train()
        def inner(net, x):
            net.eval()
            return net(x)
        inner(model, 1)
        return model
    """
    (strip,) = strips_of(tmp_path, code=text).values()
    assert [(ribbon.function, list(ribbon.lines())) for ribbon in strip.ribbons] == [
        ("outer", [1, 2, 6, 7]),
        ("outer.inner", [3, 4, 5]),
    ]
    found = strip.ribbon_at(4)
    assert found is not None
    assert found.function == "outer.inner"


@pytest.mark.parametrize(
    ("modes", "state"),
    [
        (("train",), "train"),
        (("eval",), "eval"),
        (("train", "eval"), "either"),
        (("train", "eval", "unknown"), "either"),
        (("eval", "unknown"), "unknown"),
        ((), "unknown"),
    ],
)
def test_several_modes_in_one_word(modes: tuple[str, ...], state: str) -> None:
    assert state_of(modes) == state


def test_several_modes_in_a_sentence() -> None:
    assert words_for(("train", "eval")) == "train or eval"


@pytest.mark.parametrize("folder", ["projects/leak_three_calls_deep", "shapes", "notebooks"])
def test_the_findings_are_the_same_with_the_ribbons(folder: str) -> None:
    """And wherever a finding names a place, a ribbon has a band in that line's function."""
    plain = evalguard.check_paths([FIXTURES / folder])
    with_ribbons = check_paths([FIXTURES / folder], ribbons=True)
    assert with_ribbons.findings == plain.findings != ()
    assert plain.strips == {}
    for finding in plain.findings:
        if finding.code in ("EVG201", "EVG101", "EVG102"):
            strip = with_ribbons.strips[finding.path]
            ribbon = strip.ribbon_at(strip.line_of(finding.cell, finding.span.line))
            assert ribbon is not None, finding
            names = {name for band in ribbon.bands for name in (band.place, *band.aliases)}
            assert finding.model in names, finding
