"""What a rule is: documentation, a code, a name, and one `check` that asks questions of a function's view.

The class's docstring is the documentation: the pages, `evalguard rule`, and SARIF's rule list are made from it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar

from evalguard.finding import Finding, Severity, Span, Step
from evalguard.modes.values import Origin
from evalguard.project.view import FunctionView


class Rule(ABC):
    """One rule. `name` reads well after "allow"; `default` is whether it is on unless configured otherwise."""

    code: ClassVar[str]
    name: ClassVar[str]
    default: ClassVar[bool] = True
    severity: ClassVar[Severity] = Severity.ERROR

    @abstractmethod
    def check(self, view: FunctionView) -> Iterator[Finding]:
        """The findings in one function."""

    def finding(
        self,
        view: FunctionView,
        span: Span,
        message: str,
        *,
        model: str | None = None,
        trace: tuple[Step, ...] = (),
        help_text: str | None = None,
    ) -> Finding:
        """A finding of this rule."""
        return Finding(
            self.code, self.name, message, view.path, span, self.severity, view.qualname, model, trace, help_text
        )


def where(origin: Origin, view: FunctionView) -> str:
    """Where an origin stands, in a message about a function: "on line 12", or "in lib/engine.py:12"."""
    return view.where(origin.path, origin.site[1] if origin.site is not None else 0)


def sets_mode(origin: Origin, view: FunctionView) -> str:
    """Where a mode began, in a message about a function: "set by `model.eval()` on line 12"."""
    verb = {"set": "set by", "loaded": "never switched since", "trained": "trained by", "built": "made by"}
    return f"{verb.get(origin.kind.value, 'made by')} `{origin.text}` {where(origin, view)}"


def first_of_each(findings: Iterable[tuple[object, Finding]]) -> Iterator[Finding]:
    """The first finding for each key, and for each span and place: one cause is reported once a function."""
    seen: set[object] = set()
    for key, finding in findings:
        place = (finding.span, finding.model)
        if key not in seen and place not in seen:
            seen |= {key, place}
            yield finding
