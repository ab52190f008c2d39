"""TensorBoard, MLflow and W&B, read by what they themselves read with."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import Database, Rb

from resbench.study.trackers.registry import make
from resbench.study.trackers.tracked import TrackedStudy
from resbench.testing.tracker import RUN, check_tracker

pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:The ``noload``"),  # MLflow's, of SQLAlchemy
    pytest.mark.filterwarnings("ignore::DeprecationWarning:wandb"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]
RUNS = "SELECT unit, seed, val_error_pct, train_loss FROM v_runs"
CURVE = "SELECT epoch, val_error_pct FROM v_epochs WHERE unit = 'plain' AND seed = 0 ORDER BY epoch"


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_each_keeps_what_a_tracker_owes(name: str) -> None:
    assert check_tracker(name) == "records runs once, also over two starts"


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_a_run_that_a_kill_left_half_written_is_written_anew(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tool's last step for a run raises, as if the process had ended there."""
    monkeypatch.chdir(tmp_path)

    def killed(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    first = make(name, {})
    first.begin("tried")
    with monkeypatch.context() as patched:
        for last_step in ("pathlib.Path.rename", "mlflow.tracking.MlflowClient.set_terminated", "pathlib.Path.touch"):
            patched.setattr(last_step, killed)
        with pytest.raises(KeyboardInterrupt):
            first.record(RUN)
    again = make(name, {})
    again.begin("tried")
    assert not again.has(RUN)
    again.record(RUN)
    assert again.has(RUN)
    again.close()
    third = make(name, {})
    third.begin("tried")
    assert third.has(RUN)
    left = {
        "tensorboard": lambda: len(list((tmp_path / "runs").rglob("events*"))),
        "mlflow": lambda: len(third._runs("")),  # type: ignore[attr-defined]
        "wandb": lambda: len(list((tmp_path / "wandb").glob("*run-*-*"))),
    }
    assert left[name]() == 1


def test_a_report_takes_no_place_of_a_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = replace(RUN, unit="ranking")
    there = make("tensorboard", {})
    there.begin("tried")
    there.record(run)
    there.finish(TrackedStudy("tried", "a ranking", lambda: "<p>a report"))
    assert there.has(run)


@pytest.mark.usefixtures("ran")
def test_tensorboard_reads_curves_and_final_rows(rb: Rb, database: Database, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.metadata import SESSION_START_INFO_TAG
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    for _ in range(2):
        said = rb("study", "run", "small.yaml", "--track", "{use: tensorboard, folder: tb}")
        assert (said.status, said.err) == (0, "4 cached, 0 new\n")
    folders = sorted((tmp_path / "tb" / "small").glob("*/seed-*"))
    assert len(folders) == 4
    for unit, seed, error, loss in database.rows(RUNS):
        (folder,) = (tmp_path / "tb" / "small" / unit).glob(f"seed-{seed}-*")
        read = EventAccumulator(str(folder))
        read.Reload()
        (final,), (last,) = read.Scalars("final/val_error_pct"), read.Scalars("final/train_loss")
        assert (final.value, last.value) == (pytest.approx(error), pytest.approx(loss))
        start = read.PluginTagToContent("hparams")[SESSION_START_INFO_TAG]
        params = HParamsPluginData.FromString(start).session_start_info.hparams
        assert (params["unit"].string_value, params["recipe.epochs"].number_value) == (unit, 1)
        if (unit, seed) == ("plain", 0):
            assert [(event.step, event.value) for event in read.Scalars("val_error_pct")] == [
                (epoch, pytest.approx(value)) for epoch, value in database.rows(CURVE)
            ]
    ranking = EventAccumulator(str(tmp_path / "tb" / "small" / "-ranking-"))
    ranking.Reload()
    assert b"original" in ranking.Tensors("ranking/text_summary")[0].tensor_proto.string_val[0]


@pytest.mark.usefixtures("ran")
def test_mlflow_reads_params_curves_and_the_report(rb: Rb, database: Database, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    said = rb("study", "run", "small.yaml", "--track", "{use: mlflow, folder: ml}")
    assert (said.status, said.err) == (0, "4 cached, 0 new\n")
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'ml' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    left = client.create_run(
        experiment.experiment_id, tags={"resbench.kind": "run", "resbench.key": "x"}
    )  # by a kill, say
    said = rb("study", "run", "small.yaml", "seeds=3", "--track", "{use: mlflow, folder: ml}")
    assert said.status == 0, said.err
    assert client.get_run(left.info.run_id).info.status == "RUNNING"
    found = [run for run in client.search_runs([experiment.experiment_id]) if run.info.status != "RUNNING"]
    runs = {run.info.run_name: run for run in found if run.data.tags["resbench.kind"] == "run"}
    assert len(runs) == len(found) - 1 == 6
    for unit, seed, error, loss in database.rows(RUNS):
        run = runs[f"{unit}, seed {seed}"]
        assert run.info.status == "FINISHED"
        assert (run.data.params["unit"], run.data.params["recipe.epochs"]) == (unit, "1")
        assert run.data.metrics["final_val_error_pct"] == pytest.approx(error)
        assert run.data.metrics["final_train_loss"] == pytest.approx(loss)
        assert run.info.start_time < run.info.end_time
    history = client.get_metric_history(runs["plain, seed 0"].info.run_id, "val_error_pct")
    assert [(each.step, each.value) for each in history] == database.rows(CURVE)
    (study,) = [run for run in found if run.data.tags["resbench.kind"] == "study"]
    folder = Path(client.download_artifacts(study.info.run_id, "", str(tmp_path)))
    assert "original" in (folder / "ranking.md").read_text("utf-8")
    assert "<html" in (folder / "report.html").read_text("utf-8")


@pytest.mark.usefixtures("ran")
def test_wandb_reads_what_was_kept_without_a_network(rb: Rb, database: Database, tmp_path: Path) -> None:
    for _ in range(2):
        said = rb("study", "run", "small.yaml", "--track", "wandb")
        assert (said.status, said.err) == (0, "4 cached, 0 new\n")
    found = {run["name"]: run for run in map(_wandb_run, (tmp_path / "wandb").glob("offline-run-*/*.wandb"))}
    assert len(found) == 5  # four runs and the report
    assert "original" in found["small: report"]["summary"]["ranking"]
    for unit, seed, error, _ in database.rows(RUNS):
        run = found[f"{unit}, seed {seed}"]
        assert (run["project"], run["group"], run["config"]["recipe.epochs"]) == ("resbench", "small", 1)
        assert run["summary"]["final/val_error_pct"] == pytest.approx(error)
        if (unit, seed) == ("plain", 0):
            assert run["history"] == database.rows(CURVE)


def _wandb_run(path: Path) -> dict[str, Any]:
    """What W&B's own records say of a run."""
    run: dict[str, Any] = {"summary": {}, "config": {}, "history": []}
    for record in _wandb_records(path.read_bytes()):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run |= {"name": record.run.display_name, "project": record.run.project, "group": record.run.run_group}
            run["config"] |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
        elif kind == "summary":
            run["summary"] |= {_key(item): json.loads(item.value_json) for item in record.summary.update}
        elif kind == "history":
            row = {_key(item): json.loads(item.value_json) for item in record.history.item}
            if "val_error_pct" in row:
                run["history"].append((row["_step"], row["val_error_pct"]))
    return run


def _key(item: Any) -> str:
    return item.key or "/".join(item.nested_key)


def _wandb_records(content: bytes) -> Iterator[Any]:
    """Its file is a log in LevelDB's format: blocks of 32 KiB of parts, each with a checksum, a length and a kind."""
    from wandb.proto.wandb_internal_pb2 import Record

    at, whole, block = 7, b"", 32 * 1024
    while at + 7 <= len(content):
        if block - at % block < 7:
            at += block - at % block
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        whole += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # the whole, or its last part
            yield Record.FromString(whole)
            whole = b""
