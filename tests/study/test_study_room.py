"""Memory: what cannot fit is refused in every command before anything is made, and a search, a worker and a plan go by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from command_line import Database, Rb
from study_sample import points

from resbench.data.registry import info
from resbench.measure import capacity
from resbench.measure.capacity import Capacity
from resbench.measure.footprint import training
from resbench.measure.memory_check import DeviceMemory, device_memory
from resbench.measure.params import bound_weights
from resbench.study import planning
from resbench.study.planning import Planner
from resbench.study.resources import memory as rooms
from resbench.study.resources.memory import crowded, load_of, short_now
from resbench.train.execution.plan import Plan
from resbench.workers import job
from resbench.workers.cell_plan import workers_that_fit
from resbench.workers.child import classify_error

DIGITS = info("digits")
UNITS = "units: [plain]\nseeds: 2\n"
Machine = Callable[[int], None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """What this machine has in all, in bytes."""
    return lambda count: monkeypatch.setattr(capacity, "_physical", lambda root: count)


@pytest.fixture
def files(tmp_path: Path) -> Iterator[None]:
    """No file is made or changed."""

    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    before = content()
    yield
    assert content() == before


def too_large(said: Any, *words: str) -> None:
    assert said.status == 2
    assert said.out == ""
    for part in (*words, " needs ", " has ", " make the network "):
        assert part in said.err, said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "command",
    [
        ("study", "check", "small.yaml"),
        ("study", "check", "small.yaml", "--json"),
        ("study", "run", "small.yaml"),
        ("study", "run", "small.yaml", "--explain-plan"),
        ("study", "run", "small.yaml", "--device", "cpu"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("small", "files")
def test_a_study_of_which_a_network_does_not_fit(command: tuple[str, ...], rb: Rb, machine: Machine) -> None:
    machine(2**10)
    too_large(
        rb(*command), "plain in resnet_cifar: training needs at least ", "(weights ", "and this machine has 1 KiB"
    )
    machine(2**40)
    assert rb("study", "check", "small.yaml").status == 0


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("net", "export", "resnet_cifar", "depth=8", "-o", "x.safetensors"), "exporting it"),
        (("net", "export", "resnet_cifar", "depth=8", "--to", "torch", "-o", "x.pt2"), "exporting it"),
        (("unit", "export", "plain", "-o", "x.safetensors"), "exporting it"),
        (
            ("net", "verify", "resnet_imagenet", "depth=18", "unit=original", "--against", "torchvision:resnet18"),
            "verifying it",
        ),
        (
            (
                "net",
                "import-weights",
                "resnet_imagenet",
                "depth=18",
                "unit=original",
                "--against",
                "torchvision:resnet18",
                "-o",
                "x.safetensors",
            ),
            "importing weights",
        ),
        (("analyze", "plain"), "analysing it"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
@pytest.mark.usefixtures("files")
def test_what_else_would_draw_weights(command: tuple[str, ...], told: str, rb: Rb, machine: Machine) -> None:
    machine(2**10)
    too_large(rb(*command), f": {told} needs at least ", "and this machine has 1 KiB")


@pytest.mark.usefixtures("files")
def test_what_draws_none_asks_for_no_memory(rb: Rb, machine: Machine, tmp_path: Path) -> None:
    machine(2**10)
    assert rb("net", "show", "resnet_cifar", "depth=8").status == 0
    assert rb("unit", "check", "plain").status == 0
    assert rb("net", "export", "resnet_cifar", "depth=8", "--to", "python").status == 0


@pytest.mark.usefixtures("files")
def test_a_unit_of_a_hundred_billion_weights_is_checked_on_meta(rb: Rb) -> None:
    said = rb("unit", "check", "plain", "depth=110", "width=3600")
    assert said.status == 0, said.err
    assert "plain: ok in resnet_cifar" in said.out
    assert "note: " not in said.out


@pytest.mark.usefixtures("ran", "files")
def test_what_reads_networks_from_a_database(rb: Rb, machine: Machine) -> None:
    machine(2**10)
    too_large(rb("results", "repeat", "1"), " in resnet_cifar: training needs at least ")
    too_large(rb("study", "proxies", "small"), ": trying proxies needs at least ")


@pytest.mark.usefixtures("small", "files")
def test_a_latency_of_a_budget_is_not_measured_of_what_does_not_fit(rb: Rb, machine: Machine) -> None:
    machine(2**10)
    said = rb("study", "check", "small.yaml", "budget.latency_ms=1000")
    assert said.status == 2
    assert "measuring the latency needs at least " in said.err


@pytest.mark.usefixtures("small", "files")
def test_a_study_can_be_checked_for_another_device(rb: Rb, machine: Machine) -> None:
    machine(2**10)
    assert rb("study", "check", "small.yaml", "--memory", "1GiB").status == 0
    machine(2**40)
    too_large(rb("study", "check", "small.yaml", "--memory", "0.01MB"), "a device of --memory 0.01MB has 9.77 KiB")
    for size in ("8", "80 apples", "0GiB", "-1GiB", "1e99GiB"):
        said = rb("study", "check", "small.yaml", "--memory", size)
        assert (said.status, said.err) == (2, f"--memory {size}: expected a size such as 80GiB or 512MiB\n")


def test_runs_that_stand_need_no_memory(rb: Rb, ran: None, machine: Machine, database: Database) -> None:
    """A study that a larger machine has trained can be read and ranked by the same command; what it lacks is not queued."""
    machine(2**10)
    again = rb("study", "run", "small.yaml")
    assert (again.status, again.err) == (0, "4 cached, 0 new\n")
    cells, trials = "SELECT COUNT(*) FROM rb_cell", "SELECT COUNT(*) FROM rb_trial"
    counts = database.one(cells), database.one(trials)
    more = rb("study", "run", "small.yaml", "seeds=3")
    assert more.status == 2
    assert more.err.count("training needs at least ") == 2
    new = rb("study", "run", "small.yaml", "units+=full_preactivation")
    assert new.status == 2
    assert "full_preactivation in resnet_cifar: training needs " in new.err
    assert (database.one(cells), database.one(trials)) == counts


def test_other_machines_may_have_more(rb: Rb, ran: None, machine: Machine) -> None:
    """A coordinator that trains nothing itself asks for no memory."""
    machine(2**10)
    assert rb("study", "run", "small.yaml", "--workers", "0").status == 0


SEARCHED = """study: searched
network: {use: resnet_cifar, depth: 8}
data: digits
recipe: {use: he2016_small, epochs: 1, batch: 32, plan: {workers: 0}}
seeds: 2
units: [{use: wide, width: {range: [1, 16], step: 1}}]
"""
WIDE = """unit: wide
params:
  width: 4
