"""Frozen files -> one: runs are merged by their identity.  One run with two results is a conflict, which is reported, not
resolved.

If several files have the same run, the row of the first is kept (times differ between repetitions and machines).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from resbench import __version__
from resbench.errors import BadInput, Conflicts
from resbench.escape import printable
from resbench.language.study.same_study import differences
from resbench.store.connection.new_file import refuse_source
from resbench.store.results.spec_parts import parse_study
from resbench.store.schema.frozen import add, make, write_whole
from resbench.tabular.file import TABLES, FrozenFile, open_frozen

_SHOWN = 10  # conflicts listed one by one
_KEPT_ONCE = ("architecture", "cost", "recipe", "data", "environment")  # a digest identifies a row
_RESULT = "status, val_error_pct, val_loss, train_loss, epochs"
_CURVE = "epoch, lr, train_loss, train_error_pct, val_loss, val_error_pct"
_IDENTITY = "architecture = ? AND recipe = ? AND data = ? AND seed = ?"


def merge(paths: Sequence[str | Path], out: str | Path, *, force: bool = False) -> None:
    """Write the union to a new file, or with `force` replace an existing one. Raises BadInput with the conflicts, in which case
    nothing is written.
    """
    if not paths:
        raise BadInput("merge: expected one or more frozen files, got none")

    def fill(target: sqlite3.Connection) -> None:
        conflicts: list[str] = []
        tested = []
        make(target, {"made_by": f"resbench {__version__}"})
        for path in map(Path, paths):
            with closing(open_frozen(path)) as source, source.explained():
                tested.append(_copy(source, target, printable(path.name, 100), conflicts))
        add(target, "meta", [("test_scores", "yes" if any(tested) else "no")])
        if conflicts:
            more = f"\n.. and {len(conflicts) - _SHOWN} more" if len(conflicts) > _SHOWN else ""
            listed = "\n".join(printable(conflict, 1000) for conflict in conflicts[:_SHOWN])
            raise Conflicts(
                f"{len(conflicts)} conflict{'s' if len(conflicts) > 1 else ''}, nothing was written:\n{listed}{more}"
            )

    refuse_source(Path(out), [Path(path) for path in paths])
    write_whole(Path(out), fill, sources=[Path(path) for path in paths], force=force)


def _copy(source: FrozenFile, target: sqlite3.Connection, name: str, conflicts: list[str]) -> bool:
    """Copy one file's rows. Return whether the file holds test scores."""
    for table in _KEPT_ONCE:
        _add_absent(target, table, source.table(table))
    for study, spec, made in source.table("study", "name"):
        conflicts += _study(target, study, spec, made, name)
    for row in source.table("unit", "study, number"):
        existing = target.execute("SELECT * FROM unit WHERE study = ? AND name = ?", row[:2]).fetchone()
        if existing is None:
            add(target, "unit", [row])
        elif existing[4:] != row[4:]:
            conflicts.append(
                f"{name}: `{printable(row[1])}` of study {printable(row[0])} has another network or recipe there"
            )
    numbers: dict[int, int] = {}  # the number in the target by the number in the source
    for run in source.table("run", "id"):
        existing = target.execute(f"SELECT id FROM run WHERE {_IDENTITY}", run[1:5]).fetchone()
        if existing is None:
            numbers[run[0]] = _new(source, target, run)
        elif difference := _difference(source, target, run):
            conflicts.append(
                f"{name}: architecture {run[1]}, recipe {run[2]}, data {run[3]}, seed {run[4]}: {difference}"
            )
        else:
            numbers[run[0]] = existing[0]
    scores = source.table("test_score")
    _add_absent(target, "test_score", ((numbers[old], *row) for old, *row in scores if old in numbers))
    return bool(scores)


def _new(source: FrozenFile, target: sqlite3.Connection, run: tuple[Any, ...]) -> int:
    """Add a run and its epochs under a number of the target's."""
    (number,) = target.execute("SELECT coalesce(max(id), 0) + 1 FROM run").fetchone()
    add(target, "run", [(number, *run[1:])])
    epochs = source.select("SELECT * FROM epoch WHERE run_id = ? ORDER BY epoch", run[:1])
    add(target, "epoch", ((number, *row[1:]) for row in epochs))
    return int(number)


def _difference(source: FrozenFile, target: sqlite3.Connection, run: tuple[Any, ...]) -> str:
    """Return how the results of one run differ, an empty text if they are equal; times may differ."""
    ours = target.execute(f"SELECT id, {_RESULT} FROM run WHERE {_IDENTITY}", run[1:5]).fetchone()
    theirs = dict(zip(TABLES["run"], run, strict=True))
    for what, value in zip(_RESULT.split(", "), ours[1:], strict=True):
        if value != theirs[what]:
            return f"{what} is {value} and {theirs[what]}"
    curve = f"SELECT {_CURVE} FROM epoch WHERE run_id = ? ORDER BY epoch"
    same = target.execute(curve, ours[:1]).fetchall() == source.select(curve, run[:1])
    return "" if same else "the same end, but other epochs before it"


def _study(target: sqlite3.Connection, study: str, spec: str, made: str, name: str) -> list[str]:
    """Add the study, or its new units and seeds. Return the conflict, if another study has that name."""
    theirs = parse_study(spec, f"study {printable(study)}: spec")
    existing = target.execute("SELECT spec FROM study WHERE name = ?", (study,)).fetchone()
    if existing is None:
        add(target, "study", [(study, spec, made)])
        return []
    ours = json.loads(existing[0])
    if changed := differences(ours.get("fixed", {}), theirs.get("fixed", {})):
        key, was, now = changed[0]
        what = printable(f"{key} is {was or 'missing'} there, {now or 'missing'} here")
        return [f"{name}: another study has the name {printable(study)} there: {what}"]
    ours["units"] = list(dict.fromkeys([*ours.get("units", []), *theirs.get("units", [])]))
    ours["seeds"] = sorted({*ours.get("seeds", []), *theirs.get("seeds", [])})
    text = json.dumps(ours, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    target.execute("UPDATE study SET spec = ? WHERE name = ?", (text, study))
    return []


def _add_absent(target: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    for row in rows:
        target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(row))})", row)
