"""`resbench results export STUDY -o FILE`: a study's ranking, runs or epochs as a file for other programs and for papers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.options import Db, Force, Raw, database
from resbench.cli.terminal import echo
from resbench.errors import BadInput, did_you_mean
from resbench.escape import printable

if TYPE_CHECKING:
    from resbench.evidence.leaderboard import Leaderboard
    from resbench.report.markup import TextTable

TABLES, MARKUPS = (".parquet", ".csv", ".json"), (".md", ".tex")
WHAT = ("leaderboard", "runs", "epochs")


def export(
    study: Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help=".parquet, .csv, .json, .md or .tex: its ending tells the format.")
    ],
    what: Annotated[
        str | None,
        typer.Option("--what", metavar="WHAT", help="leaderboard, runs or epochs. Else runs; in .md and .tex the leaderboard.",
                     show_default=False),
    ] = None,
    force: Force = False,
    db: Db = None,
    raw: Raw = False,
) -> None:  # fmt: skip
    """Write a study's ranking, runs or epochs to a file. Test scores are never among them."""
    wanted = _wanted(out, what)
    if raw and out.suffix.lower() != ".csv":
        raise BadInput(f"--raw applies only to .csv, got {printable(str(out), 300)}")
    from resbench.files import write
    from resbench.store.engine import open_store

    url = database(db)
    engine = open_store(url, create=False)
    if out.suffix.lower() in MARKUPS:
        from resbench.evidence.leaderboard import leaderboard
        from resbench.report.markup import MARKUPS as WRITTEN

        board = leaderboard(engine, study)
        data, told = WRITTEN[out.suffix.lower()](_text_table(board)).encode(), f"{len(board.rows)} units"
    else:
        from resbench import __version__
        from resbench.report.results import epoch_rows, leaderboard_rows, run_rows
        from resbench.report.rows_file import WRITERS, raw_csv

        rows = {"leaderboard": leaderboard_rows, "runs": run_rows, "epochs": epoch_rows}[wanted](engine, study)
        if not rows:
            raise BadInput(f"study {study} has no {wanted} yet: nothing to export; `resbench study run` trains them")
        about = {"study": study, "what": wanted, "resbench": __version__}
        written = raw_csv if raw else WRITERS[out.suffix.lower()]
        data, told = written(rows, about), f"{len(rows)} rows"
    write(out, data, force=force)
    echo(f"{out}: {wanted} of {study}, {told}", err=True)


def _wanted(out: Path, what: str | None) -> str:
    """What goes into the file. Raises BadInput for an ending or a word that nobody knows, and for the two at odds."""
    ending, shown = out.suffix.lower(), printable(str(out), 300)
    endings = (*TABLES, *MARKUPS)
    if ending not in endings:
        said = f"`{printable(ending)}` says none" if ending else "it has none"
        raise BadInput(
            f"{shown}: the ending tells the format, and {said}; endings: {', '.join(endings)}"
            f"{did_you_mean(ending, endings)}"
        )
    if what is not None and what not in WHAT:
        raise BadInput(f"--what {printable(what)}: choose from {', '.join(WHAT)}{did_you_mean(what, WHAT)}")
    if ending in MARKUPS and what not in (None, "leaderboard"):
        raise BadInput(f"{shown}: {ending} is for the leaderboard; {what} go to {', '.join(TABLES)}")
    return what or ("leaderboard" if ending in MARKUPS else "runs")


def _text_table(board: Leaderboard) -> TextTable:
    """What `results top` shows."""
    from resbench.cli.ranking import cells, columns, title
    from resbench.cli.show import cell
    from resbench.evidence.notes import notes
    from resbench.report.markup import TextTable

    rows = tuple(tuple(cell(value) for value in cells(row, board)) for row in board.rows)
    strong = frozenset(number for number, row in enumerate(board.rows) if row.ranked.tied_with_best)
    return TextTable(title(board), tuple(columns(board)), rows, strong, tuple(notes(board)))
