"""Runs -> MLflow: an experiment for each study, a run for each run; ranking and report are artifacts of a run of their own."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resbench.errors import BadInput
from resbench.study.trackers.registry import tracker
from resbench.study.trackers.tracked import TrackedRun, TrackedStudy

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_KEY, _KIND = "resbench.key", "resbench.kind"
_METRICS, _PARAMS, _TEXT = 1000, 100, 5000  # MLflow takes so many at a time, and texts so long
_PAGE = 1000


@tracker("mlflow", by_user=("uri",))
class MLflow:
    """folder: where its database and artifacts go; `uri: ADDRESS` is a server's, and MLFLOW_TRACKING_URI names one too

    experiment: its name; else the study's
    """

    def __init__(self, *, folder: str = ".", uri: str = "", experiment: str = "") -> None:
        self.folder, self.uri, self.experiment = Path(folder), uri, experiment
        self.client: MlflowClient | None = None
        self.experiment_id = ""
        self.done: set[str] = set()

    def begin(self, study: str) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        try:
            from mlflow.tracking import MlflowClient
        except ModuleNotFoundError as error:
            if error.name != "mlflow":
                raise
            raise BadInput("MLflow is not installed: pip install 'resbench[mlflow]'") from None
        for name in ("mlflow", "alembic"):  # each step of making its database would be a line
            logging.getLogger(name).setLevel(logging.WARNING)
        uri = self.uri or os.environ.get("MLFLOW_TRACKING_URI", "")
        artifacts = None
        if not uri:
            self.folder.mkdir(parents=True, exist_ok=True)
            uri = (
                f"sqlite:///{(self.folder / 'mlflow.db').resolve().as_posix()}"  # MLflow keeps a connection by its text
            )
            artifacts = (self.folder / "mlartifacts").resolve().as_uri()
        self.client = MlflowClient(tracking_uri=uri)
        name = self.experiment or study
        found = self.client.get_experiment_by_name(name)
        self.experiment_id = (
            found.experiment_id
            if found is not None
            else self.client.create_experiment(name, artifact_location=artifacts)
        )
        self.done = {
            run.data.tags[_KEY] for run in self._runs(f"tags.`{_KIND}` = 'run'") if run.info.status != "RUNNING"
        }

    def has(self, run: TrackedRun) -> bool:
        return run.key in self.done

    def record(self, run: TrackedRun) -> None:
        from mlflow.entities import Metric, Param, RunTag

        client = self._client()
        for left in self._runs(f"tags.`{_KEY}` = '{run.key}'"):  # half written, by a kill
            client.delete_run(left.info.run_id)
        tags = {_KIND: "run", _KEY: run.key, "resbench.study": run.study, "resbench.status": run.status, **run.tags}
        run_id = client.create_run(
            self.experiment_id,
            start_time=_ms(run.began),
            tags={k: v[:_TEXT] for k, v in tags.items()},
            run_name=run.name,
        ).info.run_id
        params = iter([Param(_allowed(key), str(value)[:_TEXT]) for key, value in run.params.items()])
        while some := list(islice(params, _PARAMS)):
            client.log_batch(run_id, params=some)
        spent, at = {}, float(_ms(run.began))
        for epoch, seconds in run.curves.get("train_s", {}).items():
            at += 1000 * seconds
            spent[epoch] = int(at)
        metrics = iter([
            *(Metric(name, value, spent.get(epoch, _ms(run.ended)), epoch)
              for name, curve in run.curves.items() for epoch, value in curve.items()),
            *(Metric(f"final_{name}", value, _ms(run.ended), 0) for name, value in run.row.items()),
        ])  # fmt: skip
        while batch := list(islice(metrics, _METRICS)):
            client.log_batch(run_id, metrics=batch)
        client.log_batch(run_id, tags=[RunTag("mlflow.source.name", "resbench")])
        client.set_terminated(run_id, "FAILED" if run.status == "diverged" else "FINISHED", _ms(run.ended))
        self.done.add(run.key)

    def finish(self, study: TrackedStudy) -> None:
        client = self._client()
        found = [
            run.info.run_id
            for run in self._runs(f"tags.`{_KIND}` = 'study' AND tags.`resbench.study` = '{study.name}'")
        ]
        if not found:
            tags = {_KIND: "study", "resbench.study": study.name}
            found = [client.create_run(self.experiment_id, tags=tags, run_name=f"{study.name}: report").info.run_id]
        client.log_text(found[0], study.summary, "ranking.md")
        client.log_text(found[0], study.report(), "report.html")
        client.set_terminated(found[0], "FINISHED")

    def close(self) -> None:
        self.client = None

    def _client(self) -> MlflowClient:
        assert self.client is not None
        return self.client

    def _runs(self, which: str) -> list[Any]:
        found: list[Any] = []
        token: str | None = None
        while True:
            page = self._client().search_runs([self.experiment_id], which, max_results=_PAGE, page_token=token)
            found += page
            token = page.token
            if not token:
                return found


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _allowed(key: str) -> str:
    """Return a param's name as MLflow takes it."""
    return "".join(letter if letter.isalnum() or letter in "_-. :/" else "_" for letter in key)[:250]
