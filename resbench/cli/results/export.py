"""`resbench results export STUDY -o FILE`: the ranking, runs or epochs of a study as a file for other programs or papers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.echo import echo
from resbench.cli.options import Db, Force, Raw, database
from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.escape import printable
from resbench.results.ranking_table import COLUMNS

if TYPE_CHECKING:
    from resbench.evidence.leaderboard import Leaderboard
    from resbench.results.writers import TextTable

TABLES, MARKUPS = (".parquet", ".csv", ".json"), (".md", ".tex")
WHAT = ("leaderboard", "runs", "epochs")
KEYS = tuple(column.key for column in COLUMNS)
IN_LATEX = ("unit", "error", "sd", "interval", "n", "best", "params")  # they fit a column of a page


def export(
    study: Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="The file to write: .parquet, .csv, .json, .md or .tex. "
            "Its ending chooses the format.")
    ],
    what: Annotated[
        str | None,
        typer.Option("--what", metavar="WHAT", help="leaderboard, runs or epochs. Default: runs; for .md and .tex the "
            "leaderboard.",
                     show_default=False),
    ] = None,
    shown_columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="NAMES", show_default=False,
                     help=f"Columns of .md and .tex, separated by commas: {', '.join(KEYS)}, names of further objectives. "
                     f"Default: all in .md, and {', '.join(IN_LATEX)} in .tex.")] = None,
    booktabs: Annotated[bool, typer.Option("--booktabs", help="In .tex: use the rules of the package booktabs.")] = False,
    force: Force = False,
    db: Db = None,
    raw: Raw = False,
) -> None:  # fmt: skip
    """Write the ranking, the runs or the epochs of a study to a file, which never contains test scores."""
    wanted, ending = _wanted(out, what), out.suffix.lower()
    for flag, given, where in (
        ("--raw", raw, (".csv",)), ("--columns", shown_columns is not None, MARKUPS), ("--booktabs", booktabs, (".tex",))
    ):  # fmt: skip
        if given and ending not in where:
            raise BadInput(f"{flag} applies only to {' and '.join(where)}, got {printable(str(out), 300)}")
    from resbench.files import write
    from resbench.store.open import open_store

    url = database(db)
    engine = open_store(url, create=False)
    if ending in MARKUPS:
        from resbench.evidence.leaderboard import leaderboard
        from resbench.results.writers import as_latex, as_markdown, latex_excess_pt

        board = leaderboard(engine, study)
        latex = ending == ".tex"
        table = _text_table(board, IN_LATEX if latex and shown_columns is None else _split(shown_columns))
        data = (as_latex(table, booktabs=booktabs) if latex else as_markdown(table)).encode()
        size = f"{len(board.rows)} units"
        if latex and (excess := latex_excess_pt(table)):
            size += f"; about {excess} pt too wide for a column of LaTeX's article: choose fewer --columns"
    else:
        from resbench import __version__
        from resbench.results.views import epoch_rows, leaderboard_rows, run_rows
        from resbench.results.writers import WRITERS, raw_csv

        rows = {"leaderboard": leaderboard_rows, "runs": run_rows, "epochs": epoch_rows}[wanted](engine, study)
        if not rows:
            raise BadInput(f"study {study}: expected {wanted} to export, got none; `resbench study run` trains them")
        about = {"study": study, "what": wanted, "resbench": __version__}
        written = raw_csv if raw else WRITERS[ending]
        data, size = written(rows, about), f"{len(rows)} rows"
    write(out, data, force=force)
    echo(f"{out}: {wanted} of {study}, {size}", err=True)


def _wanted(out: Path, what: str | None) -> str:
    """Return the content of the file. Raises BadInput for an unknown ending or content, and for a pair that does not fit."""
    ending, shown = out.suffix.lower(), printable(str(out), 300)
    endings = (*TABLES, *MARKUPS)
    if ending not in endings:
        got = f"`{printable(ending)}`" if ending else "none"
        raise BadInput(
            f"-o {shown}: expected a file name that ends in {', '.join(endings)}, got {got}{did_you_mean(ending, endings)}"
        )
    if what is not None and what not in WHAT:
        raise BadInput(f"--what: expected {', '.join(WHAT)}, got {printable(what)}{did_you_mean(what, WHAT)}")
    if ending in MARKUPS and what not in (None, "leaderboard"):
        raise BadInput(
            f"--what {what}: expected a file that ends in {', '.join(TABLES)}, got {shown}; {ending} holds only the leaderboard"
        )
    return what or ("leaderboard" if ending in MARKUPS else "runs")


def _split(names: str | None) -> tuple[str, ...]:
    """Split `unit,error, sd` into names; no name stands for all columns."""
    return () if names is None else tuple(name.strip() for name in names.split(","))


def _text_table(board: Leaderboard, wanted: Sequence[str]) -> TextTable:
    """Return the table of `results top` with the wanted columns, or all. Raises BadInput for an unknown column."""
    from resbench.evidence.notes import notes
    from resbench.results.ranking_table import ranking_cells, ranking_columns, ranking_title
    from resbench.results.writers import TextTable

    columns = ranking_columns(board)
    known = [column.key for column in columns]
    for name in wanted:
        if name not in known:
            raise BadInput(f"--columns: expected {', '.join(known)}, got {printable(name)}{did_you_mean(name, known)}")
    if wanted and ("unit" not in wanted or len(set(wanted)) < len(wanted)):
        raise BadInput("--columns: expected `unit` and other columns, each once, since every row needs its name")
    places = [known.index(name) for name in wanted or known]
    heads = [column.aligned_head for column in columns]
    rows = [[cell.text for cell in ranking_cells(row, board)] for row in board.rows]
    strong = frozenset(number for number, row in enumerate(board.rows) if row.ranked.tied_with_best)
    lines = notes(board)
    if strong and wanted and "best" not in wanted:
        lines = ["Bold: not worse than the best, by the tests of this study.", *lines]
    return TextTable(
        ranking_title(board), tuple(heads[n] for n in places), tuple(tuple(row[n] for n in places) for row in rows), strong,
        tuple(lines), board.study,
    )  # fmt: skip
