"""A database -> a list of its faults: in its schema, its pages, its references, and the rules that its rows must follow."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, Engine, select, text

from resbench.errors import DatabaseError, Reason
from resbench.store.checkpoints.faults import find_faults
from resbench.store.checkpoints.weights import kept_weights
from resbench.store.connection.location import Location, locate
from resbench.store.connection.transaction import reading
from resbench.store.open import connect, read_revision
from resbench.store.records import canonical_json
from resbench.store.results.checkpoints import checkpoint_folder
from resbench.store.results.spec_parts import parse_study
from resbench.store.schema.columns import kind_of
from resbench.store.schema.metadata import metadata
from resbench.store.schema.own_views import WAY_OUT
from resbench.store.schema.revision import check_revision
from resbench.store.schema.tables import rb_environment, rb_recipe, rb_study
from resbench.store.schema.values import shown
from resbench.store.schema.view_repair import find_wrong_views

MOST = 20  # of each kind; the rest is counted
WEIGHTS = "every file of kept weights is the one of its row"
_SHOWN = 3  # where a database is refused
# What must be true -> a query for the rows of which it is not, one text each.
_RULES = {
    "a complete run has an error between 0 and 100 %": """
        SELECT 'run ' || id || ': ' || COALESCE(CAST(val_error_pct AS TEXT), 'none') FROM rb_run
        WHERE status = 'complete' AND (val_error_pct IS NULL OR val_error_pct < 0 OR val_error_pct > 100)""",
    "a finished run has a row for each of its epochs": """
        SELECT 'run ' || r.id || ': ' || r.epochs || ' epochs, rows: ' || COALESCE(e.n, 0) FROM rb_run r
        LEFT JOIN (SELECT run_id, COUNT(*) AS n, MIN(epoch) AS first, MAX(epoch) AS last FROM rb_epoch GROUP BY run_id) e
            ON e.run_id = r.id
        WHERE r.status <> 'failed' AND (r.epochs <> COALESCE(e.n, 0) OR e.first <> 1 OR e.last <> r.epochs)""",
    "a complete run's error is that of its last epoch": """
        SELECT 'run ' || r.id || ': ' || r.val_error_pct || ', last epoch: '
            || COALESCE(e.recomputed_val_error_pct, e.val_error_pct) FROM rb_run r
        JOIN rb_epoch e ON e.run_id = r.id AND e.epoch = r.epochs
        WHERE r.status = 'complete' AND COALESCE(e.recomputed_val_error_pct, e.val_error_pct) <> r.val_error_pct""",
    "a study shows a run under a trial of its own": """
        SELECT 'run ' || l.run_id || ': trial ' || t.id || ' is of study ' || t.study_id || ', not ' || l.study_id
        FROM rb_study_run l JOIN rb_trial t ON t.id = l.trial_id WHERE t.study_id <> l.study_id""",
    "a run is what its trial asks for": """
        SELECT 'run ' || r.id || ': another architecture, recipe or data set than trial ' || t.id FROM rb_study_run l
        JOIN rb_trial t ON t.id = l.trial_id JOIN rb_run r ON r.id = l.run_id
        WHERE r.architecture <> t.architecture OR r.recipe <> t.recipe OR r.data <> t.data""",
    "a cell is what its trial asks for": """
        SELECT 'cell ' || c.id || ': another architecture, recipe or data set than trial ' || t.id FROM rb_cell c
        JOIN rb_trial t ON t.id = c.trial_id
        WHERE c.architecture <> t.architecture OR c.recipe <> t.recipe OR c.data <> t.data""",
    "an attempt that runs has a cell that runs, and is its newest": """
        SELECT 'attempt ' || a.token || ' at cell ' || a.cell_id || ': the cell is ' || c.status || ', its token ' || c.token
        FROM rb_attempt a JOIN rb_cell c ON c.id = a.cell_id
        WHERE a.outcome = 'running' AND (c.status <> 'running' OR c.token <> a.token)""",
    "only a run that came to its end has a test score": """
        SELECT 'run ' || r.id || ': ' || r.status FROM rb_test_score s JOIN rb_run r ON r.id = s.run_id
        WHERE r.status IN ('failed', 'stopped')""",
}


@dataclass(frozen=True, slots=True)
class DatabaseCheck:
    """One thing that was looked at; `wrong` is empty where it holds. `notes`: what is no fault of the database."""

    what: str
    wrong: tuple[str, ...]
    notes: tuple[str, ...] = ()


def check_database(
    url: str, *, checkpoints: str | None = None, transaction_s: float | None = None
) -> list[DatabaseCheck]:
    """Look at a database, and at the weights that it keeps.

    Args:
        url: the database.
        checkpoints: its folder of checkpoints, where that is another than DATABASE.checkpoints.
        transaction_s: seconds that the transaction may take.

    Raises:
        DatabaseError: where there is nothing that could be looked into: missing, foreign, of another schema.
    """
    location = locate(url)
    engine = connect(location, create=False, transaction_s=transaction_s, bulk=True)
    try:
        with reading(engine) as connection:
            _keep_broken_texts(connection)
            checked = _structure(connection, location)
            if any(one.wrong for one in checked):
                return checked  # the checks of rows could be wrong
            values = _checked("every value is one that its column can hold", foreign_values(connection))
            if values.wrong:
                return [*checked, values]
            rules = [_checked(what, connection.execute(text(sql)).scalars()) for what, sql in _RULES.items()]
            digests = _checked(
                "a study, a recipe and an environment have the digests of what they say", _digests(connection)
            )
        return [*checked, values, *rules, digests, _weights(engine, checkpoint_folder(url, checkpoints))]
    finally:
        engine.dispose()


def _weights(engine: Engine, folder: Path) -> DatabaseCheck:
    """A missing file is a note: it may be in a folder that was not named, and a run whose file is lost is trained again."""
    faults = find_faults(engine, folder, kept_weights(engine).values())
    wrong = tuple(str(fault) for fault in faults if fault.damaged)
    return DatabaseCheck(WEIGHTS, wrong, tuple(str(fault) for fault in faults if not fault.damaged))


def refuse_unsound(url: str, *, transaction_s: float | None = None) -> None:
    """Raise DatabaseError where pages, references or values of a database are damaged, so that its rows cannot be merged."""
    location = locate(url)
    engine = connect(location, create=False, transaction_s=transaction_s, bulk=True)
    try:
        with reading(engine) as connection:
            _keep_broken_texts(connection)
            damaged = next((one.wrong for one in _structure(connection, location) if one.wrong), ())
            wrong = () if damaged else tuple(islice(foreign_values(connection), MOST + 1))
    finally:
        engine.dispose()
    if damaged:
        raise DatabaseError(f"{location.shown}: damaged: {damaged[0]}; `resbench db check` says all that is wrong")
    if wrong:
        more = "" if len(wrong) <= _SHOWN else f" and {'more' if len(wrong) > MOST else len(wrong) - _SHOWN}"
        raise DatabaseError(
            f"{location.shown}: holds rows that no row of resbench's can be: {'; '.join(wrong[:_SHOWN])}{more}; "
            "`resbench db check` lists them"
        )


def _keep_broken_texts(connection: Connection) -> None:
    """Read a text of an SQLite file that is not UTF-8 as bytes, so that it is checked like any value that no column holds."""
    if connection.dialect.name == "sqlite":
        file = connection.connection.driver_connection
        assert isinstance(file, sqlite3.Connection)
        file.text_factory = _text_or_bytes


def _text_or_bytes(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _structure(connection: Connection, location: Location) -> list[DatabaseCheck]:
    """Check schema, pages and references; a server ensures the last two itself."""
    found = read_revision(connection)
    check_revision(found, location.shown)
    views = (f"{what}; {WAY_OUT}" for what in find_wrong_views(connection).values())
    checked = [
        DatabaseCheck(f"the schema is {found}", ()),
        _checked("every view is the one that resbench makes", views),
    ]
    if location.path is not None:
        checked.append(_checked("the pages of the file are sound", _pages(connection)))
        if not checked[-1].wrong:
            checked.append(_checked("every reference leads somewhere", _references(connection)))
    return checked


def _checked(what: str, wrong: Iterator[str]) -> DatabaseCheck:
    return DatabaseCheck(what, tuple(str(line) for line in wrong))


def _pages(connection: Connection) -> Iterator[str]:
    lines = connection.execute(text("PRAGMA integrity_check(20)")).scalars()
    return (" ".join(str(line).split()) for line in lines if line != "ok")


def _references(connection: Connection) -> Iterator[str]:
    for table, row, target, _ in connection.execute(text("PRAGMA foreign_key_check")):
        if str(table).startswith("rb_"):
            yield f"{table}, row {row}: what it refers to is not in {target}"


def _digests(connection: Connection) -> Iterator[str]:
    for row in connection.execute(select(rb_study)).mappings():
        if _sha256(row["spec"]) != row["digest"]:
            yield f"study {row['name']}: the digest of its spec is {_sha256(row['spec'])}, not {row['digest']}"
    for row in connection.execute(select(rb_environment)).mappings():
        values = {**row, "plugins": _json(row["plugins"])}
        digest_column = values.pop("digest")
        if values["processor"] is None:  # of an older version, whose digests know of none
            del values["processor"]
        if _sha256(canonical_json(values)) != digest_column:
            yield f"environment {digest_column}: its columns have another digest"
    for row in connection.execute(select(rb_recipe)).mappings():
        from resbench.language.recipe.recipe import recipe_from_json

        try:
            digest = recipe_from_json(row["spec"]).digest
        except ValueError as error:
            yield f"recipe {row['digest']}: cannot be read: {' '.join(str(error).split())[:200]}"
            continue
        if (
            digest.split("_")[0] == row["digest"].split("_")[0] and digest != row["digest"]
        ):  # else of an older way of counting
            yield f"recipe {row['digest']}: what it says has the digest {digest}"


def foreign_values(connection: Connection) -> Iterator[str]:
    """Yield values that their columns cannot hold, table by table, each with its row: SQLite stores any value."""
    for table in metadata.sorted_tables:
        kinds = [(column.name, kind_of(column), column.nullable) for column in table.columns]
        keys = [number for number, column in enumerate(table.columns) if column.primary_key]
        names = ", ".join(name for name, _, _ in kinds)
        for row in connection.execute(text(f"SELECT {names} FROM {table.name}")):
            for value, (name, kind, nullable) in zip(row, kinds, strict=True):
                if not (kind.holds(value) if value is not None else nullable):
                    key = " ".join(shown(row[number]) for number in keys)
                    yield f"{table.name} {key}: {name}: expected {kind.allowed}, got {shown(value)}"
    for name, spec in connection.execute(text("SELECT name, spec FROM rb_study")):
        try:
            parse_study(spec, f"rb_study {shown(name)}: spec")
        except Reason as fact:
            yield str(fact)


def _json(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return None


def _sha256(value: str) -> str:
    return sha256(value.encode()).hexdigest()
