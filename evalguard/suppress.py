"""Comments that silence findings.

`# noqa` silences its line, `# noqa: EVG201, EVG1` the codes that begin so; it is read as flake8 reads it, so that one
comment serves both. `# evalguard: ignore[EVG201] reason` is ours alone, and `# evalguard: ignore` its bare form.

A comment counts for a finding if it stands on the finding's first line, or on the last line of the statement around
it: there is no room for one behind a bracket's first line that a formatter would leave alone.
"""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from evalguard.finding import Finding, Span
from evalguard.source import split_lines

# As flake8: what follows the colon and is no list of codes makes the comment a bare one.
_NOQA = re.compile(r"#\s*noqa\b(?:\s*:\s*(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*))?", re.IGNORECASE)
_IGNORE = re.compile(r"#\s*evalguard\s*:\s*ignore\b(?:\s*\[(?P<codes>[^\]]*)\])?", re.IGNORECASE)
_ABOUT_COMMENTS = "EVG90"
_CANNOT_BE_SILENCED = "EVG901"  # the comments of a file that cannot be parsed are not known


def suppress(findings: Iterable[Finding], comments: Iterable[tuple[int, str]], text: str) -> list[Finding]:
    """The findings of one file that no comment silences. `comments` are the file's real ones, by line."""
    silenced = _silenced_codes(comments)
    if not silenced:
        return list(findings)
    ends = last_lines(text)
    return [finding for finding in findings if not _is_silenced(finding, silenced, ends)]


def silencing(comments: Iterable[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    """Those of a file's comments that may silence a finding."""
    return tuple(each for each in comments if _NOQA.search(each[1]) or _IGNORE.search(each[1]))


@dataclass(frozen=True, slots=True)
class Silencer:
    """A code in a comment of a file, or a bare comment of ours, whose code is "" and speaks for all."""

    code: str
    span: Span


def silencers(comments: Iterable[tuple[int, str]], text: str) -> Iterator[Silencer]:
    """The codes of ours in the comments of a file: what other tools silence by `noqa` is theirs."""
    lines = split_lines(text)
    for line, comment in comments:
        begin = lines[line - 1].rfind(comment)
        for pattern in (_NOQA, _IGNORE):
            for match in pattern.finditer(comment):
                if match["codes"] is None:
                    if pattern is _IGNORE:
                        yield Silencer("", _span(line, begin + match.start(), begin + match.end()))
                    continue
                start = begin + match.start("codes")
                for code in re.finditer(r"[^,\s]+", match["codes"]):
                    if pattern is _IGNORE or code[0].upper().startswith("EVG"):
                        yield Silencer(code[0].upper(), _span(line, start + code.start(), start + code.end()))


def is_used(silencer: Silencer, findings: Iterable[Finding], ends: Mapping[int, int]) -> bool:
    """Whether a comment silences one of the findings of its file."""
    silenced = {silencer.span.line: (silencer.code,)}
    return any(_is_silenced(finding, silenced, ends) for finding in findings)


def _span(line: int, start: int, end: int) -> Span:
    return Span(line, start + 1, line, end + 1)


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
    prefixes = {prefix for line in lines for prefix in silenced.get(line, ())}
    if finding.code.startswith(_ABOUT_COMMENTS):  # a comment that speaks for all codes does not speak for itself
        prefixes = {prefix for prefix in prefixes if prefix.startswith(_ABOUT_COMMENTS)}
    return any(finding.code.startswith(prefix) for prefix in prefixes)


def last_lines(text: str) -> dict[int, int]:
    """Every line of a statement that has several to its last one; of a compound statement, its head is meant."""
    lines = iter([f"{line}\n" for line in split_lines(text)])
    ends: dict[int, int] = {}
    first = 0
    try:
        for token in tokenize.generate_tokens(lambda: next(lines, "")):
            if token.type in _BETWEEN_STATEMENTS:
                continue
            first = first or token.start[0]
            if token.type == tokenize.NEWLINE:
                ends.update((line, token.start[0]) for line in range(first, token.start[0]))
                first = 0
    except (tokenize.TokenError, SyntaxError):
        pass  # syntax newer than the running Python: comments count on the finding's own line only
    return ends


_BETWEEN_STATEMENTS = frozenset(
    {tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}
)
