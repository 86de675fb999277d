"""How deeply a text nests and how much it holds, told from its tokens alone, before a parser sees it.

LibCST's native parser recurses on the machine's stack, and takes time that grows with the square of a chain's length:
`a.b.c...` of ten thousand names ends the process, or runs for minutes. Python's own parser would tell, but only of what
it accepts, and each version by another limit. So each statement is measured:

    x = f(a.b().c, not -d)      level 0  `=`, then a chain of one `(`
                                level 1  behind the comma: two operators

The depth is the sum over the brackets that are open of what stands on each level since its last comma: operators, and
the longest chain of `.`, `(` and `[` between two of them. It is never less than the depth of the tree, give or take a
few; a bit more does no harm, since nobody writes a tenth of what is refused.
"""

from __future__ import annotations

import re

from evalguard.source import SourceProblem, split_lines

MOST_BRACKETS = 200  # as in Python
DEEPEST = 1_100  # operators and links; half of that is more than any file of the corpora has
MOST_STRINGS = 2_500  # in one concatenation: LibCST gives up at 3,000
MOST_ELIFS = 2_500  # each is nested in the one before it
MOST_TOKENS = 1_000_000  # LibCST takes two kilobytes of memory for each
MOST_BRACKETS_IN = {"case": 6, "del": 10}  # LibCST tries each of `((a,),)` there several times: 4 to the power of it

_OPERATORS = frozenset({"and", "or", "not", "if", "else", "lambda", "await", "in", "is", "for", "yield", "async"})
_NO_CASE = re.compile(r"[ \t]*[=.,:+)]")  # behind a variable that is named `case`
_STRING = (
    # Whatever follows the quotes, there is one way to match it: else a file that ends in a backslash takes for ever.
    r"""(?:"{3}[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*(?:"{3}|\\?\Z)|'{3}[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*(?:'{3}|\\?\Z)"""
    r"""|"(?:[^"\\\r\n]+|\\(?:\r\n|.))*"?|'(?:[^'\\\r\n]+|\\(?:\r\n|.))*'?)"""
)
_TOKEN = re.compile(
    r"(?P<space>[ \t\f]+|\\(?:\r\n|[\r\n]))"
    r"|(?P<format>(?i:[ft]r?|r[ft])(?P<quote>\"{3}|'{3}|[\"']))"
    rf"|(?P<string>(?i:[bu]r?|r[bu]?)?{_STRING})"
    r"|(?P<word>\w+)"
    r"|(?P<link>\.)"
    r"|(?P<open>[(\[{])"
    r"|(?P<close>[)\]}])"
    r"|(?P<comma>[,;])"
    r"|(?P<line>\r\n|[\r\n])"
    r"|(?P<comment>#[^\r\n]*)"
    r"|(?P<colon>:=?)"
    r"|(?P<operator>[^\w\s])"
    r"|(?P<other>.)",
    re.DOTALL,
)


def refuse_too_much(text: str) -> None:
    """Raise SourceProblem where a text nests more deeply, or is longer, than LibCST can bear."""
    _Measure(text).run()


class _Level:
    """What stands between two commas, on one level of brackets."""

    __slots__ = ("chain", "longest", "operators", "strings")

    def __init__(self) -> None:
        self.operators = self.chain = self.longest = self.strings = 0

    def link(self) -> None:
        self.chain += 1
        self.longest = max(self.longest, self.chain)

    def operator(self) -> None:
        self.operators += 1
        self.chain = self.strings = 0

    def depth(self) -> int:
        return self.operators + self.longest


