"""`resbench data`: the data sets there are."""

from __future__ import annotations

from dataclasses import asdict

from resbench.cli.options import Json, Plugins


def data(json: Json = False, plugins: Plugins = None) -> None:
    """Every data set with its shape, classes and splits."""
    from resbench.cli.show import print_json, print_table
    from resbench.data.registry import info, names

    found = [info(name) for name in names()]
    if json:
        print_json([asdict(item) for item in found])
        return
    rows = [
        [i.name, "x".join(map(str, i.input_shape)), i.n_classes, i.n_train, i.n_val, i.n_test, i.source] for i in found
    ]
    print_table(["name", "image", ">classes", ">train", ">val", ">test", "source"], rows)
