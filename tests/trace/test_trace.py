"""`evalguard trace`: real scripts, each in a process of its own, under the real PyTorch."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import heeding_interrupts

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed: pip install -e '.[oracle]'"
)
COMMAND = "import sys; from evalguard.cli import main; sys.exit(main(sys.argv[1:]))"
NET = """\
import sys
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))

    def forward(self, x):
        return self.body(x)


"""
ACCURACY = """\
def accuracy(net, loader):
    with torch.no_grad():
        return sum((net(x).argmax(1) == 0).sum().item() for x in loader)


def fit_and_test(net, loader):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net.train()
    for x in loader:
        net(x).sum().backward()
        optimizer.step()
    print(accuracy(net, loader))


"""
LEAK = """\
def validate(net, loader):
    net.eval()
    with torch.no_grad():
        return sum(net(x).sum().item() for x in loader)


def main(epochs):
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    loader = [torch.rand(5, 4) for _ in range(3)]
    net.train()
    for epoch in range(epochs):
        for x in loader:
            optimizer.zero_grad()
            net(x).sum().backward()
            optimizer.step()
        validate(net, loader)


main(int(sys.argv[1]))
"""


def run(folder: Path, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", COMMAND, "trace", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        **settings,
    )


def traced(folder: Path, text: str, *arguments: str) -> dict[str, Any]:
    """The result in JSON for a script of that text after the net above."""
    (folder / "train.py").write_text(NET + textwrap.dedent(text))
    done = run(folder, "--format", "json", "--output-file", "result.json", "train.py", *arguments)
    result = folder / "result.json"
    assert result.exists(), done.stderr
    shown: dict[str, Any] = json.loads(result.read_text())
    return shown


def rulings(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["finding"]["code"], each["verdict"]) for each in result["verdicts"]]


@needs_torch
def test_a_finding_is_confirmed_with_its_count_and_its_first_step(tmp_path: Path) -> None:
    result = traced(tmp_path, LEAK, "3")
    assert rulings(result) == [("EVG201", "confirmed")]
    [verdict] = result["verdicts"]
    assert (verdict["wrong"], verdict["seen"], verdict["first_step"]) == (6, 9, 3)
    assert (result["forwards"], result["steps"]) == (18, 9)
    assert result["unpredicted"] == []


@needs_torch
def test_what_the_run_did_not_come_to_is_not_reached(tmp_path: Path) -> None:
    assert rulings(traced(tmp_path, LEAK, "0")) == [("EVG201", "not reached")]


@needs_torch
def test_a_run_that_saw_only_the_right_mode_contradicts(tmp_path: Path) -> None:
    result = traced(tmp_path, LEAK, "1")
    assert rulings(result) == [("EVG201", "contradicted")]
    assert result["verdicts"][0]["seen"] == 3


@needs_torch
def test_a_way_whose_switch_never_ran_is_not_reached(tmp_path: Path) -> None:
    result = traced(
        tmp_path, LEAK.replace("        validate(net, loader)", "        epoch > 5 and validate(net, loader)"), "2"
    )
    assert rulings(result) == [("EVG201", "not reached")]
    assert "never ran" in result["verdicts"][0]["reason"]


@needs_torch
def test_the_text_form_says_it_in_words(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(NET + LEAK)
    done = run(tmp_path, "train.py", "2")
    assert done.returncode == 0
    assert done.stdout == ""
    assert (
        "train.py:30:13: EVG201 training-in-eval-mode confirmed: 3 of 6 training steps, the first after 3 training "
        in done.stderr
    )
    assert "1 finding: 1 confirmed." in done.stderr


@needs_torch
def test_what_no_finding_predicts_is_listed(tmp_path: Path) -> None:
    """The analysis does not know what the box works with; the run does."""
    result = traced(
        tmp_path,
        """\
        import os

        ASKED = {name: os.environ.get("NOT_SET", name) for name in ("eval", "parameters", "Net", "inside")}


        class Box:
            def __call__(self, x):
                return getattr(self, ASKED["inside"])[0](x)

            def ask(self, name):
                return getattr(getattr(self, ASKED["inside"])[0], ASKED[name])()


        def validate(box, x):
            box.ask("eval")
            with torch.no_grad():
                box(x)


        def test(box, x):
            with torch.no_grad():
                return box(x)


        box = Box()
        setattr(box, "inside", [globals()[ASKED["Net"]]()])
        optimizer = torch.optim.SGD(box.ask("parameters"), lr=0.1)
        for _ in range(2):
            box(torch.rand(5, 4)).sum().backward()
            optimizer.step()
            test(box, torch.rand(5, 4))
            validate(box, torch.rand(5, 4))
        """,
    )
    assert result["verdicts"] == []
    claims = [(each["kind"], each["claim"], each["count"], each["first_step"]) for each in result["unpredicted"]]
    assert claims == [
        ("forward", "an evaluation runs in train mode", 1, 1),
        ("step", "training goes on in eval mode after an evaluation", 1, 1),
    ]


@needs_torch
@pytest.mark.parametrize(
    "text",
    [
        # self-conditioning: gradients are off for a forward that belongs to the training step
        """
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            with torch.no_grad():
                guess = net(torch.rand(5, 4))
            net(torch.rand(5, 4) + guess.mean()).sum().backward()
            optimizer.step()
        """,
        # dropout that is kept on
        """
        def predict(net, x):
            net.eval()
            for part in net.modules():
                if isinstance(part, nn.Dropout):
                    part.train()
            with torch.no_grad():
                return [net(x) for _ in range(3)]

        predict(Net(), torch.rand(5, 4))
        """,
        # a probe on a net that was put in eval mode for it
        """
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            net.eval()
            net(torch.rand(5, 4)).sum().backward()
            optimizer.step()
            with torch.no_grad():
                net(torch.rand(5, 4))
        """,
    ],
)
def test_idioms_are_not_listed(tmp_path: Path, text: str) -> None:
    assert traced(tmp_path, text)["unpredicted"] == []


PARALLEL = """\
import threading


