"""Which functions have anything to say of modes, by the names in them.

    def accuracy(scores, labels):  ...             only computes: nobody looks into it
    def fit(model): model.train() ...              relevant
    def main(): fit(Net())                         relevant, because it mentions `fit`

Only names count, also across files (see `mentions`), so nothing needs to be run for it: a function that is relevant
may still do nothing, but one that is not can switch no mode, compute no gradients and step no optimizer.
"""

from __future__ import annotations

from collections.abc import Iterator

from evalguard.flow.liveness import parts_of, path_of
from evalguard.flow.regions import Regions
from evalguard.ir import values as ir
from evalguard.ir.facts import MODULE, FunctionFacts
from evalguard.ir.ops import Assign, Call, Import, Op
from evalguard.ir.plain import Plain
from evalguard.modes.intent import is_unit_test_file, names_test_data, says_evaluation
from evalguard.modes.significance import FLAG_TAKERS, Significance, significance
from evalguard.modes.unknown import names_module
from evalguard.modes.values import Cls, Fn
from evalguard.project.mentions import Mentions
from evalguard.project.receivers import Key
from evalguard.project.resolve import Index, fills_tables
from evalguard.project.said import last_name
from evalguard.vocabulary import lookup
from evalguard.vocabulary.exporters import TELLING
from evalguard.vocabulary.not_torch import TORCH_LIBRARIES
from evalguard.vocabulary.words import MODULE_WORDS, words

RELEVANT = frozenset(
    """
    train eval no_grad inference_mode set_grad_enabled backward step load_state_dict from_pretrained reveal_mode
    manual_backward optimizer_step
    """.split()
)


SITES = RELEVANT - {"train", "eval", "load_state_dict", "from_pretrained"}
"""Calls of which the outcome depends on a mode."""


MODE_GIVING = frozenset(
    """
    backward eval from_pretrained load_from_checkpoint load_state_dict make_generation_fast_ optimizer_step reveal_mode
    step train
    """.split()
)
"""Calls after which something is known of a mode; `backward` too, for the step after it may go by any name."""


GIVING_METHODS = frozenset({"train", "eval", "load_state_dict"})
"""Methods of a module after which it is in a mode, or in that of one whose weights were loaded."""


MODE_SWITCHING = frozenset("train eval apply getattr make_generation_fast_".split())
"""Names without which no function of the project sets a mode by itself."""


MOST_PROMISE = 2
MOST_REACHED = 300  # functions that are asked for what a callee tests or reads


class Ends(Plain, frozen=True):
    """How a function may end, as far as its graph says."""

    returns: bool
    raises: bool


class Asked(Plain, frozen=True):
    """The last names of what a function and those that it calls test: what decides what happens to modes, and what
    decides whether a module runs."""

    deciding: frozenset[str]
    running: frozenset[str]


