"""`resbench ops`: every op and block with its arguments, without importing torch."""

from __future__ import annotations

from resbench.cli.options import Json, Plugins


def ops(json: Json = False, plugins: Plugins = None) -> None:
    """List the ops and blocks, with their arguments, defaults and aliases; --json adds role and effect on the identity path."""
    from resbench.cli.output import print_json, print_table
    from resbench.language.graph.op_facts import effect_of
    from resbench.language.graph.signature import allowed
    from resbench.language.library.library import Library
    from resbench.language.yaml.node import flow, plain
    from resbench.ops.schema import table

    library = Library(table())
    entries: list[tuple[str, str, dict[str, dict[str, object]], str]] = []
    facts: dict[str, dict[str, object]] = {}
    for name, signature in sorted(table().items()):
        arguments: dict[str, dict[str, object]] = {
            key: {"allowed": allowed(a), "required": a.required} | ({} if a.required else {"default": a.default})
            for key, a in signature.arguments.items()
        }
        entries.append((name, "op", arguments, signature.doc))
        effect = signature.effect or effect_of(signature.joins)
        facts[name] = {
            "aliases": list(signature.aliases),
            "role": signature.role,
            "effect": effect,
            "joins": signature.joins,
        }
    for name in library.names("block"):
        block = library.block(name)
        params: dict[str, dict[str, object]] = {k: {"default": plain(p.default)} for k, p in block.body.params.items()}
        entries.append((name, "block", params, block.doc))
    nothing: dict[str, object] = {"aliases": [], "role": None, "effect": None, "joins": None}  # of a block
    if json:
        print_json(
            [
                {"name": name, "kind": kind, "arguments": args, "doc": doc, **facts.get(name, nothing)}
                for name, kind, args, doc in entries
            ]
        )
        return
    rows = [
        [
            name,
            kind,
            ", ".join(f"{k}: {flow(a['default'])}" if "default" in a else f"{k}*" for k, a in args.items()),
            doc,
            ", ".join(table()[name].aliases) if kind == "op" else "",
        ]
        for name, kind, args, doc in entries
    ]
    print_table(["name", "kind", "arguments (*: required)", "description", "aliases"], rows)
