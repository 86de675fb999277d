"""A front end, a link step and two rules for the tests of the skins: a finding is where a comment plants it.

    model.eval()  # plant EVG201     is a finding of EVG201 on `model`, with two steps
    model.eval()  # crash            makes the rule fail

So these tests say nothing of modes, and do not change when the analysis does.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from evalguard import analysis, lowering
from evalguard.finding import Finding, Severity, Span, Step
from evalguard.ir.facts import FileFacts
from evalguard.source import Document, SourceProblem


def plant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the planted layers in the place of the real ones."""
    names = {"EVG201": "training-in-eval-mode", "EVG101": "inference-in-train-mode"}
    planted = [PlantedRule(code, name) for code, name in names.items()]
    quiet = PlantedRule("EVG202", "training-without-train-call", default=False)
    monkeypatch.setattr(analysis.rules, "RULES", (*planted, quiet))
    monkeypatch.setattr(analysis, "link_project", PlantedProject)
    monkeypatch.setattr(lowering, "_facts", _lower)
    monkeypatch.setattr(analysis, "_strips", lambda run, project, record: {})  # it has no modes to show


@dataclass(frozen=True)
class PlantedRule:
    """Finds what the comments plant.

    ## What it does
    Reports it.

    ## Why is this bad?
    It is not.

    ## Example
    ```python
    step()  # plant EVG201
    ```

    ## Use instead
    ```python
    step()
    ```

    ## Known limits
    None.
    """

    code: str
    name: str
    default: bool = True
    severity: Severity = Severity.ERROR
    follows_modes: bool = True
    reads_code: bool = False

    def check(self, file: FileFacts) -> Iterator[Finding]:
        for line, comment in file.comments:
            if "crash" in comment:
                raise ValueError("planted crash")
            if f"plant {self.code}" in comment:
                span = Span(line, 1, line, 6)
                steps = (
                    Step(file.path, Span(1, 1, 1, 2), "`model.eval()` sets eval mode", "eval"),
                    Step(file.path, span, "`step()` trains `model`"),
                )
                yield Finding(self.code, self.name, "planted here", file.path, span, model="model", trace=steps)


@dataclass(frozen=True)
class PlantedProject:
    """A project whose views are the facts of its files."""

    files: Sequence[FileFacts]
    locations: Mapping[str, str] | None = None
    record: object = None
    attempt: object = None
    progress: object = None

    def views(self) -> Sequence[FileFacts]:
        return self.files

    def cut_short(self) -> list[tuple[str, str]]:
        return [(file.path, "endless") for file in self.files if "endless" in file.functions]


def _lower(document: Document) -> FileFacts:
    try:
        ast.parse(document.text)
    except SyntaxError as error:
        raise SourceProblem(f"cannot be parsed: {error.msg}", error.lineno or 1, error.offset or 1) from error
    tokens = tokenize.generate_tokens(io.StringIO(document.text).readline)
    comments = tuple((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)
    return FileFacts(document.path, {}, {}, {}, comments=comments)
