"""A switch reaches every part of a net, however many there are."""

from __future__ import annotations

import pytest

from evalguard.check import check_source


@pytest.mark.parametrize("layers", [3, 200])
def test_train_reaches_all_parts(layers: int) -> None:
    parts = ", ".join(["nn.Linear(4, 4)"] * layers)
    text = f"""
from torch import nn, optim


def main(batches, test_batch):
    head = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2))
    body = nn.Sequential({parts})
    model = nn.Sequential(head, body)
    optimizer = optim.SGD(head.parameters(), lr=0.1)
    for batch in batches:
        model.train()
        model(batch).sum().backward()
        optimizer.step()
        model.eval()
        print(model(test_batch))
"""
    assert check_source(text, "fit.py").findings == ()
    found = check_source(text.replace("        model.train()\n", ""), "fit.py").findings
    assert [finding.code for finding in found] == ["EVG201"]
