"""What is said does not depend on the seed of Python's hashes, by which sets are walked through."""

import os
import subprocess
import sys

import pytest

SEVERAL_LOADS = """
import argparse
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--kind")
options = parser.parse_args()
net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
if options.kind == "a":
    net.load_state_dict(torch.load("a.pt"))
elif options.kind == "b":
    net.load_state_dict(torch.load("b.pt"))
elif options.kind == "c":
    net.load_state_dict(torch.load("c.pt"))
else:
    raise ValueError(options.kind)
for inputs in torch.load("inputs.pt"):
    print(options.kind, net(inputs).detach().numpy())
"""


@pytest.mark.parametrize("seed", ["0", "1", "4"])
def test_the_same_load_is_named_whatever_the_seed(seed: str) -> None:
    command = [sys.executable, "-m", "evalguard", "--no-cache", "--exit-zero", "--format", "flake8", "-"]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    run = subprocess.run(command, input=SEVERAL_LOADS, capture_output=True, text=True, env=environment, check=True)
    assert "its weights are loaded on line 11," in run.stdout
