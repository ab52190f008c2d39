"""Weights of a study's runs are kept as it says, are those that were scored, and move and go with their runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir
from errno import ENOSPC
from hashlib import sha256
from os import strerror
from pathlib import Path

import pytest
import torch
from command_line import Database, Rb
from safetensors import safe_open

from resbench import __version__
from resbench.compiler.modules.network import build
from resbench.data.registry import load
from resbench.data.split import normalised
from resbench.store.checkpoints import weights
from resbench.store.checkpoints.weights import kept_weights
from resbench.store.maintenance.check import WEIGHTS
from resbench.store.open import Engine, open_store
from resbench.store.results.checkpoints import sweep
from resbench.study.weights import run_weights
from resbench.study.weights.run_weights import RunWeights, weights_of_run
from resbench.train.evaluate import evaluate

FOLDER = "resbench.db.checkpoints"
pytestmark = pytest.mark.usefixtures("small")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Of the study's database, once there is one."""
    with chdir(tmp_path):
        engine = open_store("resbench.db", create=True)
    yield engine
    engine.dispose()


def files(folder: Path, name: str = FOLDER) -> list[Path]:
    return sorted((folder / name).glob("*.safetensors"))


def taken(engine: Engine, folder: Path, run: int) -> RunWeights:
    return weights_of_run(engine, folder / FOLDER, run, lambda epoch, error: None)


def val_error(what: RunWeights) -> float:
    network = build(what.bound).to_empty(device="cpu")
    network.load_state_dict(dict(what.state))
    (score,) = evaluate(network.eval(), normalised(load("digits"), "val", torch.device("cpu")), 1)
    return score.error_pct


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (("keep=best",), 2),
        pytest.param(("keep=finalists",), 6, marks=pytest.mark.long),
        pytest.param(("keep=all",), 6, marks=pytest.mark.long),
        (("keep=none",), 0),
        (("keep={runs: all, gib: 0.000014}",), 1),
    ],
)
def test_as_many_as_the_study_says(words: tuple[str, ...], kept: int, rb: Rb, engine: Engine, tmp_path: Path) -> None:
    said = rb("study", "run", "small.yaml", "seeds=3", *words)
    assert said.status == 0, said.err
    rows = kept_weights(engine)
    assert [path.name for path in files(tmp_path)] == sorted(f"{row.sha256}.safetensors" for row in rows.values())
    assert len(rows) == kept
    assert all(sha256(path.read_bytes()).hexdigest() == path.stem for path in files(tmp_path))
    assert ("weights kept: " in said.err) == (kept > 0)
    assert said.err.count("not all weights are kept") == (kept == 1)


def test_the_best_are_one_of_each_unit_that_may_be_it_nearest_to_its_median(
    rb: Rb, engine: Engine, database: Database
) -> None:
    assert rb("study", "run", "small.yaml", "seeds=3", "keep=best").status == 0
    tied = {row["unit"] for row in rb("results", "top", "small", "--json").json if row["tied_with_best"] is not False}
    chosen = {}
    for unit in tied:
        runs = database.rows(f"SELECT val_error_pct, run_id FROM v_runs WHERE unit = '{unit}' ORDER BY 1")
        chosen[unit] = runs[1][1]
    assert {*kept_weights(engine)} == {*chosen.values()}


@pytest.mark.parametrize("words", [(), ("recipe.average={decay: 0.9}",), ("recipe.statistics=running",)], ids=str)
def test_what_is_kept_is_what_was_scored_and_comes_again(
    words: tuple[str, ...], rb: Rb, engine: Engine, tmp_path: Path
) -> None:
    assert rb("study", "run", "small.yaml", "keep=all", *words).status == 0
    of = {run["run_id"]: run["val_error_pct"] for run in rb("query", "SELECT * FROM v_runs", "--json").json}
    for run, error in of.items():
        assert val_error(taken(engine, tmp_path, run)) == error
    first = min(of)
    kept = taken(engine, tmp_path, first)
    assert kept.how == "kept"
    path = tmp_path / FOLDER / f"{kept_weights(engine)[first].sha256}.safetensors"
    path.write_bytes(b"damaged")
    told: list[str] = []
    again = weights_of_run(
        engine, tmp_path / FOLDER, first, lambda epoch, error: told.append("epoch"), note=told.append
    )
    assert again.how == "trained again"
    digest = sha256(b"damaged").hexdigest()
    assert told == [
        f"run {first}: {path}: expected the sha256 {path.stem}, got {digest}; it is trained again", "epoch"
    ]  # fmt: skip
    assert all(torch.equal(again.state[name], tensor) for name, tensor in kept.state.items())
    assert taken(engine, tmp_path, first).how == "kept"


