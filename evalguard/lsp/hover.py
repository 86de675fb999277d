"""What is told of a place of the code: in which modes a module may be there and why, and what a rule is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from evalguard.claims import Claim, Way
from evalguard.finding import Step
from evalguard.rule_documentation import RuleDocumentation

_DOES = {"forward": "runs", "step": "is trained", "export": "is exported"}


def explained(claims: Sequence[Claim], address: Callable[[Step], str | None]) -> str:
    """Why modules are in the modes that are claimed of one place, in Markdown. `address` leads to a step."""
    return "\n\n".join(_explained(claim, address) for claim in claims)


def _explained(claim: Claim, address: Callable[[Step], str | None]) -> str:
    what = f"`{claim.place}` {_DOES[claim.kind]} here"
    known = [way for way in claim.ways if way.mode != "unknown"]
    if not known:
        return f"{what} in the mode in which the caller left it."
    modes = " or ".join(f"**{way.mode}**" for way in known)
    others = ", or as the caller left it" if len(known) < len(claim.ways) else ""
    text = f"{what} in {modes} mode{others}."
    text += "".join(f"\n\n{_way(way, address)}" for way in known)
    if claim.doubtful:
        text += f"\n\nOn a path that hardly happens: {', '.join(claim.doubtful)}."
    return text


def _way(way: Way, address: Callable[[Step], str | None]) -> str:
    if not way.steps:
        return f"*{way.mode}*: {f'by `{way.setter}`' if way.setter else 'modules begin so'}"
    return "\n".join([f"*{way.mode}*:", "", *(f"1. {_step(step, address)}" for step in way.steps)])


def _step(step: Step, address: Callable[[Step], str | None]) -> str:
    place = f"{step.path}:{step.span.line}"
    link = address(step)
    return f"{f'[{place}]({link})' if link else place} {step.message}"


def rule_in_short(rule: RuleDocumentation, page: str | None) -> str:
    """What a rule is about, in Markdown."""
    title = f"**{rule.code} {rule.name}**: {rule.summary}"
    more = f"\n\n[All about {rule.code}]({page})" if page else ""
    return f"{title}\n\n{_first(rule.why_is_this_bad)}{more}"


def _first(section: str) -> str:
    return section.strip().split("\n\n")[0]
