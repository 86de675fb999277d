"""One report for every renderer: two files, a finding with a witness and a fix, a warning, an unreadable file."""

from __future__ import annotations

from evalguard.finding import Applicability, Edit, Finding, Fix, Severity, Span, Step
from evalguard.report import Problem, Report

TRAIN = """\
def fit(model, loader, optimizer, criterion):
    model.train()
    for epoch in range(10):
        for x, y in loader:
            loss = criterion(
                model(x),
                y,
            )
            loss.backward()
            optimizer.step()
        validate(model)


def validate(model):
    model.eval()
"""
HELPERS = """\
@torch.no_grad()
def embed(net, x):
\treturn net(x)
"""

REPORT = Report(
    findings=(
        Finding(
            code="EVG101",
            name="inference-in-train-mode",
            message="`net` may be in train mode when it is used for inference",
            path="pkg/helpers.py",
            span=Span(3, 9, 3, 15),
            severity=Severity.WARNING,
            function="embed",
            model="net",
        ),
        Finding(
            code="EVG201",
            name="training-in-eval-mode",
            message="`model` may be in eval mode in this training step",
            path="train.py",
            span=Span(10, 13, 10, 29),
            function="fit",
            model="model",
            trace=(
                Step("train.py", Span(15, 5, 15, 17), "`model.eval()` sets eval mode", "eval"),
                Step("train.py", Span(11, 9, 11, 24), "`validate` leaves it so", "eval"),
                Step("train.py", Span(3, 5, 3, 28), "the loop goes round"),
                Step("train.py", Span(10, 13, 10, 29), "`optimizer.step()` trains `model`", "eval"),
            ),
            help="call `model.train()` at the head of the epoch loop",
            fix=Fix(
                "call `model.train()` at the head of the epoch loop",
                Applicability.UNSAFE,
                (Edit("train.py", Span(4, 1, 4, 1), "        model.train()\n"),),
            ),
        ),
        Finding(
            code="EVG901",
            name="unreadable-file",
            message="cannot be parsed: unexpected indent",
            path="broken.py",
            span=Span(7, 1, 7, 2),
        ),
    ),
    files=("broken.py", "pkg/__init__.py", "pkg/helpers.py", "train.py"),
    analysed=("pkg/helpers.py", "train.py"),
    skipped=("pkg/__init__.py",),
    problems=(Problem("odd.py", "ValueError: boom", "Traceback"),),
    texts={"train.py": TRAIN, "pkg/helpers.py": HELPERS},
    seconds={"read": 0.1},
)