nodes:
  f: {from: x, ops: [conv1x1: {out: $(16 * width)}, relu, conv3x3: {stride: $stride}]}
  h: {from: x, ops: [shortcut]}
  y: {from: [h, f], ops: [add]}
boundary: {layers: 2}
"""


@pytest.fixture
def searched(tmp_path: Path) -> Callable[[str], str]:
    def put(search: str) -> str:
        (tmp_path / "wide.yaml").write_text(WIDE, "utf-8")
        (tmp_path / "searched.yaml").write_text(SEARCHED.replace("use: wide", "use: wide.yaml") + search, "utf-8")
        return "searched.yaml"

    return put


HALVES = "search: {use: %s, finalists: 1}\nbudget: {trials: 16}\n"


@pytest.mark.parametrize("use", ["random", "halving", "evolution"])
def test_in_a_search_it_is_refused_and_counted(use: str, searched: Any, rb: Rb, tmp_path: Path) -> None:
    file = searched(HALVES % use)
    memory = ("--memory", f"{(_need(tmp_path, 11) + _need(tmp_path, 12)) / 2 / 2**20:.4f}MiB")
    rows = rb("study", "check", file, *memory, "--json").json
    refused = {row["name"]: row["refused"] for row in rows if row["refused"] is not None}
    assert [*refused] == [f"wide width={width}" for width in range(12, 17)]
    assert all(f": units[0]: {name} in resnet_cifar: training needs " in told for name, told in refused.items())
    assert "11 points, 5 more that cannot be built" in rb("study", "check", file, *memory).out
    assert all(row["refused"] is None for row in rb("study", "check", file, "--memory", "1TiB", "--json").json)


def test_one_that_has_over_a_hundred_billion_parameters_too(searched: Any, rb: Rb) -> None:
    """Of a grid it is the study that cannot be; a search goes on without it."""
    wider = "units=[{use: wide.yaml, width: {choices: [1, 60000]}}]"
    file = searched(HALVES % "random")
    text = "network.width=16000"
    said = rb("study", "check", file, wider, text, "--memory", "900TiB")
    assert said.status == 0, said.err
    assert "1 points, 1 more that cannot be built" in said.out
    assert "parameters; at most 100,000,000,000 are allowed" in said.out
    grid = rb("study", "check", file, wider, text, "search={}", "budget={}", "--memory", "900TiB")
    assert grid.status == 2
    assert "parameters; at most 100,000,000,000 are allowed" in grid.err


@pytest.mark.long
def test_a_search_goes_on_with_the_memory_that_it_was_begun_with(
    searched: Any, rb: Rb, machine: Machine, database: Database
) -> None:
    """So that it looks at whom it looked at before: on a larger machine it refuses the same."""
    file = searched("search: {use: random, batch: 1, finalists: 1}\nbudget: {trials: 3}\n")
    small = "units=[{use: wide.yaml, width: {range: [1, 4], step: 1}}]"
    (one, two) = (_need(database.path.parent, width) for width in (2, 3))
    machine((one + two) // 2)
    said = rb("study", "run", file, small)
    assert said.status == 0, said.err
    assert "random finds no new point after 2; it ends there" in said.err
    assert "other draws could not be built, or were over the budget or too large" in said.err
    assert json.loads(database.one("SELECT spec FROM rb_study"))["memory_bytes"] == (one + two) // 2
    runs = "SELECT unit, seed FROM v_runs ORDER BY unit, seed"
    rows = database.rows(runs)
    machine(2**40)
    again = rb("study", "run", file, small)
    assert again.status == 0, again.err
    assert "random finds no new point after 2; it ends there" in again.err
    assert database.rows(runs) == rows
    assert json.loads(database.one("SELECT spec FROM rb_study"))["memory_bytes"] == (one + two) // 2


def _need(folder: Path, width: int) -> int:
    text = SEARCHED.replace("use: wide", "use: wide.yaml").replace("{range: [1, 16], step: 1}", str(width))
    (point,) = points(text, folder)
    return training(point.bound, load_of(point.bound, point.recipe, DIGITS)).total


def test_a_worker_of_a_smaller_machine_gives_the_cell_back_and_leaves(
    rb: Rb, small: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coordinator has room for it, and who trains has not: nothing is allocated, and nothing is tried twice."""

    def never(*_: object) -> None:
        raise AssertionError("nothing may be allocated")

    monkeypatch.setattr(job, "device_memory", lambda device: DeviceMemory(Capacity("a small machine", 2**10, 2**10)))
    monkeypatch.setattr(job, "initialize_stack", never)
    said = rb("study", "run", "small.yaml")
    assert said.status == 2
    assert "plain: this machine cannot train its cell, which is given back\n" in said.err
    assert "plain in resnet_cifar: training needs at least " in said.err
    assert "and a small machine has 1 KiB" in said.err
    assert database.rows("SELECT outcome, kind FROM rb_attempt") == [("given_back", "unfit")]
    assert database.rows("SELECT status FROM rb_cell") == [("queued",), ("queued",)]
    assert database.one("SELECT COUNT(*) FROM rb_run") == 0
    monkeypatch.undo()
    assert rb("study", "run", "small.yaml").status == 0


