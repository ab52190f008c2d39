"""A study's file or mapping -> Study: checked, then run; the coordinator's and the worker's part of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from resbench.api.arguments import whole_number
from resbench.api.study.events import Progress, notifier
from resbench.api.study.prepare import bind_points, check_environment, folder_for, named_device, room_on, tell
from resbench.language.library.library import Library
from resbench.language.study.study import StudySpec

if TYPE_CHECKING:
    from resbench.api.results.ranking import Ranking
    from resbench.api.study.check import StudyCheck
    from resbench.study.request import StudyRequest


@dataclass(frozen=True, slots=True)
class StudyOutcome:
    """The outcome of a call of `Study.run`.

    Attributes:
        study: The study's name.
        url: URL of the database.
        complete: Whether every run finished; a run that failed stops no other.
        saved: Runs that this call saved.
        follows: Whether this process, one of several that torchrun started, trained its part of runs that the first one saves.
    """

    study: str
    url: str = field(repr=False)  # it may hold a password
    complete: bool
    saved: int
    follows: bool = False

    @property
    def leaderboard(self) -> Ranking:
        """The ranking. Raises BadInput if no run has finished."""
        from resbench.api.results.results import open_results

        with open_results(self.url) as results:
            return results.leaderboard(self.study)

    def _repr_html_(self) -> str:
        """Return the ranking, for a notebook."""
        return self.leaderboard._repr_html_()


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A study that was read and checked.

    Attributes:
        spec: The content of its file.
        library: The library in which its names are looked up.
    """

    spec: StudySpec
    library: Library

    def __repr__(self) -> str:
        """Return the name and the seeds, without the file's text."""
        return f"<Study {self.name}: {len(self.spec.units)} entries, {len(self.seeds)} seeds>"

    @property
    def name(self) -> str:
        """The name of the study in the database."""
        return self.spec.name

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the runs by which units are ranked."""
        return self.spec.seeds

    def check(self, *, device: str | None = None, memory: str | None = None, progress: Progress = False) -> StudyCheck:
        """Bind every point, read the data, and return what would be trained. Nothing is written.

        Args:
            device: `cuda`, `mps` or `cpu`, in whose memory the networks must fit; None for the best available.
            memory: Memory of the training device, such as `80GiB`, instead of that of this machine.
            progress: Called with the number of decoded images, if that takes long.

        Raises:
            SpecError: With every problem.
        """
        from resbench.api.study.check import check_study, room_of

        return check_study(self.spec, self.library, room_of(device, memory), notifier(progress).note)

    def run(
        self,
        db: str | PathLike[str] = "resbench.db",
        *,
        workers: int | None = None,
        device: str | None = None,
        progress: Progress = True,
        fork: str | None = None,
        checkpoints: str | PathLike[str] | None = None,
        timing: str | PathLike[str] | None = None,
        track: Sequence[str] = (),
        executor: Literal["local", "ray"] | str = "local",
        address: str | None = None,
        gpus_per_worker: float = 0.0,
    ) -> StudyOutcome:
        """Train the missing runs of the study, one row per run. A second call trains nothing twice.

        Args:
            db: The database, a path or a URL, as `--db` takes it.
            workers: Worker processes on this machine; 0 leaves training to `run_worker`. None: as many as speed up the study.
            device: `cuda`, `mps` or `cpu`; None for the best available.
            progress: True writes a line to stderr for every run; a function is called with typed events
                (`resbench.api.study.events`):
                RunsPlanned, EpochEnded, RunSaved, CellFailed, Message.
            fork: A name under which it is run as a study of its own.
            checkpoints: A folder for runs under way and kept weights, shared by several machines; None for the one beside the
                database.
            timing: A folder for the timing of each cell.
            track: Trackers that log the runs, as `--track` takes them, instead of the study's own.
            executor: `local` for workers on this machine, `ray` for slots of a Ray cluster.
            address: Address of the Ray cluster; None starts one on this machine.
            gpus_per_worker: GPUs of each Ray slot.

        Returns:
            The outcome, with the ranking.

        Raises:
            SpecError: With every problem, before anything is written.
            StudyInterrupted: After SIGINT (Ctrl-C, a notebook's stop) or SIGTERM; the same call continues with the rest.
            DatabaseError: For a database that cannot be used.
        """
        from resbench.api.study.ray_options import ray_cluster
        from resbench.api.study.run import run_request
        from resbench.api.study.tracking import trackers_of
        from resbench.study.request import RunOptions
        from resbench.train.execution.ranks import joined, shard

        check_environment()
        if workers is not None:
            whole_number(workers, "workers", 0)
        url, watch = fspath(db), notifier(progress)
        request = self.prepare(url, fork=fork, device=device, trains=workers != 0 and executor == "local")
        tell(request, watch.note)
        with joined(named_device(device)) as where:
            options = RunOptions(
                url=url,
                device=where,
                checkpoints=None if checkpoints is None else fspath(checkpoints),
                timing=None if timing is None else folder_for(Path(timing)),
                workers=workers,
                cluster=ray_cluster(executor, address, gpus_per_worker),
                trackers=trackers_of(request.spec, track),
            )
            complete, follows = run_request(request, options, watch), shard().rank > 0
        return StudyOutcome(request.spec.name, url, complete, watch.saved_runs, follows)

    def prepare(
        self, url: str, *, fork: str | None = None, device: str | None = None, trains: bool = True
    ) -> StudyRequest:
        """Bind every point, as a run on this database does it.

        Args:
            url: Of the database.
            fork: A name under which it is run as a study of its own.
            device: Whose memory the networks must fit in.
            trains: Whether this machine trains.
        """
        room = (lambda: room_on(device)) if trains else (lambda: None)
        return bind_points(self.spec, self.library, fork=fork, url=url, device=room)
