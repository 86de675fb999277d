"""A training loop with many options: what each decides comes to the same for modes, and costs one path, not twice as
many."""

from __future__ import annotations

import pytest

from evalguard import Finding, check_source
from evalguard.project import engine

LOOP = """
import torch
import torch.nn as nn

def main(args, loader, held_out):
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    best, count = None, 0
    net.train()
    for x, y in loader:
        loss = nn.functional.cross_entropy(net(x), y)
{options}        optimizer.step()
        optimizer.zero_grad()
        count += 1
        if args.score_every > 0 and count % args.score_every == 0:
            net.eval()
            with torch.no_grad():
                score = sum(nn.functional.cross_entropy(net(a), b).item() for a, b in held_out)
            if not best or score < best:
                best = score
"""
OPTION = """\
        if args.option{number}:
            (loss * {number}).backward()
        else:
            loss.backward()
"""


def steps_for(options: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[Finding]]:
    """How many blocks are run where a loop has so many options, and what is found."""
    done = 0
    run_block = engine.run_block

    def counted(*given):  # type: ignore[no-untyped-def]
        nonlocal done
        done += 1
        return run_block(*given)

    text = LOOP.format(options="".join(OPTION.format(number=number) for number in range(options)))
    with monkeypatch.context() as patched:
        patched.setattr(engine, "run_block", counted)
        found = check_source(text).findings
    return done, list(found)


def test_options_do_not_multiply(monkeypatch: pytest.MonkeyPatch) -> None:
    one, few, many = (steps_for(options, monkeypatch)[0] for options in (1, 4, 16))
    assert few - one <= 3 * one  # an option takes less than the loop does
    assert many - one <= 15 * one


def test_what_is_wrong_is_found_behind_many_options(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.code for finding in steps_for(16, monkeypatch)[1]] == ["EVG201"]


def test_options_that_decide_on_modes_keep_paths_apart() -> None:
    text = """
import torch
import torch.nn as nn

def main(args, x):
    net = nn.Dropout()
    if args.score:
        net.eval()
    if args.verbose:
        print(net)
    if args.score:
        with torch.no_grad():
            return net(x)
"""
    assert not check_source(text).findings
