"""The picture in the README: the mode ribbon of the example, as SVG that follows the reader's theme.

It is drawn from a real analysis, so that it changes with what evalguard says. An image on a page may load nothing and
knows no font of the page: it brings its colours along, and takes the reader's monospace.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from evalguard.check import check_paths
from evalguard.report.highlight import highlighted
from evalguard.report.scenes import LETTERS, Mark, Tape, lines_of, marks_of, title_of

FILE = "docs/images/ribbon.svg"
EXAMPLE = "examples/leaky_validation.py"

ROW, BAND, WIDTH = 22, 30, 960
LEFT, RAIL, RIBBON, CODE = 56, 84, 112, 168  # where columns end or begin
TOP, HEAD, GAP = 62, 40, 18
EDGE = 18  # around all, in the colour of the page

_STYLE = """
:root { --paper: #faf9f6; --surface: #ffffff; --ink: #1d1c1a; --muted: #615d56; --line: #dcd7cc; --accent: #ad1740;
  --tint: #fcf1f3; --on: #ffffff; --train: #b3540b; --eval: #1e6cb0; --string: #2f6a3a; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #151518; --surface: #1c1c21; --ink: #ecebe7; --muted: #aaa69e; --line: #3a3a43; --accent: #ff8aa0;
    --tint: #2a1c22; --on: #15100c; --train: #ee9640; --eval: #66b0f3; --string: #97cf9f; }
}
text { font: 13px ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  fill: var(--ink); white-space: pre; }
.sans, .note, .step, .letter { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.ground { fill: var(--paper); }
.card { fill: var(--surface); stroke: var(--line); }
.tint { fill: var(--tint); }
.rule { stroke: var(--line); }
.no, .path { fill: var(--muted); }
.no { text-anchor: end; }
.path { font-size: 12px; }
.title { font-weight: 600; }
.code { font-weight: 700; fill: var(--on); font-size: 12.5px; }
.badge, .dot { fill: var(--accent); }
.way { stroke: var(--accent); stroke-width: 2; fill: none; }
.note { fill: var(--accent); font-size: 12.5px; }
.step { fill: var(--on); font-size: 11.5px; font-weight: 600; text-anchor: middle; }
.letter { fill: var(--on); font-size: 11.5px; font-weight: 700; text-anchor: middle; }
.letter.other { fill: var(--ink); }
.train { fill: var(--train); }
.eval { fill: var(--eval); }
.chip { fill: var(--surface); stroke: var(--muted); }
.switch { fill: var(--ink); }
.k, .d { font-weight: 700; }
.s { fill: var(--string); }
.c { fill: var(--muted); font-style: italic; }
""".strip()


def picture(root: Path) -> str:
    """The picture of the example's finding."""
    return "\n".join(_svg(root)) + "\n"


def _svg(root: Path) -> Iterator[str]:
    report = check_paths([root / EXAMPLE], ribbons=True)
    (finding,) = report.findings
    (strip,) = report.strips.values()
    marks = marks_of(1, finding, report)
    order = list(dict.fromkeys(strip.ribbon_at(mark.line) for mark in marks))
    said = " ".join(f"Step {mark.step}, line {mark.line}: {mark.text}." for mark in marks)
    body: list[str] = []
    y = TOP
    dots: list[tuple[int, float]] = []
    for ribbon in order:
        assert ribbon is not None
        here = {line: [mark for mark in marks if mark.line == line] for line in ribbon.lines()}
        height = HEAD + ROW * (len(here) + sum(map(len, here.values()))) + 8
        body.append(f'<rect class="card" x="0.5" y="{y + 0.5}" width="{WIDTH - 1}" height="{height}" rx="8"/>')
        body.append(f'<text class="title" x="{CODE}" y="{y + 25}">{escape(title_of(ribbon))}</text>')
        name, where = ribbon.bands[0].place, f"{EXAMPLE}:{ribbon.first}"
        body.append(f'<text class="path" x="{WIDTH - 20}" y="{y + 25}" text-anchor="end">{escape(where)}</text>')
        body.append(
            f'<text class="title" x="{RIBBON + BAND / 2}" y="{y + 25}" text-anchor="middle">{escape(name)}</text>'
        )
        body.append(f'<path class="rule" d="M1 {y + HEAD - 4.5}H{WIDTH - 1}"/>')
        lines, placed = _lines(here, y + HEAD, Tape.of(ribbon.bands[0].cells, list(here)), lines_of(strip))
        body += lines
        ys = [at for _, at in placed]
        body.append(f'<path class="way" d="M{RAIL} {min(ys)}V{max(ys)}"/>')
        dots += placed
        y += height + GAP
    dots.sort()
    body += _dots(dots)
    total = y - GAP + 1
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-EDGE} 0 {WIDTH + 2 * EDGE} {total + EDGE}"'
        f' role="img" aria-label={quoteattr(f"{finding.code}: {finding.message}. {said}")}>'
    )
    yield f"<title>{escape(f'{finding.code} {finding.name}: the mode of the model on every line')}</title>"
    yield f"<style>{_STYLE}</style>"
    yield "<defs>"
    yield (
        '<pattern id="eval" width="30" height="4.4" patternUnits="userSpaceOnUse">'
        '<rect class="eval" width="30" height="2.9"/></pattern>'
    )
    yield (
        '<pattern id="either" width="15.56" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="train" width="6.6" height="9"/><rect class="eval" x="7.78" width="6.6" height="9"/></pattern>'
    )
    yield "</defs>"
    yield f'<rect class="ground" x="{-EDGE}" width="{WIDTH + 2 * EDGE}" height="{total + EDGE}" rx="10"/>'
    yield '<rect class="badge" x="1" y="14" width="66" height="26" rx="5"/>'
    yield f'<text class="code" x="34" y="31.5" text-anchor="middle">{finding.code}</text>'
    yield f'<text class="sans title" x="80" y="32" font-size="15">{_sentence(finding.message.partition(":")[0])}</text>'
    yield from body
    yield "</svg>"


