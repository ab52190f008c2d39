"""A study that has ended -> which of its weights stay: by its `keep`, and what a person should know of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from resbench.errors import BadInput
from resbench.evidence.leaderboard import find_entry, rank_runs
from resbench.evidence.study_runs import study_runs
from resbench.language.study.study import StudySpec
from resbench.store.checkpoints.faults import OPTION, find_faults
from resbench.store.checkpoints.weights import KeptWeights, drop_weights, kept_weights
from resbench.store.open import Engine
from resbench.store.results.reading import StudyRun, runs_of_study
from resbench.store.results.studies import get_study

SHOWN = 5  # runs in a line
AGAIN = "`resbench results weights RUN`"


def choose_weights(engine: Engine, spec: StudySpec, folder: Path, before: int = 0) -> str:
    """Let go of the weights that `keep` does not want.

    Args:
        engine: The database.
        spec: The study, which is over.
        folder: The folder of checkpoints and weights.
        before: The newest run when this start began; a run up to it was trained before.

    Returns:
        What is kept, what is not found and what is lacking, in a sentence; "" for nothing.
    """
    keep, name = spec.keep, spec.name
    runs = {run.run_id: run for run in runs_of_study(engine, name) if run.active and run.status == "complete"}
    kept = kept_weights(engine, runs)
    if not runs:
        return ""
    best = keep.runs == "best"
    chosen = [*(_best(engine, name, kept) if best else (run for run in runs.values() if keep.wants(judges=run.judges)))]
    wanted = {run.run_id: run for run in chosen if run.run_id in kept}
    lacking = {run.run_id: run for run in chosen if run.run_id not in kept}
    if kept:
        drop_weights(engine, get_study(engine, name).id, wanted)
    faults = find_faults(engine, folder, (kept[run_id] for run_id in wanted), names_only=True)
    gone = {fault.run_id for fault in faults}
    there = {run_id: run for run_id, run in wanted.items() if run_id not in gone}
    sentences = (_there(there, kept, folder), _not_found(sorted(gone), folder), _lacking(lacking, before))
    return "; ".join(filter(None, sentences))


def _there(runs: Mapping[int, StudyRun], kept: Mapping[int, KeptWeights], folder: Path) -> str:
    if not runs:
        return ""
    size = sum(kept[run_id].bytes for run_id in runs) / 1e6
    return (
        f"weights kept: {_some(_named(runs))}; {size:,.1f} MB in {folder}; "
        f"`resbench net export --run {next(iter(runs))}` takes a network home"
    )


def _not_found(runs: Sequence[int], folder: Path) -> str:
    if not runs:
        return ""
    return (
        f"the kept weights of {'run' if len(runs) == 1 else 'runs'} {_some([str(run) for run in runs])} are not in {folder}: "
        f"{OPTION}; {AGAIN} trains a run again whose file is lost"
    )


def _lacking(runs: Mapping[int, StudyRun], before: int) -> str:
    """Describe runs that `keep` wants and that lack weights.

    Another study trained them, this one under another `keep`, or there was no room.
    """
    if not runs:
        return ""
    number = "1 run has" if len(runs) == 1 else f"{len(runs)} runs have"
    why = f", since {'it was' if len(runs) == 1 else 'they were'} trained before" if max(runs) <= before else ""
    return f"{number} no kept weights{why}: {_some(_named(runs))}; {AGAIN} trains one again and keeps them"


def _named(runs: Mapping[int, StudyRun]) -> list[str]:
    return [f"{run.unit} seed {run.seed} (run {run_id})" for run_id, run in runs.items()]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def nearest(engine: Engine, study: str, asked: str) -> int:
    """Return the number of the run of a unit that is nearest to the unit's median: of those whose weights are kept, if
    there are any.

    Raises BadInput for a unit that has no complete run.
    """
    found = study_runs(engine, study)
    name = find_entry(found, asked)
    group = dict(zip(found.names, found.groups.values(), strict=True)).get(name, [])
    kept = kept_weights(engine, [run.run_id for run in group])
    run = _nearest(group, found.design.objectives[0], kept) or _nearest(group, found.design.objectives[0])
    if run is None:
        raise BadInput(f"{name}: has no complete run, so there are no weights to take home")
    return run.run_id


def _best(engine: Engine, study: str, kept: Mapping[int, KeptWeights]) -> Iterator[StudyRun]:
    """Yield the run nearest to its median of each unit that may be the best, one whose weights are kept if there is one."""
    found = study_runs(engine, study)
    objective = found.design.objectives[0]
    of = dict(zip(found.names, found.groups.values(), strict=True))
    for row in rank_runs(found).rows:
        if row.ranked.fails or row.ranked.tied_with_best is False:
            continue
        group = of.get(row.ranked.name, [])
        run = _nearest(group, objective, kept) or _nearest(group, objective)
        if run is not None:
            yield run


def _nearest(group: Sequence[StudyRun], objective: str, among: Collection[int] | None = None) -> StudyRun | None:
    """Return the complete run nearest to the median of all, of those `among`; of two as near, the one of the smaller seed."""
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
