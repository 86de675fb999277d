"""The tool as an analysis of the oracle."""

from __future__ import annotations

from evalguard.frontend import lower
from evalguard.project.link import link_project
from evalguard.source import Document

from .compare import Claim, Claims
from .files import parts


def evalguard_claims(text: str) -> Claims:
    """The claims of the tool."""
    project = link_project([lower(Document(path, part)) for path, part in parts(text).items()])
    claims: dict[int, Claim] = {}
    for observation in project.observations():
        line = observation.span.line
        before = claims.get(line, Claim(frozenset()))
        claims[line] = Claim(before.modes | observation.modes, before.doubtful | observation.doubtful)
    return claims
