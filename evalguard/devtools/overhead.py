"""How much slower a training loop is while `evalguard trace` records it: a small convolutional net on one core.

Blocks of steps with and without the recorder take turns in one process, so that both see the same machine. The figure
is the ratio of the medians of processor time.
"""

from __future__ import annotations

import importlib
import statistics
import time
from typing import Any

from evalguard.trace.recorder import Recorder

BLOCKS = 120
STEPS = 2


def overhead() -> tuple[float, float, float]:
    """The seconds of a block of steps with the recorder and without it, and their ratio."""
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(
        *(
            layer
            for before, after in ((3, 16), (16, 32), (32, 32))
            for layer in (
                nn.Conv2d(before, after, 3, padding=1),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.Dropout(0.1),
                nn.MaxPool2d(2),
            )
        ),
        nn.Flatten(),
        nn.Linear(32 * 4 * 4, 10),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = torch.rand(16, 3, 32, 32), torch.zeros(16, dtype=torch.long)

    def block() -> float:
        begin = time.process_time()
        for _ in range(STEPS):
            model.train()
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            model(x)
        return time.process_time() - begin

    recorder = Recorder({__file__: "overhead.py"})
    seconds: dict[bool, list[float]] = {True: [], False: []}
    block()
    for number in range(2 * BLOCKS):
        recording = number % 2 == 0
        if recording:
            recorder.start()
        try:
            seconds[recording].append(block())
        finally:
            recorder.stop()
    recorded, alone = statistics.median(seconds[True]), statistics.median(seconds[False])
    return recorded, alone, recorded / alone
