"""`resbench ops`: every op and block with its arguments, without importing torch."""

from __future__ import annotations

from resbench.cli.options import Json, Plugins


def ops(json: Json = False, plugins: Plugins = None) -> None:
    """Every op and block a unit may use, with arguments and defaults."""
    from resbench.cli.output import print_json, print_table
    from resbench.language.graph.signature import allowed
    from resbench.language.library.library import Library
    from resbench.language.yaml.node import flow, plain
    from resbench.ops.schema import table

    library = Library(table())
    entries: list[tuple[str, str, dict[str, dict[str, object]], str]] = []
    for name, signature in sorted(table().items()):
        arguments: dict[str, dict[str, object]] = {
            key: {"allowed": allowed(a), "required": a.required} | ({} if a.required else {"default": a.default})
            for key, a in signature.arguments.items()
        }
        entries.append((name, "op", arguments, signature.doc))
    for name in library.names("block"):
        block = library.block(name)
        params: dict[str, dict[str, object]] = {k: {"default": plain(p.default)} for k, p in block.body.params.items()}
        entries.append((name, "block", params, block.doc))
    if json:
        print_json([{"name": name, "kind": kind, "arguments": args, "doc": doc} for name, kind, args, doc in entries])
        return
    said = [
        [
            name,
            kind,
            ", ".join(f"{k}: {flow(a['default'])}" if "default" in a else f"{k}*" for k, a in args.items()),
            doc,
        ]
        for name, kind, args, doc in entries
    ]
    print_table(["name", "kind", "arguments (*: must be given)", "what it is"], said)
