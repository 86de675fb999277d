"""What the ops of a function say by themselves, whatever the names in them mean.

Much is asked of every function of a project, so it is worked out once for each and kept in a few words: the ops
themselves, which take many times as much memory, are needed again only for the few functions that are run.

    def fit(net):              words     {"net", "train", "log", "self"}
        net.train()            acts      {"train", "log"}
        log("done")            callees   net.train, log
        self.best = net        renamed   net to "best"
                               assigned  {"best"}
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as ReadOnly
from sys import intern
from typing import TypeAlias

from evalguard.flow.liveness import parts_of, path_of, values_of
from evalguard.ir.facts import FunctionFacts
from evalguard.ir.ops import Assign, Call, Enter, Import
from evalguard.ir.plain import Plain
from evalguard.ir.values import Attribute, Mapping, Name, Sequence, Value, as_value
from evalguard.vocabulary.words import step_receiver

Chain: TypeAlias = Name | Attribute
Chains: TypeAlias = ReadOnly[Chain, bool]
"""The chains of names in a function's ops, tests, defaults and decorators, with the chains that they begin with, and
whether each is called or given to a call somewhere: `utils.train.validate`."""


class Said(Plain, frozen=True):
    """`words` is every name and attribute in a function's ops, defaults and decorators. `acts` are the names of all
    that it calls or is decorated with, and of the methods that it takes without calling them; a learning rate
    scheduler's `step()` is no act. `callees` is each chain of names that it calls, `renamed` each that it assigns,
    with the last name of what it is assigned to ("" where that has none); both once, in order. `assigned` are the
    attributes that it assigns, of whatever object, `imported` the names that its own imports bind."""

    words: tuple[str, ...]
    acts: tuple[str, ...]
    callees: tuple[Chain, ...]
    renamed: tuple[tuple[Chain, str], ...]
    assigned: frozenset[str]
    imported: frozenset[str]

    def called_names(self) -> set[str]:
        """The last name of every callee."""
        return {last_name(callee) for callee in self.callees}


def said_by(function: FunctionFacts) -> tuple[Said, Chains]:
    """What a function says, and the chains of names in it."""
    chains = _chains_of_ops(function)
    words = {last_name(chain) for chain in chains}
    words.update(name for decorator in function.decorators for name in decorator.name.split("."))
    _add_others(chains, function)
    ops = [op for block in function.blocks for op in block.ops]
    called = dict.fromkeys(op.callee for op in ops if isinstance(op, Call))
    assigns = [op for op in ops if isinstance(op, Assign)]
    renamed = [(op.value, last_name(op.target)) for op in assigns if isinstance(op.value, Chain)]
    said = Said(
        words=tuple(map(intern, words)),
        acts=tuple(map(intern, _acts_of(function))),
        callees=tuple(callee for callee in called if isinstance(callee, Chain)),
        renamed=tuple(dict.fromkeys(renamed)),
        assigned=frozenset(op.target.name for op in assigns if isinstance(op.target, Attribute)),
        imported=frozenset(op.name.id for op in ops if isinstance(op, Import)),
    )
    return said, chains


def last_name(value: Value) -> str:
    """`fit` of `trainer.fit`; "" of what is no chain of names."""
    match value:
        case Name(id=name) | Attribute(name=name):
            return name
        case _:
            return ""


def _acts_of(function: FunctionFacts) -> set[str]:
    found: set[str] = set()
    for block in function.blocks:
        for op in block.ops:
            match op:
                case Call(callee=Attribute() as method) if _is_scheduler_step(method):
                    pass
                case Call(callee=Attribute(name=name) | Name(id=name)):
                    found.add(name)
                case _:
                    pass
            match op:
                case Assign(value=Attribute(name=name)):
                    found.add(name)
                case Call(arguments=arguments):
                    taken = [a.value for a in arguments if isinstance(a.value, Attribute)]
                    found.update(method.name for method in taken if not _is_scheduler_step(method))
                case Enter(manager=Attribute(name=name)):
                    found.add(name)
                case _:
                    pass
    for decorator in function.decorators:
        found.update(decorator.name.split("."))
    return found


def _is_scheduler_step(method: Attribute) -> bool:
    owner = path_of(method.value) or ""
    return method.name == "step" and step_receiver(owner.rpartition(".")[2]) == "scheduler"


def _chains_of_ops(function: FunctionFacts) -> dict[Chain, bool]:
    """Those in a function's ops and defaults."""
    found: dict[Chain, bool] = {}
    for block in function.blocks:
        for op in block.ops:
            _visit(values_of(op), found)
            match op:
                case Call(callee=callee, arguments=arguments):
                    whole = [callee, *(argument.value for argument in arguments)]
                case Enter(manager=manager):
                    whole = [manager]
                case _:
                    continue
            for value in whole:
                for part in (value, *parts_of(value)) if isinstance(value, (Sequence, Mapping)) else (value,):
                    if isinstance(part, Chain):
                        found[part] = True
    _visit((parameter.default for parameter in function.parameters if parameter.default is not None), found)
    return found


def _add_others(found: dict[Chain, bool], function: FunctionFacts) -> None:
    """Those in its tests, and its decorators."""
    for block in function.blocks:
        _visit((edge.test for edge in block.edges if edge.test is not None), found)
    for decorator in function.decorators:
        if decorator.name:
            value = as_value(decorator.name)
            if isinstance(value, Chain):
                found[value] = True


def _visit(values: Iterable[Value], found: dict[Chain, bool]) -> None:
    for value in values:
        if isinstance(value, Name):
            found.setdefault(value, False)
            continue
        if isinstance(value, Attribute):
            found.setdefault(value, False)
        _visit(parts_of(value), found)
