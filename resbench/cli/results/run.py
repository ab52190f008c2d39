"""A run's number -> all its stored data; or the run trained again and compared with them."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict

from resbench.cli.echo import echo
from resbench.cli.output import count, print_json, print_table
from resbench.escape import shell_line
from resbench.store.connection.location import locate
from resbench.store.edits.notes import NoteSubject, notes_on
from resbench.store.open import Engine
from resbench.store.results.reading import RunDetail, run_detail
from resbench.store.results.runs import run_plan


def print_run(engine: Engine, run_id: int, url: str, json: bool) -> None:
    detail = run_detail(engine, run_id)
    command = shell_line(["resbench", "results", "repeat", str(run_id), "--db", locate(url).shown])
    untested = run_plan(engine, run_id).get("untested")
    notes = notes_on(engine, NoteSubject(run=run_id))
    if json:
        print_json(
            _as_json(detail)
            | {"notes": [asdict(note) for note in notes], "repeat": command}
            | ({} if untested is None else {"untested": untested})
        )
        return
    run, where = detail.run, detail.environment
    shown = ", ".join(f"{study} ({unit})" for study, unit in detail.studies)
    facts = [
        ("run", run.id), ("status", run.status), ("study (unit)", shown), ("seed", run.seed),
        ("val error", None if run.val_error_pct is None else f"{run.val_error_pct:.2f} %"),
        ("architecture", f"{run.architecture} ({detail.architecture.unit} in {detail.architecture.network})"),
        ("params, MACs", f"{count(detail.architecture.params)}, {count(detail.macs)}"),
        ("recipe", f"{run.recipe} ({detail.recipe.name})"), ("data", f"{run.data} ({detail.data.name})"),
        ("train s, wall s", f"{run.train_s:.1f}, {run.wall_s:.1f}" if run.train_s and run.wall_s else None),
        ("made", run.created_at), ("resbench", where.package_version),
        ("git", f"{where.git_commit}{' with changes' if where.git_dirty else ''}" if where.git_commit else None),
        ("torch, python", f"{where.torch}, {where.python}"), ("device, threads", f"{where.device}, {where.threads}"),
        ("platform", where.platform), ("error", run.error), ("repeat", command),
    ]  # fmt: skip
    if untested is not None:
        facts.insert(-1, ("no test score", untested))
    facts[-1:-1] = [("note", f"{note.text} ({note.noted_at}, {note.noted_by})") for note in notes]
    print_table(["", ""], facts)
    rows = [
        [
            e.epoch,
            _n(e.lr, "g"),
            _n(e.train_loss),
            _n(e.train_error_pct, ".2f"),
            _n(e.val_loss),
            _n(e.val_error_pct, ".2f"),
        ]
        for e in detail.epochs
    ]
    print_table([">epoch", ">lr", ">train loss", ">train error %", ">val loss", ">val error %"], rows)


def print_repeat(engine: Engine, run_id: int, json: bool) -> bool:
    """Train the run again on this device with the same number of threads. Return whether the numbers of all epochs are equal."""
    from resbench.study.weights.retraining import retrain

    again = retrain(engine, run_id, lambda epoch, error: echo(f"epoch {epoch}: val error {error:.2f} %", err=True))
    result = {
        "run": run_id,
        "same": again.same,
        "val_error_pct": again.was,
        "again": again.now,
        "differs": again.differs,
    }
    if json:
        print_json(result)
    else:
        verdict = "the same in every epoch, bit for bit" if again.same else f"not the same; {again.why}"
        echo(f"run {run_id}: val error {again.was} %, now {again.now} %: {verdict}")
    return again.same


def _n(value: float | None, form: str = ".4f") -> str | None:
    return None if value is None else format(value, form)


def _as_json(detail: RunDetail) -> dict[str, object]:
    data = asdict(detail)
    data["recipe"]["spec"] = json_module.loads(detail.recipe.spec)
    data["architecture"]["spec"] = json_module.loads(detail.architecture.spec)
    return data
