"""A program of several files, as one text.

Each file begins with a line that names it, and the last is the one that runs:

    # file: nets.py
    class Net(nn.Module):
        ...
    # file: program.py
    from nets import Net  # import-from

A file is cut out with empty lines before it, so that a line has the same number in its file as in the whole text: all
that is observed and claimed is told by the line alone.
"""

from __future__ import annotations

import random
import re

PROGRAM_FILE = "program.py"
_HEAD = re.compile(r"# file: (\S+)")
_DEFINED = re.compile(r"^(?:(?:async )?def|class) (\w+)|^(\w+) = ", re.MULTILINE)


def parts(text: str) -> dict[str, str]:
    """The text of each file, by its name; of a program without named files, the whole."""
    found: dict[str, list[str]] = {}
    name = PROGRAM_FILE
    for number, line in enumerate(text.split("\n")):
        head = _HEAD.fullmatch(line)
        name = head[1] if head else name
        if head or name not in found:
            found[name] = [""] * number
        found[name].append(line)
    return {name: "\n".join(lines) for name, lines in found.items() if any(map(str.strip, lines))}


def spread(imports: str, definitions: list[str], main: list[str], draw: random.Random) -> str:
    """Definitions and what runs them, in two or three files; a file imports what those before it define."""
    folder = draw.choice(("", "", "parts."))
    names = [folder + name for name in draw.choice((["nets", "helpers"], ["common"], ["models", "routines", "work"]))]
    cuts = sorted(draw.randint(1, len(definitions)) for _ in names[1:])
    sections = [definitions[a:b] for a, b in zip([0, *cuts], [*cuts, len(definitions)], strict=True)]
    where: dict[str, str] = {}
    text = ""
    for name, chunks in [*zip(names, sections, strict=True), (PROGRAM_FILE.removesuffix(".py"), main)]:
        joined = "\n\n\n".join(chunks)
        lines, joined = _imported(joined, where, draw)
        head = "\n".join([f"# file: {name.replace('.', '/')}.py", imports.rstrip(), *lines])
        text += f"{head}\n\n\n{joined}\n"
        where |= {first or second: name for first, second in _DEFINED.findall(joined)}
    return text


def _imported(text: str, where: dict[str, str], draw: random.Random) -> tuple[list[str], str]:
    """The lines that import what a text uses of other files, and the text with the names that they bind."""
    used: dict[str, list[str]] = {}
    for name, module in where.items():
        if re.search(rf"(?<![.\w\"]){name}\b", text):
            used.setdefault(module, []).append(name)
    lines = []
    for module, names in used.items():
        way = draw.choice(("import-from", "import-from", "import-module", "import-as", "import-star"))
        match way:
            case "import-from":
                lines.append(f"from {module} import {', '.join(names)}  # {way}")
                continue
            case "import-star":
                lines.append(f"from {module} import *  # {way}")
                continue
            case "import-module":
                lines.append(f"import {module}  # {way}")
                prefix = module
            case _:
                prefix = f"{module.rpartition('.')[2]}_file"
                lines.append(f"import {module} as {prefix}  # {way}")
        for name in names:
            text = re.sub(rf"(?<![.\w\"]){name}\b", f"{prefix}.{name}", text)
    return lines, text
