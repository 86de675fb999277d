"""Link files into a project: what all of them do to the modes of modules, when taken together.

The analysis goes from the outside in (`roots`), runs each function from the state of its caller (`engine`), and leaves
a record of forwards and steps, which is then asked (`view`).

    main()            model: train
      train(model)    ... opt.step()            finds train
      validate(model) model.eval(); model(x)    leaves eval, set in `validate`, line 3
      (the loop goes round)
      train(model)    ... opt.step()            finds eval: reported, with this path
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from evalguard.claims import Claim
from evalguard.ir.facts import FileFacts
from evalguard.modes.events import Events
from evalguard.modes.frame import Info
from evalguard.modes.record import Record
from evalguard.modes.values import Identity
from evalguard.project.claims import claims
from evalguard.project.engine import Engine
from evalguard.project.resolve import Index
from evalguard.project.roots import Attempt, directly, nobody, run_all
from evalguard.project.view import FunctionView, Observation, function_views, observations


@dataclass(slots=True)
class Project:
    """What was found about all functions of the files given."""

    index: Index
    events: Events
    infos: dict[Identity, Info]

    def views(self) -> Iterable[FunctionView]:
        """One view a function, for the rules."""
        return function_views(self.index, self.events, self.infos)

    def cut_short(self) -> list[tuple[str, str]]:
        """The functions (path, qualified name) that were too large to follow to their end."""
        return self.events.gave_up

    def observations(self) -> Iterable[Observation]:
        """The modes claimed at every forward, step and `reveal_mode`."""
        return observations(self.events)

    def claims(self) -> Iterable[Claim]:
        """The modes claimed at every forward, step and export, each with a way to it."""
        return claims(self.events, self.infos)


def link_project(
    files: Sequence[FileFacts],
    locations: Mapping[str, str] | None = None,
    record: Record | None = None,
    attempt: Attempt = directly,
    progress: Callable[[float], None] = nobody,
) -> Project:
    """Analyse the files together: all that may be asked of them afterwards.

    `locations` gives the absolute path of each file, by the path under which it is shown, for what imports mean. A
    record, if one is given, is filled with what was run and called (see `explain`). `attempt` is given the work of each
    file, and may contain its failure; `progress` how much is done, from 0 to 1.
    """
    engine = Engine(files, locations, record)
    run_all(engine, attempt, progress)
    return Project(engine.index, engine.events, engine.knowledge.infos)
