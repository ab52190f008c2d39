"""`resbench data`: the data sets there are."""

from __future__ import annotations

from dataclasses import asdict

from resbench.cli.options import Json, Plugins


def data(json: Json = False, plugins: Plugins = None) -> None:
    """Every data set with its shape, classes and splits."""
    from resbench.cli.show import print_json, print_table
    from resbench.data.registry import listed, names

    found = {name: (listed(name), _settings(name)) for name in names()}
    if json:
        print_json([{**(asdict(i) if i else {"name": name}), "settings": given} for name, (i, given) in found.items()])
        return
    rows = []
    for name, (i, given) in found.items():
        told = (
            ["–"] * 5 if i is None else ["x".join(map(str, i.input_shape)), i.n_classes, i.n_train, i.n_val, i.n_test]
        )
        rows.append([name, *told, ", ".join(given) or "–", "" if i is None else i.source])
    print_table(["name", "image", ">classes", ">train", ">val", ">test", "settings", "source"], rows)


def _settings(name: str) -> dict[str, object]:
    """With the value that each has where none is said; None where one must be."""
    from resbench.data.registry import settings

    fields = settings(name).model_fields.items()
    return {key: None if field.is_required() else field.default for key, field in fields}
