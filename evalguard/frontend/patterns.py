"""The patterns of `match`: a test for each value, a binding for each capture.

Values and singletons are tested by `==` and `is`. What a sequence, mapping or class pattern tests is not looked into;
the names inside are bound to the parts of the subject that they stand for.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from evalguard.frontend.drafts import FunctionDraft
from evalguard.frontend.expressions import assign, lower_value
from evalguard.ir.values import Attribute, Compare, Const, Item, Opaque, Value


def lower_pattern(
    draft: FunctionDraft, pattern: cst.MatchPattern, subject: Value, matched: int, following: int
) -> None:
    """Leave for one of two blocks; on the way to `matched`, the captures are bound."""
    graph = draft.graph
    match pattern:
        case cst.MatchValue():
            test = Compare("==", subject, lower_value(draft, pattern.value))
            graph.branch(test, draft.span(pattern.value), matched, following)
        case cst.MatchSingleton():
            test = Compare("is", subject, lower_value(draft, pattern.value))
            graph.branch(test, draft.span(pattern.value), matched, following)
        case cst.MatchOr():
            for alternative in pattern.patterns:
                other = graph.block()
                lower_pattern(draft, alternative.pattern, subject, matched, other)
                graph.start(other)
            graph.goto(following)
        case cst.MatchAs(pattern=None):
            _bind(draft, pattern.name, subject)
            graph.goto(matched)
        case cst.MatchAs(pattern=inner) if inner is not None:
            found = graph.block()
            lower_pattern(draft, inner, subject, found, following)
            graph.start(found)
            _bind(draft, pattern.name, subject)
            graph.goto(matched)
        case _:
            found = graph.block()
            graph.branch(_test(draft, pattern, subject), draft.statement, found, following)
            graph.start(found)
            for name, value in _captures(pattern, subject):
                _bind(draft, name, value)
            graph.goto(matched)


def _bind(draft: FunctionDraft, name: cst.Name | None, value: Value) -> None:
    if name is not None:
        assign(draft, name, value)


def _test(draft: FunctionDraft, pattern: cst.MatchPattern, subject: Value) -> Value:
    if isinstance(pattern, cst.MatchClass):
        return Opaque((subject, lower_value(draft, pattern.cls)))
    return Opaque((subject,))


def _captures(pattern: cst.MatchPattern, subject: Value) -> Iterator[tuple[cst.Name | None, Value]]:
    match pattern:
        case cst.MatchAs(pattern=inner):
            if inner is not None:
                yield from _captures(inner, subject)
            yield pattern.name, subject
        case cst.MatchOr():
            # The alternatives bind the same names, each from another part: which one is not known.
            for alternative in pattern.patterns:
                for name, _ in _captures(alternative.pattern, subject):
                    yield name, Opaque((subject,))
        case cst.MatchSequence():
            yield from _sequence_captures(pattern, subject)
        case cst.MatchMapping():
            for element in pattern.elements:
                yield from _captures(element.pattern, Opaque((subject,)))
            yield pattern.rest, Opaque((subject,))
        case cst.MatchClass():
            for positional in pattern.patterns:
                yield from _captures(positional.value, Opaque((subject,)))
            for keyword in pattern.kwds:
                yield from _captures(keyword.pattern, Attribute(subject, keyword.key.value))


def _sequence_captures(pattern: cst.MatchSequence, subject: Value) -> Iterator[tuple[cst.Name | None, Value]]:
    starred = False
    count = len(pattern.patterns)
    for position, element in enumerate(pattern.patterns):
        if isinstance(element, cst.MatchStar):
            starred = True
            yield element.name, Opaque((subject,))
        else:
            yield from _captures(element.value, Item(subject, Const(position - count if starred else position)))
