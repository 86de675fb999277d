"""Projects whose pages tests look at, and a reader of pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import evalguard
from evalguard.check import check_paths, documentations
from evalguard.report import html

ATTACK = "</script></style><script>window.attacked = 1</script><img src=x onerror='window.attacked = 2'>"
HOSTILE_NAME = "<img src=x onerror='window.attacked=3'>&quot;.py"

LEAK = {
    "engine.py": """\
def evaluate(model, loader):
    model.eval()
    return sum(model(x).item() for x in loader)
""",
    "train.py": """\
from torch import nn, optim

from engine import evaluate


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(8)

    def forward(self, x):
        return self.norm(x)


def fit(loader, epochs):
    model = Net()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    model.train()
    for epoch in range(epochs):
        for x in loader:
            model(x).sum().backward()
            optimizer.step()
        evaluate(model, loader)
""",
    "sample.py": """\
import torch
from torchvision.models import resnet18


def sample(x):
    net = resnet18()
    with torch.no_grad():
        return net(x)
""",
}
HOSTILE = {
    HOSTILE_NAME: f"""\
import torch
from torchvision.models import resnet18

nets = {{"<b>{ATTACK}": resnet18()}}  # {ATTACK} \u202e \x1b[31m


def validate(x, name="{ATTACK}"):
    with torch.no_grad():
        return nets["<b>{ATTACK}"](x)


validate(1)
"""
}


def written(folder: Path, files: dict[str, str]) -> Path:
    """A project with these files."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def hostile(folder: Path) -> Path:
    """A project that would like to be markup: a file name, strings, comments, a place, and a notebook."""
    written(folder, HOSTILE)
    cells = ["from torchvision.models import resnet18\nimport torch", f"# {ATTACK}\nnet = resnet18()"]
    cells.append(f"with torch.no_grad():\n    print('{ATTACK.replace(chr(39), '')}', net(1))")
    content = {"cells": [{"cell_type": "code", "source": cell} for cell in cells], "metadata": {}}
    (folder / "<i>note.ipynb").write_text(json.dumps(content), encoding="utf-8")
    return folder


def page_of(folder: Path) -> str:
    """The page of a project; it must have findings."""
    report = check_paths([folder], ribbons=True)
    assert report.findings != ()
    assert report.problems == ()
    return html.render(report, documentations(), evalguard.__version__)


@dataclass
class Element:
    """An element of a page."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def all(self, tag: str = "", **wanted: str) -> Iterator[Element]:
        """The elements in it, in order, with this tag and these attributes; of `class_` one word suffices."""
        for child in self.children:
            if isinstance(child, Element):
                fits = all(
                    value in child.attributes.get("class", "").split()
                    if name == "class_"
                    else child.attributes.get(name) == value
                    for name, value in wanted.items()
                )
                if fits and tag in ("", child.tag):
                    yield child
                yield from child.all(tag, **wanted)

    def one(self, tag: str = "", **wanted: str) -> Element:
        """The only one."""
        (found,) = self.all(tag, **wanted)
        return found

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def marked(self) -> str:
        """All text in it, with code in backticks."""
        return "".join(
            child if isinstance(child, str) else f"`{child.text}`" if child.tag == "code" else child.marked
            for child in self.children
        )


class _Reader(HTMLParser):
    VOID = ("meta", "img", "br", "link", "input")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {tag} {attrs}"
        made = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(made)
        if tag not in self.VOID:
            self.open.append(made)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(page: str) -> Element:
    """The tree of a page; every element must be closed where it ought to be."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root
