"""What the run of a case said."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Result:
    """What the run of a case said: `why_not` if it could not be run, the other fields otherwise. `rulings` are the
    verdicts of its findings by "path:line CODE"; `contradictions` is all that does not agree."""

    name: str
    why_not: str = ""
    failed: dict[str, str] = field(default_factory=dict)
    rulings: dict[str, str] = field(default_factory=dict)
    modes: int = 0
    contradictions: list[str] = field(default_factory=list)
    forwards: int = 0
    seconds: float = 0.0
