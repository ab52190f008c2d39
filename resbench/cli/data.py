"""`resbench data`: a list of the data sets, or the details of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from resbench.cli.completion import complete_datasets
from resbench.cli.echo import echo
from resbench.cli.options import Json, Plugins

Name = Annotated[
    str | None,
    typer.Argument(metavar="[NAME]", help="A data set. Default: list all.", autocompletion=complete_datasets),
]
Settings = Annotated[
    list[str] | None, typer.Argument(metavar="[SETTING=VALUE]...", help="Settings of the data set, as in a study: "
        "path=birds size=64")
]  # fmt: skip


def data(name: Name = None, settings: Settings = None, json: Json = False, plugins: Plugins = None) -> None:
    """List the data sets with their shapes, classes and splits, or print the classes, digest and properties of one."""
    if name is None:
        _list(json)
    else:
        _show(name, settings or [], json)


def _list(json: bool) -> None:
    from resbench.cli.output import print_json, print_table
    from resbench.data.registry import listed, names

    found = {name: (listed(name), _settings(name)) for name in names()}
    if json:
        print_json([{**(asdict(i) if i else {"name": name}), "settings": given} for name, (i, given) in found.items()])
        return
    rows = []
    for name, (i, given) in found.items():
        facts = (
            ["–"] * 5 if i is None else ["x".join(map(str, i.input_shape)), i.n_classes, i.n_train, i.n_val, i.n_test]
        )
        rows.append([name, *facts, ", ".join(given) or "–", "" if i is None else i.source])
    print_table(["name", "image", ">classes", ">train", ">val", ">test", "settings", "source"], rows)


def _show(name: str, words: Sequence[str], json: bool) -> None:
    from resbench.api.architecture.request import settings_of
    from resbench.api.study.decoding import Decoding
    from resbench.cli.output import print_json, print_table
    from resbench.data.registry import absent, info
    from resbench.language.yaml.node import values

    given = settings_of(words)
    about, gone = info(name, given), absent(name)
    if gone is not None:
        if json:
            print_json({**asdict(about), "absent": gone})
        else:
            echo(f"{name}: {gone}")
        return
    from resbench.data.dataset import SPLITS
    from resbench.data.notes import by_class, notes, sizes
    from resbench.workers.data import loaded

    dataset, digest = loaded(name, values(given), Decoding(partial(echo, err=True)))
    counts = by_class(dataset)
    if json:
        classes = [{"name": one, **dict(zip(SPLITS, n, strict=True))} for one, n in counts.items()]
        print_json({**asdict(about), "digest": digest, "classes": classes, "notes": notes(dataset)})
        return
    print_table(["class", *(f">{split}" for split in SPLITS)], [[one, *n] for one, n in counts.items()])
    for line in (
        sizes(about),
        f"source: {about.source}; licence: {about.licence}",
        f"digest: {digest}",
        *notes(dataset),
    ):
        echo(line)


def _settings(name: str) -> dict[str, object]:
    """Return the settings with their defaults; None marks a required one."""
    from resbench.data.registry import settings

    fields = settings(name).model_fields.items()
    return {key: None if field.is_required() else field.default for key, field in fields}
