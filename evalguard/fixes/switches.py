"""Calls of `eval()` and `train()` that are missing, and where they could stand.

    def evaluate(net, loader):
        hits = 0
        <- net.eval()                 before the outermost loop or `with` that holds the forward and trains nothing
        for x, y in loader:
            hits += (net(x) ...)
        <- net.train(was_training)    behind it, if somebody needs the mode back
        return hits

The outermost place comes first: if it is too far out, another finding shows it, and the next one is tried.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from evalguard.finding import Applicability, Edit, Finding, Fix, Span, Step
from evalguard.fixes.overrides import is_inside_what_learns
from evalguard.fixes.script import FUNCTIONS, LOOPS, Function, Script, root_of, trains

SAFE, UNSAFE = Applicability.SAFE, Applicability.UNSAFE
_HOLDERS = (ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith)


def missing_eval(finding: Finding, script: Script) -> Iterator[Fix]:
    """`eval()` before an inference; with the mode given back where the rest of the project needs it."""
    place = finding.model or ""
    if _may_be_a_function(place, finding.span, script):
        return
    anchors = _anchors(script, finding.span, place)
    yield from _mode_by_the_test_of_training(finding, script, place)
    if place == "self":  # a module that infers with itself owes its mode to whoever calls it next
        for anchor in anchors:
            if not _leaves(anchor):
                yield from _switched_for_a_while(finding, script, anchor, place)
    for anchor in anchors:
        yield from _fix(f"call `{place}.eval()` before the inference", SAFE, script.before(anchor, f"{place}.eval()"))
    for anchor in anchors:
        if not _leaves(anchor):
            yield from _switched_for_a_while(finding, script, anchor, place)
    for anchor in anchors:
        yield from _switched_until_it_returns(script, anchor, place)


def missing_eval_of_a_helper(finding: Finding, script: Script) -> Iterator[Fix]:
    """`eval()` of a network that nobody trains: once, where it is made or loaded, or else before the loop."""
    if is_inside_what_learns(finding):
        return  # the mode of the whole is that of what learns
    yield from eval_after_loading(finding, script)
    place = finding.model or ""
    chain = [s for s in script.around(finding.span) if isinstance(s, _HOLDERS) and _knows(script, place, s)]
    for anchor in chain[::-1]:
        yield from _fix(f"call `{place}.eval()` before the loop", SAFE, script.before(anchor, f"{place}.eval()"))
    yield from missing_eval(finding, script)


def eval_after_loading(finding: Finding, script: Script) -> Iterator[Fix]:
    """`eval()` behind the statement that made or loaded the module, of the place that it has there."""
    origin = next((step for step in finding.trace if step.mode == "train"), None)
    if origin is None or origin.path != script.path or " trains " in origin.message:
        return
    for statement in script.around(origin.span)[:1]:
        for place in _places_of(statement, script, origin, finding.model or ""):
            title = f"call `{place}.eval()` after it is loaded" if "load" in origin.message else _built(place)
            yield from _fix(title, SAFE, script.after(statement, f"{place}.eval()"))


def eval_of_a_global(finding: Finding, script: Script) -> Iterator[Fix]:
    """`eval()` once behind the statement of the file that binds the name, for a function that only uses it."""
    place = finding.model or ""
    functions = [statement for statement in script.all_around(finding.span) if isinstance(statement, FUNCTIONS)]
    origin = next((step for step in finding.trace if step.mode == "train"), None)
    if origin is None or " trains " in origin.message:
        return
    if not functions or any(place in _parameters(f) or script.binds(place, f) for f in functions):
        return
    body = [statement for statement in script.tree.body if not isinstance(statement, (*FUNCTIONS, ast.ClassDef))]
    homes = [statement for statement in body if script.binds(place, statement)]
    match homes:
        case [ast.Assign(targets=[ast.Name() | ast.Tuple()], value=ast.Call())]:
            yield from _fix(_built(place), SAFE, script.after(homes[0], f"{place}.eval()"))


def _built(place: str) -> str:
    return f"call `{place}.eval()` where it is made"


def missing_eval_before_export(finding: Finding, script: Script) -> Iterator[Fix]:
    """`eval()` behind the loading of what is exported, or right before the export."""
    if any("load" in step.message for step in finding.trace if step.mode == "train"):
        yield from eval_after_loading(finding, script)
    place = finding.model or ""
    for anchor in script.around(finding.span)[:1]:
        if _knows(script, place, anchor):
            title = f"call `{place}.eval()` before the export"
            yield from _fix(title, SAFE, script.before(anchor, f"{place}.eval()"))
            if not _leaves(anchor):
                yield from _switched_for_a_while(finding, script, anchor, place)
    call = script.call_around(finding.span)
    if root_of(place) is None and call is not None:
        for given in call.args:
            if script.source(given) == place and isinstance(given, ast.Call):
                yield Fix(f"call `eval()` of `{place}`", SAFE, (script.replaced(given, f"{place}.eval()"),))
    yield from missing_eval(finding, script)


def missing_train(finding: Finding, script: Script) -> Iterator[Fix]:
    """`train()` where training begins, or behind the evaluation that leaked: of what was switched to eval mode, which
    may be the whole of which a part is trained; where the step stands, or in a caller that has a name for it."""
    switched = (*_switched_to_eval(finding, script), finding.model or "")
    for span in _spans_on_the_way(finding, script):
        for place in dict.fromkeys(switched):
            yield from _missing_train_of(place, span, finding, script)


def _missing_train_of(place: str, span: Span, finding: Finding, script: Script) -> Iterator[Fix]:
    switch = f"{place}.train()"
    applicability = UNSAFE if _freezes_a_part(script, place) else SAFE
    chain = script.around(span)
    known = [s for s in chain if _knows(script, place, s)]
    outermost_first = known[::-1]
    for statement in outermost_first:
        if isinstance(statement, LOOPS):
            title = f"call `{switch}` before the loop that trains"
            yield from _fix(title, applicability, script.before(statement, switch))
    for statement in _calls_that_leak(finding, span, script):
        if _knows(script, place, statement):
            yield from _fix(f"call `{switch}` after the evaluation", applicability, script.after(statement, switch))
    for statement in outermost_first:
        if isinstance(statement, LOOPS) and not script.binds(root_of(place) or "", statement):
            title = f"call `{switch}` at the head of the loop that trains"
            yield from _fix(title, applicability, script.first_in(statement.body, switch))
    function = script.function_around(span)
    if function is not None and _is_known_at_head(script, place, function):
        title = f"call `{switch}` at the head of `{function.name}`"
        yield from _fix(title, applicability, script.first_in(function.body, switch))
    if known[:1] == chain[:1] and not any(isinstance(statement, LOOPS) for statement in chain):
        for statement in known[:1]:
            yield from _fix(f"call `{switch}` before it is trained", applicability, script.before(statement, switch))


def _switched_to_eval(finding: Finding, script: Script) -> Iterator[str]:
    """What was put in eval mode, if the place is a part of it: `model` for `model.encoder`."""
    for step in finding.trace:
        call = script.expression_at(step.span) if step.mode == "eval" and step.path == script.path else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in ("eval", "train"):
            owner = script.source(call.func.value)
            if (finding.model or "").startswith((f"{owner}.", f"{owner}[")):
                yield owner


def _spans_on_the_way(finding: Finding, script: Script) -> list[Span]:
    """Where the place may have its name: at the finding, and at the calls that lead to it, the nearest first, one for
    each function."""
    spans = [finding.span]
    functions = [script.function_around(finding.span)]
    for step in finding.trace[::-1]:
        if step.path == script.path and (function := script.function_around(step.span)) not in functions:
            spans.append(step.span)
            functions.append(function)
    return spans


def train_call_in_evaluation(finding: Finding, script: Script) -> Iterator[Fix]:
    """`eval()` in the place of `train()`, or nothing; for a part that a forward paused, the mode of the whole."""
    call = script.expression_at(finding.span)
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "train"):
        return
    if _computes_a_loss(finding, script):
        return
    owner = script.source(call.func.value)
    if finding.trace and finding.trace[0].mode == "eval":
        follows = f"{owner}.train(self.training)"
        yield from _fix(f"call `{follows}` instead", SAFE, script.replaced(call, follows))
    yield from _fix(f"call `{owner}.eval()` instead", SAFE, script.replaced(call, f"{owner}.eval()"))
    for statement in script.around(finding.span)[:1]:
        if isinstance(statement, ast.Expr) and statement.value is call and _is_one_of_several(statement, script):
            yield from _fix(f"remove `{script.source(call)}`", SAFE, script.without(statement))


def eval_behind_a_train_call(finding: Finding, script: Script) -> Iterator[Fix]:
    """`eval()` before the inference that a `train()` reaches which gives the mode back to somebody else."""
    inference = finding.trace[-1] if finding.trace else None
    if _computes_a_loss(finding, script):
        return
    if inference is not None and inference.path == script.path and inference.span != finding.span:
        yield from missing_eval(replace(finding, span=inference.span), script)


def _computes_a_loss(finding: Finding, script: Script) -> bool:
    """Whether somebody may train by what the function around returns, by its name."""
    function = script.function_around(finding.span)
    return function is not None and "loss" in function.name.lower()


def _fix(title: str, applicability: Applicability, *edits: Edit | None) -> Iterator[Fix]:
    """The fix, if all of its edits are possible."""
    made = tuple(edit for edit in edits if edit is not None)
    if len(made) == len(edits):
        yield Fix(title, applicability, made)


def _anchors(script: Script, span: Span, place: str) -> list[ast.stmt]:
    """The statements before which the mode could be set for a forward: from the outside in up to the first branch
    around it in which alone the module runs, and only then further out, where it would be set for the other branches as
    well."""
    chain = script.around(span)
    groups: list[list[ast.stmt]] = [[]]
    for number, statement in enumerate(chain):
        is_holder = isinstance(statement, _HOLDERS)
        if number and not is_holder:
            begins_its_line = script.indent(chain[number - 1]) is not None
            if begins_its_line and not isinstance(statement, ast.Try) and not _runs_in_each(statement, place, script):
                groups.append([])
            if trains(statement) or not isinstance(statement, (ast.If, ast.Try)):
                break
        if number and trains(statement):
            break
        if _knows(script, place, statement) and not _serves_training(statement, script):
            groups[-1].append(statement)
    return [statement for group in groups for statement in reversed(group)]


def _runs_in_each(statement: ast.stmt, place: str, script: Script) -> bool:
    """Whether a place is called in each of two branches."""
    if not isinstance(statement, ast.If) or not statement.orelse:
        return False
    calls = (place, f"{place}.forward")
    return all(
        any(isinstance(n, ast.Call) and script.source(n.func) in calls for each in suite for n in ast.walk(each))
        for suite in (statement.body, statement.orelse)
    )


def _serves_training(statement: ast.stmt, script: Script) -> bool:
    """Whether what a statement computes may be what the statements behind it learn from, as in the loop over phases:
    `eval()` before it would stop the training."""
    if isinstance(statement, LOOPS):
        return False
    if isinstance(statement, (ast.With, ast.AsyncWith)) and _is_without_gradients(statement, script):
        return False
    return any(map(trains, _behind(statement, script)))


def _is_without_gradients(statement: ast.With | ast.AsyncWith, script: Script) -> bool:
    return any("no_grad" in script.source(i.context_expr) or "inference" in script.source(i.context_expr)
               for i in statement.items)  # fmt: skip


def _behind(statement: ast.stmt, script: Script) -> list[ast.stmt]:
    """The statements behind one in its suite."""
    around = script.all_around(script.span(statement))
    holder: ast.AST = around[around.index(statement) + 1] if around[-1] is not statement else script.tree
    for name in ("body", "orelse", "finalbody"):
        suite = getattr(holder, name, [])
        if statement in suite:
            return list(suite[suite.index(statement) + 1 :])
    return []


def _mode_by_the_test_of_training(finding: Finding, script: Script, place: str) -> Iterator[Fix]:
    """`train(phase == "train")` before a loop in which one test decides whether it trains."""
    chain = script.around(finding.span)
    tests = [
        statement.test
        for inner in chain
        for statement in _behind(inner, script)
        if isinstance(statement, ast.If) and any(map(trains, statement.body)) and not any(map(trains, statement.orelse))
    ]
    for test in tests[:1]:
        names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
        if any(isinstance(node, ast.Call) for node in ast.walk(test)) or "\n" in script.source(test):
            continue
        for loop in chain[::-1]:
            if isinstance(loop, LOOPS) and not any(script.binds(name, loop) for name in names):
                if _knows(script, place, loop):
                    call = f"{place}.train({script.source(test)})"
                    yield from _fix(f"call `{call}` before the loop", SAFE, script.before(loop, call))
                break


def _may_be_a_function(place: str, span: Span, script: Script) -> bool:
    """Whether a place is a parameter for which a call in the file gives a function: that has no `eval()`."""
    functions = [statement for statement in script.all_around(span) if isinstance(statement, FUNCTIONS)]
    function = next((f for f in functions if place in _parameters(f)), None)
    if function is None:
        return False
    names = _parameters(function)
    defined = {node.name for node in ast.walk(script.tree) if isinstance(node, FUNCTIONS)}
    defined |= {
        target.id
        for node in ast.walk(script.tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(script.tree):
        match call:
            case ast.Call(func=ast.Name(id=called)):
                position = names.index(place)
            case ast.Call(func=ast.Attribute(attr=called)):
                position = names.index(place) - (names[0] in ("self", "cls"))
            case _:
                continue
        given = [keyword.value for keyword in call.keywords if keyword.arg == place]
        given += call.args[position : position + 1]
        if called == function.name and any(
            isinstance(value, ast.Lambda) or (isinstance(value, ast.Name) and value.id in defined) for value in given
        ):
            return True
    return False


def _parameters(function: Function) -> list[str]:
    arguments = function.args
    return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _knows(script: Script, place: str, statement: ast.stmt) -> bool:
    """Whether a place means before a statement what it means in it."""
    root = root_of(place)
    if root is None or script.binds(root, statement):
        return False
    return script.knows(root, script.span(statement))


def _is_known_at_head(script: Script, place: str, function: Function) -> bool:
    root = root_of(place)
    if root is None or script.binds(root, function):
        return False
    return script.knows(root, script.span(function.body[0]))


def _leaves(statement: ast.stmt) -> bool:
    """Whether control may leave the function inside a statement, so that nothing behind it is sure to run."""
    return any(isinstance(node, (ast.Return, ast.Raise)) for node in ast.walk(statement))


def _switched_for_a_while(finding: Finding, script: Script, anchor: ast.stmt, place: str) -> Iterator[Fix]:
    """`eval()` before a statement, and behind it the mode from before, or train mode where this function set it."""
    switched = f"{place}.eval()"
    function = script.function_around(finding.span)
    origin = next((step for step in finding.trace if step.mode == "train"), None)
    saved = _free_name(script, place)
    as_before = Fix(
        f"call `{switched}` before the inference, and give the mode back after it",
        SAFE,
        tuple(
            edit
            for edit in (
                script.before(anchor, f"{saved} = {place}.training", switched),
                script.after(anchor, f"{place}.train({saved})"),
            )
            if edit is not None
        ),
    )
    to_train = Fix(
        f"call `{switched}` before the inference, and `{place}.train()` after it",
        SAFE,
        tuple(
            edit
            for edit in (script.before(anchor, switched), script.after(anchor, f"{place}.train()"))
            if edit is not None
        ),
    )
    is_here = origin is not None and origin.path == script.path and script.function_around(origin.span) is function
    for fix in (to_train, as_before) if is_here else (as_before,):
        if len(fix.edits) == 2:
            yield fix


def _switched_until_it_returns(script: Script, anchor: ast.stmt, place: str) -> Iterator[Fix]:
    """`eval()` before a statement at whose end the function returns, and the mode from before ahead of that. What is
    returned gets a name, since it may infer. Unsafe, for it may also be something that infers later."""
    last = anchor
    while isinstance(last, (ast.With, ast.AsyncWith)):
        last = last.body[-1]
    leaving = [node for node in ast.walk(anchor) if isinstance(node, (ast.Return, ast.Raise))]
    if not isinstance(last, ast.Return) or last.value is None or leaving != [last] or script.indent(last) is None:
        return
    saved, result = _free_name(script, place), _unused("result", script)
    before = script.before(anchor, f"{saved} = {place}.training", f"{place}.eval()")
    between = f"{script.newline}{script.indent(last)}"
    content = between.join([f"{result} = {script.source(last.value)}", f"{place}.train({saved})", f"return {result}"])
    title = f"call `{place}.eval()` before the inference, and give the mode back before it returns"
    if last is not anchor:
        yield from _fix(title, UNSAFE, before, script.replaced(last, content))
    elif before is not None:
        content = before.content.lstrip() + f"{script.indent(last)}{content}"
        yield Fix(title, UNSAFE, (script.replaced(last, content),))


def _unused(stem: str, script: Script) -> str:
    """A name that the file does not use."""
    names = (f"{stem}_{number}" if number > 1 else stem for number in range(1, 100))
    return next(name for name in names if not re.search(rf"\b{name}\b", script.text))


def _free_name(script: Script, place: str) -> str:
    """A name for the mode from before that the file does not use."""
    if not re.search(r"\bwas_training\b", script.text):
        return "was_training"
    stem = "_".join(re.findall(r"\w+", place.removeprefix("self."))).lower()
    name, number = f"{stem}_was_training", 2
    while re.search(rf"\b{re.escape(name)}\b", script.text):
        name, number = f"{stem}_was_training_{number}", number + 1
    return name


def _calls_that_leak(finding: Finding, span: Span, script: Script) -> Iterator[ast.stmt]:
    """The statements of the trace, in the function at a place, in which the mode was left behind, the last first."""
    function = script.function_around(span)
    switched = max((number for number, step in enumerate(finding.trace[:-1]) if step.mode == "eval"), default=-1)
    later: list[ast.stmt] = []  # what comes behind the switch may have nothing to do with the evaluation
    for number, step in reversed(list(enumerate(finding.trace[:-1]))):
        if step.path != script.path or step.span == span or script.function_around(step.span) is not function:
            continue
        chain = script.around(step.span)
        simple = chain[0] if chain else None
        if simple is None or isinstance(simple, (*_HOLDERS, *FUNCTIONS, ast.If)):
            continue
        holders = [s for s in chain if isinstance(s, _HOLDERS) and not trains(s)]
        if holders or number <= switched:
            yield holders[-1] if holders else simple
        else:
            later.append(simple)
    yield from later


def _places_of(statement: ast.stmt, script: Script, origin: Step, model: str) -> Iterator[str]:
    """What the module is called behind the statement that made or loaded it."""
    match statement:
        case ast.Assign(targets=[ast.Name() | ast.Attribute() as target]):
            yield script.source(target)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner))) if root_of(script.source(owner)):
            yield script.source(owner)
    root = root_of(model)
    if root is not None and script.knows(root, origin.span) and not script.binds(root, statement):
        yield model


def _freezes_a_part(script: Script, place: str) -> bool:
    """Whether the file puts a part of the module in eval mode: `train()` of the whole would thaw it."""
    return re.search(rf"{re.escape(place)}(?:\.\w+|\[[^\]]*\])+\.(?:eval\(\)|train\(False\))", script.text) is not None


def _is_one_of_several(statement: ast.stmt, script: Script) -> bool:
    """Whether a suite has other statements besides."""
    around = script.all_around(script.span(statement))
    holder: ast.AST = around[1] if len(around) > 1 else script.tree
    suites = (getattr(holder, name, None) for name in ("body", "orelse", "finalbody"))
    return any(isinstance(suite, list) and statement in suite and len(suite) > 1 for suite in suites)
