"""A study's test scores -> table or JSON; that somebody looked is recorded with the same step."""

from __future__ import annotations

import getpass
from statistics import fmean, stdev

import typer

from resbench.cli.show import print_json, print_table
from resbench.store.engine import Engine
from resbench.store.reading import StudyRun, reveals, runs_of_study, test_scores


def print_test(engine: Engine, study: str, json: bool) -> None:
    """By unit: mean, sd and n of the test error over complete runs, in the order of names: the ranking is on val."""
    active = {(run.unit, run.run_id): run for run in runs_of_study(engine, study) if run.active}
    scores: dict[str, list[float]] = {}
    of: dict[str, StudyRun] = {}
    for row in test_scores(engine, study, by=f"{user()}: resbench results top --test"):
        if row.test_error_pct is not None and (row.unit, row.run_id) in active:
            scores.setdefault(row.unit, []).append(row.test_error_pct)
            of[row.unit] = active[row.unit, row.run_id]
    rows = [
        {
            "unit": unit, "digest": of[unit].digest, "n": len(v), "mean": fmean(v),
            "std": stdev(v) if len(v) > 1 else None, "params": of[unit].params, "macs": of[unit].macs,
        }
        for unit, v in sorted(scores.items())
    ]  # fmt: skip
    looked = len(reveals(engine, study))
    if json:
        print_json(rows)
    else:
        shown = [
            [r["unit"], f"{r['mean']:.2f}", "–" if r["std"] is None else f"{r['std']:.2f}", r["n"],
             f"{r['params']:,}", None if r["macs"] is None else f"{r['macs']:,}"]
            for r in rows
        ]  # fmt: skip
        print_table(["unit", ">test error %", ">sd", ">n", ">params", ">MACs"], shown)
    typer.echo(
        f"the test set of {study} has been looked at {looked} time(s); the database says when and by whom", err=True
    )


def user() -> str:
    """Who is recorded as having looked."""
    try:
        return getpass.getuser()
    except OSError:  # a container without a user table
        return "unknown"
