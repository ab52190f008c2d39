"""A study in a database, without any training: three units, three seeds, four epochs, one run that diverged after two."""

from __future__ import annotations

from pathlib import Path

from resbench.store.open import Engine, open_store
from resbench.store.records import (
    ArchitectureRecord,
    DataRecord,
    EnvironmentRecord,
    EpochRecord,
    RecipeRecord,
    RunRecord,
    TestScore,
    TrialRecord,
    canonical_json,
)
from resbench.store.results.catalogue import put_architecture, put_cost, put_data, put_environment, put_recipe
from resbench.store.results.runs import save_run
from resbench.store.results.studies import put_study, put_trial

UNITS = {"plain": 9.0, "original": 7.0, "gated gate_bias=-6": 8.0}
WHERE = EnvironmentRecord("0.1.0", None, None, "3.11.7", "2.15.0", "cpu", 1, True, False, {}, "Linux x86_64")


def study(
    path: Path,
    *,
    name: str = "small",
    seeds: tuple[int, ...] = (0, 1, 2),
    units: dict[str, float] | None = None,
    more: int = 0,
) -> Engine:
    """`units`: their mean errors. `more`: seeds that the study wants and nobody has trained."""
    engine = open_store(str(path), create=True)
    put_recipe(engine, RecipeRecord("r2_a", "he2016_small", "{}"))
    put_data(engine, DataRecord("d_a", "digits", "1x8x8", 10, 1117, 340, 340, {"noise": 0.5}))
    where = put_environment(engine, WHERE)
    fixed = {"network": {"use": "resnet_cifar", "depth": 8, "width": 2}, "data": "digits", "data_digest": "d_a"}
    spec = {"fixed": fixed, "units": list(units or UNITS), "seeds": [*seeds, *range(100, 100 + more)], "doc": "Which?"}
    study_id = put_study(engine, name, canonical_json(spec), name)
    for number, (unit, error) in enumerate((units or UNITS).items()):
        digest = f"a2_{unit.split()[0]}"
        put_architecture(engine, ArchitectureRecord(digest, "resnet_cifar", unit.split()[0], '{"n":1}', 1000 + number))
        put_cost(engine, digest, "1x8x8", 5000, 0.25)
        put_cost(engine, digest, "3x32x32", 80_000)
        trial = TrialRecord(number, unit, unit.split()[0], "resnet_cifar", {}, digest, "r2_a", "d_a")
        trial_id = put_trial(engine, study_id, trial)
        for seed in seeds:
            broken = unit == "plain" and seed == 2
            save_run(engine, _run(digest, seed, error, where, epochs=2 if broken else 4, broken=broken),
                     study_id=study_id, trial_id=trial_id)  # fmt: skip
    return engine


def _run(digest: str, seed: int, error: float, where: str, *, epochs: int, broken: bool) -> RunRecord:
    """Errors fall by 10 points an epoch; a second each, and a tenth of one for each seed."""
    at = {epoch: error + seed + 10 * (4 - epoch) for epoch in range(1, epochs + 1)}
    history = [
        EpochRecord(n, 0.1, None, e + 1, e / 30, None if broken and n == 2 else e, 1 + seed / 10) for n, e in at.items()
    ]
    return RunRecord(
        digest, "r2_a", "d_a", seed, "diverged" if broken else "complete", where, None if broken else at[epochs],
        epochs=epochs, train_s=epochs * (1 + seed / 10), wall_s=9.0, history=history,
        test_score=None if broken else TestScore(error + 1, 0.5),
    )  # fmt: skip
