"""The documentation of a rule, read from its docstring: a line that sums it up, and sections under fixed headings.

    A training step is reached with the module in eval mode.

    ## What it does
    Reports an optimizer's step that ...

Everything that shows a rule is made from it: `evalguard rule`, the pages of the documentation, lists of rules.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Protocol

from evalguard.finding import Severity

REQUIRED = ("What it does", "Why is this bad?", "Example", "Use instead", "Known limits")
HEADINGS = (*REQUIRED[:4], "Fix safety", *REQUIRED[4:])
"""All headings, in their order. "Fix safety" stands where evalguard offers a fix, and says why it may be unsafe."""

_HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
_CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Documented(Protocol):
    """What has a docstring and a code: a rule, or a code of the tool's own."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def default(self) -> bool: ...
    @property
    def severity(self) -> Severity: ...


class DocumentationError(Exception):
    """A docstring that is no documentation of a rule; the message says of which rule, and what is amiss."""


@dataclass(frozen=True, slots=True)
class RuleDocumentation:
    """A rule and its documentation. `summary` is one sentence; the sections are Markdown, `fix_safety` None without a
    fix."""

    code: str
    name: str
    default: bool
    severity: Severity
    summary: str
    what_it_does: str
    why_is_this_bad: str
    example: str
    use_instead: str
    fix_safety: str | None
    known_limits: str

    @property
    def example_code(self) -> str:
        """The code that is reported."""
        return _code_of(self.code, "Example", self.example)

    @property
    def use_instead_code(self) -> str:
        """The code that is not."""
        return _code_of(self.code, "Use instead", self.use_instead)

    def sections(self) -> tuple[tuple[str, str], ...]:
        """Heading and text of each section that there is, in order."""
        texts = (
            *(self.what_it_does, self.why_is_this_bad, self.example, self.use_instead),
            *(self.fix_safety, self.known_limits),
        )
        return tuple((heading, text) for heading, text in zip(HEADINGS, texts, strict=True) if text is not None)


def documentation_of(documented: Documented) -> RuleDocumentation:
    """What the docstring says; an error if a section is missing, empty, unknown or out of order."""
    code = documented.code
    summary, *rest = _HEADING.split(inspect.cleandoc(documented.__doc__ or ""))
    headings, texts = rest[::2], [text.strip() for text in rest[1::2]]
    if not summary.strip():
        raise DocumentationError(f"{code}: the docstring does not begin with a sentence that sums the rule up")
    for heading, text in zip(headings, texts, strict=True):
        if heading not in HEADINGS:
            raise DocumentationError(f'{code}: unknown heading "## {heading}" (one of {", ".join(HEADINGS)})')
        if not text:
            raise DocumentationError(f'{code}: nothing stands under "## {heading}"')
    for heading in REQUIRED:
        if heading not in headings:
            raise DocumentationError(f'{code}: the docstring has no section "## {heading}"')
    if headings != sorted(set(headings), key=HEADINGS.index):
        raise DocumentationError(f"{code}: the sections stand once each and in this order: {', '.join(HEADINGS)}")
    section = dict(zip(headings, texts, strict=True))
    found = RuleDocumentation(
        code,
        documented.name,
        documented.default,
        documented.severity,
        " ".join(summary.split()),
        section["What it does"],
        section["Why is this bad?"],
        section["Example"],
        section["Use instead"],
        section.get("Fix safety"),
        section["Known limits"],
    )
    assert found.example_code
    assert found.use_instead_code
    return found


def _code_of(code: str, heading: str, text: str) -> str:
    block = _CODE.search(text)
    if block is None:
        raise DocumentationError(f'{code}: no block of Python stands under "## {heading}"')
    return block[1]