class Relevance:
    """What can be said of the functions of a project by their names and calls alone; each answer is computed once."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.mentions = Mentions(index)
        keys = [(path, qualname) for path, file in index.files.items() for qualname in file.functions]
        for key in keys:  # all that is asked of each, while its ops are at hand
            self.mentions.sure(key)
        acting = [key for key in keys if self._acts_itself(key)]
        self._acting = self.mentions.reaching(acting)
        saying = [key for key in keys if key not in self._acting and self._says_evaluation(key)]
        self._relevant = self._acting | self.mentions.reaching(saying)
        self._giving = self.mentions.reaching(key for key in keys if self._gives_itself(key))
        self._switching = self.mentions.reaching(key for key in keys if self._says_switch(key))
        self._significances: dict[Key, Significance] = {}
        self._asked: dict[Key, Asked] = {}
        self._deep_words: dict[Key, frozenset[str]] = {}
        self._deep_scopes: dict[Key, frozenset[Key]] = {}
        self._possible_ends: dict[Key, Ends] = {}
        self._idle: dict[Cls, bool] = {}
        self._bodies: dict[str, bool] = {}
        self._about_torch: dict[str, bool] = {}
        self._promises: dict[str, int] = {}

    def is_relevant(self, path: str, qualname: str) -> bool:
        """Whether a function, or one that it may call, says anything about modes, gradients or steps."""
        return (path, qualname) in self._relevant

    def may_switch(self, path: str, qualname: str) -> bool:
        """Whether a function, or one that it may call, says anything that sets a mode."""
        return (path, qualname) in self._switching

    def may_give(self, path: str, qualname: str) -> bool:
        """Whether a function, or one that it may call, gives a module a mode or says anything of modes."""
        return (path, qualname) in self._giving and (path, qualname) in self._relevant

    def _says_switch(self, key: Key) -> bool:
        said = self.index.said(*key)
        return "training" in said.assigned or not (MODE_SWITCHING | lookup.switches()).isdisjoint(said.acts)

    def _acts_itself(self, key: Key) -> bool:
        said = self.index.said(*key)
        return (
            not (RELEVANT | lookup.acts()).isdisjoint(said.acts)
            or self._exports(key)
            or (not said.assigned.isdisjoint(lookup.drop_attributes()) and _silences(self._facts(key)))
        )

    def _says_evaluation(self, key: Key) -> bool:
        return says_evaluation(self._facts(key).name) or any(map(names_test_data, self.mentions.words(key)))

    def _exports(self, key: Key) -> bool:
        """Whether a function calls an exporter by a name that says so: `torch.jit.trace`, not any `export`."""
        for callee in self.index.said(*key).callees:
            last = last_name(callee)
            if last in TELLING:
                found = self.index.resolve(key[0], callee)
                if last == "to_onnx" or (isinstance(found, str) and lookup.exporter(found) is not None):
                    return True
        return False

    def is_about_torch(self, path: str) -> bool:
        """Whether a file, or one that imports connect it with, imports PyTorch or what is made for it, tests aside. One
        that stands alone may be a helper that gets all it needs."""
        component = self.mentions.component(path)
        if component not in self._about_torch:
            files = self.mentions.connected(path)
            self._about_torch[component] = len(files) == 1 or any(
                target.partition(".")[0] in TORCH_LIBRARIES
                for file in files
                if not is_unit_test_file(self.index.files[file], self.index.modules.folders(file))
                for target in (*self.index.files[file].imports.values(), *self.index.files[file].star_imports)
            )
        return self._about_torch[component]

    def is_worth_a_look(self, path: str, qualname: str) -> bool:
        """Whether a function that nobody calls is worth a look: it is relevant, or takes a network's output out of
        PyTorch; and something that it may call gives a module a mode."""
        if self.is_relevant(path, qualname):
            return True
        mentioned = self.mentions.words((path, qualname))
        return "numpy" in mentioned and any(MODULE_WORDS & set(words(name)) for name in mentioned)

    def gives_a_mode(self, path: str) -> bool:
        """Whether anything in a file, or called from it, gives a module a mode: a switch, a step, loaded weights, or a
        module made there, maybe by a table that an imported file holds. Where nothing does, no path can tell in which
        mode a module is."""
        file = self.index.files[path]
        if any((path, qualname) in self._giving for qualname in file.functions):
            return True
        targets = (*file.imports.values(), *file.star_imports)
        return any(self.body_matters(home) for target in targets for home in self.index.loaded_by(path, target))

    def promise(self, path: str) -> int:
        """How much speaks for a finding in a file: one for a function of its own that gives a module a mode, and one
        for a function of its own in which that matters."""
        if path not in self._promises:
            keys = [(path, qualname) for qualname in self.index.files[path].functions]
            self._promises[path] = any(map(self._gives_itself, keys)) + any(map(self._says_site, keys))
        return self._promises[path]

    def _says_site(self, key: Key) -> bool:
        """Whether a function itself says anything for which the mode matters: more than switching it, or loading."""
        return not SITES.isdisjoint(self.index.said(*key).acts) or self._says_evaluation(key) or self._exports(key)

    def _gives_itself(self, key: Key) -> bool:
        return not (MODE_GIVING | lookup.acts()).isdisjoint(self.index.said(*key).acts) or self._makes_module(key)

    def body_matters(self, path: str) -> bool:
        """Whether the body of a file, or of one that it imports, leaves anything that its importers may need: a module,
        a mode, a table of classes or functions, or what a class or function was registered in."""
        if path not in self._bodies:
            self._bodies[path] = False  # an import that goes round in a circle adds nothing
            facts = self.index.files[path].functions[MODULE]
            self._bodies[path] = (
                self._gives_itself((path, MODULE))
                or any(key in self._giving for key in self._called_by((path, MODULE)))
                or self._holds_a_table(path, facts)
                or self._decorates(path)
                or any(map(self.body_matters, self._imported(path, facts)))
            )
        return self._bodies[path]

    def _imported(self, path: str, facts: FunctionFacts) -> Iterator[str]:
        targets = [op.target for block in facts.blocks for op in block.ops if isinstance(op, Import)]
        for target in (*targets, *self.index.files[path].star_imports):
            yield from self.index.loaded_by(path, target)

    def _decorates(self, path: str) -> bool:
        """Whether a decorator that stores what it is put on stands on a class or function at the top of a file."""
        file = self.index.files[path]
        decorators = [d for facts in file.functions.values() if facts.parent == MODULE for d in facts.decorators]
        decorators += [d for cls in file.classes.values() if cls.parent == MODULE for d in cls.decorators]
        names = {decorator.name for decorator in decorators if decorator.name}
        return any(
            self._stores(key) for name in names for key in self.mentions.named_by((path, MODULE), ir.as_value(name))
        )

    def _stores(self, key: Key) -> bool:
        """Whether a function, or one inside it, stores an item: `TABLE[name] = cls`."""
        return bool(_stored_into(self._facts(key))) or any(map(self._stores, self.mentions.nested(key)))

    def _called_by(self, key: Key) -> Iterator[Key]:
        for callee in self.index.said(*key).callees:
            yield from self.mentions.named_by(key, callee)

    def _holds_a_table(self, path: str, facts: FunctionFacts) -> bool:
        """Whether the body of a file makes a table of classes or functions, or an empty one that functions fill, itself
        or in an object."""
        for block in facts.blocks:
            for op in block.ops:
                if isinstance(op, Assign) and self._is_table(path, op.target, op.value):
                    return True
                made = self.index.resolve(path, op.callee) if isinstance(op, Call) else None
                init = self.index.method(made, "__init__") if isinstance(made, Cls) else None
                if init is not None and fills_tables(self.index.facts(init)):
                    return True
        return False

    def _is_table(self, path: str, target: ir.Value, value: ir.Value) -> bool:
        if value == ir.Mapping(()):
            return any(target in _stored_into(facts) for facts in self.index.files[path].functions.values())
        return isinstance(value, (ir.Mapping, ir.Sequence)) and any(
            isinstance(self.index.resolve(path, part), (Cls, Fn))
            for part in parts_of(value)
            if isinstance(part, (ir.Name, ir.Attribute))
        )

    def _makes_module(self, key: Key) -> bool:
        for callee in self.index.said(*key).callees:
            found = self.index.resolve(key[0], callee)
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

    def makes_functions(self, path: str, qualname: str) -> bool:
        """Whether a function defines another one, which it may hand out: it decorates, or registers."""
        return bool(self.mentions.nested((path, qualname)))

    def only_computes(self, path: str, qualname: str) -> bool:
        """Whether a function and those that it may call make no module and do nothing to modes, whatever their names
        and those of their data say: without a module from outside, nothing can happen in it."""
        return (path, qualname) not in self._giving and (path, qualname) not in self._acting

    def is_idle(self, cls: Cls) -> bool:
        """Whether the objects of a class are mere data as long as they hold no module: it is none, and all its methods
        only compute."""
        if cls not in self._idle:
            self._idle[cls] = self.index.is_module(cls) is False and all(
                self.only_computes(fn.path, fn.qualname) for fn in self.index.methods(cls).values()
            )
        return self._idle[cls]

    def _facts(self, key: Key) -> FunctionFacts:
        return self.index.files[key[0]].functions[key[1]]

    def significance_of(self, path: str, facts: FunctionFacts) -> Significance:
        """The access paths of a function whose values decide what happens to modes."""
        key = (path, facts.qualname)
        if key not in self._significances:
            self._significances[key] = significance(
                facts,
                lambda op: self._touches_modes(key, op),
                lambda op: self._switches(key, op),
                lambda op: self._module_run_by(key, op),
            )
        return self._significances[key]

    def deep_tests(self, path: str, qualname: str) -> Asked:
        """What a function, or one that it calls, tests."""
        key = (path, qualname)
        if key not in self._asked:
            acting = self.mentions.reached(key, lambda callee: callee in self._relevant, MOST_REACHED)
            reached = self.mentions.reached(key, lambda callee: True, MOST_REACHED)
            self._asked[key] = Asked(
                frozenset().union(*(self.significance_of(each[0], self._facts(each)).names for each in acting)),
                frozenset().union(*(self.significance_of(each[0], self._facts(each)).running for each in reached)),
            )
        return self._asked[key]

    def deep_words(self, path: str, qualname: str) -> frozenset[str]:
        """Every name that a function, or one that it calls, reads."""
        key = (path, qualname)
        if key not in self._deep_words:
            reached = self.mentions.reached(key, lambda callee: True, MOST_REACHED)
            self._deep_words[key] = frozenset().union(*map(self.mentions.words, reached))
        return self._deep_words[key]

    def deep_scopes(self, path: str, qualname: str) -> frozenset[Key]:
        """The functions around a function, or one that it calls: their variables it may read."""
        key = (path, qualname)
        if key not in self._deep_scopes:
            reached = self.mentions.reached(key, lambda callee: True, MOST_REACHED)
            self._deep_scopes[key] = frozenset(around for each in reached for around in self._around(each))
        return self._deep_scopes[key]

    def _around(self, key: Key) -> Iterator[Key]:
        parent = self._facts(key).parent
        while parent not in (None, MODULE):
            yield key[0], parent
            parent = self.index.files[key[0]].functions[parent].parent

    def ends_of(self, path: str, qualname: str) -> Ends:
        """Whether a function can return, and whether it or one that it calls has a `raise` that may leave it."""
        key = (path, qualname)
        if key not in self._possible_ends:
            self._possible_ends[key] = Ends(True, False)
            facts = self.index.files[path].functions[qualname]
            reached = Regions(facts.blocks).reachable(0)
            raises = bool(reached >> facts.raise_exit & 1) or any(
                self.ends_of(*callee).raises for callee in sorted(set(self._called_by(key)))
            )
            self._possible_ends[key] = Ends(bool(reached >> facts.exit & 1), raises)
        return self._possible_ends[key]

    def _switches(self, key: Key, op: Op) -> bool:
        """Whether an op puts a module in a mode or gives it weights, or calls a function that switches."""
        if not isinstance(op, Call):
            return False
        name = op.callee.name if isinstance(op.callee, ir.Attribute) else ""
        return name in GIVING_METHODS or any(
            callee in self._switching for callee in self.mentions.named_by(key, op.callee)
        )

    def _module_run_by(self, key: Key, op: Op) -> str | None:
        """What an op calls, if it is named as a module and is no function of the project: `self.model` of
        `self.model(x)`, but not `self.save_model()`."""
        if not isinstance(op, Call):
            return None
        callee = path_of(op.callee)
        if callee is None or MODULE_WORDS.isdisjoint(words(callee)):
            return None
        return None if any(True for _ in self.mentions.named_by(key, op.callee)) else callee

    def _touches_modes(self, key: Key, op: Op) -> bool:
        """Whether an op switches a mode, computes gradients, steps, or calls a function of the file that does."""
        if isinstance(op, Assign):
            return (isinstance(op.target, ir.Attribute) and op.target.name == "training") or (
                isinstance(op.value, ir.Attribute) and op.value.name == "training"
            )
        if not isinstance(op, Call):
            return False
        name = last_name(op.callee)
        if name in RELEVANT or name in FLAG_TAKERS or name in lookup.acts():
            return True
        return any(callee in self._relevant for callee in self.mentions.named_by(key, op.callee))


def _stored_into(facts: FunctionFacts) -> set[ir.Value]:
    """What a function stores items into."""
    return {
        op.target.value
        for block in facts.blocks
        for op in block.ops
        if isinstance(op, Assign) and isinstance(op.target, ir.Item)
    }


def _silences(facts: FunctionFacts) -> bool:
    """Whether a function sets to 0 an attribute by which layers drop: `module.p = 0`."""
    return any(
        isinstance(op, Assign)
        and isinstance(op.target, ir.Attribute)
        and op.target.name in lookup.drop_attributes()
        and isinstance(op.value, ir.Const)
        and op.value.value == 0
        for block in facts.blocks
        for op in block.ops
    )
