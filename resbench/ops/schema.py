"""The ops' source files -> table of Signatures, without importing torch.

Read with `ast`: the decorator gives the name, `__init__` the arguments, `forward` the number of inputs, the file's docstring
the description, the lines `name: what it is` of the class's docstring those of the arguments.
tests/ops/test_schema.py holds the table equal to `inspect.signature` of the registered classes.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from resbench.errors import Reason
from resbench.language.graph.op_list import taken_by
from resbench.language.graph.signature import Argument, Signature
from resbench.language.library.providers import provide
from resbench.language.names import why_not
from resbench.ops.facts import constant, read_facts, refuse_aliases, without_aliases
from resbench.plugins.active import Active, active
from resbench.plugins.decorated import constants
from resbench.plugins.load import entry_label
from resbench.plugins.locate import source_of
from resbench.plugins.plugin import Gift, Plugin
from resbench.plugins.spec_files import SpecFiles

FOLDER = Path(__file__).parent
_PLAIN = {"int", "float", "bool", "str"}
_ANNOTATIONS = "int, float, bool, str, None, tuple[int, int], Literal[...] of texts, Initial, nn.Module (a list of ops)"


def table() -> dict[str, Signature]:
    """Return every op by name: resbench's own, and those of the active plugins."""
    state = active()
    if state.signatures is None:
        found = built_in() | _given(state)
        state.signatures = without_aliases(found, _given_twice(state, found))
        provide(SpecFiles(state))
    return state.signatures


@cache
def built_in() -> dict[str, Signature]:
    signatures = [s for path in sorted(FOLDER.rglob("*.py")) for s in read_source(path.read_text("utf-8"), path.name)]
    return {signature.name: signature for signature in signatures}


def _given(state: Active) -> dict[str, Signature]:
    """Return the signatures of each plugin; a module with any problem is skipped as a whole, and recorded."""
    found: dict[str, Signature] = {}
    for plugin in state.plugins:
        modules: dict[str, list[Gift]] = {}
        for gift in plugin.gives:
            if gift.group == "ops":
                modules.setdefault(gift.target, []).append(gift)
        for gifts in modules.values():
            try:
                signatures = _of_plugin(plugin, gifts)
            except Exception as error:  # whatever that file holds, the others are read
                state.fail(plugin, gifts[0], entry_label(plugin, gifts[0]), error)
                signatures = []
            for name in dict.fromkeys([*(gift.name for gift in gifts), *(s.name for s in signatures)]):
                state.claim(plugin, gifts[0], "ops", name)
            found |= {signature.name: signature for signature in signatures}
    return {name: signature for name, signature in found.items() if ("ops", name) not in state.clashes}


def _given_twice(state: Active, ops: Mapping[str, Signature]) -> set[str]:
    """Return the aliases that two plugins give, or that are the name of another's op, which keeps it; record each.

    resbench's own aliases are not recorded: a plugin's op may have a name that is an alias here.
    """
    lost: set[str] = set()
    users: dict[str, list[str]] = {}
    for name, signature in ops.items():
        for alias in signature.aliases if ("ops", name) in state.owners else ():
            users.setdefault(alias, []).append(name)
    for alias, names in users.items():
        if len(names) > 1:
            both = " and ".join(f"`{name}`" for name in names)
            reason = f"is an alias of {both}, of different plugins; leave one out"
            state.clashes["ops", alias] = f"ops: `{alias}` {reason}"
        elif alias in ops:
            reason = f"is an alias of `{names[0]}` and the name of an op of another plugin, which keeps it"
        else:
            continue
        lost.add(alias)
        for name in names:
            state.fail(state.owners["ops", name][0], None, f"ops: `{alias}`", Reason(reason))
    return lost


def _of_plugin(plugin: Plugin, gifts: list[Gift]) -> list[Signature]:
    """Return the signatures of one module. Raise Reason for a name or alias that is taken, or a name that an entry
    point promises and the file lacks.
    """
    path = gifts[0].path or source_of(gifts[0].module, plugin.search)
    text = path.read_text("utf-8")
    ast.parse(text, str(path))  # a syntax error must name the file
    signatures = list(read_source(text, f"{plugin.label}, {path}"))
    for name in (signature.name for signature in signatures):
        if (reason := why_not(name) or taken_by(name, built_in())) is not None:
            raise Reason(f"an op cannot be called `{name}`: {reason}")
    refuse_aliases(signatures, built_in())
    missing = [gift.name for gift in gifts if gift.name not in {signature.name for signature in signatures}]
    if missing:
        raise Reason(f'the entry point `{missing[0]}` promises an op, and there is no @op("{missing[0]}") in {path}')
    return signatures


