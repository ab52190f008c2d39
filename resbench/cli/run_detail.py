"""A run's number -> everything the database knows of it; or the run trained again and held against it."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from typing import TYPE_CHECKING

from resbench.cli.show import count, print_json, print_table
from resbench.cli.terminal import echo
from resbench.errors import BadInput, DatabaseError
from resbench.escape import shell_line
from resbench.store.engine import Engine
from resbench.store.location import locate
from resbench.store.notes import Subject, notes_on
from resbench.store.reading import RunDetail, run_detail
from resbench.store.records import EnvironmentRecord
from resbench.store.runs import run_plan

if TYPE_CHECKING:
    from resbench.train.outcome import Epoch

NO_DIFFERENCE = "nothing of its provenance differs here; on CUDA some kernels add in any order, on a CPU none should"


def print_run(engine: Engine, run_id: int, url: str, json: bool) -> None:
    detail = run_detail(engine, run_id)
    command = shell_line(["resbench", "results", "repeat", str(run_id), "--db", locate(url).shown])
    untested = run_plan(engine, run_id).get("untested")
    notes = notes_on(engine, Subject(run=run_id))
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
    """Train the run again on the device at hand, with as many threads. Returns whether every epoch's numbers are the same."""
    import torch

    from resbench.study.environment import environment
    from resbench.study.job import job, train
    from resbench.train.device import best_device, repeatable
    from resbench.train.fit import Hooks
    from resbench.train.plan import plan_from

    detail = run_detail(engine, run_id)
    if detail.run.status not in ("complete", "diverged"):
        raise BadInput(
            f"run {run_id} is {detail.run.status}; only a run that came to its end can be held against another"
        )
    device = torch.device("cpu") if detail.environment.device == "cpu" else best_device()
    repeatable(device)
    work = job(engine, detail.run.architecture, detail.run.recipe, detail.run.data)
    how = run_plan(engine, run_id)

    def told(seed: int, epoch: Epoch) -> None:
        if seed == detail.run.seed:
            echo(f"epoch {epoch.epoch}: val error {epoch.val_error_pct:.2f} %", err=True)

    seeds = tuple(how.get("seeds", [detail.run.seed]))  # those that were one network with it
    outcomes = train(work, seeds, plan_from({**how, "threads": detail.environment.threads}), device, Hooks(told))
    again = outcomes[seeds.index(detail.run.seed)]
    numbers = ("train_loss", "train_error_pct", "val_loss", "val_error_pct")  # those that no study's rungs add to
    old = [tuple(getattr(epoch, name) for name in numbers) for epoch in detail.epochs]
    new = [tuple(_finite(getattr(epoch, name)) for name in numbers) for epoch in again.epochs]
    if not detail.epochs or len(detail.epochs) != detail.run.epochs:
        raise DatabaseError(
            f"run {run_id}: {detail.run.epochs} epochs, and {len(detail.epochs)} of them are there; see `resbench db check`"
        )
    last = again.epochs[-1].judged_error_pct if detail.run.status == "complete" else detail.run.val_error_pct
    same = old == new and detail.run.val_error_pct == last
    differs = {} if same else _differs(detail.environment, environment(device, detail.environment.threads))
    found = detail.run.val_error_pct, again.epochs[-1].judged_error_pct
    result = {"run": run_id, "same": same, "val_error_pct": found[0], "again": found[1], "differs": differs}
    if json:
        print_json(result)
    else:
        why = "; ".join(f"{name} was {was}, now {now}" for name, (was, now) in differs.items())
        verdict = "the same in every epoch, bit for bit" if same else f"not the same; {why or NO_DIFFERENCE}"
        echo(f"run {run_id}: val error {found[0]} %, now {found[1]} %: {verdict}")
    return same


def _differs(was: EnvironmentRecord, now: EnvironmentRecord) -> dict[str, tuple[object, object]]:
    """What of a run's provenance its bits may depend on and is otherwise here."""
    return {
        name: (there, here)
        for name in ("package_version", "torch", "device", "processor", "deterministic", "plugins")
        if (there := getattr(was, name)) != (here := getattr(now, name)) and there is not None
    }


def _finite(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None


def _n(value: float | None, form: str = ".4f") -> str | None:
    return None if value is None else format(value, form)


def _as_json(detail: RunDetail) -> dict[str, object]:
    data = asdict(detail)
    data["recipe"]["spec"] = json_module.loads(detail.recipe.spec)
    data["architecture"]["spec"] = json_module.loads(detail.architecture.spec)
    return data
