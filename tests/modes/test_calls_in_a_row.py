"""Each of many calls in a row may end in several ways: the paths through all of them are not told apart one by one."""

from __future__ import annotations

from evalguard import check_source

PICK = """
import torch

def pick(net, flag):
    if flag:
        net.eval()
        return 1
    net.train()
    return 2
"""


def test_calls_with_two_outcomes_each() -> None:
    calls = "".join(f"    pick(net, options.flag{number})\n" for number in range(40))
    text = f"{PICK}\ndef main(net, inputs, options):\n{calls}    with torch.no_grad():\n        return net(inputs)\n"
    assert [finding.code for finding in check_source(text).findings] == ["EVG101"]


def test_decorators_with_two_outcomes_each() -> None:
    made = """
TABLE = {}

def register(name, keep=None):
    flag = TABLE.get(name)
    def put(function):
        if flag:
            TABLE[name] = function
            return function
        TABLE[name] = [function]
        return function
    return put
"""
    defined = "".join(f"@register('{n}')\ndef made{n}(net):\n    net.eval()\n\n" for n in range(40))
    used = """
def main(net, inputs, options):
    pick(net, options.flag)
    with torch.no_grad():
        return net(inputs)
"""
    assert [finding.code for finding in check_source(f"{PICK}{made}{defined}{used}").findings] == ["EVG101"]