def test_what_a_person_asked_for_stays(rb: Rb, engine: Engine, tmp_path: Path) -> None:
    assert rb("study", "run", "small.yaml", "keep=none").status == 0
    said = rb("results", "weights", "1", "-o", "one.safetensors")
    assert said.status == 0, said.err
    assert "trained again" in said.err
    assert rb("study", "run", "small.yaml", "keep=none", "seeds=3").status == 0
    assert [*kept_weights(engine)] == [1]
    assert len(files(tmp_path)) == 1
    assert rb("study", "run", "small.yaml", "keep=all", "seeds=4").status == 0
    assert rb("results", "weights", "7").err.endswith("kept\n")
    assert rb("study", "run", "small.yaml", "keep=none", "seeds=4").status == 0
    assert [*kept_weights(engine)] == [1, 7]
    assert rb("results", "weights", "1", "-o", "two.safetensors").err.endswith("kept\n")
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "two.safetensors").read_bytes()
    assert rb("results", "weights", "1", "-o", "two.onnx").status == 2


def test_they_go_with_copies_and_merges_and_with_what_is_deleted(rb: Rb, engine: Engine, tmp_path: Path) -> None:
    assert rb("study", "run", "small.yaml", "keep=all").status == 0
    assert rb("db", "backup", "copy.db").status == 0
    names = [path.name for path in files(tmp_path)]
    assert [path.name for path in files(tmp_path, "copy.db.checkpoints")] == names
    assert rb("results", "delete", "--run", "1", "--yes").status == 0
    assert len(files(tmp_path)) == len(names) - 1
    assert len(files(tmp_path, "copy.db.checkpoints")) == len(names)
    assert rb("db", "merge", "resbench.db", "copy.db").status == 0
    assert [path.name for path in files(tmp_path)] == names
    assert rb("db", "merge", "resbench.db", "copy.db", "-o", "both.db").status == 0
    assert [path.name for path in files(tmp_path, "both.db.checkpoints")] == names
    assert rb("db", "check").status == 0


def test_a_strangers_file_of_such_a_name_stays(rb: Rb, engine: Engine, tmp_path: Path) -> None:
    assert rb("study", "run", "small.yaml", "keep=all").status == 0
    stranger = tmp_path / FOLDER / "model.safetensors"
    stranger.write_bytes(b"mine")
    assert rb("results", "delete", "small", "--yes").status == 0
    assert files(tmp_path) == [stranger]


@pytest.mark.long
def test_a_trained_network_leaves_in_every_format(rb: Rb, engine: Engine, tmp_path: Path) -> None:
    assert rb("study", "run", "small.yaml", "keep=best").status == 0
    run, *_ = kept_weights(engine)
    for name in ("net.py", "net.onnx", "net.pt2", "net.safetensors"):
        said = rb("net", "export", "--run", run, "-o", name)
        assert said.status == 0, said.err
        assert "untrained" not in said.err
    what = taken(engine, tmp_path, run)
    network = build(what.bound).to_empty(device="cpu")
    network.load_state_dict(dict(what.state))
    images = torch.randn(4, *what.bound.input_shape)
    found = torch.export.load(tmp_path / "net.pt2").module()(images)
    assert torch.allclose(network.eval()(images), found, atol=1e-5)
    with safe_open(tmp_path / "net.safetensors", "pt") as file:
        assert {"run": str(run), "study": "small", "unit": what.bound.unit}.items() <= file.metadata().items()
    again = rb("net", "export", "--study", "small", "--unit", what.bound.unit, "-o", "again.onnx")
    assert again.status == 0, again.err
    assert (tmp_path / "again.onnx").read_bytes() == (tmp_path / "net.onnx").read_bytes()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--run", 99), "99"),
        (("--run", 1, "--study", "small"), "expected --run N, or --study S with --unit U"),
        (("--study", "small"), "expected --run N, or --study S with --unit U"),
        (("resnet_cifar", "--run", 1), "leave out NETWORK, --seed, --weights and --calibrate"),
        (("--run", 1, "--seed", 2), "leave out NETWORK, --seed, --weights and --calibrate"),
        ((), "net export: expected NETWORK"),
        (("resnet_cifar", "--unit", "plain"), "apply only to --run and --study"),
        (("--study", "small", "--unit", "plian"), "did you mean `plain`"),
    ],
)
@pytest.mark.usefixtures("ran")
def test_what_is_no_trained_network(words: tuple[object, ...], told: str, rb: Rb, tmp_path: Path) -> None:
    said = rb("net", "export", *words, "-o", "net.onnx")
    assert said.status == 2
    assert told in said.err
    assert not (tmp_path / "net.onnx").exists()


