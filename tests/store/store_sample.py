"""A study of one trial in a store, and runs to put into it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from resbench.store.records import (
    ArchitectureRecord,
    DataRecord,
    EnvironmentRecord,
    EpochRecord,
    RecipeRecord,
    RunRecord,
    TestScore,
    TrialRecord,
)
from resbench.store.results.catalogue import put_architecture, put_cost, put_data, put_environment, put_recipe
from resbench.store.results.runs import link_run, save_run
from resbench.store.results.studies import put_study, put_trial

ENVIRONMENT = EnvironmentRecord(
    package_version="0.1.0",
    git_commit="abc",
    git_dirty=False,
    python="3.11.7",
    torch="2.15.0",
    device="cpu",
    threads=1,
    deterministic=True,
    tf32=False,
    plugins={"mine": "1.0"},
    platform="Linux x86_64",
)


@dataclass(frozen=True)
class Sample:
    """A study `s` with the trial `t` of architecture `arch`, recipe `rec`, data `dat`."""

    engine: Engine
    study_id: int
    trial_id: int
    environment: str

    def record(
        self, seed: int, *, architecture: str = "arch", status: str = "complete", val_error_pct: float | None = 5.0
    ) -> RunRecord:
        history = tuple(EpochRecord(n, lr=0.1 / n, val_error_pct=10.0 / n, train_s=0.5) for n in (1, 2))
        return RunRecord(
            architecture, "rec", "dat", seed, status, self.environment, val_error_pct,
            epochs=2, train_s=1.0, wall_s=1.5, history=history, test_score=TestScore(6.0 + seed, 0.5),
        )  # fmt: skip

    def add(self, record: RunRecord, trial_id: int | None = None) -> int:
        run_id = save_run(self.engine, record)
        link_run(self.engine, self.study_id, self.trial_id if trial_id is None else trial_id, run_id)
        return run_id

    def trial(self, number: int, name: str, architecture: str = "arch", *, active: bool = True) -> int:
        put_architecture(self.engine, ArchitectureRecord(architecture, "resnet20", "pre", '{"n":1}', 1000))
        trial = TrialRecord(number, name, "pre", "resnet20", {"unit": "pre"}, architecture, "rec", "dat", active)
        return put_trial(self.engine, self.study_id, trial)


def fill(engine: Engine) -> Sample:
    put_architecture(engine, ArchitectureRecord("arch", "resnet20", "pre", '{"n":1}', 1000, depth=20))
    put_recipe(engine, RecipeRecord("rec", "paper", "{}"))
    put_data(engine, DataRecord("dat", "digits", "1x8x8", 10, 1000, 400, 397))
    put_cost(engine, "arch", "1x8x8", 5000)
    put_cost(engine, "arch", "3x32x32", 80000)
    environment = put_environment(engine, ENVIRONMENT)
    study_id = put_study(engine, "s", "{}", "d0")
    trial = TrialRecord(0, "pre", "pre", "resnet20", {"unit": "pre"}, "arch", "rec", "dat")
    return Sample(engine, study_id, put_trial(engine, study_id, trial), environment)
