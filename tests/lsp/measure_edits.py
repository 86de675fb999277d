"""How long an edit waits for its diagnostics, as the editor sees it: a file of 1,000 lines in a project of 50 files.

    python tests/lsp/measure_edits.py [--edits 60] [--folder KEPT]

The server is a process, spoken to by a real client. Each edit changes a line inside a function and is told from the
others by a finding that it brings or takes away, so what is measured ends with diagnostics that are about this very
text. Then the folder is left in peace, and how long the whole of it takes is measured as well.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

from lsprotocol import types
from pytest_lsp import client_capabilities, make_test_lsp_client

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n"
DATA = """
def make_loaders(args):
    data = torch.utils.data.TensorDataset(torch.randn(100, 64), torch.zeros(100, dtype=torch.long))
    return torch.utils.data.DataLoader(data, batch_size=args.batch), torch.utils.data.DataLoader(data)
"""
PART = '''
class Net{n}(nn.Module):
    """A small net."""

    def __init__(self, width=64, depth=3, p=0.1):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])
        self.norm = nn.BatchNorm1d(width)
        self.drop = nn.Dropout(p)
        self.head = nn.Linear(width, 10)

    def forward(self, x, mask=None):
        for layer in self.layers:
            x = F.relu(layer(x))
            if mask is not None:
                x = x * mask
        x = self.drop(self.norm(x))
        return self.head(x)


def evaluate_{n}(model, loader, device="cpu"):
    model.eval()
    total, correct = 0, 0
    with torch.no_grad():
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            scores = model(x)
            total += y.numel()
            correct += int((scores.argmax(1) == y).sum())
    return correct / max(total, 1)


def train_{n}(model, loader, valid_loader, epochs=10, lr=1e-3, device="cpu"):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    best = 0.0
    for epoch in range(epochs):
        model.train()
        for step, (x, y) in enumerate(loader):
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            if step % 100 == 0:
                print(epoch, step, loss.item())
        score = evaluate_{n}(model, valid_loader, device)
        if score > best:
            best = score
            torch.save(model.state_dict(), "best.pt")
    return best


def main_{n}(args):
    model = Net{n}(args.width, args.depth)
    loader, valid_loader = make_loaders(args)
    return train_{n}(model, loader, valid_loader, args.epochs)

'''
SWITCH = "        model.train()\n"  # in the loop of every training; without it, the step is reached in eval mode


def write_project(root: Path, files: int = 50, lines: int = 1000) -> Path:
    """A project whose files import each other; the path of the large one."""
    package = root / "pkg"
    package.mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.evalguard]\n")
    (package / "__init__.py").write_text("")
    (package / "data.py").write_text(HEAD + DATA)
    for number in range(files - 3):
        before = f"from pkg.part{number - 1} import Net{2 * number - 2}, evaluate_{2 * number - 2}\n" if number else ""
        parts = "".join(PART.format(n=n) for n in (2 * number, 2 * number + 1))
        (package / f"part{number}.py").write_text(f"{HEAD}from pkg.data import make_loaders\n{before}{parts}")
    text = f"{HEAD}from pkg.data import make_loaders\nfrom pkg.part5 import Net10, evaluate_10\n"
    number = 1000
    while text.count("\n") < lines:
        text += PART.format(n=number)
        number += 1
    (root / "large.py").write_text(text)
    return root / "large.py"


def edits(text: str, number: int) -> list[tuple[str, int]]:
    """Texts, each one edit from the one before, and how many findings each has: a switch is taken out, put back, and
    the next one is taken out."""
    places = [place for place in range(len(text)) if text.startswith(SWITCH, place)]
    found = []
    for count in range(number // 2):
        place = places[count % len(places)]
        found.append((text[:place] + text[place + len(SWITCH) :], 1))
        found.append((text, 0))
    return found


async def measured(large: Path, number: int) -> tuple[list[float], float, int]:
    """The seconds of each edit until its diagnostics, those until the whole folder was judged at first, and how many
    edits waited for the whole folder instead."""
    client = make_test_lsp_client()
    await client.start_io(sys.executable, "-m", "evalguard", "server", "-v")
    root = types.WorkspaceFolder(large.parent.as_uri(), "project")
    capabilities = client_capabilities("visual-studio-code")
    await client.initialize_session(types.InitializeParams(capabilities=capabilities, workspace_folders=[root]))

    @client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def register(params: types.RegistrationParams) -> None:
        pass

    @client.feature(types.WORKSPACE_INLAY_HINT_REFRESH)
    def refresh(params: None) -> None:
        pass

    uri, text = large.as_uri(), large.read_text()
    begin = time.perf_counter()
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "python", 0, text)))
    while uri not in client.diagnostics:
        await asyncio.sleep(0.005)
    first = time.perf_counter() - begin
    await asyncio.sleep(3)  # the worker gets ready for edits
    seconds = []
    for version, (after, wanted) in enumerate(edits(text, number), 1):
        before = len(client.diagnostics[uri])
        assert before != wanted
        document = types.VersionedTextDocumentIdentifier(version, uri)
        change = types.TextDocumentContentChangeWholeDocument(after)
        begin = time.perf_counter()
        client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
        while len(client.diagnostics[uri]) != wanted:
            await asyncio.sleep(0.001)
        seconds.append(time.perf_counter() - begin)
        await asyncio.sleep(0.05)  # a typist; the whole folder is never reached meanwhile
    await client.shutdown_session()
    await client.stop()
    return seconds, first, sum(each > 0.3 for each in seconds)


def main() -> None:
    """Measure, and print the percentiles."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--edits", type=int, default=60)
    parser.add_argument("--files", type=int, default=50)
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        large = write_project(folder / "project", options.files, options.lines)
        seconds, first, late = asyncio.run(measured(large, options.edits))
    cuts = statistics.quantiles(seconds, n=20)
    print(f"{len(seconds)} edits of {options.lines} lines in {options.files} files: median {cuts[9]:.3f} s, ", end="")
    print(f"95% within {cuts[18]:.3f} s, slowest {max(seconds):.3f} s; {late} waited for the whole folder")
    print(f"from opening the file to its first diagnostics: {first:.2f} s")


if __name__ == "__main__":
    main()
