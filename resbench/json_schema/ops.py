"""The ops and blocks of a library -> JSON Schema of an op, and of a list of ops (`$defs` of the files that hold
ops)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from resbench.errors import BadInput
from resbench.json_schema.editor import if_list, offer
from resbench.json_schema.values import EXPRESSION, EXPRESSION_REF, Schema, argument, param, texts, words
from resbench.language.graph.op_list import DEPTHWISE, MAX_OPS, expand
from resbench.language.graph.params import Param
from resbench.language.graph.signature import Argument, Signature
from resbench.language.library.library import Library
from tools.docs.language_ops import paragraphs

KERNEL = r"[1-9][0-9]{0,2}x[1-9][0-9]{0,2}"
OFFERED = (1, 3, 5, 7)  # kernels that an editor completes; no depthwise one of 1
_REPEAT: Schema = {
    "type": "object",
    "title": "repeat",
    "doNotSuggest": True,
    "description": "The ops, repeated one behind the other; each repeat has weights of its own.",
    "properties": {
        "times": {
            "type": ["string", "integer"], "minimum": 0, "maximum": 1000, "pattern": f"^{EXPRESSION}$",
            "description": "The number of repeats: a whole number, or an expression.",
        },
        "ops": {"$ref": "#/$defs/ops", "description": "The ops that are repeated."},
    },
    "required": ["times", "ops"],
    "additionalProperties": False,
}  # fmt: skip


def op_schemas(library: Library, *, in_unit: bool) -> dict[str, Schema]:
    """Return the schemas of ops; `in_unit`: `out` defaults to the unit's; a network's own ops must give it."""
    plain = {name: library.ops[name] for name in sorted(library.ops)}
    mappings = {name: _mapping(signature, {}, in_unit) for name, signature in plain.items()}
    blocks = {name: _block(library, name) for name in library.names("block")}
    docs = {name: str(schema["description"]) for name, schema in {**mappings, **blocks}.items()}
    bare = {name: doc for name, doc in docs.items() if "required" not in {**mappings, **blocks}[name]}
    sized = [name for name, signature in plain.items() if signature.kernel_in_name]
    with_kernel = {
        stem: _mapping(plain[name], expand(f"{stem}1x1", plain)[2], in_unit)
        for name in sized
        for stem in (name, f"{DEPTHWISE}{name}")
    }
    offered = {
        f"{stem}{size}x{size}": f"{stem}KxK" for stem in with_kernel for size in OFFERED[stem not in sized :]
    }  # each key has one schema: that of its name, or that of its form
    others = f"(?!({'|'.join(offered)})$)"
    forms = {f"^{others}{name}{KERNEL}$": {"$ref": f"#/$defs/{name}KxK"} for name in with_kernel}
    bare_forms = [f"{name}{KERNEL}" for name, schema in with_kernel.items() if not schema.get("required")]
    docs |= {name: str(with_kernel[key.removesuffix("KxK")]["description"]) for name, key in offered.items()}
    bare |= {name: docs[name] for name in offered if any(re.fullmatch(form, name) for form in bare_forms)}
    known = {**{name: _key(name) for name in (*mappings, *blocks)}, **offered}
    keys = {name: {"$ref": f"#/$defs/{key}"} for name, key in known.items()}
    aliases = {alias: name for name, of in plain.items() for alias in of.aliases if alias not in blocks}
    keys |= {alias: keys[name] for alias, name in aliases.items()}  # accepted, but not offered
    others_bare = [alias for alias, name in aliases.items() if name in bare]
    offers = {name if name in bare else f"{name}: ": docs[name] for name in sorted(docs)}
    return {
        "ops": {
            "type": ["array", "string"],
            **if_list({"$ref": "#/$defs/op"}, {"maxItems": MAX_OPS}),
            "pattern": f"^{EXPRESSION}$",
            "patternErrorMessage": "a list of ops is needed, as in `[bn, relu]`",
            "description": "A list of ops, run one after the other, or a `$name` that stands for one.",
        },
        "op": {
            **offer({}, {**offers, "repeat: ": str(_REPEAT["description"])}),
            "if": {"type": "object"},
            "then": {
                "type": "object",
                "description": "`name: {arguments}`: one op with its arguments.",
                "properties": {**keys, "repeat": _REPEAT},
                "patternProperties": forms,
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
            "else": {
                "description": "An op or block by its name alone, or a `$name` that stands for ops.",
                "anyOf": [words(bare, bare), words(others_bare), *_bare(bare_forms), EXPRESSION_REF],
            },
        },
        "normal": {
            "type": "object",
            "title": "normal",
            "description": "Drawn from a normal distribution of mean 0.",
            "properties": {"normal": {**argument(Argument(("float",), True)), "description": "Standard deviation."}},
            "required": ["normal"],
            "additionalProperties": False,
        },
        **{_key(name): schema for name, schema in {**mappings, **blocks}.items()},
        **{f"{name}KxK": schema for name, schema in with_kernel.items()},
    }


def _key(name: str) -> str:
    return f"op_{name}"


def _bare(forms: list[str]) -> list[Schema]:
    return [texts(*forms, message="an op, a block or an expression is needed")] if forms else []


def _words(signature: Signature) -> str:
    return "\n\n".join(paragraphs(signature, source=True)) or f"op {signature.name}"


def _mapping(signature: Signature, implied: Mapping[str, Any], in_unit: bool) -> Schema:
    """Return the schema of one op's arguments; those that its name implies are omitted, or have another default."""
    properties: dict[str, Schema] = {}
    required = []
    for key, of in signature.arguments.items():
        if key in implied and key == "kernel":
            continue
        default = implied[key].value.text if key in implied else "$out" if key == "out" and in_unit else None
        properties[key] = argument(of, default)
        if of.required and default is None:
            required.append(key)
    return {
        "type": ["object", "null"],
        "title": signature.name,
        "doNotSuggest": True,  # as a key: ops are offered as they are written, most of them by the name alone
        "description": _words(signature),
        "properties": properties,
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _block(library: Library, name: str) -> Schema:
    """Return the schema of a block's params; nothing is known of a block with a faulty file."""
    try:
        block = library.block(name)
    except BadInput as error:
        return {
            "type": ["object", "null"],
            "doNotSuggest": True,
            "description": f"A block whose file has problems: {error}",
        }
    return {
        "type": ["object", "null"],
        "title": name,
        "doNotSuggest": True,
        "description": "\n\n".join(text for text in (block.doc, block.cite) if text) or f"block {name}",
        "properties": params_of(block.body.params),
        "additionalProperties": False,
    }


def params_of(params: Mapping[str, Param], *, searchable: bool = False) -> dict[str, Schema]:
    return {key: param(of, searchable=searchable) for key, of in params.items()}
