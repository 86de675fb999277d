"""A linter that finds PyTorch modules left in the wrong mode.

    >>> from evalguard import check_source
    >>> report = check_source("model.eval()")

The names below are loaded when they are first used, so that `import evalguard` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evalguard.check import check_paths, check_source, config_for
    from evalguard.config import Config, ConfigError
    from evalguard.finding import Applicability, Edit, Finding, Fix, Severity, Span, Step
    from evalguard.report import Report

__version__ = "0.1.0"

__all__ = [
    "Applicability",
    "Config",
    "ConfigError",
    "Edit",
    "Finding",
    "Fix",
    "Report",
    "Severity",
    "Span",
    "Step",
    "__version__",
    "check_paths",
    "check_source",
    "config_for",
]

_HOMES = {
    "Applicability": "evalguard.finding",
    "Config": "evalguard.config",
    "ConfigError": "evalguard.config",
    "Edit": "evalguard.finding",
    "Finding": "evalguard.finding",
    "Fix": "evalguard.finding",
    "Report": "evalguard.report",
    "Severity": "evalguard.finding",
    "Span": "evalguard.finding",
    "Step": "evalguard.finding",
    "check_paths": "evalguard.check",
    "check_source": "evalguard.check",
    "config_for": "evalguard.check",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
