"""`resbench results list|top|compare|show`: the results of studies, without torch."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from resbench.cli.completion import complete_studies, complete_units
from resbench.cli.echo import echo
from resbench.cli.options import Db, Force, Json, Plugins, database
from resbench.cli.results import changes, plot
from resbench.cli.results import export as results_export
from resbench.cli.results import freeze as results_freeze
from resbench.cli.results import unit as results_unit
from resbench.cli.results import weights as results_weights
from resbench.cli.results.agreement import agreement
from resbench.cli.results.power import power
from resbench.errors import BadInput
from resbench.language.library.lookup import is_folder

if TYPE_CHECKING:
    from resbench.store.open import Engine

app = typer.Typer(help="Show, compare, export, plot and edit the results of studies.", no_args_is_help=True)
app.command("power")(power)
app.command("agreement")(agreement)
app.command("export")(results_export.export)
app.command("freeze")(results_freeze.freeze)
app.command("plot")(plot.plot)
app.command("delete")(changes.delete)
app.command("rename")(changes.rename)
app.command("note")(changes.note)
app.command("unit")(results_unit.unit)
app.command("weights")(results_weights.weights)
Study = Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)]


@app.command("list")
def list_(db: Db = None, json: Json = False) -> None:
    """List the studies in the database."""
    from resbench.cli.output import print_json, print_table
    from resbench.store.edits.notes import notes_on
    from resbench.store.open import open_store
    from resbench.store.results.reading import list_studies

    engine = open_store(database(db), create=False)
    found = list_studies(engine)
    if json:
        notes = notes_on(engine)
        print_json([asdict(study) | {"notes": [n.text for n in notes if n.study == study.study]} for study in found])
    else:
        print_table(["study", ">runs", "made"], [[s.study, s.runs, s.created_at] for s in found])


@app.command()
def top(
    study: Study,
    db: Db = None,
    json: Json = False,
    svg: Annotated[
        str | None, typer.Option("--svg", metavar="FILE", help="Also write the table as an SVG picture.")
    ] = None,
    force: Force = False,
    test: Annotated[
        bool, typer.Option("--test", help="Show test errors; the database records that they were looked at.")
    ] = False,
) -> None:
    """Print the ranking on the validation split, with intervals, tie group and cost."""
    from resbench.cli.results.sealed_scores import print_test
    from resbench.store.open import open_store

    if svg is not None:
        picture_file(svg, test=test)
    engine = open_store(database(db), create=False)
    if test:
        print_test(engine, study, json)
    else:
        print_ranking(engine, study, json, svg, force=force)


def has_finished(engine: Engine, study: str) -> bool:
    """Return whether the study has a finished run to rank."""
    from resbench.store.records import TERMINAL_STATUSES
    from resbench.store.results.reading import runs_of_study

    return any(run.active and run.judges and run.status in TERMINAL_STATUSES for run in runs_of_study(engine, study))


def print_ranking(engine: Engine, study: str, json: bool, svg: str | None = None, *, force: bool = False) -> None:
    from resbench.cli.output import print_json, show, terminal_width
    from resbench.cli.results.changes import line_of_notes
    from resbench.cli.results.ranking import draw_ranking, ranking_table
    from resbench.evidence.leaderboard import leaderboard

    board = leaderboard(engine, study)
    if json:
        print_json([row.as_json() for row in board.rows])
    else:
        show(ranking_table(board, terminal_width()))
        for line in line_of_notes(engine, study):
            echo(line)
    if svg is not None:
        draw_ranking(board, svg, force=force)


def picture_file(path: str, *, test: bool) -> None:
    """Raise BadInput, before the database is read, for a path that cannot be an SVG file."""
    file = Path(path)
    if test:
        raise BadInput("--svg draws the ranking on the validation split and does not apply to --test: give one of them")
    if file.suffix.lower() != ".svg":
        raise BadInput(
            f"--svg: expected a name that ends in .svg, got {path}; `resbench results plot` draws PNG and PDF too"
        )
    if not is_folder(file.parent):
        raise BadInput(f"--svg {path}: there is no folder {file.parent}")


@app.command()
def compare(
    study: Study,
    units: Annotated[
        list[str],
        typer.Argument(
            metavar="A B [C]...",
            help="Two or more units, by their names in the ranking.",
            autocompletion=complete_units,
        ),
    ],
    db: Db = None,
    json: Json = False,
    exact: Annotated[
        bool,
        typer.Option("--exact", help="Use the exact unpaired permutation test instead of the moderated Welch test."),
    ] = False,
    paired: Annotated[
        bool, typer.Option("--paired", help="Use sign flips over common seeds; requires `paired: true` in the study.")
    ] = False,
) -> None:
    """Print the differences between units: Welch interval, effect in standard deviations, and p by Holm over the pairs shown."""
    from resbench.api.results.comparison import COLUMNS, cells, compare_units
    from resbench.cli.output import print_json, print_table
    from resbench.store.open import open_store

    if exact and paired:
        raise BadInput("--exact and --paired choose different tests: give one of them")
    method: Literal["exact", "paired"] | None = "exact" if exact else "paired" if paired else None
    found = compare_units(open_store(database(db), create=False), study, units, method)
    if json:
        print_json(found.to_dicts())
        return
    print_table(COLUMNS, [cells(row, found.shown) for row in found.rows])
    for line in (found.title, *found.notes):
        echo(line)


@app.command()
def show(
    run: Annotated[int, typer.Argument(help="A run's number: run_id in v_runs.")],
    db: Db = None,
    json: Json = False,
) -> None:
    """Print one run: its numbers, every epoch, its provenance, and the command that repeats it."""
    from resbench.cli.results.run import print_run
    from resbench.store.open import open_store

    url = database(db)
    print_run(open_store(url, create=False), run, url, json)


@app.command()
def repeat(
    run: Annotated[int, typer.Argument(help="A run's number: run_id in v_runs.")],
    db: Db = None,
    json: Json = False,
    plugins: Plugins = None,
) -> None:
    """Train a run again from its stored spec, and report whether the numbers are the same. Nothing is written.

    Exit status 0: the same, bit for bit; 1: different.
    """
    from resbench.cli.results.run import print_repeat
    from resbench.store.open import open_store

    same = print_repeat(open_store(database(db), create=False), run, json)
    raise typer.Exit(0 if same else 1)
