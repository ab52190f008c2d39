"""`resbench results plot STUDY [KIND]... -o FILE`: figures of a study, one file each, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.echo import echo
from resbench.cli.options import Db, Force, Json, Plugins, database


def plot(
    study: Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)],
    kinds: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KIND]...",
            help="curves, ranking, seeds, pareto, differences, depth, signal, gradient. Default: all that apply.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="The file to write: .svg, .png or .pdf. Several kinds go to one file each: FILE-KIND.ENDING.",
        ),
    ] = Path("plot.svg"),
    force: Force = False,
    train: Annotated[bool, typer.Option("--train", help="Also draw the training error in curves.")] = False,
    cost: Annotated[
        str, typer.Option(metavar="COST", help="Cost axis of pareto: params, macs or train_s (seconds of training).")
    ] = "params",
    db: Db = None,
    json: Json = False,
    plugins: Plugins = None,
) -> None:
    """Draw figures of a study: error curves, ranking, seeds, Pareto front, differences, error against depth, profiles."""
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
