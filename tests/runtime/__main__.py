"""`python tests/runtime [PART OF A NAME]...`: run fixtures under PyTorch and print what was seen.

`--json` prints it for the test, `--shard=1/4` takes every fourth case from the first on, and `SHOW_STDERR=1` in the
environment shows why a function of a fixture failed.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from runtime.cases import main
from runtime.labels import summary, table

if __name__ == "__main__":
    options = dict(word[2:].partition("=")[::2] for word in sys.argv[1:] if word.startswith("--"))
    chosen = [word for word in sys.argv[1:] if not word.startswith("--")]
    results = main(chosen, options.get("shard", "1/1"))
    if "json" in options:
        print(json.dumps([asdict(result) for result in results]))
        sys.exit()
    results.sort(key=lambda result: result.name)
    print(table(results), end="")
    for result in results:
        for name, words in result.failed.items():
            print(f"{result.name}: {name}: {words}")
        for words in result.contradictions:
            print(f"{result.name}: CONTRADICTION {words}")
    print(summary(results))