def test_a_row_leads_to_no_file_elsewhere(rb: Rb, engine: Engine, database: Database, tmp_path: Path) -> None:
    assert rb("study", "run", "small.yaml", "keep=all").status == 0
    kept = kept_weights(engine)[1]
    (tmp_path / "outside.safetensors").write_bytes((tmp_path / FOLDER / f"{kept.sha256}.safetensors").read_bytes())
    database.change("UPDATE rb_weights SET sha256 = '../outside' WHERE run_id = 1")
    assert taken(engine, tmp_path, 1).how == "trained again"
    other = kept_weights(engine)[2].sha256
    database.change(f"UPDATE rb_weights SET sha256 = '{other}', bytes = 1 WHERE run_id = 1")
    assert taken(engine, tmp_path, 1).how == "trained again"  # the file is of the same network, and of another run


def test_a_study_that_says_nothing_keeps_the_best(rb: Rb, engine: Engine, small: Path) -> None:
    small.write_text(small.read_text("utf-8").replace("keep: none\n", ""), "utf-8")
    assert "weights kept: " in rb("study", "run", "small.yaml").err
    assert len(kept_weights(engine)) == 2  # of two seeds nothing can be claimed, so each unit may be the best


def test_where_room_is_short_the_worse_give_way(rb: Rb, engine: Engine, database: Database, tmp_path: Path) -> None:
    """Of `plain`, which is worse and trained first, some are kept at first; there is room for two files."""
    said = rb("study", "run", "small.yaml", "seeds=3", "recipe.epochs=2", "keep={runs: best, gib: 0.00002}")
    assert said.status == 0, said.err
    (worse, _), (better, _) = sorted(
        database.rows("SELECT unit, avg(val_error_pct) FROM v_runs GROUP BY unit"), key=lambda row: -row[1]
    )
    of = dict(database.rows("SELECT run_id, unit FROM v_runs"))
    units = {of[run] for run in kept_weights(engine)}
    assert better in units, (worse, units)
    assert [path.name for path in files(tmp_path)] == sorted(
        f"{row.sha256}.safetensors" for row in kept_weights(engine).values()
    )
    assert len(files(tmp_path)) <= 2