def read_source(source: str, origin: str) -> Iterable[Signature]:
    """Yield the signatures of the `@op` classes in one file."""
    tree = ast.parse(source)
    known = constants(tree)
    doc, _, rest = (ast.get_docstring(tree) or "").partition("\n")
    for item in tree.body:
        if isinstance(item, ast.ClassDef) and (decorator := _decorator(item)) is not None:
            name = str(constant(decorator.args[0], known, "the op's name"))
            functions = {f.name: f for f in item.body if isinstance(f, ast.FunctionDef)}
            arguments, wants_channels = _arguments(functions.get("__init__"), known)
            about, docs = argument_docs(ast.get_docstring(item) or "", arguments)
            arguments = {key: replace(argument, doc=docs.get(key, "")) for key, argument in arguments.items()}
            more = "\n\n".join(text for text in (about, rest.strip()) if text)
            if "forward" not in functions:
                raise Reason(f"{item.name} has no method `forward`")
            inputs = _inputs(functions["forward"])
            yield read_facts(Signature(name, arguments, inputs, wants_channels, doc, origin, more), decorator, known)


def argument_docs(text: str, names: Container[str]) -> tuple[str, dict[str, str]]:
    """A class's docstring -> the description of the op, and that of each argument: `name: ...`, further lines indented.

    >>> argument_docs("Each value.\\n\\nrate: how often,\\n  in [0, 1)", ["rate"])
    ('Each value.', {'rate': 'how often, in [0, 1)'})
    """
    about: list[str] = []
    found: dict[str, str] = {}
    current = ""
    for line in text.splitlines():
        name, colon, words = line.partition(": ")
        if colon and name in names:
            current = name
            found[name] = words.strip()
        elif current and line.startswith(" ") and line.strip():
            found[current] += f" {line.strip()}"
        else:
            current = ""
            about.append(line)
    return "\n".join(about).strip(), found


def _decorator(item: ast.ClassDef) -> ast.Call | None:
    """Return the `@op(...)` above a class."""
    for decorator in item.decorator_list:
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "op":
            return decorator
    return None


def _arguments(function: ast.FunctionDef | None, known: Mapping[str, ast.expr]) -> tuple[dict[str, Argument], bool]:
    if function is None:
        return {}, False
    signature = function.args
    before = [argument.arg for argument in (*signature.posonlyargs, *signature.args)]
    if (wrong := next((name for name in before[1:] if name != "channels"), None)) is not None:
        raise Reason(f"argument `{wrong}` precedes the `*`; only `channels` may: (self, channels: int, *, ...)")
    arguments = {}
    for argument, default in zip(signature.kwonlyargs, signature.kw_defaults, strict=True):
        kinds, literals = _kinds(argument.annotation)
        value = None if default is None else constant(default, known, f"the default of `{argument.arg}`")
        arguments[argument.arg] = Argument(kinds, default is None, value, literals)
    return arguments, "channels" in before


def _kinds(annotation: ast.expr | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return an annotation as kinds and literals. Raise Reason for a form for which the language has no value."""
    if isinstance(annotation, ast.BinOp):
        left, right = _kinds(annotation.left), _kinds(annotation.right)
        return (*left[0], *right[0]), (*left[1], *right[1])
    if isinstance(annotation, ast.Constant) and annotation.value is None:
        return ("None",), ()
    if isinstance(annotation, ast.Name) and annotation.id in _PLAIN:
        return (annotation.id,), ()
    if isinstance(annotation, ast.Name) and annotation.id == "Initial":
        return ("initial",), ()
    text = ast.unparse(annotation) if annotation is not None else "nothing"
    if text == "nn.Module":
        return ("ops",), ()
    if text == "tuple[int, int]":
        return ("pair",), ()
    if isinstance(annotation, ast.Subscript) and text.startswith("Literal["):
        values = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        texts = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
        if len(texts) == len(values):
            return ("literal",), tuple(texts)
    raise Reason(f"an op's argument cannot be annotated with {text}; allowed: {_ANNOTATIONS}, and several with `|`")


def _inputs(forward: ast.FunctionDef) -> tuple[int, int | None]:
    count = len(forward.args.args) - 1
    return (count + 1, None) if forward.args.vararg is not None else (count, count)
