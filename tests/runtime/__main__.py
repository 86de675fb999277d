"""`python tests/runtime [PART OF A NAME]`: run fixtures under PyTorch and print what was seen; `--json` for the test."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from runtime.cases import main

if __name__ == "__main__":
    chosen = [word for word in sys.argv[1:] if not word.startswith("--")]
    results = main(lambda case: all(word in case.name for word in chosen))
    if "--json" in sys.argv:
        print(json.dumps([asdict(result) for result in results]))
        sys.exit()
    for result in results:
        if result.why_not:
            print(f"{result.name}: not run: {result.why_not}")
        for name, words in result.failed.items():
            print(f"{result.name}: {name}: {words}")
        for key, ruling in result.rulings.items():
            if ruling != "confirmed" or chosen:
                print(f"{result.name}: {key} {ruling}")
        for words in result.contradictions:
            print(f"{result.name}: CONTRADICTION {words}")
    for result in sorted(results, key=lambda result: -result.seconds)[:5]:
        print(f"{result.name}: {result.seconds:.1f} seconds")
    rulings = Counter(ruling for result in results for ruling in result.rulings.values())
    print(f"{sum(not result.why_not for result in results)} of {len(results)} run; {dict(rulings)};", end=" ")
    print(f"{sum(result.modes for result in results)} modes;", end=" ")
    print(f"{sum(len(result.contradictions) for result in results)} contradictions")