def _lines(
    here: dict[int, list[Mark]], y: float, tape: Tape, text: dict[int, str]
) -> tuple[list[str], list[tuple[int, float]]]:
    """The rows of a function, and where its steps stand."""
    drawn: list[str] = []
    dots: list[tuple[int, float]] = []
    letters: list[str] = []
    segments: list[tuple[str, float, float]] = []
    for line, marks in here.items():
        height = ROW * (1 + len(marks))
        if marks:
            drawn.append(f'<rect class="tint" x="{CODE - 14}" y="{y}" width="{WIDTH - CODE + 13}" height="{height}"/>')
        drawn.append(f'<text class="no" x="{LEFT}" y="{y + 15}">{line}</text>')
        pieces = "".join(
            f'<tspan class="{kind}">{escape(part)}</tspan>' if kind else escape(part)
            for kind, part in highlighted(text[line])[0]
        )
        drawn.append(f'<text x="{CODE}" y="{y + 15}" xml:space="preserve">{pieces}</text>')
        cell = tape.cells.get(line)
        if cell is not None and segments and segments[-1][0] == cell.state and segments[-1][2] == y:
            segments[-1] = (cell.state, segments[-1][1], y + height)
        elif cell is not None:
            segments.append((cell.state, y, y + height))
        letters += _letter(tape, line, y)
        for number, mark in enumerate(marks, start=1):
            drawn.append(
                f'<text class="note" x="{CODE}" y="{y + 14 + ROW * number}"><tspan class="k">{mark.step}</tspan>'
                f"  {_sentence(mark.text)}</text>"
            )
            dots.append((mark.step, y + 11 + ROW * (number - 1)))
        y += height
    return drawn + [_segment(*segment) for segment in segments] + letters, dots


def _segment(state: str, start: float, end: float) -> str:
    """The band, as far as it is in one state."""
    fill = 'class="train"' if state == "train" else f'fill="url(#{state})"'
    return f'<rect {fill} x="{RIBBON}" y="{start}" width="{BAND}" height="{end - start}" rx="6"/>'


def _letter(tape: Tape, line: int, y: float) -> Iterator[str]:
    cell = tape.cells.get(line)
    if cell is None:
        return
    if line not in tape.begun:
        return
    plain = cell.state in ("train", "eval")
    shape = f'class="{cell.state}"' if plain else 'class="chip"'
    yield f'<rect {shape} x="{RIBBON}" y="{y}" width="{BAND}" height="{ROW - 2}" rx="5"/>'
    kind = "letter" if plain else "letter other"
    yield f'<text class="{kind}" x="{RIBBON + BAND / 2}" y="{y + 14}">{LETTERS[cell.state]}</text>'
    if cell.switches:
        yield f'<path class="switch" d="M{RIBBON - 7} {y + 5}l6 5l-6 5z"/>'


def _dots(dots: list[tuple[int, float]]) -> Iterator[str]:
    """The steps; the last, which is the finding, with a ring."""
    for step, y in dots:
        if step == len(dots):
            yield f'<circle class="way" cx="{RAIL}" cy="{y}" r="12.5" style="fill: var(--tint)"/>'
        yield f'<circle class="dot" cx="{RAIL}" cy="{y}" r="9.5"/>'
        yield f'<text class="step" x="{RAIL}" y="{y + 4}">{step}</text>'


def _sentence(text: str) -> str:
    """What stands in backticks is code."""
    parts = text.split("`")
    mono = "font-family: ui-monospace, Menlo, Consolas, monospace"
    return "".join(f'<tspan style="{mono}">{escape(p)}</tspan>' if at % 2 else escape(p) for at, p in enumerate(parts))
