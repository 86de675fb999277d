"""Facts that went to another process are the same."""

from __future__ import annotations

import pickle
from pathlib import Path

from evalguard.frontend import lower
from evalguard.ir.pickled import pickle_quickly
from evalguard.source import document_of

FIXTURES = Path(__file__).parent.parent / "fixtures" / "modes"


def test_facts_come_back_equal() -> None:
    facts = [lower(document_of(path.read_text(encoding="utf-8"), path.name)) for path in sorted(FIXTURES.glob("*.py"))]
    assert len(facts) > 3
    pickle_quickly()
    assert pickle.loads(pickle.dumps(facts)) == facts
