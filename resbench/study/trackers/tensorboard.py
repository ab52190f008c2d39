"""Runs -> event files that TensorBoard reads: `folder/STUDY/UNIT/seed-0-KEY`, curves as scalars, params in its HParams tab.

A run is written beside its place and moved there when it is whole, so a folder that has its name is a run that was recorded.
"""

from __future__ import annotations

import re
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from resbench.errors import BadInput
from resbench.study.trackers.registry import tracker
from resbench.study.trackers.tracked import TrackedRun, TrackedStudy

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_ODD = re.compile(r"[^\w.=+,-]+")
_LONGEST = 80
_HIDDEN = ".writing-"
_REPORT = "-ranking-"  # no unit's: names of units begin with a letter or `_`


@tracker("tensorboard")
class TensorBoard:
    """folder: where its event files go; `tensorboard --logdir FOLDER` shows them"""

    def __init__(self, *, folder: str = "runs") -> None:
        self.folder = Path(folder)
        self.place = self.folder

    def begin(self, study: str) -> None:
        try:
            import tensorboard  # noqa: F401  (torch's writer says less of what is missing)
        except ModuleNotFoundError:
            raise BadInput("tensorboard is not installed: pip install 'resbench[tensorboard]'") from None
        self.place = self.folder / _file_name(study)
        self.place.mkdir(parents=True, exist_ok=True)
        for left in self.place.rglob(f"{_HIDDEN}*"):  # by a kill
            rmtree(left, ignore_errors=True)

    def has(self, run: TrackedRun) -> bool:
        return self._place(run).is_dir()

    def record(self, run: TrackedRun) -> None:
        from torch.utils.tensorboard.summary import hparams

        place = self._place(run)
        hidden = place.with_name(f"{_HIDDEN}{place.name}")
        writer = _writer(hidden)
        final = {f"final/{name}": value for name, value in run.row.items()}
        for summary in hparams(dict(run.params), final):  # type: ignore[no-untyped-call]
            writer._get_file_writer().add_summary(summary)  # type: ignore[no-untyped-call]
        spent = _ends_of_epochs(run)
        for name, curve in run.curves.items():
            for epoch, value in curve.items():
                writer.add_scalar(name, value, epoch, walltime=spent.get(epoch, run.ended.timestamp()))
        for name, value in run.row.items():
            writer.add_scalar(f"final/{name}", value, 0, walltime=run.ended.timestamp())
        lines = [f"- {key}: {value}" for key, value in {"status": run.status, **run.tags}.items()]
        writer.add_text("run", "\n".join(lines), 0, walltime=run.ended.timestamp())
        writer.close()
        hidden.rename(place)

    def finish(self, study: TrackedStudy) -> None:
        hidden, place = self.place / f"{_HIDDEN}report", self.place / _REPORT
        writer = _writer(hidden)
        writer.add_text("ranking", study.summary, 0)
        writer.close()
        rmtree(place, ignore_errors=True)
        hidden.rename(place)

    def close(self) -> None:
        """Do nothing: each file was closed when its run was written."""

    def _place(self, run: TrackedRun) -> Path:
        return self.place / _file_name(run.unit) / f"seed-{run.seed}-{run.key}"


def _writer(folder: Path) -> SummaryWriter:
    from torch.utils.tensorboard import SummaryWriter

    rmtree(folder, ignore_errors=True)
    return SummaryWriter(str(folder))


def _file_name(text: str) -> str:
    """Return a name as a folder's: what a file system may not like becomes `_`.

    >>> _file_name("gated bias=-3/x"), _file_name("..")
    ('gated_bias=-3_x', '_')
    """
    return _ODD.sub("_", text)[:_LONGEST].lstrip(".") or "_"


def _ends_of_epochs(run: TrackedRun) -> dict[int, float]:
    """Return seconds since 1970 at which each epoch ended, by how long training took."""
    at, found = run.began.timestamp(), {}
    for epoch, seconds in run.curves.get("train_s", {}).items():
        at += seconds
        found[epoch] = at
    return found
