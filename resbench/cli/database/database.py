"""`resbench db upgrade|check|backup|merge`: commands on a database as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.echo import echo
from resbench.cli.options import Checkpoints, Db, Force, Json, Timeout, database
from resbench.errors import BadInput

if TYPE_CHECKING:
    from resbench.store.maintenance.check import DatabaseCheck
    from resbench.store.merge.conflicts import MergeReport

app = typer.Typer(help="Upgrade, check, copy and merge databases of results.", no_args_is_help=True)


@app.command()
def upgrade(db: Db = None) -> None:
    """Upgrade a database to the schema of this version, and recreate views of resbench that are missing or changed.

    A copy of a SQLite file is kept beside it first.
    """
    from resbench.store.connection.location import locate
    from resbench.store.maintenance.upgrade import upgrade_database
    from resbench.store.schema.revision import REVISIONS, SEALED_SINCE

    url = database(db)
    done = upgrade_database(url)
    shown = locate(url).shown
    kept = f"the old database is kept as {done.copy}"
    if done.copy is None:
        kept = "no copy was made, since the database is on a server; use the server's own tools to copy it"
    if done.found != done.now:
        echo(f"{shown}: upgraded from {done.found} to {done.now}; {kept}", err=True)
        if done.copy is not None and REVISIONS.index(done.found) < REVISIONS.index(SEALED_SINCE):
            echo(f"test scores are sealed from now on; {done.copy.name} still shows them to whoever opens it", err=True)
    elif done.views:
        echo(f"{shown}: has the schema {done.now} already; recreated: {', '.join(done.views)}; {kept}", err=True)
    else:
        echo(f"{shown}: has the schema {done.now} already; nothing was changed", err=True)
    if done.no_reader is not None:
        echo(
            f"`resbench query` will refuse this database, since its read-only role cannot be created: {done.no_reader}; "
            "run this once as a user who may create roles",
            err=True,
        )


@app.command()
def check(db: Db = None, timeout_s: Timeout = None, json: Json = False, checkpoints: Checkpoints = None) -> None:
    """Check a database and its kept weights for damage, and its rows for inconsistencies. Nothing is changed.

    Exit status 4 reports a fault. A missing file of weights is only a note: it may be in another folder.
    """
    from resbench.cli.output import print_json, print_table
    from resbench.store.checkpoints.faults import OPTION
    from resbench.store.maintenance.check import check_database

    checked = check_database(database(db), checkpoints=checkpoints, transaction_s=timeout_s)
    if json:
        print_json([
            {"what": one.what, "ok": not one.wrong, "wrong": list(one.wrong), "notes": list(one.notes)} for one in checked
        ])  # fmt: skip
    else:
        print_table(["what must hold", ""], [[one.what, _outcome(one)] for one in checked])
        for one in checked:
            for line in _shortened(one.wrong):
                echo(f"{one.what}? {line}", err=True)
            for line in _shortened(one.notes):
                echo(f"note: {line}", err=True)
        if any(one.notes for one in checked):
            echo(f"note: {OPTION}; `resbench results weights RUN` trains a run again if its file is lost", err=True)
    if any(one.wrong for one in checked):
        raise typer.Exit(4)


def _outcome(one: DatabaseCheck) -> str:
    notes = f"{len(one.notes)} missing" if one.notes else ""
    return ", ".join(filter(None, [f"{len(one.wrong)} wrong" if one.wrong else "", notes])) or "ok"


def _shortened(lines: Sequence[str]) -> list[str]:
    from resbench.store.maintenance.check import MOST

    return [*lines[:MOST], *([f"and {len(lines) - MOST} more"] if len(lines) > MOST else [])]


@app.command()
def backup(
    out: Annotated[str, typer.Argument(metavar="FILE", help="The file of the copy, which must not exist yet.")],
    db: Db = None,
    force: Force = False,
    checkpoints: Checkpoints = None,
) -> None:
    """Copy a database, also while it is in use. The copy is checked, and it appears only when it is complete.

    Kept weights are copied to a folder beside the copy.
    """
    from resbench.store.maintenance.backup import backup as copy

    url = database(db)
    target = copy(url, out, force=force)
    echo(f"copied to {target}", err=True)
    _carry([url], str(target), checkpoints)


@app.command()
def merge(
    databases: Annotated[
        list[str], typer.Argument(metavar="A.db B.db [C.db]...", help="B and C are merged into A; they are only read.")
    ],
    out: Annotated[
        str | None, typer.Option("-o", "--out", metavar="FILE", help="Merge all into a new file; A is only read, too.")
    ] = None,
    force: Force = False,
    rename: Annotated[
        bool,
        typer.Option("--rename", help="If a different study has the same name, add it under its name with a number."),
    ] = False,
    timeout_s: Timeout = None,
    json: Json = False,
    checkpoints: Checkpoints = None,
) -> None:
    """Merge the runs and studies of several databases. A run that is in two of them is stored once.

    If the same run has different numbers, those of the first database are kept, both are printed, and the exit status is 1.
    The merge is one transaction. Merging again changes nothing.
    """
    from resbench.cli.output import print_json
    from resbench.store.merge.databases import merge as merge_into
    from resbench.store.merge.databases import merge_to_new

    if len(databases) < 2:
        raise BadInput(f"db merge: expected two or more databases, got {databases[0]}")
    if out is None:
        merged = merge_into(databases[0], databases[1:], rename=rename, transaction_s=timeout_s)
    else:
        merged = merge_to_new(out, databases, rename=rename, force=force, transaction_s=timeout_s)
    if json:
        print_json([one.as_json() for one in merged])
    else:
        _print_merged(merged)
    _carry(databases, databases[0] if out is None else out, checkpoints)
    if any(one.conflicts for one in merged):
        raise typer.Exit(1)


def _carry(sources: list[str], target: str, checkpoints: str | None) -> None:
    """Copy the kept weights and print what the user has to know of them."""
    from resbench.drawing.format import count
    from resbench.store.checkpoints.copies import carry_weights

    done = carry_weights(sources, target, checkpoints)
    if done.files:
        echo(f"{done.files} files of weights, {count(done.bytes)}B, to {done.folder}", err=True)
    if checkpoints is not None:
        echo(f"the weights of {target} are in {done.folder}: commands that read them need --checkpoints too", err=True)
    if done.missing:
        echo(
            f"the files of weights of {done.missing} runs were not found; `resbench results weights` trains such a run again",
            err=True,
        )


def _names(studies: list[str], shown: int = 5) -> str | None:
    more = f" and {len(studies) - shown} more" if len(studies) > shown else ""
    return ", ".join(studies[:shown]) + more or None


def _print_merged(merged: list[MergeReport]) -> None:
    from resbench.cli.output import print_table

    columns = [
        "from",
        ">runs added",
        ">there before",
        ">failed replaced",
        "studies added",
        "studies joined",
        ">conflicts",
    ]
    print_table(columns, [
        [
            one.source, one.runs_added, one.runs_there, one.runs_replaced,
            _names(one.studies_added), _names(one.studies_joined), len(one.conflicts),
        ]
        for one in merged
    ])  # fmt: skip
    for one in merged:
        for old, new in one.studies_renamed.items():
            echo(f"{one.source}: its study {old} is now {new}", err=True)
        for conflict in one.conflicts:
            values = f"{conflict.kept} is kept, {one.source} has {conflict.other}"
            outcome = "differs; the first is kept" if conflict.column == "test score" else values
            echo(f"{conflict.what}: {conflict.column}: {outcome}", err=True)
