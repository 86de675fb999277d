"""Comments that silence findings.

`# noqa` silences its line, `# noqa: EVG201, EVG1` the codes that begin so; it is read as flake8 reads it, so that one
comment serves both. `# evalguard: ignore[EVG201] reason` is ours alone, and `# evalguard: ignore` its bare form.

A comment counts for a finding if it stands on the finding's first line, or on the last line of the statement around
it: there is no room for one behind a bracket's first line that a formatter would leave alone.
"""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterable, Mapping

from evalguard.finding import Finding
from evalguard.source import split_lines

# As flake8: what follows the colon and is no list of codes makes the comment a bare one.
_NOQA = re.compile(r"#\s*noqa\b(?:\s*:\s*(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*))?", re.IGNORECASE)
_IGNORE = re.compile(r"#\s*evalguard\s*:\s*ignore\b(?:\s*\[(?P<codes>[^\]]*)\])?", re.IGNORECASE)
_CANNOT_BE_SILENCED = "EVG9"  # the comments of a file that cannot be parsed are not known


def suppress(findings: Iterable[Finding], comments: Iterable[tuple[int, str]], text: str) -> list[Finding]:
    """The findings of one file that no comment silences. `comments` are the file's real ones, by line."""
    silenced = _silenced_codes(comments)
    if not silenced:
        return list(findings)
    last_lines = _last_lines(text)
    return [finding for finding in findings if not _is_silenced(finding, silenced, last_lines)]


def _silenced_codes(comments: Iterable[tuple[int, str]]) -> dict[int, tuple[str, ...]]:
    """Line to the prefixes of the codes that are silenced there; the empty prefix is every code's."""
    silenced: dict[int, tuple[str, ...]] = {}
    for line, comment in comments:
        for pattern in (_NOQA, _IGNORE):
            for match in pattern.finditer(comment):
                codes = match["codes"]
                prefixes = ("",) if codes is None else tuple(re.split(r"[,\s]+", codes.strip().upper()))
                silenced[line] = (*silenced.get(line, ()), *(prefix for prefix in prefixes if prefix or codes is None))
    return silenced


def _is_silenced(finding: Finding, silenced: Mapping[int, tuple[str, ...]], last_lines: Mapping[int, int]) -> bool:
    if finding.code.startswith(_CANNOT_BE_SILENCED):
        return False
    first = finding.span.line
    lines = {first, last_lines.get(first, first)}
    return any(finding.code.startswith(prefix) for line in lines for prefix in silenced.get(line, ()))


def _last_lines(text: str) -> dict[int, int]:
    """Every line of a statement that has several to its last one; of a compound statement, its head is meant."""
    lines = iter([f"{line}\n" for line in split_lines(text)])
    last_lines: dict[int, int] = {}
    first = 0
    try:
        for token in tokenize.generate_tokens(lambda: next(lines, "")):
            if token.type in _BETWEEN_STATEMENTS:
                continue
            first = first or token.start[0]
            if token.type == tokenize.NEWLINE:
                last_lines.update((line, token.start[0]) for line in range(first, token.start[0]))
                first = 0
    except (tokenize.TokenError, SyntaxError):
        pass  # syntax newer than the running Python: comments count on the finding's own line only
    return last_lines


_BETWEEN_STATEMENTS = frozenset(
    {tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}
)
