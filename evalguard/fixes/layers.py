"""Layers that `forward` makes anew: the function that hears of the mode in their place, or one layer that is kept.

    nn.Dropout(0.5)(x)         ->   F.dropout(x, 0.5, training=self.training)
    drop = nn.Dropout(0.5)     ->   drop = self.drop          and in `__init__`: self.drop = nn.Dropout(0.5)
    drop = nn.Dropout(rate)    ->   drop = nn.Dropout(rate).train(self.training)

A layer that has weights is not what it was once it is kept: it is trained, and stands in the state dict. And how large
it is must be known in `__init__`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from evalguard.finding import Applicability, Finding, Fix
from evalguard.fixes.arguments import MODE, has_self
from evalguard.fixes.imports import dotted, spelled
from evalguard.fixes.script import FUNCTIONS, Function, Script
from evalguard.vocabulary import lookup


def function_in_place_of_a_layer(finding: Finding, script: Script) -> Iterator[Fix]:
    """`F.dropout(x, 0.5, training=self.training)` for `nn.Dropout(0.5)(x)`, and its kin."""
    made = script.expression_at(finding.span)
    if not isinstance(made, ast.Call) or not has_self(script, finding.span):
        return
    used = next((n for n in ast.walk(script.tree) if isinstance(n, ast.Call) and n.func is made), None)
    function = lookup.function_of_layer(dotted(made.func, script))
    name = spelled(function.name, script) if function is not None else None
    if used is None or function is None or name is None or function.flag.position is None:
        return
    if len(used.args) != 1 or used.keywords or isinstance(used.args[0], ast.Starred):
        return
    before_the_flag = function.flag.position - 1
    if len(made.args) > before_the_flag or any(isinstance(given, ast.Starred) for given in made.args):
        return
    if any(keyword.arg is None for keyword in made.keywords):
        return
    given = [script.source(used.args[0]), *map(script.source, made.args)]
    given += [f"{keyword.arg}={script.source(keyword.value)}" for keyword in made.keywords]
    content = f"{name}({', '.join(given)}, {function.flag.keyword}={MODE})"
    yield Fix(f"call `{content}`", Applicability.SAFE, (script.replaced(used, content),))


def layer_kept_under_an_attribute(finding: Finding, script: Script) -> Iterator[Fix]:
    """The layer made in `__init__`, where all that it is made of is known there."""
    made = script.expression_at(finding.span)
    owner = script.class_around(finding.span)
    method = script.function_around(finding.span)
    if not isinstance(made, ast.Call) or owner is None or method not in owner.body or method is None:
        return
    init = next((s for s in owner.body if isinstance(s, FUNCTIONS) and s.name == "__init__"), None)
    if init is None or method is init or not has_self(script, finding.span):
        return
    if _is_made_again_and_again(made, script) or not _is_known_in(init, made, method, owner, script):
        return
    statement = script.around(finding.span)[0]
    kept = _kept_as(statement, made)
    name = kept or _free_attribute(statement, made, owner, script)
    at_the_end = None if isinstance(init.body[-1], (ast.Return, ast.Raise)) else init.body[-1]
    if name is None or at_the_end is None:
        return
    in_init = script.after(at_the_end, f"self.{name} = {script.source(made)}")
    here = script.replaced(made, f"self.{name}") if kept is None else script.without(statement)
    if in_init is not None and here is not None and (kept is None or len(method.body) > 1):
        is_plain = lookup.function_of_layer(dotted(made.func, script)) is not None
        applicability = Applicability.SAFE if is_plain else Applicability.UNSAFE
        yield Fix(f"make it once, in `__init__`, as `self.{name}`", applicability, (in_init, here))


def layer_in_the_mode_of_the_whole(finding: Finding, script: Script) -> Iterator[Fix]:
    """`nn.Dropout(rate).train(self.training)`, for a layer without weights that is made of what `forward` knows."""
    made = script.expression_at(finding.span)
    if not isinstance(made, ast.Call) or not has_self(script, finding.span):
        return
    if lookup.function_of_layer(dotted(made.func, script)) is not None:
        content = f"{script.source(made)}.train({MODE})"
        yield Fix(f"call `.train({MODE})` of it", Applicability.SAFE, (script.replaced(made, content),))


def _is_made_again_and_again(made: ast.Call, script: Script) -> bool:
    """Whether one call makes several layers: in a loop, a comprehension or a function of its own."""
    loops = (ast.For, ast.AsyncFor, ast.While, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    for node in ast.walk(script.tree):
        inner: list[ast.AST] = [node]
        if isinstance(node, (ast.For, ast.AsyncFor)):
            inner = list(node.body)  # its iterable is made once
        if isinstance(node, loops) and any(made is part for each in inner for part in ast.walk(each)):
            return True
    return False


def _is_known_in(init: Function, made: ast.Call, method: Function, owner: ast.ClassDef, script: Script) -> bool:
    """Whether all names in a call mean at the end of `__init__` what they mean in the method."""
    local = {a.arg for a in ast.walk(method.args) if isinstance(a, ast.arg)} - {"self"}
    own = {a.arg for a in ast.walk(init.args) if isinstance(a, ast.arg)} - {"self"}
    for node in ast.walk(made):
        if isinstance(node, ast.Name) and node.id != "self":
            if node.id in local | own or script.binds(node.id, method) or script.binds(node.id, init):
                return False
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            homes = [f for f in owner.body if isinstance(f, FUNCTIONS) and _sets(node.attr, f)]
            if homes != [init]:
                return False
        elif isinstance(node, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom, ast.Starred)):
            return False
    bare = [n for n in ast.walk(made) if isinstance(n, ast.Name) and n.id == "self"]
    attributes = [n for n in ast.walk(made) if isinstance(n, ast.Attribute) and n.value in bare]
    return len(bare) == len(attributes)


def _sets(attribute: str, function: Function) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == attribute
        and isinstance(node.ctx, (ast.Store, ast.Del))
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
        for node in ast.walk(function)
    )


def _kept_as(statement: ast.stmt, made: ast.Call) -> str | None:
    """The attribute under which the method keeps the layer itself."""
    match statement:
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value) if value is made:
            return name
    return None


def _owner(call: ast.Call) -> ast.expr | None:
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def _free_attribute(statement: ast.stmt, made: ast.Call, owner: ast.ClassDef, script: Script) -> str | None:
    """A name for the layer that the class does not use: that of its variable, or one by its class."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as value) if made in (value, _owner(value)):
            stem = name
        case _:
            kind = script.source(made.func).rpartition(".")[2]
            stem = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
    text = script.source(owner)
    free = (f"{stem}_{number}" if number > 1 else stem for number in range(1, 100))
    return next((name for name in free if not re.search(rf"\bself\.{name}\b|\bdef {name}\b", text)), None)