class Parallel(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        found, on = [None, None], torch.is_grad_enabled()

        def work(number):
            with torch.set_grad_enabled(on):
                found[number] = self.module(x)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return torch.cat(found)


"""


@needs_torch
@pytest.mark.parametrize("wrapper", ["nn.DataParallel", "Parallel"])
def test_a_wrapper_and_its_replicas_in_threads_are_understood(tmp_path: Path, wrapper: str) -> None:
    result = traced(tmp_path, f"{PARALLEL}{ACCURACY}fit_and_test({wrapper}(Net()), [torch.rand(5, 4)])\n")
    assert rulings(result) == [("EVG101", "confirmed")]
    assert result["steps"] == 1


@needs_torch
def test_nothing_is_compiled_and_that_is_said(tmp_path: Path) -> None:
    result = traced(tmp_path, f"{ACCURACY}fit_and_test(torch.compile(Net()), [torch.rand(5, 4)])\n")
    assert rulings(result) == [("EVG101", "confirmed")]
    assert any("torch.compile" in note for note in result["notes"])


TRAINING = """\
torch.manual_seed(int(sys.argv[1]))
net = Net()
frozen = Net().eval()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(30):
    net.train()
    x = torch.rand(5, 4)
    loss = (net(x) - frozen(x).detach()).pow(2).mean() + torch.nn.functional.dropout(x, 0.5).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    net.eval()
    with torch.no_grad():
        net(x)
traced = torch.jit.trace(net, x)
torch.jit.script(Net())
for value in [*net.state_dict().values(), traced(x), torch.rand(3), loss]:
    print([float(each).hex() for each in value.detach().flatten()])
"""


@needs_torch
def test_a_run_gives_the_same_results_bit_by_bit(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(NET + TRAINING)
    alone = subprocess.run(
        [sys.executable, "-W", "ignore", "train.py", "7"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    recorded = run(tmp_path, "train.py", "7")
    assert recorded.returncode == 0, recorded.stderr
    assert recorded.stdout == alone.stdout
    assert len(alone.stdout.splitlines()) > 10


PYTHON = """\
import os
import sys

print(sys.argv, __name__, __file__ == sys.argv[0] or "-m", __spec__ is None, __package__, os.getcwd())
print(os.path.realpath(sys.path[0]), sys.modules["__main__"].__dict__ is globals())
"""


@pytest.mark.parametrize("way", ["script", "folder", "module", "package"])
def test_a_program_sees_what_python_shows_it(tmp_path: Path, way: str) -> None:
    (tmp_path / "lab").mkdir()
    for file in (tmp_path / "lab" / "tool.py", tmp_path / "lab" / "__main__.py"):
        file.write_text(PYTHON)
    words = {
        "script": ["lab/tool.py"],
        "folder": ["lab"],
        "module": ["-m", "lab.tool"],
        "package": ["-m", "lab"],
    }[way]
    given = [*words, "--epochs", "3", "--format", "x", "-m", "y"]
    alone = subprocess.run([sys.executable, *given], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run(tmp_path, *given).stdout == alone.stdout


@pytest.mark.parametrize(
    "ending",
    [
        "sys.exit()",
        "sys.exit(7)",
        "sys.exit('no')",
        "raise SystemExit(300)",
        "raise ValueError('bad')",
        "def f():\n    1 / 0\nf()",
        "import atexit; atexit.register(print, 'last'); raise KeyError(1)",
        "sys.excepthook = lambda *error: print('hook', error[0].__name__); raise KeyError(1)",
        "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.2), print('late'))).start()",
    ],
)
def test_a_program_ends_as_under_python(tmp_path: Path, ending: str) -> None:
    (tmp_path / "tool.py").write_text(f"import sys\nprint('begun')\n{ending}\n")
    alone = subprocess.run([sys.executable, "tool.py"], cwd=tmp_path, capture_output=True, text=True)
    done = run(tmp_path, "tool.py")
    assert (done.returncode, done.stdout) == (alone.returncode, alone.stdout)
    assert done.stderr.startswith(alone.stderr.replace(str(tmp_path) + "/", "")) or alone.stderr in done.stderr
    assert "forwards" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_an_interrupted_program_is_reported_and_ends_by_the_signal(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("import time\nprint('begun', flush=True)\ntime.sleep(60)\n")
    started = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "trace", "tool.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heeding_interrupts,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "begun\n"
    time.sleep(0.2)
    started.send_signal(signal.SIGINT)
    _, told = started.communicate(timeout=60)
    assert started.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in told
    assert "It was interrupted: 0 forwards" in told


@needs_torch
def test_what_follows_a_caught_interrupt_is_still_seen(tmp_path: Path) -> None:
    """No hook hears of an exception that is no `Exception`; the forward that it left is over all the same."""
    interrupted = """\
class Stopped(nn.Module):
    def forward(self, x):
        raise KeyboardInterrupt


try:
    Stopped()(torch.rand(5, 4))
except KeyboardInterrupt:
    pass
"""
    result = traced(tmp_path, f"{ACCURACY}{interrupted}fit_and_test(Net(), [torch.rand(5, 4)])\n")
    assert rulings(result) == [("EVG101", "confirmed")]


def test_a_program_without_pytorch_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("print('done')\n")
    done = run(tmp_path, "tool.py")
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert "did not import PyTorch" in done.stderr


@pytest.mark.parametrize("words", [["absent.py"], ["-m", "absent_module"], [], ["bad.py"]])
def test_what_cannot_be_run_is_wrong_usage(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "bad.py").write_text("def (:\n")
    done = run(tmp_path, *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@needs_torch
def test_environment_that_is_set_before_the_import_is_in_time(tmp_path: Path) -> None:
    """PyTorch reads some of it when it is loaded, so it must not be loaded earlier than without us."""
    (tmp_path / "tool.py").write_text(
        "import sys\nprint('torch' in sys.modules)\nimport torch\nprint(torch.__spec__.loader)\n"
    )
    alone = subprocess.run([sys.executable, "-W", "ignore", "tool.py"], cwd=tmp_path, capture_output=True, text=True)
    assert alone.stdout.startswith("False\n")
    plain, recorded = alone.stdout.split(" object at"), run(tmp_path, "tool.py").stdout.split(" object at")
    assert recorded[0] == plain[0]
