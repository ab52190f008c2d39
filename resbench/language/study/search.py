"""`search` of a study -> SearchSpec: which points are tried in which order, with which runs, and which finalists are
evaluated.

Selection and evaluation use different runs (evidence rule 11): a search has seeds of its own, and its finalists use
the study's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from resbench.errors import BadInput
from resbench.language.yaml.models import Count, Model, validate
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems
from resbench.random_streams import LARGEST

Use = Literal["grid", "random", "tpe", "cma_es", "gp", "nsga2", "nsga3", "evolution", "halving", "hyperband"]
FIRST_SEED = 1_000_000
"""The first seed of a search, far from the usual seeds of studies, which evaluate."""

ONE_OBJECTIVE = ("cma_es",)
MODELS = {
    "cma_es": "its model covers the ranges that every point has, and no choices",
    "gp": "its model covers the params that every point has, and none that only one unit has",
}
"""Samplers that draw some params at random, each with the scope of its model."""
BY_RUNGS = ("halving", "hyperband")
BY_POPULATION = ("evolution", "nsga2", "nsga3")
_OF = {
    "population": BY_POPULATION,
    "sample": ("evolution",),
    "start": ("tpe", "gp", "cma_es"),
    "eta": BY_RUNGS,
    "from": BY_RUNGS,
}
_NOT_OF_RUNGS = ("batch", "prune")


_OF_PRUNING = {"from": "median", "after": "median", "epochs": "patience", "by": "patience"}
WhyNot = Callable[[object, str], str | None]  # (`use`, key) -> why they are incompatible, or None


def _not_searched_by(use: object, key: str) -> str | None:
    if use == "grid" and key != "use":
        return "a grid tries every point with the study's own seeds; it has no other key"
    if key in _OF and use in get_args(Use) and use not in _OF[key]:
        return f"`{key}` is of {', '.join(_OF[key])}, not of {use}"
    if key in _NOT_OF_RUNGS and use in BY_RUNGS:
        return "`batch` and `prune` are not of searches by rungs, which stop runs by themselves"
    return None


def _not_pruned_by(use: object, key: str) -> str | None:
    of = _OF_PRUNING.get(key, use)
    return f"`{key}` is of {of}, not of {use}" if use in ("median", "patience") and of != use else None


def _all_fit(value: Any, why_not: WhyNot) -> Any:
    """Raise ValueError where a key does not apply to `use`."""
    for key in value if isinstance(value, dict) else ():
        if reason := why_not(value.get("use"), str(key)):
            raise ValueError(reason)
    return value


def _fitting(node: Node, why_not: WhyNot, check: Problems) -> Node:
    """Return the mapping without the keys that do not apply to `use`; report each, so that the rest is checked too."""
    if not isinstance(node.value, dict):
        return node
    use = node.mapping.get("use", Node("grid")).value
    wrong = {key: reason for key in node.mapping if (reason := why_not(use, key))}
    for key, reason in wrong.items():
        check.report_key(node, key, reason)
    return Node({key: of for key, of in node.mapping.items() if key not in wrong}, node.place, node.path, node.keys)


class Prune(Model):
    """When runs are pruned. `median` stops a run at an epoch where its val error is above the median of runs of earlier
    batches at that epoch, from epoch `from` on, once there are `after` of them. `patience` stops a run that has not
    improved by `by` points for `epochs` epochs.
    """

    use: Literal["median", "patience"]
    from_: Annotated[int, Field(alias="from", gt=0, le=10**6)] = 1
    after: Count = 5
    epochs: Count = 5
    by: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="before")
    @classmethod
    def _of_use(cls, value: Any) -> Any:
        return _all_fit(value, _not_pruned_by)


class SearchSpec(Model):
    """How points are proposed; `budget.trials` limits their number. `batch`: points that are proposed at a time, from
    earlier batches alone. `start`: points drawn at random before a model is fitted. `seeds`: runs of each point with
    which the search selects. `finalists`: how many are evaluated, with the study's own seeds. `from`, `eta`: epochs of
    the first rung, and the factor by which each next rung is longer and has fewer points. `population` and `sample`
    apply to evolution, the first also to the nsga searches.
    """

    use: Use = "grid"
    seed: Annotated[int, Field(ge=0, le=LARGEST)] = 0
    seeds: Annotated[int, Field(gt=0, le=1000)] = 1
    finalists: Count = 5
    batch: Annotated[int, Field(gt=0, le=1000)] = 4
    start: Annotated[int, Field(gt=0, le=10**5)] = 10
    population: Annotated[int, Field(gt=1, le=10**5)] = 16
    sample: Annotated[int, Field(gt=0, le=10**5)] = 4
    eta: Annotated[int, Field(gt=1, le=100)] = 3
    from_: Annotated[int, Field(alias="from", gt=0, le=10**6)] = 1
    prune: Prune | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_use(cls, value: Any) -> Any:
        return _all_fit({"use": "grid", **value} if isinstance(value, dict) else value, _not_searched_by)

    @property
    def is_grid(self) -> bool:
        return self.use == "grid"

    @property
    def proposes(self) -> bool:
        """Return whether the search proposes points as it goes, so that they are not known in advance."""
        return not self.is_grid and self.use not in BY_RUNGS

    @property
    def own_seeds(self) -> tuple[int, ...]:
        """Return the seeds with which the search selects; they are not used for evaluation."""
        return tuple(range(FIRST_SEED, FIRST_SEED + self.seeds))


def keys_for(use: str) -> tuple[str, ...]:
    """Return the keys of a search.

    >>> keys_for("tpe")
    ('use', 'seed', 'seeds', 'finalists', 'batch', 'start', 'prune')
    """
    if use == "grid":
        return ("use",)
    keys = (field.alias or name for name, field in SearchSpec.model_fields.items())
    refused = _NOT_OF_RUNGS if use in BY_RUNGS else ()
    return tuple(key for key in keys if use in _OF.get(key, (use,)) and key not in refused)


def parse_search(node: Node, objectives: int, check: Problems) -> SearchSpec:
    """Parse `search`; `search: tpe` is `search: {use: tpe}`."""
    whole = Node({"use": node}, node.place, node.path) if isinstance(node.value, str) else node
    whole = _fitting(whole, _not_searched_by, check)
    if "prune" in whole.mapping:
        prune = _fitting(whole.mapping["prune"], _not_pruned_by, check)
        whole = Node({**whole.mapping, "prune": prune}, whole.place, whole.path, whole.keys)
    try:
        spec = validate(SearchSpec, whole)
    except BadInput as error:
        check.report_error(node, error)
        return SearchSpec()
    if spec.use in ONE_OBJECTIVE and objectives > 1:
        check.report(
            node,
            f"{spec.use} has one objective, the study {objectives}; nsga2, nsga3, tpe, gp, random and evolution take more",
        )
    return spec
