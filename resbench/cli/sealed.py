"""A study's test scores -> table or JSON; that somebody looked is recorded with the same step."""

from __future__ import annotations

import getpass
from statistics import fmean, stdev

import typer

from resbench.cli.show import print_json, print_table
from resbench.store.engine import Engine
from resbench.store.reading import reveals, test_scores


def print_test(engine: Engine, study: str, json: bool) -> None:
    """By unit: mean, sd and n of the test error over complete runs, in the order of names: the ranking is on val."""
    scores: dict[str, list[float]] = {}
    for row in test_scores(engine, study, by=f"{_user()}: resbench results top --test"):
        if row.test_error_pct is not None:
            scores.setdefault(row.unit, []).append(row.test_error_pct)
    rows = [
        {"unit": unit, "n": len(v), "mean": fmean(v), "std": stdev(v) if len(v) > 1 else None}
        for unit, v in sorted(scores.items())
    ]
    looked = len(reveals(engine, study))
    if json:
        print_json(rows)
    else:
        shown = [[r["unit"], f"{r['mean']:.2f}", "–" if r["std"] is None else f"{r['std']:.2f}", r["n"]] for r in rows]
        print_table(["unit", ">test error %", ">sd", ">n"], shown)
    typer.echo(
        f"the test set of {study} has been looked at {looked} time(s); the database says when and by whom", err=True
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except OSError:  # a container without a user table
        return "unknown"
