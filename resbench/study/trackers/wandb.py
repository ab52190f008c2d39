"""Runs -> Weights & Biases, in files of this machine: `wandb sync` sends them, where and when somebody wants that.

A mark beside a run's files says that it is whole; files without it are left by a kill, and are written again.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any, Literal

from resbench.errors import BadInput
from resbench.study.trackers.registry import tracker
from resbench.study.trackers.tracked import TrackedRun, TrackedStudy

_MARK = "resbench-whole"


@tracker("wandb", by_user=("mode", "entity"))
class WandB:
    """folder: `wandb` with its files is made there

    project: its name there; mode: `offline` or `online`, which sends at once; entity: whose account
    """

    def __init__(
        self, *, folder: str = ".", project: str = "resbench", mode: str = "offline", entity: str = ""
    ) -> None:
        if mode not in ("offline", "online"):
            raise BadInput(f"track: wandb: mode: expected offline or online, got `{mode}`")
        self.folder, self.project, self.entity = Path(folder), project, entity
        self.mode: Literal["offline", "online"] = "online" if mode == "online" else "offline"

    def begin(self, study: str) -> None:
        for name, value in (("WANDB_SILENT", "true"), ("WANDB_ERROR_REPORTING", "false")):
            os.environ.setdefault(name, value)
        try:
            import wandb  # noqa: F401
        except ModuleNotFoundError as error:
            if error.name != "wandb":
                raise
            raise BadInput("wandb is not installed: pip install 'resbench[wandb]'") from None
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder = (
            self.folder.resolve()
        )  # W&B writes from a process of its own, which has a current folder of its own

    def has(self, run: TrackedRun) -> bool:
        return any((place / _MARK).is_file() for place in self._places(run.key))

    def record(self, run: TrackedRun) -> None:
        for left in self._places(run.key):
            rmtree(left, ignore_errors=True)
        there = self._begun(run.key, run.name, run.study, dict(run.params), [run.unit, run.status])
        epochs = sorted({epoch for curve in run.curves.values() for epoch in curve})
        for epoch in epochs:
            there.log({name: curve[epoch] for name, curve in run.curves.items() if epoch in curve}, step=epoch)
        for name, value in {**{f"final/{key}": value for key, value in run.row.items()}, **run.tags}.items():
            there.summary[name] = value
        there.summary["status"] = run.status
        there.finish(exit_code=1 if run.status == "diverged" else 0)
        for place in self._places(run.key):
            (place / _MARK).touch()

    def finish(self, study: TrackedStudy) -> None:
        import wandb

        key = f"study{sha256(study.name.encode()).hexdigest()[:16]}"  # no other study's name ends in it
        for old in self._places(key):
            rmtree(old, ignore_errors=True)
        there = self._begun(key, f"{study.name}: report", study.name, {}, ["report"])
        there.summary["ranking"] = study.summary
        there.log({"report": wandb.Html(study.report(), inject=False)})
        there.finish()

    def close(self) -> None:
        """Do nothing: each run was finished when it was written."""

    def _begun(self, key: str, name: str, study: str, config: dict[str, Any], tags: list[str]) -> Any:
        import wandb

        quiet = wandb.Settings(
            console="off", silent=True, disable_git=True, disable_code=True, x_disable_stats=True, x_disable_meta=True
        )
        return wandb.init(
            project=self.project, entity=self.entity or None, dir=str(self.folder), mode=self.mode, id=key, name=name[:128],
            group=study[:128], config=config, tags=[tag[:64] for tag in tags], settings=quiet, reinit="create_new",
        )  # type: ignore[call-overload, unused-ignore]  # fmt: skip

    def _places(self, key: str) -> list[Path]:
        return sorted((self.folder / "wandb").glob(f"*run-*-{key}"))
