"""A study and its points -> its runs, trained by workers here and elsewhere, while this process has the coordinator's role.

Everything is checked before anything is written, and written before anything is trained.

Our tables are the truth: a result is saved first and given to Optuna afterwards, and what a crash left between the two is closed
at the next start. One process coordinates a study at a time, under a lease; a second one only adds workers, and takes over
where the first is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TypeVar, TypeVarTuple

from resbench.errors import DatabaseError, LeaseLost, ResbenchError
from resbench.failpoints import Failpoint, reach
from resbench.language.study.search import BY_RUNGS
from resbench.search.point import Point
from resbench.search.stage import SeedsByTrial, StudyStage
from resbench.store.connection.retry import Patience
from resbench.store.optuna.storage import optuna_explained
from resbench.store.optuna.trials import reopen_failed
from resbench.store.queue.cells import cells_by_id, close_cell, enqueue_cell, is_open, open_cells
from resbench.store.queue.leadership import has_role
from resbench.store.queue.tags import unfit_note
from resbench.store.records import Cell, Lease, RunRow, cause
from resbench.store.results.checkpoints import forget_stopped
from resbench.store.results.runs import Rung, find_runs, link_run, newest_run
from resbench.study.optuna_mirror import open_optuna, show_results
from resbench.study.racing import is_race_over, racing_stages, runs_or_none
from resbench.study.request import RunOptions, StudyRequest
from resbench.study.resources.resources import CellSchedule, Missing, Resources
from resbench.study.seed_allocation import RunKey, allocate_seeds, within_trial_budget
from resbench.study.trials import TrialRegistry
from resbench.study.weights.selection import choose_weights
from resbench.workers.attempts import StaleCellReaper
from resbench.workers.cell_plan import CellPlan, seed_stacks, workers_that_fit
from resbench.workers.events import Progress, ProgressRelay
from resbench.workers.executors.base import Executor
from resbench.workers.executors.factory import make_executor
from resbench.workers.shutdown import Stopped
from resbench.workers.worker import Worker

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class Coordinator:
    """One start of a study under the coordinator's role; `run` does all of it."""

    def __init__(
        self,
        worker: Worker,
        request: StudyRequest,
        resources: Resources,
        options: RunOptions,
        *,
        progress: Progress,
        role: Lease,
    ) -> None:
        self.worker, self.request, self.resources, self.options = worker, request, resources, options
        self.progress, self.role = progress, role
        self.engine, self.spec, self.shutdown = worker.engine, request.spec, worker.shutdown
        self.patience = Patience(note=progress.note, stopped=lambda: bool(worker.shutdown.requested))
        self.relay = ProgressRelay(progress, {})
        self.seeds: dict[int, tuple[int, ...]] = {}  # of each trial that this start looks at
        self.noted: set[str] = set()

    def run(self) -> bool:
        """Train what is missing. Returns whether every cell came to its end; one that fails stops no other.

        Raises LeaseLost where another process has become the coordinator.
        """
        with self.shutdown.interruptible():
            optuna = self.retry(open_optuna, self.options.url, self.spec.name)
            self.trials = TrialRegistry(self.engine, self.request, self.resources, self.role, optuna)
            first = self.retry(self._register_first)
            before = self.retry(newest_run, self.engine)
        with ExitStack() as opened:
            opened.enter_context(self._shown_when_stopped())
            executor: Executor | None = None
            for stage in self._stages(first):
                self.seeds.update(stage.seeds)
                missing = self._begin(stage)
                kept = self.retry(self._keep_cells, stage, missing)
                if missing:
                    left = _without(missing, kept)
                    self.resources.refuse(left)
                    self.retry(self._reopen, missing)
                    executor = executor or opened.enter_context(self._executor())
                    self._train(stage, left, executor)
                self.retry(self._link_all, stage)
        if self.request.latencies.measured:  # also of what was refused last
            self.retry(self.trials.agree, ())
        self.retry(self._show_results)
        if self.retry(is_race_over, self.engine, self.spec):  # a race may go on
            self.retry(forget_stopped, self.engine, self.trials.study_id)
            self._note_once(self.retry(choose_weights, self.engine, self.spec, self.resources.folder, before))
        return not self.relay.failed

    def retry(self, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """Call what no crash in its middle would harm; it is called again where the database does not answer."""

        def explained() -> T:
            with optuna_explained(self.engine):
                return function(*arguments)

        return self.patience.do(explained)

    def _note_once(self, text: str) -> None:
        """Show what may be found again at the next stage."""
        if text and text not in self.noted:
            self.noted.add(text)
            self.progress.note(text)

    def _register_first(self) -> SeedsByTrial:
        """Register the study, and of a grid its trials. Returns the seeds of the first stage."""
        points = () if self.spec.search.proposes else self.request.points
        rows = self.trials.open(points, self.progress)
        if not self.spec.search.is_grid:
            return {}
        points = within_trial_budget(self.spec, points, rows, self.progress)
        seeds = allocate_seeds(self.engine, self.spec, dict(enumerate(points)), self.spec.first_seeds, self.progress)
        ids = self.trials.register([points[i] for i, own in seeds.items() if own])
        return {ids[points[i].name]: own for i, own in seeds.items() if own}

    def _register(self, points: Sequence[Point]) -> Mapping[str, int]:
        """Register points that a search has found. Returns the ids of their trials, by name."""
        self.trials.agree(points)
        self.trials.deactivate(points, self.progress)
        return self.trials.register(points)

    def _stages(self, first: SeedsByTrial) -> Iterator[StudyStage]:
        spec, engine, note = self.spec, self.engine, self.progress.note
        if spec.search.is_grid:
            yield StudyStage(first)
            yield from racing_stages(
                spec,
                self.trials.points,
                lambda: self.retry(runs_or_none, engine, spec.name),
                lambda points, seeds: self.retry(allocate_seeds, engine, spec, points, seeds, self.progress),
                failed=self.relay.failed,
                progress=self.progress,
            )
            return
        from resbench.search.selection import Selection
        from resbench.search.sequential import make_sampler, sequential_stages
        from resbench.search.successive_halving import halving_stages

        data, objectives = self.trials.data, spec.design.objectives
        selection = Selection(engine, data.digest, objectives, spec.search.own_seeds)

        def register(points: Sequence[Point]) -> Mapping[str, int]:
            return self.retry(self._register, points)

        if spec.search.use in BY_RUNGS:
            images = data.n_val if objectives[0] == "val_error_pct" else None
            yield from halving_stages(spec, self.request.points, selection, register, note=note, images=images)
            return
        assert self.request.space is not None
        sampler = make_sampler(spec.search, self.request.space, len(objectives))
        yield from sequential_stages(spec, sampler, selection, register, note)

    def _begin(self, stage: StudyStage) -> Missing:
        """Link the runs that the database has, and show how many are to be trained. Returns those."""
        missing, saved, counts = self.retry(self._missing, stage)
        points = {trial_id: self.trials.points[trial_id] for trial_id in stage.seeds}
        self.relay.begin({trial_id: (point.name, point.epochs) for trial_id, point in points.items()}, saved)
        self.progress.planned(*counts)
        return missing

    def _missing(self, stage: StudyStage) -> tuple[Missing, set[tuple[int, int]], tuple[int, int]]:
        """Return the seeds of each trial that have no run; trials and seeds that have one; and how many runs are there and new.

        An architecture is trained once, for the first trial that has it.
        """
        cached: set[RunKey] = set()
        new: set[RunKey] = set()
        saved: set[tuple[int, int]] = set()
        missing: dict[int, tuple[Point, tuple[int, ...]]] = {}
        for trial_id, seeds in stage.seeds.items():
            point = self.trials.points[trial_id]
            found = self._link(stage, trial_id)
            runs = [(point.digest, point.recipe.digest, seed) for seed in seeds]
            cached |= {run for run in runs if run[2] in found}
            saved |= {(trial_id, seed) for seed in found}
            own = tuple(run[2] for run in runs if run not in cached and run not in new)
            new |= {run for run in runs if run not in cached}
            if own and not stage.judges and any(run.status == "diverged" for run in found.values()):
                own = seeds  # stopped at a rung, the rest goes on as one network with them
            if own:
                missing[trial_id] = (point, own)
        return missing, saved, (len(cached), len(new))

    def _keep_cells(self, stage: StudyStage, missing: Missing) -> set[RunKey]:
        """Return the runs that cells of an earlier start will make; such a cell stays with its attempts and checkpoints.

        A queued cell that is not wanted any more, or not so, is closed: what it had is planned again.
        """
        engine, study_id = self.engine, self.trials.study_id
        StaleCellReaper(engine, study_id, self.worker.name, self.worker.options.lease_s).reap()
        for cell in open_cells(engine, study_id, active=False):
            if cell.status == "queued" and not _is_wanted(cell, stage, missing):
                close_cell(engine, cell.id, "given up: planned again")
        cells = open_cells(engine, study_id)
        return {(cell.architecture, cell.recipe, seed) for cell in cells for seed in cell.seeds}

    def _reopen(self, missing: Missing) -> None:
        """Let Optuna show those of the trials as running that had failed: they are trained again."""
        numbers = [self.trials.numbers[trial_id] for trial_id in missing]
        reopen_failed(self.engine, self.spec.name, numbers, self.role)

    def _executor(self) -> Executor:
        study_id, options = self.trials.study_id, self.options
        return make_executor(
            self.worker, study_id, self.resources.trainers(study_id), self.relay,
            kind=options.executor, cluster=options.cluster,
        )  # fmt: skip

    def _train(self, stage: StudyStage, left: Missing, executor: Executor) -> None:
        """Plan, queue cells, and wait until they are trained. `left`: what no cell of an earlier start will make."""
        self.relay.newest_run = self.retry(newest_run, self.engine)
        workers = 0
        with self.shutdown.interruptible():
            if left:
                schedule = self.retry(self.resources.plan, self.engine, left)
                workers = schedule.workers
                for note in schedule.notes:
                    self.progress.note(note)
                self.retry(self._enqueue, stage, left, schedule)
        cells = self.retry(open_cells, self.engine, self.trials.study_id)
        plans = [CellPlan.from_json(cell.plan) for cell in cells]
        workers = max([workers, *(plan.workers or 1 for plan in plans)], default=0)
        if workers and not self.spec.search.is_grid:  # more stages will come, for which none has to be started again
            workers = max(workers, min(self.resources.slots(), len(cells)))
        asked = workers if self.options.workers is None else self.options.workers
        count, warning = workers_that_fit(self.resources.memory(), [plan.needs_bytes for plan in plans], asked)
        self._note_once(warning)
        self._note_once(unfit_note(cells, self.worker.record.tags))
        executor.run(count, self._is_done)
        for cell in self.retry(cells_by_id, self.engine, {cell.id for cell in cells}):
            if cell.status == "failed" and cell.trial_id not in self.relay.failed:  # elsewhere
                self.relay.ended(cell.trial_id, cause(cell.error))

    def _enqueue(self, stage: StudyStage, left: Missing, schedule: CellSchedule) -> None:
        for trial_id, (point, seeds) in left.items():
            plan = schedule.plans[trial_id].for_stage(stage, point.recipe.plan, schedule.workers)
            for stack in seed_stacks(seeds, plan.width):
                enqueue_cell(
                    self.engine, trial_id, stack.wanted, plan.to_json(), point.recipe.plan.tags, role=self.role
                )
        reach(Failpoint.CELLS_QUEUED)

    def _is_done(self) -> bool:
        self.relay.catch_up(self.engine, self.trials.study_id)
        if not has_role(self.engine, self.role):
            raise LeaseLost(f"another process has become {self.role.name}")
        return not is_open(self.engine, self.trials.study_id)

    def _link_all(self, stage: StudyStage) -> None:
        for trial_id in stage.seeds:
            self._link(stage, trial_id)

    def _link(self, stage: StudyStage, trial_id: int) -> Mapping[int, RunRow]:
        """Let the study show the runs of a trial that the database has, as far as the stage wants them. Returns them by seed."""
        engine, study_id, point = self.engine, self.trials.study_id, self.trials.points[trial_id]
        rung = None if stage.upto is None else Rung(stage.upto)
        if stage.is_pruned:  # one that this study has stopped is as far as it goes
            rung = Rung(1, study_id)
        identity = (point.digest, point.recipe.digest, self.trials.data.digest)
        found = find_runs(engine, *identity, stage.seeds[trial_id], rung=rung)
        for run in found.values():
            link_run(engine, study_id, trial_id, run.id, judges=stage.judges)
        return found

    @contextmanager
    def _shown_when_stopped(self) -> Iterator[None]:
        """Let Optuna too show what has ended, or failed, where somebody stops the study: the rest may go on elsewhere."""
        try:
            yield
        except Stopped:
            with suppress(ResbenchError):  # the next start shows it
                self._show_results(stopped=True)
            raise

    def _show_results(self, *, stopped: bool = False) -> None:
        n_val = self.resources.data.n_val
        show_results(self.engine, self.spec, self.seeds, self.role, n_val=n_val, stopped=stopped)


def _is_wanted(cell: Cell, stage: StudyStage, missing: Missing) -> bool:
    """Return whether a queued cell has seeds that are missing, and would be queued with the same plan now."""
    if cell.trial_id not in missing:
        return False
    point, seeds = missing[cell.trial_id]
    try:
        return bool({*cell.seeds} & {*seeds}) and CellPlan.from_json(cell.plan).is_current(stage, point.recipe.plan)
    except DatabaseError:  # nobody could train it by that plan
        return False


def _without(missing: Missing, kept: set[RunKey]) -> Missing:
    """Return what is missing without the runs that are `kept`."""
    left: dict[int, tuple[Point, tuple[int, ...]]] = {}
    for trial_id, (point, seeds) in missing.items():
        own = tuple(seed for seed in seeds if (point.digest, point.recipe.digest, seed) not in kept)
        if own:
            left[trial_id] = (point, own)
    return left
