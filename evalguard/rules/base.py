"""What a rule is: documentation, a code, a name, and one `check` that asks questions of a view: of a function in which
something happens to modes (`check`), of any function as it is written (`check_code`), or of a class (`check_class`).

The class's docstring is the documentation: the pages, `evalguard rule`, and SARIF's rule list are made from it.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable, Iterator
from typing import ClassVar

from evalguard.finding import Finding, Severity, Span, Step
from evalguard.modes.values import Origin
from evalguard.project.code import ClassView, CodeView
from evalguard.project.view import FunctionView


class Rule(ABC):
    """One rule. `name` reads well after "allow"; `default` is whether it is on unless configured otherwise."""

    code: ClassVar[str]
    name: ClassVar[str]
    default: ClassVar[bool] = True
    severity: ClassVar[Severity] = Severity.ERROR

    def check(self, view: FunctionView) -> Iterator[Finding]:
        """The findings in one function in which a module is used, trained or exported."""
        yield from ()

    def check_code(self, view: CodeView) -> Iterator[Finding]:
        """The findings in one function, whatever happens in it."""
        yield from ()

    def check_class(self, view: ClassView) -> Iterator[Finding]:
        """The findings in one class and what it reaches. One that several classes reach is reported once."""
        yield from ()

    @property
    def follows_modes(self) -> bool:
        """Whether the rule asks for what happens to modes, so that the project must be run."""
        return type(self).check is not Rule.check

    @property
    def reads_code(self) -> bool:
        """Whether the rule asks for functions or classes as they are written."""
        kind = type(self)
        return kind.check_code is not Rule.check_code or kind.check_class is not Rule.check_class

    def finding(
        self,
        view: FunctionView | CodeView | ClassView,
        span: Span,
        message: str,
        *,
        model: str | None = None,
        trace: tuple[Step, ...] = (),
        help_text: str | None = None,
    ) -> Finding:
        """A finding of this rule, in the file of the view."""
        return Finding(
            self.code, self.name, message, view.path, span, self.severity, view.qualname, model, trace, help_text
        )


def where(origin: Origin, path: str) -> str:
    """Where an origin stands, in a message about a file: "on line 12", or "in lib/engine.py:12"."""
    line = origin.site[1] if origin.site is not None else 0
    return f"on line {line}" if origin.path == path else f"in {origin.path}:{line}"


def sets_mode(origin: Origin, path: str) -> str:
    """Where a mode began, in a message about a file: "set by `model.eval()` on line 12"."""
    verb = {"set": "set by", "loaded": "never switched since", "trained": "trained by", "built": "made by"}
    return f"{verb.get(origin.kind.value, 'made by')} `{origin.text}` {where(origin, path)}"


def first_of_each(findings: Iterable[tuple[object, Finding]]) -> Iterator[Finding]:
    """The first finding for each key, and for each span and place: one cause is reported once a function."""
    seen: set[object] = set()
    for key, finding in findings:
        place = (finding.span, finding.model)
        if key not in seen and place not in seen:
            seen |= {key, place}
            yield finding
