"""Which functions have anything to say of modes, by the names in them.

    def accuracy(scores, labels):  ...             inert: nobody looks into it
    def fit(model): model.train() ...              relevant
    def main(): fit(Net())                         relevant, because it mentions `fit`

Only names count, so nothing needs to be run for it: a function that is relevant may still do nothing, but one that is
not can switch no mode, compute no gradients and step no optimizer.
"""

from __future__ import annotations

from dataclasses import dataclass

from evalguard.flow.regions import reachable
from evalguard.ir import values as ir
from evalguard.ir.facts import MODULE, FunctionFacts
from evalguard.ir.ops import Assign, Call, Op
from evalguard.modes.intent import names_test_data, says_evaluation
from evalguard.modes.significance import FLAG_TAKERS, Significance, significance
from evalguard.modes.unknown import names_module
from evalguard.modes.values import Cls
from evalguard.project.resolve import Index, acts_of, called_names, words_of
from evalguard.vocabulary import lookup
from evalguard.vocabulary.words import MODULE_WORDS, words

RELEVANT = frozenset(
    """
    train eval no_grad inference_mode set_grad_enabled backward step load_state_dict from_pretrained reveal_mode
    manual_backward optimizer_step
    """.split()
)


MODE_GIVING = frozenset(
    """
    backward eval from_pretrained load_from_checkpoint load_state_dict make_generation_fast_ optimizer_step reveal_mode
    step train
    """.split()
)
"""Calls after which something is known of a mode; `backward` too, for the step after it may go by any name."""


@dataclass(frozen=True, slots=True)
class Ends:
    """How a function may end, as far as its graph says."""

    returns: bool
    raises: bool


