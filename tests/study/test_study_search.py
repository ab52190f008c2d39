"""Searches through the command line: choosing and judging apart, resumed as uninterrupted, promoted from checkpoints, pruned."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from command_line import Database, Rb
from optuna.trial import FrozenTrial
from postgres_server import Server
from shortened import every
from study_sample import trials

from resbench.html_report.build import page
from resbench.language.study.search import FIRST_SEED
from resbench.measure import latency
from resbench.measure.latency import Latency
from resbench.search import sequential as rounds_module
from resbench.store.open import open_store
from resbench.store.results import stored
from resbench.train import fit as fit_module
from resbench.workers import train_cell as training

HEAD = """study: {name}
network: {{use: resnet_cifar, depth: 8, width: 2}}
data: digits
recipe: {{use: he2016_small, epochs: {epochs}, batch: 128, plan: {{workers: 0, width: 2}}}}
seeds: 3
"""
ARRANGED = """units:
  - arrange: {ops: [bn, relu, conv, conv], places: [branch, after], rules: [all_convs_on_branch]}
"""
SEARCHED = """units:
  - {use: exclusive_gating, gate_bias: {range: [-6, 0], step: 1}}
"""
RUNS = "SELECT unit, seed, status, epochs, val_error_pct, judges FROM v_runs ORDER BY trial, judges, seed"
TOLD = "SELECT unit, seed, epochs, val_error_pct FROM v_runs ORDER BY unit, seed"


@pytest.fixture
def write(small: Path) -> Callable[..., str]:
    def put(text: str, name: str = "searched", epochs: int = 2) -> str:
        (small.parent / f"{name}.yaml").write_text(HEAD.format(name=name, epochs=epochs) + text, "utf-8")
        return f"{name}.yaml"

    return put


def test_finalists_are_judged_by_other_seeds_than_those_that_chose_them(rb: Rb, write: Any, database: Database) -> None:
    file = write(ARRANGED + "search: {use: random, batch: 2, finalists: 2}\nbudget: {trials: 4}\n")
    said = rb("study", "run", file)
    assert said.status == 0, said.err
    assert "random: 4 points looked at; 2 go into the final, with seeds of their own\n" in said.err
    rows = database.rows(RUNS)
    chose = [row for row in rows if not row[5]]
    assert [row[1] for row in chose] == [FIRST_SEED] * 4
    assert len({row[0] for row in chose}) == 4
    judged = {row[0] for row in rows if row[5]}
    assert len(judged) <= 2
    assert {row[1] for row in rows if row[5]} == {0, 1, 2}
    table = rb("results", "top", "searched", "--json").json
    assert {row["unit"] for row in table} == judged
    assert all(row["n"] == 3 for row in table)
    stopped = dict(database.rows("SELECT unit, stopped FROM v_leaderboard"))
    assert set(stopped.values()) == {1}
    best = min(chose, key=lambda row: row[4])
    assert best[0] in judged
    _check_trials(trials(database.path, "searched"), rows, {row["unit"]: row for row in table})
    again = rb("study", "run", file)
    assert "0 cached, 2 new" not in again.err
    assert database.rows(RUNS) == rows


def _check_trials(found: list[FrozenTrial], rows: list[Any], ranked: dict[str, Any]) -> None:
    """Optuna's value is that of the search's own seed; what the ranking says stands beside it."""
    assert [t.value for t in found] == [row[4] for row in rows if not row[5]]
    assert {t.params["unit"] for t in found} == {row[0] for row in rows}
    for trial in found:
        said, row = trial.user_attrs, ranked.get(trial.user_attrs["unit"])
        assert said["value_is"].startswith("mean val error % of the seeds by which the search chose")
        assert (said["n"], said.get("judged_n")) == (1, None if row is None else 3)
        if row is not None:
            assert [said["judged_mean"], *said["judged_interval_95"]] == [row["mean"], row["ci_low"], row["ci_high"]]


@pytest.mark.parametrize(
    "use",
    [
        "{use: tpe, start: 2, batch: 2",
        pytest.param("{use: evolution, population: 2, sample: 2, batch: 1", marks=pytest.mark.long),
        pytest.param("{use: nsga2, population: 2, batch: 2", marks=pytest.mark.long),
    ],
)
def test_a_search_that_was_interrupted_proposes_what_it_would_have(
    use: str, rb: Rb, write: Any, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = ARRANGED + f"search: {use}, finalists: 1, seed: 3}}\nbudget: {{trials: 6}}\n"
    file = write(text, epochs=1)
    assert rb("study", "run", file, "--db", "whole.db").status == 0
    real, calls = rounds_module.Selection.result, []

    def result(self: Any, point: Any) -> Any:
        calls.append(point.name)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(self, point)

    monkeypatch.setattr(rounds_module.Selection, "result", result)
    rb("study", "run", file)
    assert len(database.rows("SELECT * FROM rb_trial")) < 6
    monkeypatch.setattr(rounds_module.Selection, "result", real)
    assert rb("study", "run", file).status == 0
    whole = Database(tmp_path / "whole.db")
    assert database.rows(TOLD) == whole.rows(TOLD)
    names = "SELECT name FROM rb_trial ORDER BY number"
    assert database.rows(names) == whole.rows(names)
    assert len(database.rows(names)) == 6


@pytest.mark.long
def test_survivors_go_on_from_their_checkpoints(
    rb: Rb, write: Any, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No epoch is trained twice, and the bits are those of a run that was never stopped."""
    trained: list[int] = []
    real = training.CellTraining._hooks

    def hooks(*given: Any) -> Any:
        found = real(*given)
        told = found.on_epoch

        def count(seed: int, epoch: Any) -> None:
            trained.append(epoch.epoch)
            told(seed, epoch)

        return type(found)(count, *(getattr(found, name) for name in found.__slots__[1:]))

    monkeypatch.setattr(training.CellTraining, "_hooks", hooks)
    search = "search: {use: halving, from: 1, eta: 2, seeds: 2, finalists: 2}\n"
    said = rb("study", "run", write(ARRANGED + search, epochs=4))
    assert said.status == 0, said.err
    chose = [row for row in database.rows(RUNS) if not row[5]]
    assert {row[3] for row in chose} <= {1, 2, 4}
    assert {row[3] for row in chose} >= {1, 4}
    assert {row[2] for row in chose if row[3] < 4} <= {"stopped", "diverged"}
    of_search = sum(row[3] for row in chose)
    of_final = sum(row[3] for row in database.rows(RUNS) if row[5])
    assert len(trained) == of_search + of_final
    assert f"{of_search} epochs trained" in said.err
    left = [path.suffix for path in tmp_path.glob("**/*.checkpoints/[!.]*")]
    assert {*left} <= {".safetensors"}  # of the best
    unit = next(row[0] for row in chose if row[3] == 4 and row[2] == "complete")
    plain = write(ARRANGED, "plain", epochs=4)
    assert rb("study", "run", plain, "--db", "plain.db", f"seeds=[{FIRST_SEED}, {FIRST_SEED + 1}]").status in (0, 1)
    curve = "SELECT epoch, val_error_pct, train_loss FROM v_epochs WHERE unit = '{}' AND seed = {} ORDER BY epoch"
    alone = Database(tmp_path / "plain.db")
    for seed in (FIRST_SEED, FIRST_SEED + 1):
        assert database.rows(curve.format(unit, seed)) == alone.rows(curve.format(unit, seed))


