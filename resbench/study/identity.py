"""A study's spec -> its row, or the difference that keeps it from being the study of that name.

Units and seeds may grow, and so may the budget of trials and runs; network, data and recipe are what the results are about.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from resbench.errors import BadInput
from resbench.language.recipe.recipe import NOT_IDENTITY, RecipeSpec
from resbench.language.study.same_study import FILE, differences, network_file
from resbench.language.study.study import StudySpec
from resbench.language.yaml.node import flow, plain, values
from resbench.search.latencies import latencies_of
from resbench.search.point import Point
from resbench.statistics.sample import MIN_SEEDS
from resbench.store.open import Engine
from resbench.store.records import TRAINED_STATUSES, canonical_json
from resbench.store.results.reading import runs_of_study
from resbench.store.results.recorded_plugins import plugins_in_use
from resbench.store.results.stored import limit_of
from resbench.store.results.studies import put_study, study_names, study_spec
from resbench.study.context import Desk


def agree_on_study(desk: Desk, points: Sequence[Point]) -> int:
    """The study's id, its row made or brought up to date. Raises BadInput when something else than it may has changed."""
    engine, spec = desk.engine, desk.spec
    new = _spec_json(spec, desk.means.data.digest, points)
    new |= wrote(spec, points) | plugins_in_use()
    desk.latencies.adopt(latencies_of(engine, spec.name))
    if desk.latencies.measured:
        new["latencies"] = desk.latencies.as_json()
    limit = limit_of(engine, spec.name, desk.limit)
    if limit is not None:
        new["memory_bytes"] = limit
    if spec.name in study_names(engine):
        old = study_spec(engine, spec.name)
        changed = differences(old["fixed"], new["fixed"])
        told = "; ".join(f"{key} was {was or 'not there'}, now {now or 'gone'}" for key, was, now in changed)
        if not changed and spec.design.race is not None and list(spec.seeds) != old["seeds"]:
            raise BadInput(
                f"study {spec.name} is a race over the seeds {flow(old['seeds'])}, now {flow(list(spec.seeds))}; its "
                f"looks are at the first of them, so they stay. --fork NAME makes a study of its own"
            )
        if changed:
            raise BadInput(
                f"study {spec.name} is in the database with other values: {told}. Only units, seeds, the budget of trials and "
                f"runs and a search's finalists may change; undo it, or --fork NAME makes a study of its own"
            )
        new["units"] = [*old["units"], *(unit for unit in new["units"] if unit not in old["units"])]
        looks = _looks(engine, spec, old, new)
        if looks:
            new["looks"] = looks
        if "plugins" in old:
            new["plugins"] = list(dict.fromkeys([*old["plugins"], *new.get("plugins", ())]))
        if "wrote" in old:
            new["wrote"] = old["wrote"] | new.get("wrote", {})
        new["seeds"] = [*old["seeds"], *(seed for seed in new["seeds"] if seed not in old["seeds"])]
    text = canonical_json(new)
    return put_study(engine, spec.name, text, sha256(text.encode()).hexdigest(), desk.role)


def _looks(engine: Engine, spec: StudySpec, old: dict[str, Any], new: dict[str, Any]) -> list[int]:
    """Seeds at which the study was looked at before more were added without a plan, by more seeds or a larger budget of runs.

    `study run` ends with the ranking, so every start is a look; at fewer seeds than a claim needs nothing can have been claimed.
    """
    looks = list(old.get("looks", ()))
    had, budget = old.get("budget_runs"), new.get("budget_runs")
    grows = not {*spec.seeds} <= {*old["seeds"]} or (had is not None and (budget is None or budget > had))
    seeds = {
        run.seed
        for run in runs_of_study(engine, spec.name)
        if run.active and run.judges and run.status in TRAINED_STATUSES
    }
    return [*looks, len(seeds)] if grows and len(seeds) >= MIN_SEEDS and spec.design.race is None else looks


def _spec_json(spec: StudySpec, data_digest: str, points: Sequence[Point]) -> dict[str, Any]:
    recipe = {key: value for key, value in values(spec.recipe).items() if key not in NOT_IDENTITY}
    recipe.setdefault("statistics", RecipeSpec.model_fields["statistics"].default)
    measured = {"memory_mib": spec.budget.memory_mib, "latency_ms": dict(spec.budget.latency_ms) or None}
    limits = {"params": spec.budget.params, "macs": spec.budget.macs} | {
        k: v for k, v in measured.items() if v is not None
    }
    network = {"use": spec.network.name, **{k: plain(v) for k, v in spec.network.arguments.items()}}
    return {
        "fixed": {
            "network": network,
            **({} if spec.network_spec is None else {FILE: network_file(spec.network_spec, spec.network)}),
            "data": plain(spec.data.node),
            "data_digest": data_digest,
            "recipe": recipe,
            "limits": limits,
            **spec.design.as_json(),
            **_search_json(spec),
        },
        "units": [point.name for point in points],
        "seeds": list(spec.seeds),
        **({} if spec.budget.runs is None else {"budget_runs": spec.budget.runs}),
        "keep": spec.keep.as_json(),
        "doc": spec.doc,
    }


def _search_json(spec: StudySpec) -> dict[str, Any]:
    """How the points were chosen; how many are judged in the end may grow."""
    search = spec.search
    return {} if search.is_grid else {"search": search.model_dump(mode="json", by_alias=True, exclude={"finalists"})}


ORDER = ("unit", "doc", "cite", "params", "nodes", "when", "boundary")
"""In which people write a unit."""


def wrote(spec: StudySpec, points: Sequence[Point]) -> dict[str, Any]:
    """`words`: the study as written, where its units and trials alone would not repeat it; `wrote`: units by name."""
    units = {point.unit: plain(point.written) for point in points if point.written is not None}
    writes = any(entry.arrange is not None or entry.mutate is not None for entry in spec.units)
    words = {"words": plain(spec.node)} if writes or not spec.search.is_grid else {}
    return words | ({"wrote": units} if units else {})
