"""A study's test scores -> table or JSON; the same transaction records that somebody looked."""

from __future__ import annotations

import getpass
from statistics import fmean, stdev
from typing import Any

from resbench.cli.echo import echo
from resbench.cli.output import print_json, print_table
from resbench.evidence.study_runs import aliases, shown_name, study_runs
from resbench.store.open import Engine
from resbench.store.results.reading import reveals, test_scores


def print_test(engine: Engine, study: str, json: bool) -> None:
    """Print mean, standard deviation and n of the test error over complete runs, by unit, sorted by name and not by error."""
    runs = study_runs(engine, study)
    found = test_scores(engine, study, by=f"{user()}: resbench results top --test")
    scores = {row.run_id: row.test_error_pct for row in found}
    rows: list[dict[str, Any]] = []
    for group in runs.groups.values():
        of = {run.run_id: scores.get(run.run_id) for run in group}  # a run may have several names
        v = [score for score in of.values() if score is not None]
        if v:
            first, *more = aliases(group)
            rows.append(
                {
                    "unit": first, "aliases": more, "digest": group[0].digest, "n": len(v), "mean": fmean(v),
                    "std": stdev(v) if len(v) > 1 else None, "params": group[0].params, "macs": group[0].macs,
                }
            )  # fmt: skip
    rows.sort(key=lambda row: str(row["unit"]))
    looked = len(reveals(engine, study))
    if json:
        print_json(rows)
    else:
        named = runs.shown
        shown = [
            [shown_name(named[r["unit"]], [named[name] for name in r["aliases"]]),
             f"{r['mean']:.2f}", "–" if r["std"] is None else f"{r['std']:.2f}", r["n"],
             f"{r['params']:,}", None if r["macs"] is None else f"{r['macs']:,}"]
            for r in rows
        ]  # fmt: skip
        print_table(["unit", ">test error %", ">sd", ">n", ">params", ">MACs"], shown)
    echo(
        f"the test set of {study} has been looked at {looked} time(s); the database records when and by whom", err=True
    )


def user() -> str:
    """Return the name of the user that is recorded."""
    try:
        return getpass.getuser()
    except OSError:  # a container without a user table
        return "unknown"