class Relevance:
    """What can be said of the functions of a project by their names and calls alone; each answer is computed once."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._relevant: dict[tuple[str, str], bool] = {}
        self._inert: dict[tuple[str, str], bool] = {}
        self._significances: dict[tuple[str, str], Significance] = {}
        self._names: dict[tuple[str, str], frozenset[str]] = {}
        self._words: dict[tuple[str, str], frozenset[str]] = {}
        self._possible_ends: dict[tuple[str, str], Ends] = {}

    def is_relevant(self, path: str, qualname: str) -> bool:
        """Whether a function, or one of its file that it calls, says anything about modes, gradients or steps."""
        key = (path, qualname)
        found = self._relevant.get(key)
        if found is not None:
            return found
        self._relevant[key] = False
        functions = self.index.files[path].functions
        facts = functions[qualname]
        mentioned = words_of(facts)
        acts = bool(acts_of(facts) & (RELEVANT | lookup.acts()))
        relevant = acts or says_evaluation(facts.name) or any(map(names_test_data, mentioned))
        self._relevant[key] = relevant or any(
            self.is_relevant(path, other.qualname)
            for other in functions.values()
            if other.qualname not in (qualname, MODULE)
            and (other.parent == qualname or (other.name in mentioned and other.name not in ("forward", "__init__")))
        )
        return self._relevant[key]

    def is_worth_a_look(self, path: str, qualname: str) -> bool:
        """Whether a function that nobody calls is worth a look: it is relevant, or takes a network's output out of
        PyTorch."""
        if self.is_relevant(path, qualname):
            return True
        mentioned = words_of(self.index.files[path].functions[qualname])
        return "numpy" in mentioned and any(MODULE_WORDS & set(words(name)) for name in mentioned)

    def gives_a_mode(self, path: str) -> bool:
        """Whether anything in a file gives a module a mode: a switch, a step, loaded weights, or a module made in it.
        Where nothing does, no path can tell in which mode a module is."""
        file = self.index.files[path]
        giving = MODE_GIVING | lookup.acts()
        return any(acts_of(facts) & giving or self._makes_module(path, facts) for facts in file.functions.values())

    def _makes_module(self, path: str, facts: FunctionFacts) -> bool:
        for block in facts.blocks:
            for op in block.ops:
                if not isinstance(op, Call) or not isinstance(op.callee, (ir.Name, ir.Attribute)):
                    continue
                found = self.index.resolve(path, op.callee)
                if isinstance(found, Cls):
                    if self.index.is_module(found) is not False:
                        return True
                elif isinstance(found, str):
                    if any(ask(found) is not None for ask in (lookup.factory, lookup.layer, lookup.module_class)):
                        return True
                    name = found.rpartition(".")[2]
                    if MODULE_WORDS & set(words(name)) and names_module(name):
                        return True
        return False

    def is_inert(self, path: str, qualname: str) -> bool:
        """Whether a function and those of its file that it mentions name no class, no module and no mode."""
        key = (path, qualname)
        if key not in self._inert:
            self._inert[key] = True
            file = self.index.files[path]
            mentioned = words_of(file.functions[qualname])
            self._inert[key] = (
                not self.is_relevant(path, qualname)
                and not any(_may_make_module(name) for name in mentioned)
                and all(
                    self.is_inert(path, other.qualname)
                    for other in file.functions.values()
                    if other.qualname != qualname
                    and (other.parent == qualname or (other.name in mentioned and other.qualname != MODULE))
                )
            )
        return self._inert[key]

    def significance_of(self, path: str, facts: FunctionFacts) -> Significance:
        """The access paths of a function whose values decide what happens to modes."""
        key = (path, facts.qualname)
        if key not in self._significances:
            self._significances[key] = significance(facts, lambda op: self._touches_modes(path, op))
        return self._significances[key]

    def deep_names(self, path: str, qualname: str) -> frozenset[str]:
        """The last names of all that a function, or one of its file that it mentions, tests with an effect on modes."""
        key = (path, qualname)
        if key not in self._names:
            self._names[key] = frozenset()
            functions = self.index.files[path].functions
            mentioned = words_of(functions[qualname])
            found = set(self.significance_of(path, functions[qualname]).names)
            for other in functions.values():
                if other.qualname not in (qualname, MODULE) and (other.name in mentioned or other.parent == qualname):
                    found |= self.deep_names(path, other.qualname)
            self._names[key] = frozenset(found)
        return self._names[key]

    def deep_words(self, path: str, qualname: str) -> frozenset[str]:
        """Every name that a function, or one of its file that it mentions, reads."""
        key = (path, qualname)
        if key not in self._words:
            self._words[key] = frozenset()
            functions = self.index.files[path].functions
            found = words_of(functions[qualname])
            for other in functions.values():
                if other.qualname not in (qualname, MODULE) and (other.name in found or other.parent == qualname):
                    found |= self.deep_words(path, other.qualname)
            self._words[key] = frozenset(found)
        return self._words[key]

    def ends_of(self, path: str, qualname: str) -> Ends:
        """Whether a function can return, and whether it or one of its file that it calls has a `raise` that may leave
        it."""
        key = (path, qualname)
        if key not in self._possible_ends:
            self._possible_ends[key] = Ends(True, False)
            functions = self.index.files[path].functions
            facts = functions[qualname]
            reached = reachable(facts.blocks, 0)
            called = {name for name, _ in called_names(facts)}
            raises = facts.raise_exit in reached or any(
                self.ends_of(path, other.qualname).raises for other in functions.values() if other.name in called
            )
            self._possible_ends[key] = Ends(facts.exit in reached, raises)
        return self._possible_ends[key]

    def _touches_modes(self, path: str, op: Op) -> bool:
        """Whether an op switches a mode, computes gradients, steps, or calls a function of the file that does."""
        if isinstance(op, Assign):
            return (isinstance(op.target, ir.Attribute) and op.target.name == "training") or (
                isinstance(op.value, ir.Attribute) and op.value.name == "training"
            )
        if not isinstance(op, Call):
            return False
        name = (
            op.callee.name
            if isinstance(op.callee, ir.Attribute)
            else op.callee.id
            if isinstance(op.callee, ir.Name)
            else ""
        )
        if name in RELEVANT or name in FLAG_TAKERS or name in lookup.acts():
            return True
        return any(
            facts.name == name and self.is_relevant(path, facts.qualname)
            for facts in self.index.files[path].functions.values()
            if facts.qualname != MODULE
        )


def _may_make_module(name: str) -> bool:
    return bool(set(words(name)) & (MODULE_WORDS | {"optimizer", "optim"})) or (
        name[:1].isupper() and not name.isupper()
    )
