"""How fast evalguard is, beside `ast.parse` and other tools, in one session on one machine.

    python benchmarks/speed.py                    download five packages, time all, print a table of ratios
    python benchmarks/speed.py --corpus FOLDER    the same over the Python files of a folder
    python benchmarks/speed.py --growth out.svg   time over lines, up to a million, as a table and a picture

Every figure is the median of whole processes, start of the interpreter included. Machines differ and are shared, so
only the ratios say anything: the first line is always `ast.parse` of all files in one process.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PACKAGES = (
    *("accelerate==1.15.0", "pytorch-lightning==2.6.6", "sentence-transformers==6.2.0", "timm==1.0.31"),
    "ultralytics==8.4.190",
)

PARSE = """
import {module}, pathlib, sys
for path in pathlib.Path(sys.argv[1]).rglob("*.py"):
    try:
        {module}.{function}(path.read_bytes())
    except Exception:
        pass
"""
SMALL = """\
import torch
import torch.nn as nn


def evaluate(path, test_loader):
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout())
    net.load_state_dict(torch.load(path))
    with torch.no_grad():
        return [net(x).argmax() for x in test_loader]
"""
GROWTH = (100_000, 200_000, 400_000, 700_000, 1_000_000)


@dataclass(frozen=True)
class Time:
    """The median of some runs: seconds on the clock, seconds of all processors, MB of the largest process."""

    wall: float
    processor: float
    megabytes: float


def timed(command: Sequence[str], runs: int, before: Callable[[], object] = lambda: None) -> Time:
    """Run a command several times as a process of its own, each time after `before`. All find their modules compiled,
    as after an installation, whatever the environment says of that."""
    times = []
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(runs):
        before()
        start = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):
            raise SystemExit(f"exit status {process.returncode}: {' '.join(command)}")
        wall = time.perf_counter() - start
        times.append((wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))
    return Time(*(statistics.median(column) for column in zip(*times, strict=True)))


class MemoryInAll:
    """The most memory that a process and its descendants held at once, in MB, pages that several share counted once:
    the proportional set size that Linux keeps (<https://docs.kernel.org/filesystems/proc.html>), looked at five times a
    second. 0 where there is no such thing."""

    def __init__(self) -> None:
        self.megabytes = 0.0
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> MemoryInAll:
        self._watch.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._ended.wait(0.2):
            held = sum(map(_kilobytes_held, _descendants(os.getpid())))
            self.megabytes = max(self.megabytes, held / 1024)


def _descendants(process: int) -> Iterator[int]:
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):  # it may have ended since
            for child in map(int, children.read_text().split()):
                yield child
                yield from _descendants(child)


def _kilobytes_held(process: int) -> int:
    with suppress(OSError):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return 0


def downloaded(folder: Path) -> Path:
    """The Python files of the packages. Wheels, for pip cannot download the others without building them."""
    wheels = folder / "wheels"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d", str(wheels)]
    subprocess.run([*pip, *PACKAGES], check=True)
    corpus = folder / "corpus"
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(corpus, [name for name in archive.namelist() if name.endswith(".py")])
    return corpus


def python_files(corpus: Path) -> list[Path]:
    """All of them, in one order."""
    return sorted(path for path in corpus.rglob("*.py") if path.is_file())


def line_count(files: Iterable[Path]) -> int:
    """Of all files together."""
    return sum(path.read_bytes().count(b"\n") for path in files)


def evalguard(*arguments: object) -> list[str]:
    """The command, in this interpreter."""
    return [sys.executable, "-m", "evalguard", "--exit-zero", *map(str, arguments)]


def table(corpus: Path, scratch: Path, runs: int) -> None:
    """Print what everything takes over the corpus."""
    files = python_files(corpus)
    print(f"{len(files)} files, {line_count(files):,} lines; medians of {runs} runs; {os.cpu_count()} processors\n")
    print(f"| {'what':44} | x ast.parse | x its processor time | MB |\n|{'-' * 46}|---|---|---|")
    base = timed([sys.executable, "-c", PARSE.format(module="ast", function="parse"), str(corpus)], runs)

    def row(name: str, spent: Time, of: Time = base) -> None:
        ratios = f"{spent.wall / of.wall:.2f} | {spent.processor / of.processor:.2f}"
        print(f"| {name:44} | {ratios} | {spent.megabytes:.0f} |", flush=True)

    row("`ast.parse` of all files, one process", base)
    libcst = PARSE.format(module="libcst", function="parse_module")
    row("`libcst.parse_module` of all files, one process", timed([sys.executable, "-c", libcst, str(corpus)], runs))
    cache = scratch / "cache"
    row("evalguard, cold (`--no-cache`)", timed(evalguard("--no-cache", corpus), runs))
    timed(evalguard("--cache-dir", cache, corpus), 1)
    row("evalguard, warm, nothing changed", timed(evalguard("--cache-dir", cache, corpus), runs))
    changed = max(files, key=lambda path: path.stat().st_size)
    text, number = changed.read_bytes(), iter(range(1_000_000))
    row(
        "evalguard, warm, one file changed",
        timed(
            evalguard("--cache-dir", cache, corpus),
            runs,
            lambda: changed.write_bytes(text + b"\n# %d\n" % next(number)),
        ),
    )
    changed.write_bytes(text)
    for name, module, command in others(corpus):
        if shutil.which(module):
            try:
                row(name, timed(command, runs))
            except SystemExit as error:
                print(f"| {name:44} | failed: {error} | | |")
        else:
            print(f"| {name:44} | not installed | | |")
    small = scratch / "small.py"
    small.write_text(SMALL)
    click = timed([sys.executable, "-c", "import click"], runs * 3)
    print("\nOne small file, beside `python -c 'import click'`:\n")
    row("evalguard, one small file, cold", timed(evalguard("--no-cache", small), runs * 3), click)
    timed(evalguard("--cache-dir", cache, small), 1)
    row("evalguard, one small file, warm", timed(evalguard("--cache-dir", cache, small), runs * 3), click)


def others(corpus: Path) -> list[tuple[str, str, list[str]]]:
    """Other tools: what is measured, the command without which it is left out, and how it is called."""
    return [
        ("ruff, default rules, no cache", "ruff", ["ruff", "check", "--no-cache", "--isolated", "-q", str(corpus)]),
        ("flake8, default plugins", "flake8", ["flake8", "--isolated", "-q", str(corpus)]),
        ("torchfix", "torchfix", ["torchfix", "--select", "ALL", str(corpus)]),
        ("torch-preflight", "torch-preflight", ["torch-preflight", str(corpus)]),
    ]


def growth(corpus: Path, scratch: Path, picture: Path) -> None:
    """Time over lines, the corpus repeated under other names; a table, and a picture of it."""
    files = python_files(corpus)
    points = []
    print("| lines | x the first | MB, largest process | MB in all |\n|---|---|---|---|")
    for most in GROWTH:
        target = scratch / f"lines-{most}"
        lines = grown(corpus, files, target, most)
        with MemoryInAll() as memory:
            spent = timed(evalguard("--no-cache", target), 1)
        points.append((lines, spent))
        ratio = spent.wall / points[0][1].wall
        print(f"| {lines:,} | {ratio:.2f} | {spent.megabytes:.0f} | {memory.megabytes:.0f} |", flush=True)
        shutil.rmtree(target)
    picture.write_text(drawn([(lines, spent.wall / points[0][1].wall) for lines, spent in points]), encoding="utf-8")


def grown(corpus: Path, files: Sequence[Path], target: Path, most: int) -> int:
    """Copy files into a folder, again and again under other names, up to so many lines; how many there are."""
    lines, copy = 0, 0
    while lines < most:
        for path in files:
            place = target / f"copy{copy}" / path.relative_to(corpus)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
            lines += line_count([path])
            if lines >= most:
                break
        copy += 1
    return lines


def drawn(points: Sequence[tuple[int, float]]) -> str:
    """A small line chart, as SVG: lines of code across, time upward, in multiples of the first."""
    width, height, edge = 480, 300, 46
    most_x, most_y = max(x for x, _ in points), max(y for _, y in points)
    spots = [
        (edge + (width - 2 * edge) * x / most_x, height - edge - (height - 2 * edge) * y / most_y) for x, y in points
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in spots)
    labels = "".join(
        f'<text x="{x:.1f}" y="{height - edge + 18}" text-anchor="middle">{lines // 1000}k</text>'
        f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle">{times:.1f}</text>'
        for (x, y), (lines, times) in zip(spots, points, strict=True)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="11">'
        f'<title>Time over lines of code</title><rect width="{width}" height="{height}" fill="#fff"/>'
        f'<path d="M{edge} {edge / 2}V{height - edge}H{width - edge / 2}" fill="none" stroke="#888"/>'
        f'<polyline points="{line}" fill="none" stroke="#2563eb" stroke-width="2"/><g fill="#2563eb">{dots}</g>'
        f'<g fill="#333">{labels}<text x="{width - edge / 2}" y="{height - 8}" text-anchor="end">lines of code</text>'
        f'<text x="8" y="16">time, in multiples of the first</text></g></svg>\n'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="a folder with Python files, instead of the packages")
    parser.add_argument("--runs", type=int, default=3, help="of which the median is taken")
    parser.add_argument("--growth", type=Path, metavar="FILE.svg", help="measure time over lines, and draw it there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if arguments.corpus is None:
            corpus = downloaded(scratch)
        else:
            corpus = scratch / "corpus"
            shutil.copytree(arguments.corpus, corpus, symlinks=True)
        if arguments.growth is None:
            table(corpus, scratch, arguments.runs)
        else:
            growth(corpus, scratch, arguments.growth)


if __name__ == "__main__":
    main()