@pytest.mark.parametrize("as_one", every(2, [True, False]))
def test_survivors_go_on_beside_one_that_has_diverged(
    as_one: bool, rb: Rb, write: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seeds are one network; one is lost in the first epoch, the other goes on from its checkpoint, alone where it has to."""
    both, alone = (FIRST_SEED, FIRST_SEED + 1), (FIRST_SEED + 1,)
    trained: list[tuple[tuple[int, ...], int]] = []
    real_step, real_draw, real_train = fit_module.step, fit_module.reseed_ops, training.train

    def draw(stacked: Any, seeds: tuple[int, ...], epoch: int) -> None:
        trained.append((seeds, epoch))
        real_draw(stacked, seeds, epoch)

    def step(what: Any, *given: Any) -> Any:
        told = real_step(what, *given)
        if trained[-1][0][0] == FIRST_SEED:
            for tensor in what.stacked.state(0).values():
                if tensor.is_floating_point():
                    tensor.fill_(float("nan"))
        return told

    def train(task: Any, seeds: tuple[int, ...], *given: Any) -> Any:
        if (
            not as_one
            and seeds == both
            and database.rows("SELECT 1 FROM rb_run WHERE status = 'stopped' AND epochs = 1")
        ):
            first = {row[0] for row in database.rows("SELECT architecture FROM rb_run")}
            if len(first) == 2:
                raise MemoryError("too large as one network")
        return real_train(task, seeds, *given)

    monkeypatch.setattr(fit_module, "step", step)
    monkeypatch.setattr(fit_module, "reseed_ops", draw)
    monkeypatch.setattr(training, "train", train)
    units = "units: [original, plain]\n"
    said = rb("study", "run", write(units + "search: {use: halving, eta: 2, seeds: 2, finalists: 1}\n", epochs=4))
    assert said.status == 0, said.err
    chose = [row for row in database.rows(RUNS) if not row[5]]
    lost, alive = ([row for row in chose if row[1] == seed] for seed in both)
    assert {(row[2], row[3]) for row in lost} == {("diverged", 1)}
    assert max(row[3] for row in alive) == 4
    searched = [(seeds, epoch) for seeds, epoch in trained if seeds[0] >= FIRST_SEED]
    assert {seeds for seeds, _ in searched} == ({both} if as_one else {both, alone})
    if as_one:
        assert len(searched) == sum(row[3] for row in alive)
    assert said.err.count(f"seed {FIRST_SEED}: diverged") == 2
    counted = [(int(done), int(of)) for done, of in re.findall(r"\[(\d+)/(\d+)\]", said.err)]
    assert [done for done, _ in counted] == list(range(1, len(counted) + 1))
    assert all(done <= of for done, of in counted), counted


def test_hyperband_begins_at_several_rungs(rb: Rb, write: Any, database: Database) -> None:
    text = ARRANGED + "search: {use: hyperband, from: 1, eta: 2, finalists: 1}\nbudget: {trials: 5}\n"
    said = rb("study", "run", write(text, epochs=2))
    assert said.status == 0, said.err
    assert "hyperband: 5 points, " in said.err
    assert database.one("SELECT COUNT(*) FROM rb_trial") == 5


@pytest.mark.long
def test_halving_draws_from_what_cannot_be_counted(rb: Rb, write: Any, database: Database) -> None:
    text = "units: [original, plain]\nsearch: {use: halving, eta: 2, finalists: 2}\nbudget: {trials: 5}\n"
    file = write(text, epochs=2)
    lr = "recipe.lr={range: [0.01, 0.5], log: true}"
    said = rb("study", "check", file, lr)
    why = "recipe.lr: the range [0.01, 0.5] of any numbers has no `step`"
    assert f"the points cannot be counted, the table shows some: {why}" in said.out, said.err
    assert "halving: 5 points, " in said.out
    said = rb("study", "check", file, lr, "--json")
    names = [row["name"] for row in said.json]
    assert len(names) == 5
    assert {row["unit"] for row in said.json} == {"original", "plain"}
    more = rb("study", "check", file, lr, "budget.trials=7", "--json").json
    assert [row["name"] for row in more][:5] == names
    assert rb("study", "run", file, lr).status == 0
    assert [name for (name,) in database.rows("SELECT name FROM rb_trial ORDER BY number")] == names
    said = rb("results", "top", "searched")
    assert (
        "finalists of halving, which looked at 5 points; the seeds that it chose by are not counted here." in said.out
    )
    without = rb("study", "check", file, lr, "budget={}")
    assert without.status == 2
    assert "or let a search draw as many points as `budget.trials` says" in without.err


@pytest.mark.long
def test_draws_from_ranges_of_many_steps_and_edits(rb: Rb, write: Any, database: Database) -> None:
    lr = "recipe.lr={range: [0.000001, 1], step: 0.000001}"
    units = "units:\n  - original\n  - mutate: {unit: plain, ops: [bn, relu], edits: 2}\n"
    for use in ("{use: halving, eta: 2, finalists: 1}", "{use: evolution, population: 2, finalists: 1}"):
        file = write(units + f"search: {use}\nbudget: {{trials: 4}}\n", use.split()[1].strip(","), epochs=2)
        said = rb("study", "check", file, lr)
        assert said.status == 0, said.err
        assert f"{use.split()[1]} 4 points".replace(",", ":") in said.out
        assert rb("study", "run", file, lr, "--db", "x.db").status == 0


@pytest.mark.long
def test_there_are_no_more_edits_than_there_are(rb: Rb, write: Any) -> None:
    units = "units:\n  - mutate: {unit: plain, ops: [relu], edits: 1, count: 5000}\n"
    found = [row for row in rb("study", "check", write(units), "--json").json if row["refused"] is None]
    assert 3 < len(found) < 50
    assert len({row["digest"] for row in found}) == len(found)


def test_a_draw_that_cannot_be_is_refused_and_counted(rb: Rb, write: Any) -> None:
    file = write("units: [original]\nsearch: {use: halving, eta: 2}\nbudget: {trials: 3}\n")
    words = ("recipe.lr={range: [0.01, 0.5], log: true}", "recipe.batch={choices: [64, 5000]}")
    said = rb("study", "check", file, *words, "--json").json
    assert sum(row["refused"] is None for row in said) == 3
    assert "a batch of 5000 is more than the 1117 training images" in next(
        row["refused"] for row in said if row["refused"]
    )
    allowed = rb("study", "check", write("units: [original, plain]\nbudget: {trials: 1}\n", "few")).out
    assert "2 points, 2 different networks, of which the budget allows 1, 3 seeds: 3 runs" in allowed
    few = rb("study", "check", file, "recipe.batch={range: [64, 65], log: true}", "budget.trials=9")
    assert "halving: 2 points, " in few.out


@pytest.mark.parametrize("use", ["random", "{use: halving, eta: 2}"])
def test_a_unit_that_is_over_the_budget_is_no_error_of_a_search(use: str, rb: Rb, write: Any) -> None:
    text = f"units: [original, conv1x1_shortcut]\nsearch: {use}\nbudget: {{trials: 4, params: 1330}}\n"
    said = rb("study", "check", write(text), "recipe.lr={choices: [0.1, 0.2]}")
    assert said.status == 0, said.err
    assert "2 points, 2 more that cannot be built, 2 different networks" in said.out


def test_a_search_of_which_no_point_converges_has_nobody_to_judge(rb: Rb, write: Any, database: Database) -> None:
    text = "units: [original]\nsearch: {use: random, batch: 2}\nbudget: {trials: 2}\n"
    said = rb("study", "run", write(text, epochs=1), "recipe.lr={range: [1e13, 1e14], log: true}")
    assert "no point converged in the search" in said.err, said.err
    assert {row[2] for row in database.rows(RUNS)} == {"diverged"}
    said = rb("results", "top", "searched")
    assert said.status == 2
    assert "has no finished evaluation run: its search has tried 2 points; it is not over, or no unit" in said.err


@pytest.mark.long
@pytest.mark.parametrize(
    "use", ["{use: halving, eta: 2, finalists: 1}", "{use: evolution, population: 2, finalists: 1}"]
)
def test_a_search_in_postgres_finds_what_it_finds_in_a_file(
    use: str, rb: Rb, write: Any, database: Database, server: Server
) -> None:
    file = write(ARRANGED + f"search: {use}\nbudget: {{trials: 4}}\n", epochs=2)
    url = server.new()
    assert rb("study", "run", file).status == 0
    assert rb("study", "run", file, "--db", url).status == 0
    counts = re.findall(r"\d+ cached, (\d+) new", rb("study", "run", file, "--db", url).err)
    assert len(counts) > 1
    assert {*counts} == {"0"}
    assert [tuple(row.values()) for row in rb("query", TOLD, "--db", url, "--json").json] == database.rows(TOLD)
    assert rb("db", "check", "--db", url).status == 0


@pytest.mark.long
def test_a_run_above_the_median_is_stopped(rb: Rb, write: Any, database: Database) -> None:
    prune = "prune: {use: median, from: 1, after: 2}"
    text = SEARCHED + f"search: {{use: random, batch: 2, finalists: 1, {prune}}}\nbudget: {{trials: 6}}\n"
    assert rb("study", "run", write(text, epochs=3)).status == 0
    chose = [row for row in database.rows(RUNS) if not row[5]]
    assert {row[3] for row in chose[:2]} == {3}
    stopped = [row for row in chose if row[2] == "stopped"]
    assert all(row[3] < 3 for row in stopped)
    first = f"SELECT val_error_pct FROM v_epochs WHERE epoch = 1 AND seed = {FIRST_SEED} ORDER BY run_id"
    errors = [row[0] for row in database.rows(first)]
    middle = (sorted(errors[:2])[0] + sorted(errors[:2])[1]) / 2
    for row, error in zip(chose[2:4], errors[2:4], strict=True):
        assert (row[3] == 1) == (error > middle), (row, error, middle)


@pytest.mark.long
def test_several_objectives_and_halving(rb: Rb, write: Any, database: Database) -> None:
    text = (
        "units:\n  - {use: original}\n  - {use: full_preactivation}\n  - {use: conv1x1_shortcut}\n  - {use: plain}\n"
        "objectives: {val_error_pct: minimize, params: minimize}\nsearch: {use: halving, from: 1, eta: 2, finalists: 2}\n"
    )
    said = rb("study", "run", write(text, epochs=2))
    assert said.status == 0, said.err
    assert len({row[0] for row in database.rows(RUNS) if row[5]}) == 2


def test_what_is_over_the_budget_is_refused_and_counted(rb: Rb, write: Any) -> None:
    text = SEARCHED.replace("exclusive_gating, gate_bias: {range: [-6, 0], step: 1}", "original")
    said = rb("study", "check", write(text + "budget: {memory_mib: 0.001}\n"))
    assert said.status == 2
    assert "unit original: training keeps 0.0" in said.err
    assert "the budget is 0.001 MiB" in said.err
    said = rb("study", "check", write(text + "budget: {latency_ms: 0.0001}\n"))
    assert "ms for one image on cpu (median of 30); the budget is 0.0001 ms" in said.err
    assert rb("study", "check", write(text + "budget: {memory_mib: 100, latency_ms: 10000}\n")).status == 0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What measuring a latency says, in ms: the last one again and again."""
    told = [1.0]

    def measure(*given: Any) -> Latency:
        value = told.pop(0) if len(told) > 1 else told[0]
        return Latency(value, value, value, 30, "cpu")

    monkeypatch.setattr(latency, "latency_ms", measure)
    return told


SLOW, FAST = 3.0, 1.0
LATENCY = "budget: {trials: 3, latency_ms: {cpu: 2}}\n"


@pytest.mark.parametrize("prepared_before", every(2, [False, True]))
@pytest.mark.parametrize("use", every(2, ["random, batch: 1", "halving, eta: 2"]))
def test_a_latency_is_measured_once_and_stands(
    use: str, prepared_before: bool, clock: list[float], rb: Rb, write: Any, database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A search that goes on looks at whom it looked at before, however fast the machine is by then; also in a process that was
    started before anything was measured, and takes over.
    """
    file = write(ARRANGED + f"search: {{use: {use}, finalists: 1}}\n" + LATENCY, epochs=2)
    clock[:] = [FAST, SLOW, FAST, SLOW, FAST, SLOW, FAST]
    assert rb("study", "run", file).status == 0
    stands = database.one("SELECT spec FROM rb_study")
    assert {one["median"] for one in json.loads(stands)["latencies"]["cpu"].values()} == {FAST, SLOW}
    rows = database.rows(RUNS)
    clock[:] = [SLOW]
    if prepared_before:
        monkeypatch.setattr(stored, "from_database", lambda url, read, missing: missing)
        clock[:] = [FAST, SLOW]
    again = rb("study", "run", file)
    assert (again.status, database.rows(RUNS)) == (0, rows), again.err
    known, now = (json.loads(one)["latencies"]["cpu"] for one in (stands, database.one("SELECT spec FROM rb_study")))
    assert {digest: now[digest] for digest in known} == known


def test_what_was_refused_last_stays_refused(clock: list[float], rb: Rb, write: Any, database: Database) -> None:
    file = write(ARRANGED + "search: {use: random, batch: 1, finalists: 1}\n" + LATENCY, epochs=1)
    clock[:] = [FAST, SLOW]
    said = rb("study", "run", file)
    assert "random finds no new point after 1; it ends there" in said.err
    clock[:] = [FAST]
    assert "random finds no new point after 1; it ends there" in rb("study", "run", file).err
    assert database.one("SELECT COUNT(*) FROM rb_trial") == 1


def test_a_latency_on_a_device_that_is_not_there(rb: Rb, write: Any) -> None:
    text = "units: [original]\n"
    said = rb("study", "check", write(text + "budget: {latency_ms: {tpu: 2}}\n"))
    assert "budget.latency_ms.tpu: unknown device `tpu`; allowed: cpu, cuda, cuda:1, mps" in said.err
    if not torch.cuda.is_available():
        said = rb("study", "check", write(text + "budget: {latency_ms: {cuda: 2}}\n"))
        assert said.status == 2
        assert "latency on cuda: " in said.err


def test_check_counts_before_anything_runs(rb: Rb, write: Any) -> None:
    text = ARRANGED + "search: {use: halving, from: 1, eta: 3, finalists: 2}\n"
    said = rb("study", "check", write(text, epochs=9))
    assert "halving: " in said.out
    assert "rungs at 1, 3, 9 epochs; the best 2 are judged by 3 others" in said.out
    endless = (
        "units:\n  - {use: constant_scaling, branch_scale: {range: [0.1, 1.0]}}\nsearch: tpe\nbudget: {trials: 9}\n"
    )
    said = rb("study", "check", write(endless))
    assert "the points cannot be counted, the table shows some: " in said.out
    assert "tpe: 9 points, 1 seeds each, 4 at a time; the best 5 are judged by 3 others" in said.out


def test_what_is_seldom_meant_is_told(rb: Rb, write: Any) -> None:
    file = write("units: [original]\n", epochs=2)
    never = "the warm-up lasts 3 epochs, the run 2: the learning rate `lr` is never reached"
    assert never in rb("study", "check", file, "recipe.warmup={lr: 0.01, for: {epochs: 3}}").out
    assert never not in rb("study", "check", file, "recipe.warmup=null").out
    assert never not in rb("study", "check", file, "recipe.warmup={lr: 0.01, for: {epochs: 2}, shape: linear}").out
    early = "the first rung, at 1 epochs, lies within the warm-up of 1"
    searched = (file, "search={use: halving, eta: 2}", "recipe.lr={choices: [0.1, 0.2]}")
    assert early in rb("study", "check", *searched).out
    assert early in rb("study", "run", *searched, "seeds=1").err
    assert early not in rb("study", "check", *searched, "recipe.warmup=null").out
    assert early not in rb("study", "check", *searched, "recipe.warmup={lr: 0.01, for: {epochs: 1}, shape: linear}").out


@pytest.mark.long
def test_arranged_names_are_told_by_the_librarys(rb: Rb, write: Any) -> None:
    text = "units:\n  - arrange: {ops: [bn, relu, conv, bn, relu, conv], places: [branch]}\n"
    said = rb("study", "check", write(text), "network.depth=20")
    assert "bn_relu_conv_bn_relu_conv_add is full_preactivation of the library\n" in said.out


@pytest.mark.long
def test_what_a_study_wrote_can_be_taken_along(rb: Rb, write: Any, database: Database, tmp_path: Path) -> None:
    """A unit as a file, which is the same network; and the study in its own words, which finds the same again."""
    units = ARRANGED + "  - mutate: {unit: plain, ops: [relu, bn], edits: 2, count: 3}\n"
    file = write(units + "search: {use: evolution, population: 2, finalists: 2}\nbudget: {trials: 5}\n", epochs=3)
    assert rb("study", "run", file).status == 0
    for name, digest in database.rows("SELECT unit, digest FROM v_runs GROUP BY unit, digest"):
        said = rb("results", "unit", "searched", name, "-o", "one.yaml", "--force")
        assert said.status == 0, said.err
        net = ("net", "show", "resnet_cifar", "unit=one.yaml", "depth=8", "width=2", "data=digits", "--json")
        assert rb(*net).json["digest"] == digest
        mark, _, text = (tmp_path / "one.yaml").read_text("utf-8").partition("\n")
        assert mark.startswith("# Written by `resbench results unit`; the sha256 of what follows: ")
        assert rb("results", "unit", "searched", name).out == text
    said = rb("results", "unit", "searched", "plane")
    assert said.status == 2
    assert "`plane`" in said.err
    again = page(open_store(str(database.path), create=False), "searched").study_file
    (tmp_path / "again.yaml").write_text(again, "utf-8")
    assert rb("study", "run", "again.yaml", "--db", "again.db").status == 0
    assert Database(tmp_path / "again.db").rows(TOLD) == database.rows(TOLD)


def test_another_search_is_another_study(rb: Rb, write: Any) -> None:
    text = SEARCHED + "search: {use: random, finalists: 1}\nbudget: {trials: 2}\n"
    assert rb("study", "run", write(text, epochs=1)).status == 0
    said = rb("study", "run", write(text.replace("finalists: 1", "finalists: 1, seed: 4"), epochs=1))
    assert said.status == 2
    assert "search.seed was 0, now 4" in said.err


def test_profiles_are_taken_and_drawn(rb: Rb, write: Any, database: Database, tmp_path: Path) -> None:
    file = write("units: [original, plain]\n", epochs=2)
    text = (tmp_path / file).read_text("utf-8").replace("width: 2}}", "width: 2, profile: [0, 2]}}")
    (tmp_path / file).write_text(
        text.replace("plan: {workers: 0, width: 2}", "plan: {workers: 0, width: 2, profile: [0, 2]}"), "utf-8"
    )
    assert rb("study", "run", file).status == 0
    taken = database.rows("SELECT unit, seed, epoch, COUNT(*), MIN(gradient_norm) > 0 FROM v_profiles GROUP BY 1, 2, 3")
    assert len(taken) == 2 * 3 * 2
    assert {row[3:] for row in taken} == {(3, 1)}
    said = rb("results", "plot", "searched", "signal", "gradient", "-o", "p.svg")
    assert said.out == "p-signal.svg\np-gradient.svg\n"


def test_proxies_stand_beside_params_and_macs(rb: Rb, write: Any) -> None:
    file = write("units: [original, plain, full_preactivation]\n", epochs=1)
    assert rb("study", "run", file).status == 0
    said = rb("study", "proxies", "searched", "--images", "8", "--out", "p.csv")
    assert said.status == 0, said.err
    for name in ("params", "macs", "grad_norm", "path_ops", "zen", "naswot", "signal_share_log10"):
        assert name in said.out
    found = rb("study", "proxies", "searched", "--images", "8", "--json").json
    assert found["architectures"] == 3
    assert all(row["low"] is None for row in found["proxies"])  # under 30 architectures
    assert json.dumps(found)


def test_a_run_out_of_patience_is_stopped(rb: Rb, write: Any, database: Database) -> None:
    prune = "prune: {use: patience, epochs: 1, by: 100}"
    text = ARRANGED + f"search: {{use: random, batch: 2, finalists: 1, {prune}}}\nbudget: {{trials: 2}}\n"
    said = rb("study", "run", write(text, epochs=4))
    chose = [row for row in database.rows(RUNS) if not row[5]]
    assert {row[3] for row in chose} == {2}  # one epoch, and one that is not a hundred points better
    assert {row[2] for row in chose} == {"stopped"}
    assert "1 go into the final" in said.err
    assert said.status == 0