def test_seeds_that_do_not_fit_as_one_network_are_trained_one_by_one(
    rb: Rb, small: Path, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (point,) = points(UNITS + "recipe: {use: he2016_small, epochs: 1, batch: 64, warmup: null, lr: 0.1}\n", tmp_path)
    one, two = (training(point.bound, load_of(point.bound, point.recipe, DIGITS, seeds)).total for seeds in (1, 2))
    there = Capacity("a small machine", (one + two) // 2, (one + two) // 2)
    monkeypatch.setattr(job, "device_memory", lambda device: DeviceMemory(there))
    said = rb("study", "run", "small.yaml", "units=[plain]", "recipe.plan.width=2")
    assert said.status == 0, said.err
    assert "plain: 2 seeds as one network: TooLarge: plain in resnet_cifar: training needs about " in said.err
    assert said.err.count("[") == 2
    assert database.one("SELECT COUNT(*) FROM rb_run") == 2


def test_what_a_child_tells_of_it_keeps_the_worker_from_training() -> None:
    from resbench.errors import TooLarge

    assert classify_error(TooLarge("no room")).kind == "unfit"


def test_where_the_stack_has_no_room_seeds_are_trained_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not as many as there is room for: the bits of a run would depend on the machine's memory."""
    recipe = "recipe: {use: he2016_small, plan: {width: 8, threads: 1, layout: contiguous}}\n"
    (point,) = points("units: [plain]\nseeds: 8\n" + recipe, tmp_path)
    cpu, need = torch.device("cpu"), training(point.bound, load_of(point.bound, point.recipe, DIGITS)).total

    def planned(count: int | None) -> Plan:
        there = None if count is None else DeviceMemory(Capacity("here", count, count))
        return Planner(None, "", DIGITS, cpu, there, 3).plan(point, range(8))

    assert planned(None).width == planned(2**40).width == 8
    monkeypatch.setattr("resbench.measure.memory_check.LIBRARIES", 0)
    assert planned(8 * need) == planned(need) == Plan(1, "contiguous", 1)


def test_a_measured_plan_takes_as_many_seeds_as_have_ample_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = "recipe: {use: he2016_small, plan: {width: 8, threads: 1, layout: contiguous, measure: true}}\n"
    (point,) = points("units: [plain]\nseeds: 8\n" + recipe, tmp_path)
    asked: list[int] = []

    def measure(bound: Any, recipe: Any, seeds: int, *rest: Any, **named: Any) -> Plan:
        asked.append(seeds)
        return Plan(min(recipe.plan.width, seeds), "contiguous", 1, 1.0)

    monkeypatch.setattr(planning, "measure", measure)
    cpu, need = torch.device("cpu"), training(point.bound, load_of(point.bound, point.recipe, DIGITS)).total

    def planned(count: int | None) -> Plan:
        there = None if count is None else DeviceMemory(Capacity("here", count, count))
        return Planner(None, "", DIGITS, cpu, there, 3).plan(point, range(8))

    assert planned(None).width == planned(2**40).width == 8
    monkeypatch.setattr("resbench.measure.memory_check.LIBRARIES", 0)
    assert 1 < planned(8 * need).width < 8
    assert asked[0:2] == [8, 8]
    assert asked[2] == planned(8 * need).width
    known = len(asked)
    assert planned(need) == Plan(1, "contiguous", 1)  # it may fit, so it is not tried in this process
    assert len(asked) == known


def test_workers_share_what_the_machine_has(tmp_path: Path) -> None:
    def has(total: int, devices: int = 1) -> Capacity:
        return Capacity("here", total, total, devices)

    assert workers_that_fit(None, [2**30], 8) == (8, "")
    assert workers_that_fit(has(8 * 2**30), [2**20, 2**30], 8) == (8, "")
    assert workers_that_fit(has(7 * 2**30), [2**30], 8) == (
        7, "8 workers side by side are too many for the memory (1 GiB each, 7 GiB in all): 7 train",
    )  # fmt: skip
    assert workers_that_fit(has(2**20), [2**30], 8)[0] == workers_that_fit(has(2**20), [2**30], 1)[0] == 1
    assert workers_that_fit(has(2**20), [2**30], 0) == (0, "")
    assert workers_that_fit(has(2**20), [], 8) == (8, "")
    assert workers_that_fit(has(24 * 2**30, devices=8), [30 * 2**30], 8) == (
        8,
        "",
    )  # what it needs is ample; none is left idle
    assert workers_that_fit(has(24 * 2**30, devices=2), [10 * 2**30], 8) == (
        4, "8 workers side by side are too many for the memory (10 GiB each, 24 GiB on each of 2 devices): 4 train",
    )  # fmt: skip
    assert workers_that_fit(has(15 * 2**30, devices=2), [10 * 2**30], 3)[0] == 2  # no worker has a half of each
    (point,) = points(UNITS + "recipe: {use: he2016_small, plan: {workers: 16}}\n", tmp_path)
    assert list(crowded([point], DIGITS, DeviceMemory(Capacity("here", 2**40, 2**40)))) == []
    assert "16 workers side by side are too many" in next(
        crowded([point], DIGITS, DeviceMemory(Capacity("here", 2**30, 2**30)))
    )
    assert list(crowded([point], DIGITS, None)) == []


def test_cells_carry_what_they_need_and_runs_do_not(rb: Rb, ran: None, database: Database) -> None:
    plans = [json.loads(plan) for (plan,) in database.rows("SELECT plan FROM rb_cell_plan")]
    assert all(plan["needs_bytes"] > 2**29 for plan in plans)
    assert all("needs_bytes" not in json.loads(plan) for (plan,) in database.rows("SELECT plan FROM rb_run_plan"))


def test_less_that_is_free_now_is_a_hint(rb: Rb, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (point,) = points(UNITS, tmp_path)
    cpu = torch.device("cpu")
    monkeypatch.setattr(rooms, "free_bytes", lambda device: 2**10)
    told = short_now([point], DIGITS, cpu)
    assert told is not None
    assert told.startswith("plain in resnet_cifar: training needs about ")
    assert told.endswith(", and 1 KiB are free now: other work has the rest")
    said = rb("study", "run", "small.yaml", "seeds=1", "units=[plain]")
    assert said.status == 0
    assert "and 1 KiB are free now" in said.err
    assert "free now" not in rb("study", "check", "small.yaml").out
    for free in (2**40, None):
        monkeypatch.setattr(rooms, "free_bytes", lambda device, free=free: free)
        assert short_now([point], DIGITS, cpu) is None


def test_a_part_of_each_batch_is_what_a_rank_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (point,) = points(UNITS + "recipe: {use: he2016_small, batch: 64}\n", tmp_path)
    load = load_of(point.bound, point.recipe, DIGITS)
    images = 4 * 64 * (DIGITS.n_train + DIGITS.n_val)
    assert (load.batch, load.seeds, load.data, load.evaluated) == (64, 1, images, min(256, DIGITS.n_val))
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert load_of(point.bound, point.recipe, DIGITS).batch == 64
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "mine")
    assert load_of(point.bound, point.recipe, DIGITS).batch == 16
    spread = point.recipe.model_copy(update={"devices": 8})
    assert load_of(point.bound, spread, DIGITS).batch == 8


def test_a_device_that_does_not_tell_refuses_nothing(rb: Rb, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "host_capacity", lambda: None)
    assert device_memory(torch.device("cpu")) is None
    assert rb("study", "check", "small.yaml").status == 0


def test_multiply_adds_that_no_database_counts_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from resbench.errors import SpecError
    from resbench.search import binding as pricing

    monkeypatch.setattr(pricing, "MAX_MACS", 10)
    with pytest.raises(SpecError, match="multiply-adds of one image; at most 10 are allowed"):
        points(UNITS, tmp_path)


def test_weights_alone_are_told_without_a_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rb: Rb, small: Path
) -> None:
    """93 billion parameters: counted op by op, each kind once."""
    from resbench.compiler.modules import network

    def never(*_: object, **__: object) -> None:
        raise AssertionError("nothing may be built")

    monkeypatch.setattr(network, "Network", never)
    said = rb("study", "check", "small.yaml", "network.width=3700", "network.depth=110", "--memory", "24GiB")
    assert said.status == 2
    assert "original in resnet_cifar: training needs at least 1 TiB (weights 342 GiB, gradients 342 GiB, " in said.err
    (point,) = points(UNITS, tmp_path)
    assert bound_weights(point.bound).params == point.params
