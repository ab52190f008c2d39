"""The table of ops -> Markdown: an overview, then each op with its arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping

from resbench.language.graph.signature import Signature, allowed
from resbench.language.yaml.scalar import flow
from tools.docs.language_values import markdown_table


def ops(table: Mapping[str, Signature]) -> str:
    signatures = [table[name] for name in sorted(table)]
    rows = [(_link(s), words(s)[0], _shapes(s), _source(s), _aliases(s)) for s in signatures]
    parts = [markdown_table(("op", "is", "shapes", "source", "also called"), rows)]
    parts += [_described(signature) for signature in signatures if signature.arguments or signature.more]
    return "\n\n".join(parts)


def words(signature: Signature) -> list[str]:
    """Return the parts of the first line, separated by two spaces: description, shapes, and the rest.

    >>> words(Signature("relu", {}, doc="Rectifier.  BCHW -> BCHW.  Nair & Hinton 2010"))
    ['Rectifier', 'BCHW -> BCHW', 'Nair & Hinton 2010']
    """
    return [part.removesuffix(".") if not part.endswith("...") else part for part in signature.doc.split("  ")]


def _link(signature: Signature) -> str:
    name = signature.name
    return f"[`{name}`](#{name})" if signature.arguments or signature.more else f"`{name}`"


def _aliases(signature: Signature) -> str:
    return ", ".join(f"`{alias}`" for alias in signature.aliases)


def _shapes(signature: Signature) -> str:
    return next((part for part in words(signature) if "->" in part), "")


def _source(signature: Signature) -> str:
    """Return the parts that name a year or a paper; else the paper that the rest names."""
    found = [part for part in words(signature)[1:] if "->" not in part and _cites(part)]
    elsewhere = [line for line in signature.more.split("\n") if re.search(r"arXiv:[0-9]", line) and len(line) < 80]
    return "; ".join(found or elsewhere[:1])


def _cites(text: str) -> bool:
    return re.search(r"arXiv:|\b(19|20)[0-9]{2}\b", text) is not None


def paragraphs(signature: Signature, *, source: bool = False) -> list[str]:
    """Return an op's description, with its shapes as code, and the rest of its docstrings; with `source` also its
    paper.

    >>> paragraphs(Signature("relu", {}, doc="Rectifier.  BCHW -> BCHW.  Nair & Hinton 2010"), source=True)
    ['Rectifier, `BCHW -> BCHW`.', 'Nair & Hinton 2010']
    """
    first, *rest = words(signature)
    shapes = f", `{_shapes(signature)}`" if _shapes(signature) else ""
    others = [part for part in rest if "->" not in part]
    more = [f"{part}." for part in others if not _cites(part)]
    cited = [part for part in others if _cites(part)] if source else []
    found = [f"{first}{shapes}.", *more, *signature.more.split("\n\n"), *cited]
    return [" ".join(text.split()) for text in found if text.strip(" .")]


def _described(signature: Signature) -> str:
    """Return the heading, description and arguments of one op."""
    text = "\n\n".join(paragraphs(signature))
    head = f"### {signature.name}\n{text}"
    if not signature.arguments:
        return head
    rows = [
        (f"`{key}`", allowed(a), _default(key, a.required, a.default), a.doc) for key, a in signature.arguments.items()
    ]
    return f"{head}\n\n{markdown_table(('argument', 'may be', 'default', 'is'), rows)}"


def _default(key: str, required: bool, default: object) -> str:
    if required:
        return "the unit's `$out`" if key == "out" else "must be given"
    return "" if default is None else f"`{flow(default)}`"
