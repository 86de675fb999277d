"""How the user would write an object: `net`, `self.head`, `nets["G"]`.

Messages name modules by it. The variable that holds the object here comes first, then the attribute that holds it, then
where the object comes from.
"""

from __future__ import annotations

from evalguard.modes.frame import Frame
from evalguard.modes.state import State
from evalguard.modes.values import Identity, Obj

NAMELESS = "the module"


def place_name(identity: Identity, state: State, frame: Frame) -> str:
    """How the user would write an object: the variable that holds it here, else the attribute that does, be it as one
    of several objects, else where it comes from."""
    variables = [
        name for name, value in state.env.items() if value == Obj(identity) and not name.startswith(("%", "<"))
    ]
    if variables:
        return min(variables, key=len)
    own: str | None = None
    here: str | None = None  # a variable around the function
    elsewhere: str | None = None  # one of another file
    found: str | None = None
    holder = frame.receiver
    for (owner, attribute_name), value in state.store.items():
        if not isinstance(value, Obj) or not isinstance(attribute_name, str) or attribute_name.startswith("<"):
            continue
        if isinstance(holder, Obj) and holder.id == owner and _is_or_may_be(value.id, identity, frame):
            own = f"self.{attribute_name}"  # the last of several: after `self.net = self.given` that is what is used
        elif value.id == identity:
            if owner[0] != "scope":
                found = attribute_name
            elif owner[1] == frame.path:
                here = here or attribute_name
            else:
                elsewhere = elsewhere or attribute_name
    return own or here or elsewhere or found or _identity_name(identity, state, frame)


def _is_or_may_be(held: Identity, identity: Identity, frame: Frame) -> bool:
    info = frame.infos.get(held)
    return held == identity or (info is not None and identity in info.alternatives)


def _identity_name(identity: Identity, state: State, frame: Frame) -> str:
    match identity:
        case ("attr", owner, str() as name):
            holder = frame.receiver
            if isinstance(holder, Obj) and holder.id == owner:
                return f"self.{name}"
            return f"{place_name(owner, state, frame)}.{name}"
        case ("item", owner, key):
            owner_name = place_name(owner, state, frame)
            return f"{owner_name}[{key!r}]" if isinstance(key, (str, int)) else owner_name
        case ("each" | "some", owner):
            return place_name(owner, state, frame)
        case ("param" | "local" | "global", *_, str() as name):
            return name
        case ("self", *_):
            return "self"
        case _:
            return frame.info(identity).name or NAMELESS
