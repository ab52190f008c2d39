"""`resbench results plot STUDY [KIND]... -o FILE`: pictures of a study, one file each, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.options import Db, Force, Json, Plugins, database
from resbench.cli.terminal import echo


def plot(
    study: Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)],
    kinds: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KIND]...",
            help="curves, ranking, seeds, pareto, differences, depth, signal, gradient; else all that there is to show.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Its ending says svg, png or pdf. Of several kinds, each goes to a file of its own: FILE-KIND.ENDING.",
        ),
    ] = Path("plot.svg"),
    force: Force = False,
    train: Annotated[bool, typer.Option("--train", help="In curves, the training error too.")] = False,
    cost: Annotated[
        str, typer.Option(metavar="COST", help="Of pareto: params, macs or train_s (seconds of training).")
    ] = "params",
    db: Db = None,
    json: Json = False,
    plugins: Plugins = None,
) -> None:
    """Pictures for a page: error curves, ranking, seeds, Pareto front, differences, error against depth."""
    from resbench.cli.output import print_json
    from resbench.errors import BadInput
    from resbench.figures.figures import KINDS, kind_of, picture
    from resbench.figures.pareto import cost_of
    from resbench.figures.style import ending_of
    from resbench.files import write_all
    from resbench.results.study_results import study_results
    from resbench.store.open import open_store

    ending, against, asked = ending_of(out), cost_of(cost), [kind_of(kind) for kind in dict.fromkeys(kinds or ())]
    engine = open_store(database(db), create=False)
    study_found = study_results(engine, study)
    written, pictures = [], []
    for kind in asked or KINDS:
        try:
            data = picture(engine, study_found, kind, ending, train=train, cost=against)
        except BadInput as error:
            if asked:
                raise
            echo(f"no {kind}: {error}", err=True)
            continue
        file = out if len(asked) == 1 else out.with_name(f"{out.stem}-{kind}{out.suffix}")
        pictures.append((file, data))
        written.append({"kind": kind, "file": str(file)})
    write_all(pictures, force=force)
    if json:
        print_json(written)
    else:
        for one in written:
            echo(one["file"])
