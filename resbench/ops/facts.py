"""Read the facts in `@op(...)` from the source into a Signature, and check that no two aliases clash."""

from __future__ import annotations

import ast
from collections.abc import Collection, Container, Mapping
from dataclasses import replace
from typing import Any

from resbench.errors import Reason
from resbench.language.graph.op_facts import wrong_words
from resbench.language.graph.op_list import taken_by
from resbench.language.graph.signature import Signature
from resbench.language.names import why_not

_NAMES, _WORDS, _FLAGS = (
    ("aliases", "near"),
    ("role", "effect", "joins"),
    ("kernel_in_name", "by_channel", "global_pool"),
)


def read_facts(signature: Signature, decorator: ast.Call, known: Mapping[str, ast.expr]) -> Signature:
    """Return the signature with the facts of its decorator. Raise Reason for an unknown word."""
    facts = {
        keyword.arg: constant(keyword.value, known, f"`{keyword.arg}` of op `{signature.name}`")
        for keyword in decorator.keywords
        if keyword.arg in (*_NAMES, *_WORDS, *_FLAGS)
    }
    for key in _NAMES:
        names = facts.get(key, ())
        if not isinstance(names, tuple | list) or not all(isinstance(name, str) for name in names):
            raise Reason(f"op `{signature.name}`: `{key}`: expected a tuple of names, got {names!r}")
        facts[key] = tuple(names)
    for word in facts["aliases"]:
        if (reason := why_not(word)) is not None:
            raise Reason(f"op `{signature.name}`: `aliases`: {reason}")
    for wrong in wrong_words(*(facts.get(key) for key in _WORDS)):
        raise Reason(f"op `{signature.name}`: {wrong}")
    missing = [name for name in ("kernel", "out", "groups") if name not in signature.arguments]
    if facts.get("kernel_in_name") and missing:
        raise Reason(
            f"op `{signature.name}`: `kernel_in_name` requires the arguments kernel, out and groups, got no `{missing[0]}`"
        )
    return replace(signature, **facts)


def constant(node: ast.expr, known: Mapping[str, ast.expr], what: str) -> Any:
    """Return the value of a literal, or of a name of the file that is bound to one. Raise Reason for any expression
    that would have to be run.
    """
    try:
        return ast.literal_eval(known.get(node.id, node) if isinstance(node, ast.Name) else node)
    except ValueError:
        raise Reason(
            f"{what} is `{ast.unparse(node)}`; it is read without being run: a literal is needed, or a name of this file for one"
        ) from None


def refuse_aliases(signatures: Collection[Signature], others: Mapping[str, Signature]) -> None:
    """Raise Reason for an alias that is the name or an alias of one of the ops, or of one of `others`."""
    every = {**others, **{signature.name: signature for signature in signatures}}
    for signature in signatures:
        for alias in signature.aliases:
            owners = [each.name for each in every.values() if alias in each.aliases and each.name != signature.name]
            reason = f"it is an alias of `{owners[0]}`" if owners else taken_by(alias, every)
            if reason is None and signature.aliases.count(alias) > 1:
                reason = "it is given twice"
            if reason is not None:
                raise Reason(f"op `{signature.name}`: `aliases`: expected names that are free, got `{alias}`: {reason}")


def without_aliases(signatures: Mapping[str, Signature], lost: Container[str]) -> dict[str, Signature]:
    """Return the ops without the `lost` aliases, and without those that are names of ops: names take precedence over aliases."""
    return {
        name: replace(of, aliases=tuple(alias for alias in of.aliases if alias not in lost and alias not in signatures))
        for name, of in signatures.items()
    }
