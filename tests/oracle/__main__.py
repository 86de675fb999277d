"""`python -m tests.oracle --count 20000 --seed 1`: compare many programs, print what came out by construct."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from multiprocessing import Pool
from pathlib import Path

from .compare import Verdict, judge
from .constructs import constructs, is_independent
from .programs import NET, generate
from .shrink import shrink
from .table import Counts, keep
from .tool import evalguard_claims

COUNTS = ("programs", "observed", "claimed", "missed", "false", "spurious", "understated", "unknown", "crashed")
KEPT_EVERY = 500  # programs
FAILURES = ("bad", "crash", "missed", "false")


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; 1 if a program failed."""
    options = _options(arguments)
    seeds = [f"{options.seed}:{number}" for number in range(options.start, options.start + options.count)]
    without = set(options.without.split(","))
    seeds = [seed for seed in seeds if not without & constructs(generate(seed))]
    table: dict[str, Counter[str]] = {}
    failing: list[tuple[str, Verdict]] = []
    wanted: list[tuple[str, Verdict]] = []
    for done, (seed, verdict) in enumerate(_verdicts(seeds, options.jobs, options.runs), start=1):
        text = generate(seed)
        kind = "(independent)" if is_independent(text) else "(correlated)"
        for name in ("(all)", kind, *constructs(text)):
            table.setdefault(name, Counter()).update(_counts(verdict))
        if verdict.failed or verdict.bad:
            failing.append((seed, verdict))
        elif getattr(verdict, options.also) if options.also else False:
            wanted.append((seed, verdict))
        if options.keep and (done % KEPT_EVERY == 0 or done == len(seeds)):
            keep(Counts(options.seed, done, table, [seed for seed, _ in failing]), options.keep)
    _print_table(table)
    print(f"\n{len(failing)} failing programs: {' '.join(seed for seed, _ in failing)}")
    _print_programs(failing + wanted, options)
    return 1 if failing else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="how many programs")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--start", type=int, default=0, help="the number of the first program")
    parser.add_argument("--runs", type=int, default=512, help="explore at most so many runs of a program exhaustively")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write the counts there, again and again")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--show", type=int, default=5, help="how many failing programs to shrink and print")
    parser.add_argument("--also", choices=("spurious", "understated", "unknown"), help="show programs with these, too")
    parser.add_argument("--without", default="", help="constructs, by commas: leave programs with one of these out")
    return parser.parse_args(arguments)


def _verdicts(seeds: list[str], jobs: int, runs: int) -> Iterator[tuple[str, Verdict]]:
    work = partial(_verdict, runs=runs)
    if jobs == 1:
        yield from zip(seeds, map(work, seeds), strict=True)
        return
    with Pool(jobs) as pool:
        yield from zip(seeds, pool.imap(work, seeds, chunksize=50), strict=True)


def _verdict(seed: str, runs: int) -> Verdict:
    return judge(generate(seed), evalguard_claims, runs)


def _counts(verdict: Verdict) -> Counter[str]:
    return Counter(
        programs=1,
        complete=verdict.complete,
        observed=verdict.observed,
        claimed=verdict.claimed if verdict.complete else 0,
        missed=len(verdict.missed),
        false=len(verdict.false),
        spurious=len(verdict.spurious),
        understated=len(verdict.understated),
        unknown=len(verdict.unknown),
        crashed=bool(verdict.crash or verdict.bad),
    )


def _print_table(table: dict[str, Counter[str]]) -> None:
    """Claims are counted where all paths were explored; the rate is that of the spurious among them."""
    print(f"{'construct':24}" + "".join(f"{name:>12}" for name in COUNTS) + f"{'rate':>8}")
    for name, counts in sorted(table.items()):
        rate = counts["spurious"] / max(1, counts["claimed"])
        print(f"{name:24}" + "".join(f"{counts[column]:12}" for column in COUNTS) + f"{rate:8.2%}")


def _print_programs(programs: list[tuple[str, Verdict]], options: argparse.Namespace) -> None:
    """Shrink programs, and print one of each kind: those that fail alike and are left with the same constructs."""
    shown: Counter[tuple[str, frozenset[str]]] = Counter()
    for seed, verdict in programs[: 4 * options.show]:
        aspect = next((name for name in FAILURES if getattr(verdict, name)), options.also)
        text = _shrunk(generate(seed), aspect, verdict, options.runs)
        kind = (aspect, constructs(text))
        shown[kind] += 1
        if shown[kind] == 1 and len(shown) <= options.show:
            _print_program(f"{seed}: {aspect}", text, getattr(judge(text, evalguard_claims, options.runs), aspect))
    for (aspect, names), count in shown.most_common():
        print(f"{count:4} of the programs shrunk: {aspect} with {', '.join(sorted(names)) or 'nothing special'}")


def _shrunk(text: str, aspect: str, verdict: Verdict, runs: int) -> str:
    reason = _reason(verdict, aspect)

    def alike(candidate: str) -> bool:
        after = judge(candidate, evalguard_claims, runs)
        return _reason(after, aspect) == reason and (aspect == "bad" or after.bad is None)

    return shrink(text, alike)


def _reason(verdict: Verdict, aspect: str) -> str | bool:
    value = getattr(verdict, aspect)
    return value.partition(":")[0] if isinstance(value, str) else bool(value)


def _print_program(title: str, text: str, points: object) -> None:
    print(f"\n--- {title}")
    claims = {} if isinstance(points, str) else evalguard_claims(text)
    for number, line in list(enumerate(text.splitlines(), 1))[_head(text) :]:
        claim = claims.get(number)
        said = f"   <- claimed {_modes(claim.modes)}, doubtful {_modes(claim.doubtful)}" if claim else ""
        marks = [f" !{mode}" for at, mode in points if at == number] if isinstance(points, tuple) else []
        print(f"{number:3} {line}{said}{''.join(marks)}")
    if isinstance(points, str):
        print(points)


def _head(text: str) -> int:
    """How many lines there are up to the end of the class that all programs have."""
    return text[: text.find(NET.splitlines()[-1])].count("\n") + 1


def _modes(modes: frozenset[str]) -> str:
    return "|".join(sorted(modes)) or "nothing"


if __name__ == "__main__":
    sys.exit(main())
