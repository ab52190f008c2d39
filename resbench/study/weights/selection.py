"""A study that has ended -> which of its weights stay: by its `keep`, and what a person should know of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from resbench.errors import BadInput
from resbench.evidence.leaderboard import board_of, entry_named
from resbench.evidence.study_runs import study_runs
from resbench.language.study.study import StudySpec
from resbench.store.checkpoints.weights import KeptWeights, drop_weights, kept_weights
from resbench.store.open import Engine
from resbench.store.results.reading import StudyRun, runs_of_study
from resbench.store.results.studies import get_study

SHOWN = 5  # runs in a line


def choose_weights(engine: Engine, spec: StudySpec, folder: Path) -> str:
    """Let go of the weights that `keep` does not want. Returns what is kept, in a sentence; "" for nothing."""
    keep, name, without = spec.keep, spec.name, []
    runs = {run.run_id: run for run in runs_of_study(engine, name) if run.active and run.status == "complete"}
    kept = kept_weights(engine, runs)
    if not kept:
        return ""
    if keep.runs == "best":
        best = list(_best(engine, name, kept))
        wanted = {run.run_id: run for _, run in best if run is not None}
        without = [name for name, run in best if run is None]
    else:
        wanted = {run_id: run for run_id, run in runs.items() if run_id in kept and keep.wants(judges=run.judges)}
    drop_weights(engine, get_study(engine, name).id, wanted)
    if not wanted:
        return ""
    named = [f"{run.unit} seed {run.seed} (run {run_id})" for run_id, run in wanted.items()]
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    size = sum(kept[run_id].bytes for run_id in wanted) / 1e6
    lacking = f"; none of {', '.join(without[:SHOWN])}" if without else ""
    return (
        f"weights kept: {', '.join(named[:SHOWN])}{more}; {size:,.1f} MB in {folder}; "
        f"`resbench net export --run {next(iter(wanted))}` takes a network home"
        f"{lacking}"
    )


def nearest(engine: Engine, study: str, asked: str) -> int:
    """The number of the run of a unit that is nearest to the unit's median: of those whose weights are kept, if there are any.

    Raises BadInput for a unit that has no complete run.
    """
    found = study_runs(engine, study)
    name = entry_named(found, asked)
    group = dict(zip(found.names, found.groups.values(), strict=True)).get(name, [])
    kept = kept_weights(engine, [run.run_id for run in group])
    run = _nearest(group, found.design.objectives[0], kept) or _nearest(group, found.design.objectives[0])
    if run is None:
        raise BadInput(f"{name}: has no complete run, so there are no weights to take home")
    return run.run_id


def _best(engine: Engine, study: str, kept: Mapping[int, KeptWeights]) -> Iterator[tuple[str, StudyRun | None]]:
    """Each unit that may be the best, and the run nearest to its median among those whose weights are there."""
    found = study_runs(engine, study)
    of = dict(zip(found.names, found.groups.values(), strict=True))
    for row in board_of(found).rows:
        if row.ranked.fails or row.ranked.tied_with_best is False:
            continue
        group = of.get(row.ranked.name, [])
        if group:
            yield row.ranked.name, _nearest(group, found.design.objectives[0], kept)


def _nearest(group: Sequence[StudyRun], objective: str, among: Collection[int] | None = None) -> StudyRun | None:
    """The complete run nearest to the median of all, of those `among`; of two as near, the one of the smaller seed."""
    scores = {
        run.run_id: (value, run)
        for run in group
        if run.status == "complete" and (value := getattr(run, objective)) is not None
    }
    if not scores:
        return None
    middle = median(value for value, _ in scores.values())
    there = [pair for run_id, pair in scores.items() if among is None or run_id in among]
    return min(there, key=lambda pair: (abs(pair[0] - middle), pair[1].seed))[1] if there else None
