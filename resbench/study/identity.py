"""A study's spec -> its row, or the difference that keeps it from being the study of that name.

Units and seeds may grow, and so may the budget of trials and runs; network, data and recipe are what the results are about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, TypeVar

from resbench.errors import BadInput
from resbench.language.recipe.recipe import NOT_IDENTITY, RecipeSpec
from resbench.language.study.same_study import FILE, differences, network_file
from resbench.language.study.study import StudySpec
from resbench.language.yaml.node import flow, plain, values
from resbench.search.latencies import latencies_from
from resbench.search.point import Point
from resbench.statistics.sample import MIN_SEEDS
from resbench.store.open import Engine
from resbench.store.records import TRAINED_STATUSES, Lease, canonical_json
from resbench.store.results.reading import runs_of_study
from resbench.store.results.recorded_plugins import plugins_in_use
from resbench.store.results.stored import StoredStudy, stored_study
from resbench.store.results.studies import put_study
from resbench.study.request import StudyRequest

T = TypeVar("T")


def agree_on_study(
    engine: Engine, request: StudyRequest, points: Sequence[Point], role: Lease, *, data_digest: str
) -> int:
    """Make the study's row, or bring it up to date. Returns its id.

    Args:
        engine: The database.
        request: The study; it takes over the latencies that the row has.
        points: Those that it names.
        role: The lease under which the row is written.
        data_digest: The digest of its data.

    Raises:
        BadInput: Where something else than may change has changed.
    """
    spec, latencies = request.spec, request.latencies
    old = stored_study(engine, spec.name)
    if old is not None:
        latencies.adopt(latencies_from(old.latencies))
    new = StoredStudy(
        fixed=_fixed(spec, data_digest),
        units=tuple(point.name for point in points),
        seeds=spec.seeds,
        doc=spec.doc,
        keep=spec.keep.as_json(),
        budget_runs=spec.budget.runs,
        plugins=tuple(plugins_in_use()),
        words=_words(spec),
        written=written_units(points),
        memory_bytes=request.memory_bytes if old is None else old.memory_bytes,
        latencies=latencies.as_json(),
    )
    if old is not None:
        _refuse_changes(spec, old, new)
        new = replace(
            new,
            units=_united(old.units, new.units),
            seeds=_united(old.seeds, new.seeds),
            looks=_looks(engine, spec, old, new),
            plugins=_united(old.plugins, new.plugins),
            written={**old.written, **new.written},
        )
    text = canonical_json(new.to_json())
    return put_study(engine, spec.name, text, sha256(text.encode()).hexdigest(), role)


def _united(old: tuple[T, ...], new: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys([*old, *new]))


def _refuse_changes(spec: StudySpec, old: StoredStudy, new: StoredStudy) -> None:
    changed = differences(old.fixed, new.fixed)
    if changed:
        values = "; ".join(f"{key} was {was or 'not there'}, now {now or 'gone'}" for key, was, now in changed)
        raise BadInput(
            f"study {spec.name} is in the database with other values: {values}. Only units, seeds, the budget of trials and "
            f"runs and a search's finalists may change; undo it, or --fork NAME makes a study of its own"
        )
    if spec.design.race is not None and spec.seeds != old.seeds:
        raise BadInput(
            f"study {spec.name} is a race over the seeds {flow(list(old.seeds))}, now {flow(list(spec.seeds))}; its "
            f"looks are at the first of them, so they stay. --fork NAME makes a study of its own"
        )


def _looks(engine: Engine, spec: StudySpec, old: StoredStudy, new: StoredStudy) -> tuple[int, ...]:
    """Return the counts of seeds at which the study was looked at before more were added without a plan.

    They are added by more seeds or a larger budget of runs.
    `study run` ends with the ranking, so every start is a look; at fewer seeds than a claim needs nothing can have been claimed.
    """
    had, budget = old.budget_runs, new.budget_runs
    grows = not {*spec.seeds} <= {*old.seeds} or (had is not None and (budget is None or budget > had))
    seeds = {
        run.seed
        for run in runs_of_study(engine, spec.name)
        if run.active and run.judges and run.status in TRAINED_STATUSES
    }
    adds = grows and len(seeds) >= MIN_SEEDS and spec.design.race is None
    return (*old.looks, len(seeds)) if adds else old.looks


def _fixed(spec: StudySpec, data_digest: str) -> dict[str, Any]:
    recipe = {key: value for key, value in values(spec.recipe).items() if key not in NOT_IDENTITY}
    recipe.setdefault("statistics", RecipeSpec.model_fields["statistics"].default)
    measured = {"memory_mib": spec.budget.memory_mib, "latency_ms": dict(spec.budget.latency_ms) or None}
    limits = {"params": spec.budget.params, "macs": spec.budget.macs} | {
        k: v for k, v in measured.items() if v is not None
    }
    network = {"use": spec.network.name, **{k: plain(v) for k, v in spec.network.arguments.items()}}
    return {
        "network": network,
        **({} if spec.network_spec is None else {FILE: network_file(spec.network_spec, spec.network)}),
        "data": plain(spec.data.node),
        "data_digest": data_digest,
        "recipe": recipe,
        "limits": limits,
        **spec.design.as_json(),
        **_search_json(spec),
    }


def _search_json(spec: StudySpec) -> dict[str, Any]:
    """Return how the points were chosen; how many are judged in the end may grow."""
    search = spec.search
    return {} if search.is_grid else {"search": search.model_dump(mode="json", by_alias=True, exclude={"finalists"})}


ORDER = ("unit", "doc", "cite", "params", "nodes", "when", "boundary")
"""In which people write a unit."""


def written_units(points: Sequence[Point]) -> dict[str, Any]:
    """Return the units that the study wrote itself, by name."""
    return {point.unit: plain(point.written) for point in points if point.written is not None}


def _words(spec: StudySpec) -> Any:
    """Return the study as written, where its units and trials alone would not repeat it."""
    writes = any(entry.arrange is not None or entry.mutate is not None for entry in spec.units)
    return plain(spec.node) if writes or not spec.search.is_grid else None
