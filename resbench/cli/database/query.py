"""`resbench query "SELECT ..."`: read-only SQL on the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.echo import echo, write_file
from resbench.cli.options import Db, Json, Raw, database
from resbench.errors import BadInput
from resbench.escape import csv_text

if TYPE_CHECKING:
    from resbench.store.query.query import QueryResult


def query(
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help="A SELECT over v_runs, v_epochs, v_leaderboard, v_units or any table.")
    ],
    db: Db = None,
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values with a header.")] = False,
    raw: Raw = False,
    max_rows: Annotated[int, typer.Option("--max-rows", min=1, max=10**9, help="Maximum number of rows.")] = 10_000,
    timeout_s: Annotated[float, typer.Option("--timeout", min=0.1, max=86_400, help="Maximum time in seconds.")] = 30.0,
) -> None:
    """Run read-only SQL on the database. It cannot read test scores; `results top STUDY --test` shows them."""
    from resbench.store.query.query import ask

    if json and csv:
        raise BadInput("--json and --csv: give one of them")
    if raw and not csv:
        raise BadInput("--raw applies only to --csv")
    asked = ask(database(db), sql, max_rows=max_rows, timeout_s=timeout_s)
    from resbench.cli import output as show

    result = asked.result()
    if json:
        _print_json(result)
    elif csv:
        write_file(csv_text(result.columns, result.rows, raw=raw))
    else:
        show.print_table(result.columns, result.rows)
    if result.truncated:
        echo(f"more than {max_rows} rows: the rest is left out; --max-rows raises the limit", err=True)


def _print_json(result: QueryResult) -> None:
    from resbench.cli.output import json_value, print_json

    twice = [name for name in dict.fromkeys(result.columns) if result.columns.count(name) > 1]
    if twice:
        raise BadInput(f"--json: column names must differ, got {', '.join(twice)} several times; rename them with AS")
    print_json([dict(zip(result.columns, map(json_value, row), strict=True)) for row in result.rows])