class _Measure:
    """One walk over the tokens of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.stack: list[_Level] = []
        self.level = _Level()
        self.below = 0  # the depth of all levels under this one
        self.at_start = True  # of a statement
        self.first = ""  # its first word
        self.column = 0
        self.elifs: dict[int, int] = {}  # by the column of the chain
        self.tokens = 0

    def run(self) -> None:
        """All of the text."""
        self.code(0, "")

    def code(self, position: int, until: str) -> int:
        """From a position to the end, or in an f-string to behind what ends its expression."""
        text, match = self.text, _TOKEN.match
        bottom = len(self.stack)
        while (token := match(text, position)) is not None:
            position = token.end()
            kind = token.lastgroup
            if kind == "space" or kind == "comment":
                if self.at_start and kind == "space":
                    self.column = token.end() - token.start()
                continue
            if kind == "line":
                if not self.stack:
                    self.level = _Level()
                    self.at_start, self.first, self.column = True, "", 0
                continue
            self.tokens += 1
            if self.tokens > MOST_TOKENS:
                self.refuse(token.start(), f"it holds more than {MOST_TOKENS:,} words and signs")
            if self.at_start:
                self.begin(token[0], token.start())
            if kind == "word":
                if token[0] in _OPERATORS:
                    self.level.operator()
            elif kind == "link":
                self.level.link()
            elif kind == "open":
                self.level.link()
                self.open(token.start())
            elif kind == "close":
                if until and len(self.stack) == bottom and token[0] == "}":
                    return position
                if len(self.stack) > bottom:
                    self.close()
            elif kind == "comma":
                self.level = _Level()
                if not self.stack and token[0] == ";":
                    self.at_start, self.first = True, ""
            elif kind == "string":
                self.string()
            elif kind == "format" or kind == "quote":
                self.string()
                position = self.literal(token["quote"], position, in_spec=False)
            elif kind == "colon":
                if until and len(self.stack) == bottom and token[0] != "::":
                    return position - 1
                self.level.operator()
            else:
                self.level.operator()
            if self.below + self.level.depth() > DEEPEST or self.level.strings > MOST_STRINGS:
                self.refuse(token.start())
        return position

    def begin(self, word: str, position: int) -> None:
        """A statement begins with a word."""
        self.at_start = False
        self.first = "" if _NO_CASE.match(self.text, position + len(word)) else word
        if word == "elif":
            for column in [column for column in self.elifs if column > self.column]:
                del self.elifs[column]
            self.elifs[self.column] = self.elifs.get(self.column, 0) + 1
            if self.elifs[self.column] > MOST_ELIFS:
                self.refuse(position)
        elif self.elifs:
            for column in [column for column in self.elifs if column >= self.column]:
                del self.elifs[column]

    def open(self, position: int) -> None:
        """A bracket opens."""
        self.below += self.level.depth()
        self.stack.append(self.level)
        self.level = _Level()
        if len(self.stack) > MOST_BRACKETS:
            self.refuse(position, "too many nested parentheses")
        if len(self.stack) > MOST_BRACKETS_IN.get(self.first, MOST_BRACKETS):
            self.refuse(position)

    def close(self) -> None:
        """A bracket closes; how deep it was stays with what it stands in until a comma."""
        inner = self.level.depth()
        self.level = self.stack.pop()
        self.below -= self.level.depth()
        self.level.longest = max(self.level.longest, inner)

    def string(self) -> None:
        """A string, or the first part of one."""
        self.level.strings += 1
        self.level.chain = 0

    def literal(self, quote: str, position: int, in_spec: bool) -> int:
        """The part of an f-string that is text, or the format of one of its expressions."""
        text, ends = self.text, _ENDS[quote]
        while (found := ends.search(text, position)) is not None:
            position = found.end()
            mark = found[0]
            if mark == quote or mark in "\r\n":
                return found.start() if in_spec or mark != quote else position
            if mark == "}":
                if in_spec:
                    return found.start()
            elif mark == "{":
                self.level.link()
                self.open(found.start())
                position = self.expression(quote, position)
                self.close()
        return len(text)

    def expression(self, quote: str, position: int) -> int:
        """From behind the brace to behind the one that closes it."""
        position = self.code(position, "}")
        if self.text[position : position + 1] == ":" and self.text[position - 1 : position] != "}":
            position = self.literal(quote, position + 1, in_spec=True)
            if self.text[position : position + 1] == "}":
                position += 1
        return position

    def refuse(self, position: int, why: str = "nested too deeply") -> None:
        """The text is too deep at a position."""
        before = split_lines(self.text[:position])
        raise SourceProblem(f"cannot be parsed: {why}", len(before), len(before[-1]) + 1)


_ENDS = {
    **{quote: re.compile(rf"\\(?:\r\n|.)|\{{\{{|[\r\n{{}}]|{quote}", re.DOTALL) for quote in ('"', "'")},
    **{quote: re.compile(rf"\\.|\{{\{{|[{{}}]|{quote}", re.DOTALL) for quote in ('"""', "'''")},
}
