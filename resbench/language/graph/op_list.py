"""An op list as written -> OpList: calls, `repeat`s and `$inserts`, each knowing its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput, PlacedPluginError, PluginError, Reason
from resbench.escape import printable
from resbench.language.expressions.expression import Expression
from resbench.language.graph.params import Param
from resbench.language.graph.signature import Argument, Signature, allowed, fits
from resbench.language.yaml.node import Node, all_nodes, from_plain, plain
from resbench.language.yaml.problems import Problems

MAX_OPS = 1000
_SIZED = re.compile(r"(.+?)([1-9][0-9]{0,2})x([1-9][0-9]{0,2})")
DEPTHWISE = "dw"  # prefix of an op with its kernel in its name: as many groups as channels


@dataclass(frozen=True, slots=True)
class OpCall:
    """`name: {arguments}`. `op` is the resolved op (conv3x3 -> conv), `stem` the base name of its modules.

    `lists` holds the parsed arguments that are lists of ops.
    """

    name: str
    op: str
    stem: str
    arguments: Mapping[str, Node]
    node: Node
    lists: Mapping[str, OpList] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Repeat:
    times: Node
    ops: OpList
    node: Node


@dataclass(frozen=True, slots=True)
class Insert:
    """`$order` in a list, which the ops it stands for replace."""

    node: Node


OpItem = OpCall | Repeat | Insert
OpList = tuple[OpItem, ...]


class Vocabulary(Protocol):
    """The ops and blocks that may be named; `ops` has the ops alone."""

    @property
    def ops(self) -> Mapping[str, Signature]: ...

    def signature(self, name: str) -> Signature | None: ...

    def op_names(self) -> list[str]: ...


def parse_ops(node: Node, vocabulary: Vocabulary, check: Problems) -> OpList:
    """Return a list of ops, or a `$name` that stands for one."""
    if isinstance(node.value, Expression):
        return (Insert(node),)
    if not isinstance(node.value, tuple):
        hint = f"; write [{_listed(node)}]" if isinstance(node.value, str | dict) else "; `[]` is no op"
        check.report(node, f"a list of ops is needed, got {node.shown()}{hint}")
        return ()
    if len(node.items) > MAX_OPS:
        check.report(node, f"{len(node.items)} ops in one list; at most {MAX_OPS} are allowed")
        return ()
    parsed = (parse_op(item, vocabulary, check) for item in node.items)
    return tuple(op for op in parsed if op is not None)


def _listed(node: Node) -> str:
    """Return the text as a list of ops: `bn relu` and `bn, relu` are two ops."""
    return (
        printable(", ".join(re.split(r"[\s,]+", node.value.strip()))) if isinstance(node.value, str) else node.shown()
    )


def parse_op(node: Node, vocabulary: Vocabulary, check: Problems) -> OpItem | None:
    """Parse `name`, `name: {arguments}`, `repeat: {times, ops}` or `$insert`."""
    if isinstance(node.value, Expression):
        return Insert(node)
    if node.value == "repeat":
        check.report(node, "`repeat` is written `repeat: {times: n, ops: [...]}`")
        return None
    if isinstance(node.value, str):
        return _call(node.value, Node({}, node.place, node.path), node, vocabulary, check)
    if not isinstance(node.value, dict) or len(node.value) != 1:
        check.report(node, f"an op is a name or `name: {{arguments}}`, got {node.shown()}")
        return None
    ((name, arguments),) = node.value.items()
    if arguments.value is None:
        arguments = Node({}, arguments.place, arguments.path)
    if not isinstance(arguments.value, dict):
        check.report(arguments, f"an op is a name or `name: {{arguments}}`, never `{name}: {arguments.shown()}`")
        return None
    if name == "repeat":
        if not check.keys(arguments, ["times", "ops"]) or {"times", "ops"} - set(arguments.mapping):
            return None
        check_constant("repeat: times", arguments.mapping["times"], Argument(("int",), True), check)
        return Repeat(arguments.mapping["times"], parse_ops(arguments.mapping["ops"], vocabulary, check), node)
    return _call(name, arguments, node, vocabulary, check)


def _call(name: str, arguments: Node, node: Node, vocabulary: Vocabulary, check: Problems) -> OpCall | None:
    place = Node(name, node.keys.get(name, node.place), node.path)
    op, stem, implied = expand(name, vocabulary.ops)
    try:
        signature = vocabulary.signature(op)
        if signature is None and (meant := called(name, vocabulary.ops)) is not None:
            op, stem, signature = meant, meant, vocabulary.ops[meant]
    except BadInput as error:  # a block whose own file has problems
        check.report_error(place, error)
        return None
    except PluginError as error:
        raise PlacedPluginError(str(place.problem(str(error)))) from None
    if signature is None:
        near = _meant(name, vocabulary) or f"; ops and blocks: {', '.join(sorted(vocabulary.op_names()))}"
        check.report(place, f"unknown op `{printable(name)}`{near}")
        return None
    given = arguments.mapping
    for key in given:
        if key in implied and key == "kernel":
            message = f"{name} says its kernel in its name; use `{op}: {{kernel: ...}}`"
            check.report_key(arguments, key, message)
        elif key not in signature.arguments:
            options = [k for k in signature.arguments if k not in implied]
            taken = f"allowed: {', '.join(options)}" if options else "it takes none"
            message = f"{name}: unknown argument `{printable(key)}`; {taken}{did_you_mean(key, options)}"
            check.report_key(arguments, key, message)
    lists: dict[str, OpList] = {}
    for key, argument in signature.arguments.items():
        if argument.required and key not in given and key not in implied and key != "out":
            check.report(place, f"{name}: argument `{key}` is missing: {allowed(argument)}")
        elif key in given and "ops" in argument.kinds:
            lists[key] = parse_ops(given[key], vocabulary, check)
        elif key in given:
            check_constant(f"{name}: {key}", given[key], argument, check)
    return OpCall(name, op, stem, {**implied, **given}, place, lists)


# names that other libraries use for a block; ops declare such names themselves
_BLOCKS = {"se": "squeeze_excite", "skip": "shortcut", "downsample": "shortcut"}


def called(name: str, ops: Mapping[str, Signature]) -> str | None:
    """Return the op of which a name is an alias; names of ops and blocks come before it."""
    return next((op for op, signature in ops.items() if name in signature.aliases), None)


def _meant(name: str, vocabulary: Vocabulary) -> str:
    """Return a hint with the name that an unknown one most likely means."""
    ops, words = vocabulary.ops, name.split()
    sized = [op for op, signature in ops.items() if signature.kernel_in_name]
    known = [*vocabulary.op_names()]
    known += [form for op in sized for form in (f"{op}3x3", f"{op}1x1", f"{DEPTHWISE}{op}3x3")]
    others = {alias: op for op, of in ops.items() for alias in (*of.aliases, *of.near)}
    if len(words) > 1 and all(word in known or word in others for word in words):
        return f"; a comma is missing: [{', '.join(words)}]"
    plain = name.lower()
    meant = plain if plain in known else others.get(plain, _BLOCKS.get(plain))
    if meant in known:
        return f"; did you mean `{meant}`?"
    return did_you_mean(name, known) or did_you_mean(name, list(others))


def check_constant(what: str, node: Node, argument: Argument, check: Problems) -> None:
    """Check a constant argument's type; a block's argument may be anything (`kinds` is empty)."""
    if not argument.kinds or any(isinstance(part.value, Expression) for part in all_nodes(node)):
        return
    if not fits(plain(node), argument):
        check.report(node, f"{what} must be {allowed(argument, node.value)}, got {node.shown()}")


def expand(name: str, ops: Mapping[str, Signature]) -> tuple[str, str, dict[str, Node]]:
    """A name with its kernel in it -> (op, stem, implied arguments).

    >>> ops = {name: Signature(name, {}, kernel_in_name=name == "fold") for name in ("fold", "bn")}
    >>> expand("fold3x3", ops)[:2], expand("dwfold7x7", ops)[:2], expand("bn", ops)[:2], expand("bn3x3", ops)[:2]
    (('fold', 'fold'), ('fold', 'dwfold'), ('bn', 'bn'), ('bn3x3', 'bn3x3'))
    """
    match = _SIZED.fullmatch(name)
    stem = match[1] if match is not None else ""
    deep = _takes_kernel(stem.removeprefix(DEPTHWISE), ops) and not _takes_kernel(stem, ops)
    op = stem.removeprefix(DEPTHWISE) if deep else stem
    if match is None or not _takes_kernel(op, ops):
        return name, name, {}
    implied = {"kernel": from_plain([int(match[2]), int(match[3])])}
    if deep:
        implied |= {"out": from_plain("$channels"), "groups": from_plain("$channels")}
    return op, stem, implied


def _takes_kernel(name: str, ops: Mapping[str, Signature]) -> bool:
    return name in ops and ops[name].kernel_in_name


def taken_by(name: str, ops: Mapping[str, Signature]) -> str | None:
    """Return a description of what already has a block's name; None where it is free."""
    if name == "repeat":
        return "it is a word of the language"
    op = expand(name, ops)[0]
    if op not in ops:
        return None
    origin = ops[op].origin
    what = f"an op of {origin}" if origin.startswith("plugin ") else f"a built-in op (resbench.ops, {origin})"
    return f"it is the name of {what}" if op == name else f"it is `{op}` with its kernel in its name, {what}"


def block_signature(name: str, params: Mapping[str, Param], inputs: int, origin: str) -> Signature:
    """Return a block's signature: its params are its arguments, checked where they are used."""
    arguments = {key: Argument((), False, doc=param.doc) for key, param in params.items()}
    return Signature(name, arguments, (inputs, inputs), origin=origin)


def check_inputs(name: str, signature: Signature, given: int) -> None:
    """Raise Reason when an op gets fewer or more sources than it reads."""
    low, high = signature.inputs
    if given < low or (high is not None and given > high):
        wanted = f"{low}" if high == low else f"at least {low}" if high is None else f"{low} to {high}"
        raise Reason(f"{name} reads {wanted} source{'s' if wanted != '1' else ''}, got {given}")
