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

# Torch need not be named: helpers that get their model as an argument never import it.
_TOKENS = (
    r"\.\s*(?:train|eval|training)\b",
    r"\.\s*(?:backward|step)\s*\(",
    r"\b(?:no_grad|inference_mode|set_grad_enabled|enable_grad|requires_grad)",
    r"\b(?:load_state_dict|load_from_checkpoint|from_pretrained|torch\s*\.\s*load)\b",
    r"\bnn\s*\.\s*Module\b",
    r"\btorch\s*\.\s*(?:jit|onnx|export)\b|\btorch2trt\b|\btorch_tensorrt\b",
    r"\b(?:test|val|valid|validation|eval)_?(?:loader|dataloader|dl|data|set)\b",
    r"\bdef\s+(?:eval|val|test|infer|predict)(?:_|uate|id|\b|ence)",
    r"\b(?:\w+_)?(?:model|net|network|encoder|decoder|classifier|generator|backbone|teacher|student)\(",
)
_SAID_BY_A_CALL = re.compile("|".join(_TOKENS))
_FACTORY_PACKAGES = {
    package
    for package, _, name in (dotted.partition(".") for dotted in lookup.factory_names())
    if name and package not in ("torch", "torchvision") and not _SAID_BY_A_CALL.search(f".{name}(")
}
_SCREEN = re.compile(rf"{_SAID_BY_A_CALL.pattern}|\b(?:from|import)[ \t]+(?:{'|'.join(sorted(_FACTORY_PACKAGES))})\b")
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
_FROM = re.compile(r"(?:^|[;:])[ \t]*from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]{0,20000}\)|[^\n#;]*)", re.MULTILINE)
_IMPORT = re.compile(r"(?:^|[;:])[ \t]*import[ \t]+([^\n#;]*)", re.MULTILINE)
_DOTTED_TEXT = re.compile(r"""["']([A-Za-z_]\w{0,100}(?:\.\w{1,100}){1,20})["']""")
_WORD = re.compile(r"[A-Za-z_]\w*")


def wanted_files(texts: Mapping[str, str], locations: Mapping[str, str], told: Iterable[str] = ()) -> set[str]:
    """The files to parse, of these texts by path. `locations` as in `Modules`; `told` are the dotted names that a user
    has told of."""
    told_names = {name.rpartition(".")[2] for name in told}
    said = {path for path, text in texts.items() if _SCREEN.search(text) or any(name in text for name in told_names)}
    quiet = texts.keys() - said
    if not said or not quiet:
        return said
    modules = Modules(texts, locations)
    imports = {path: set(_imported_files(path, texts[path], modules)) for path in texts}
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


def connected_files(texts: Mapping[str, str], locations: Mapping[str, str], among: Iterable[str]) -> list[list[str]]:
    """These files, in groups that neither an import nor a function or class named in a string connects: what happens in
    one has nothing to do with the others."""
    paths = list(among)
    modules = Modules(paths, locations)
    groups = Groups(paths)
    for path in paths:
        for target in (*_targets(texts[path]), *_named_in_strings(path, texts, modules)):
            for found in _files_of(path, target, modules):
                groups.unite(path, found)
    return groups.all()


def files_with_layers(texts: Mapping[str, str], locations: Mapping[str, str], wanted: Set[str]) -> set[str]:
    """The files beyond the wanted ones that have layers, or functions that take a training flag, and those from which
    their classes inherit. Arguments as in `wanted_files`."""
    rest = texts.keys() - wanted
    said = {path for path in rest if _LAYERS.search(texts[path])}
    quiet = rest - said
    if not said or not quiet:
        return said
    modules = Modules(texts, locations)
    inheriting = {
        path: set(_imported_files(path, texts[path], modules)) for path in rest if _INHERITS.search(texts[path])
    }
    return said | _spread(said, inheriting, quiet)


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
    text = text.replace("\\\n", " ")
    for match in _FROM.finditer(text):
        module, names = match.groups()
        separator = "" if module.endswith(".") else "."
        yield module
        for name in _WORD.findall(names):
            yield f"{module}{separator}{name}"
    for match in _IMPORT.finditer(text):
        for part in match[1].split(","):
            words = part.split()
            if words:
                yield words[0]


def _named_in_strings(path: str, texts: Mapping[str, str], modules: Modules) -> Iterator[str]:
    """The strings in a file that name what stands in another one: `"lib.engine.fit"`, but not `"notes.engine.txt"`."""
    for target in {match[1] for match in _DOTTED_TEXT.finditer(texts[path])}:
        module, _, name = target.rpartition(".")
        home = modules.find(path, module)
        if home is not None and modules.submodule(home, name) is None and re.search(rf"\b{name}\b", texts[home]):
            yield target


def _imported_files(path: str, text: str, modules: Modules) -> Iterator[str]:
    """The files that a text imports, those around them included."""
    for target in _targets(text):
        yield from _files_of(path, target, modules)


def _files_of(path: str, target: str, modules: Modules) -> Iterator[str]:
    """The files that a dotted target means in a file, those around it included."""
    parts = target.lstrip(".").split(".")
    dots = "." * (len(target) - len(target.lstrip(".")))
    for end in range(len(parts) + 1):
        start = dots + ".".join(parts[:end])
        found = modules.at(modules.relative(path, start)) if dots else modules.find(path, start) if end else None
        if found is not None and found != path:
            yield found
