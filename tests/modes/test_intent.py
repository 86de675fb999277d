"""What is taken for test code: by the folders of the project, never by those that it happens to stand in."""

from __future__ import annotations

from pathlib import Path

from evalguard.check import check_paths, check_source

PREDICTING = """
import torch
from torchvision.models import resnet18

def predict(x):
    net = resnet18()
    net.load_state_dict(torch.load("weights.pt"))
    with torch.no_grad():
        return net(x)
"""


def test_scripts_in_a_folder_of_tests_are_test_code(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "compare.py").write_text(PREDICTING)
    (tmp_path / "predict.py").write_text(PREDICTING)
    assert [Path(finding.path).name for finding in check_paths([tmp_path]).findings] == ["predict.py"]


def test_a_project_below_a_folder_of_tests_is_none(tmp_path: Path) -> None:
    project = tmp_path / "tests" / "project"
    project.mkdir(parents=True)
    (project / "predict.py").write_text(PREDICTING)
    (project / "other.py").write_text(PREDICTING)
    assert len(check_paths([project]).findings) == 2


def test_what_is_read_from_an_attribute_of_a_result_has_no_name_of_its_own() -> None:
    """The samples of the loop are an attribute of what a call gave."""
    text = """
import torch
from torchvision.models import resnet18

def run(split):
    net = resnet18()
    net.load_state_dict(torch.load("weights.pt"))
    with torch.no_grad():
        for image in opened(split).frames:
            print(net(image).argmax())
"""
    report = check_source(text)
    assert report.problems == ()
    assert [finding.code for finding in report.findings] == ["EVG105"]
