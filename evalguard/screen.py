"""Which files are worth a parse, by their text alone.

A file in which nothing sets or uses a mode is left out, unless a wanted file imports it (or a base class that stands
there has its own base in it), or it makes modules and imports a wanted file, or it leads from one wanted file to
another, to which it hands names on.

    lib/engine.py       optimizer.step()               wanted
    lib/__init__.py     from .engine import fit        says nothing of modes, but hands on what does
    lib/base.py         def run(self): self.fit()      nor does it, but `engine.py` imports its base class from here
    main.py             fit(resnet50(), loader)        nor this one, but it tells which module is trained
    lib/zoo.py          import timm                    wanted: it gets its modules from a library of them
    lib/plots.py        import matplotlib              left out

Rules that read classes and functions as they are written also want the files with layers, or with functions that take
a training flag; these are never run (`files_with_layers`).

    lib/blocks.py       nn.Sequential(nn.Dropout())    read as code
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set

from evalguard.project.groups import Groups
from evalguard.project.modules import Modules
from evalguard.vocabulary import lookup


def _word(pattern: str) -> str:
    """A pattern of a word, to be found where none goes on. What begins with a plain letter is found several times as
    fast as what begins with `\\b`, so the letter comes first, and what stands before it is asked afterwards."""
    return rf"{pattern[0]}(?<!\w{pattern[0]}){pattern[1:]}"


def _last_word(pattern: str) -> str:
    """The same for a word that may also be the last one of a name: `net` of `make_net`."""
    return rf"{pattern[0]}(?:(?<!\w{pattern[0]})|(?<=\w_{pattern[0]})){pattern[1:]}"


# Torch need not be named: helpers that get their model as an argument never import it.
_TOKENS = (
    r"\.\s*(?:train|eval|training)\b",
    r"\.\s*(?:backward|step)\s*\(",
    *map(_word, ("no_grad", "inference_mode", "set_grad_enabled", "enable_grad", "requires_grad")),
    *map(_word, (r"load_state_dict\b", r"load_from_checkpoint\b", r"from_pretrained\b")),
    *map(_word, (r"nn\s*\.\s*Module\b", r"torch\s*\.\s*(?:load|jit|onnx|export)\b")),
    *map(_word, (r"torch2trt\b", r"torch_tensorrt\b")),
    *(
        _word(rf"{name}_?(?:loader|dataloader|dl|data|set)\b")
        for name in ("test", "val", "valid", "validation", "eval")
    ),
    _word(r"def\s+(?:eval|val|test|infer|predict)(?:_|uate|id|\b|ence)"),
    *(_last_word(rf"{name}\(") for name in ("model", "net", "network", "encoder", "decoder", "classifier")),
    *(_last_word(rf"{name}\(") for name in ("generator", "backbone", "teacher", "student")),
)
_SAID_BY_A_CALL = re.compile("|".join(_TOKENS))
_FACTORY_PACKAGES = {
    package
    for package, _, name in (dotted.partition(".") for dotted in lookup.factory_names())
    if name and package not in ("torch", "torchvision") and not _SAID_BY_A_CALL.search(f".{name}(")
}
_FROM_FACTORIES = rf"[ \t]+(?:{'|'.join(sorted(_FACTORY_PACKAGES))})\b"
_SCREEN = re.compile("|".join((*_TOKENS, _word(f"from{_FROM_FACTORIES}"), _word(f"import{_FROM_FACTORIES}"))))
_LAYERS = re.compile(
    r"(?i:dropout)|\b(?:batch_norm|instance_norm|rrelu|scaled_dot_product_attention)\b|\bflash_attn|\bnn\s*\.\s*[A-Z]"
    r"|\bfrom\s+torch\.nn\b"
)
_MAKES = re.compile(
    # Nobody's line is longer, and without an end a line of a million times `from` would be read a million times.
    r"\b(?:from|import)\b.{0,1000}\b(?:models?|nets?|networks?|torchvision|timm|transformers|diffusers)\b"
    r"|=\s{0,100}\w{0,100}(?:[Mm]odel|[Nn]et)\w{0,100}\("
)
_INHERITS = re.compile(r"^[ \t]*class[ \t]+\w+\(", re.MULTILINE)
_FROM = re.compile(r"from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]{0,20000}\)|[^\n#;]*)")
_IMPORT = re.compile(r"import[ \t]+([^\n#;]*)")
_DOTTED_TEXT = re.compile(r"""["']([A-Za-z_]\w{0,100}(?:\.\w{1,100}){1,20})["']""")
_WORD = re.compile(r"[A-Za-z_]\w*")


class Screen:
    """What the texts of files say of what they have to do with each other; `texts` by path, `locations` as in
    `Modules`."""

    def __init__(self, texts: Mapping[str, str], locations: Mapping[str, str]) -> None:
        self.texts = texts
        self._locations = locations
        self._modules = Modules(texts, locations)
        self._targets: dict[str, tuple[str, ...]] = {}
        self._imported: dict[str, set[str]] = {}

    def wanted(self, told: Iterable[str] = ()) -> set[str]:
        """The files to parse; `told` are the dotted names that a user has told of."""
        texts = self.texts
        told_names = {name.rpartition(".")[2] for name in told}
        said = {
            path for path, text in texts.items() if _SCREEN.search(text) or any(name in text for name in told_names)
        }
        quiet = texts.keys() - said
        if not said or not quiet:
            return said
        imports = {path: self._imported_files(path) for path in texts}
        importers: dict[str, set[str]] = {}
        for path, found in imports.items():
            for target in found:
                importers.setdefault(target, set()).add(path)
        leading = _spread(said, importers, quiet)
        telling = said | {path for path in leading if _MAKES.search(texts[path])}
        imported = set[str]().union(*(imports[path] & quiet for path in telling))
        inheriting = {path: imports[path] for path in quiet if _INHERITS.search(texts[path])}
        wanted = telling | imported | _spread(imported, inheriting, quiet)
        return wanted | _spread(wanted, imports, leading)

    def with_layers(self, wanted: Set[str]) -> set[str]:
        """The files beyond the wanted ones that have layers, or functions that take a training flag, and those from
        which their classes inherit."""
        rest = self.texts.keys() - wanted
        said = {path for path in rest if _LAYERS.search(self.texts[path])}
        quiet = rest - said
        if not said or not quiet:
            return said
        inheriting = {path: self._imported_files(path) for path in rest if _INHERITS.search(self.texts[path])}
        return said | _spread(said, inheriting, quiet)

    def connected(self, among: Iterable[str]) -> list[list[str]]:
        """These files, in groups that neither an import nor a function or class named in a string connects: what
        happens in one has nothing to do with the others."""
        paths = list(among)
        modules = Modules(paths, self._locations)
        groups = Groups(paths)
        for path in paths:
            for target in (*self._targets_of(path), *_named_in_strings(path, self.texts, modules)):
                for found in _files_of(path, target, modules):
                    groups.unite(path, found)
        return groups.all()

    def _targets_of(self, path: str) -> tuple[str, ...]:
        if path not in self._targets:
            self._targets[path] = tuple(_targets(self.texts[path]))
        return self._targets[path]

    def _imported_files(self, path: str) -> set[str]:
        """The files that a file imports, those around them included."""
        if path not in self._imported:
            found = {file for target in self._targets_of(path) for file in _files_of(path, target, self._modules)}
            self._imported[path] = found
        return self._imported[path]


def _spread(start: Iterable[str], edges: Mapping[str, set[str]], within: Set[str]) -> set[str]:
    """Where edges lead from `start`, by files of `within` alone."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        for target in edges.get(waiting.pop(), ()):
            if target in within and target not in found:
                found.add(target)
                waiting.append(target)
    return found


def _targets(text: str) -> Iterator[str]:
    """The dotted targets of all imports, doubles dropped."""
    text = text.replace("\\\n", " ")
    found: dict[str, None] = {}
    for match in _statements(_FROM, text):
        module, names = match.groups()
        separator = "" if module.endswith(".") else "."
        found[module] = None
        for name in _WORD.findall(names):
            found[f"{module}{separator}{name}"] = None
    for match in _statements(_IMPORT, text):
        for part in match[1].split(","):
            words = part.split()
            if words:
                found[words[0]] = None
    yield from found


def _statements(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Where a pattern fits at the start of a statement."""
    match = pattern.search(text)
    while match is not None:
        before = match.start()
        while before and text[before - 1] in " \t":
            before -= 1
        starts = before == 0 or text[before - 1] in "\n;:"
        if starts:
            yield match
        match = pattern.search(text, match.end() if starts else match.start() + 1)


def _named_in_strings(path: str, texts: Mapping[str, str], modules: Modules) -> Iterator[str]:
    """The strings in a file that name what stands in another one: `"lib.engine.fit"`, but not `"notes.engine.txt"`."""
    for target in {match[1] for match in _DOTTED_TEXT.finditer(texts[path])}:
        module, _, name = target.rpartition(".")
        home = modules.find(path, module)
        if home is not None and modules.submodule(home, name) is None and re.search(rf"\b{name}\b", texts[home]):
            yield target


def _files_of(path: str, target: str, modules: Modules) -> Iterator[str]:
    """The files that a dotted target means in a file, those around it included."""
    parts = target.lstrip(".").split(".")
    dots = "." * (len(target) - len(target.lstrip(".")))
    for end in range(len(parts) + 1):
        start = dots + ".".join(parts[:end])
        found = modules.at(modules.relative(path, start)) if dots else modules.find(path, start) if end else None
        if found is not None and found != path:
            yield found