def test_a_named_folder_is_where_all_commands_look(
    rb: Rb, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESBENCH_CHECKPOINTS", str(tmp_path / "shared"))
    assert rb("study", "run", "small.yaml", "keep=all").status == 0
    assert len(files(tmp_path, "shared")) == 4
    copied = rb("db", "backup", "copy.db")
    assert (copied.status, "is beside none" in copied.err) == (0, False)
    assert rb("results", "delete", "--run", "1", "--yes").status == 0
    assert taken(engine, tmp_path, 2).how == "trained again"  # in the folder of the file's own there is none
    assert rb("results", "weights", "2").err.endswith("kept\n")


def test_a_file_of_another_folder_is_said_to_be_missing_before_training(rb: Rb, engine: Engine, tmp_path: Path) -> None:
    assert rb("study", "run", "small.yaml", "keep=all", "--checkpoints", "shared").status == 0
    said = rb("results", "weights", "1", "-o", "one.safetensors")
    assert said.status == 0, said.err
    name = f"{kept_weights(engine)[1].sha256}.safetensors"
    missing = f"run 1: no {name} in {tmp_path / FOLDER}; --checkpoints (or RESBENCH_CHECKPOINTS) names another folder; "
    assert said.err.startswith(f"{missing}it is trained again\nepoch 1: ")
    never = rb("results", "weights", "2", "-o", "two.safetensors", "--checkpoints", "shared")
    assert never.err.endswith("kept\n")
    assert "it is trained again" not in never.err


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize("command", ["weights", "export"])
@pytest.mark.parametrize(("folder", "status"), [("strange", 2), ("small.yaml", 5), ("small.yaml/deep", 5)])
def test_a_bad_folder_is_refused_before_training(
    command: str, folder: str, status: int, rb: Rb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "mine.txt").write_text("mine", "utf-8")
    monkeypatch.setattr(run_weights, "retrain", lambda *given: pytest.fail("it is trained"))
    before = sorted(tmp_path.rglob("*"))
    words = {"weights": ("results", "weights", 1), "export": ("net", "export", "--run", 1)}[command]
    said = rb(*words, "-o", "one.safetensors", "--checkpoints", folder)
    assert said.status == status, said.err
    assert str(tmp_path / folder) in said.err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("ran")
def test_what_cannot_be_kept_is_written_all_the_same(
    rb: Rb, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(engine: Engine, folder: Path, name: str, content: bytes) -> Path:
        raise OSError(ENOSPC, strerror(ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(weights, "write_kept", full)
        said = rb("results", "weights", 1, "-o", "one.safetensors")
        assert said.status == 0, said.err
        assert (
            f"run 1: its weights could not be kept: {tmp_path / FOLDER}: no weights could be written: No space"
            in said.err
        )
        exported = rb("net", "export", "--run", 1, "-o", "exported.safetensors")
        assert (exported.status, "could not be kept" in exported.err) == (0, True)
        assert rb("results", "weights", 1).status == 5
    assert kept_weights(engine) == {}
    assert rb("results", "weights", 1, "-o", "two.safetensors").status == 0
    one, two, three = (tmp_path / f"{name}.safetensors" for name in ("one", "two", "exported"))
    assert one.read_bytes() == two.read_bytes() == three.read_bytes()
    with safe_open(one, "pt") as file:
        assert file.metadata()["resbench"] == __version__


def test_a_check_reads_kept_files(rb: Rb, engine: Engine, tmp_path: Path) -> None:
    assert rb("study", "run", "small.yaml", "keep=all", "--checkpoints", "shared").status == 0
    sound = rb("db", "check", "--checkpoints", "shared", "--json")
    assert (sound.status, sound.json[-1]["what"], sound.json[-1]["notes"]) == (0, WEIGHTS, [])
    missing = rb("db", "check")
    assert missing.status == 0
    assert missing.err.count(f".safetensors in {tmp_path / FOLDER}\n") == 4
    assert "note: --checkpoints (or RESBENCH_CHECKPOINTS) names another folder" in missing.err
    path = tmp_path / "shared" / f"{kept_weights(engine)[3].sha256}.safetensors"
    path.write_bytes(b"damaged")
    damaged = rb("db", "check", "--checkpoints", "shared")
    assert damaged.status == 4
    expected = f"run 3: {path}: expected the sha256 {path.stem}, got {sha256(b'damaged').hexdigest()}\n"
    assert damaged.err == f"{WEIGHTS}? {expected}"
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    linked = rb("db", "check", "--checkpoints", "shared")
    assert linked.status == 4
    assert f"{path}: expected the sha256 {path.stem}, got what cannot be read as an ordinary file" in linked.err


def test_what_is_deleted_counts_kept_weights(rb: Rb, engine: Engine, tmp_path: Path) -> None:
    assert rb("study", "run", "small.yaml", "keep=all", "--checkpoints", "shared").status == 0
    one = rb("results", "delete", "--run", "1", "--yes", "--checkpoints", "shared")
    assert "1 run (1 complete), 1 epoch, 1 test score, kept weights of 1 run (" in one.err
    assert "are not in" not in one.err
    assert len(files(tmp_path, "shared")) == 3
    rest = rb("results", "delete", "small", "--yes")
    assert "3 runs (3 complete), 3 epochs, 3 test scores, kept weights of 3 runs (" in rest.err
    assert f"the kept weights of runs 2, 3, 4 are not in {tmp_path / FOLDER} and are not deleted: --checkp" in rest.err
    assert len(files(tmp_path, "shared")) == 3


def test_files_that_are_not_in_the_folder_are_not_named_as_kept(
    rb: Rb, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rb("study", "run", "small.yaml", "keep=all", "--checkpoints", "shared").status == 0
    forgotten = rb("study", "run", "small.yaml", "keep=all")
    assert forgotten.status == 0, forgotten.err
    assert "weights kept" not in forgotten.err
    where = tmp_path / FOLDER
    assert f"the kept weights of runs 1, 2, 3, 4 are not in {where}: --checkpoints (or RES" in forgotten.err
    files(tmp_path, "shared")[0].unlink()
    named = rb("study", "run", "small.yaml", "keep=all", "--checkpoints", "shared").err
    assert "weights kept: " in named
    assert "the kept weights of run " in named
    assert {*kept_weights(engine)} == {1, 2, 3, 4}


@pytest.mark.parametrize(("keep", "lacking"), [("all", 4), ("best", 2), ("none", 0)])
def test_runs_that_were_trained_before_have_no_weights_and_that_is_said(
    keep: str, lacking: int, ran: None, rb: Rb, small: Path
) -> None:
    small.write_text(small.read_text("utf-8").replace("study: small", "study: second"), "utf-8")
    said = rb("study", "run", "small.yaml", f"keep={keep}")
    assert said.status == 0, said.err
    told = f"{lacking} runs have no kept weights, since they were trained before: "
    assert (told in said.err) == (lacking > 0)
    assert ("`resbench results weights RUN` trains one again and keeps them" in said.err) == (lacking > 0)


def test_a_sweep_while_weights_are_asked_for_takes_none(
    rb: Rb, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rb("study", "run", "small.yaml", "keep=none").status == 0
    monkeypatch.setattr(weights, "reach", lambda point: sweep(engine, tmp_path / FOLDER))
    assert taken(engine, tmp_path, 1).how == "trained again"
    assert taken(engine, tmp_path, 1).how == "kept"
