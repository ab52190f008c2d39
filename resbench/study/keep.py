"""A study that has ended -> which of its weights stay: by its `keep`, and what a person should know of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

from resbench.evidence.leaderboard import board_of
from resbench.evidence.study_runs import Key, study_runs
from resbench.store.reading import StudyRun, runs_of_study
from resbench.store.weights import KeptWeights, drop_weights, kept_weights
from resbench.study.desk import Desk

SHOWN = 5  # runs in a line


def choose_weights(desk: Desk, study_id: int) -> str:
    """Let go of the weights that `keep` does not want. Returns what is kept, in a sentence; "" for nothing."""
    keep, name = desk.spec.keep, desk.spec.name
    runs = {run.run_id: run for run in runs_of_study(desk.engine, name) if run.active and run.status == "complete"}
    kept = kept_weights(desk.engine, runs)
    if not kept:
        return ""
    if keep.runs == "best":
        wanted = dict(_best(desk, kept))
    else:
        wanted = {run_id: run for run_id, run in runs.items() if run_id in kept and keep.wants(judges=run.judges)}
    drop_weights(desk.engine, study_id, wanted)
    if not wanted:
        return ""
    named = [f"{run.unit} seed {run.seed} (run {run_id})" for run_id, run in wanted.items()]
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    size = sum(kept[run_id].bytes for run_id in wanted) / 1e6
    return (
        f"weights kept: {', '.join(named[:SHOWN])}{more}; {size:.2g} MB in {desk.means.folder}; "
        f"`resbench net export --run {next(iter(wanted))}` takes a network home"
    )


def _best(desk: Desk, kept: Mapping[int, KeptWeights]) -> Iterator[tuple[int, StudyRun]]:
    """Of each unit that may be the best, the run nearest to its median among those whose weights are there."""
    found = study_runs(desk.engine, desk.spec.name)
    board = board_of(found)
    of: Mapping[str, Key] = dict(zip(found.names, found.groups, strict=True))
    objective = found.design.objectives[0]
    for row in board.rows:
        if row.ranked.name not in of or row.ranked.fails or row.ranked.tied_with_best is False:
            continue
        group = [run for run in found.groups[of[row.ranked.name]] if run.status == "complete"]
        scores = {run.run_id: value for run in group if (value := getattr(run, objective)) is not None}
        if not scores:
            continue
        middle = median(scores.values())
        there = [run for run in group if run.run_id in kept and run.run_id in scores]
        if there:
            nearest = min(there, key=lambda run: (abs(scores[run.run_id] - middle), run.seed))
            yield nearest.run_id, nearest
