"""StudySpec -> its cells, trained by workers here and elsewhere.

Everything is checked before anything is written, and written before anything is trained.

Our tables are the truth: a result is saved first, Optuna is told afterwards, and what a crash left between the two is closed
at the next start. One process coordinates a study at a time, under a lease; a second one only adds workers, and takes over
where the first is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resbench.errors import LeaseLost, ResbenchError
from resbench.failpoints import Failpoint, reach
from resbench.language.study.search import BY_RUNGS
from resbench.search.point import Point
from resbench.search.stage import Stage
from resbench.store.queue.cells import cells_by_id, close_cell, enqueue_cell, is_open, open_cells
from resbench.store.queue.leadership import has_role
from resbench.store.records import RunRow, cause
from resbench.store.results.checkpoints import forget_stopped
from resbench.store.results.runs import Rung, find_runs, link_run, newest_run
from resbench.store.results.studies import trials_of_study
from resbench.study.context import Desk
from resbench.study.identity import agree_on_study
from resbench.study.optuna_mirror import Searching, open_optuna, show_again, show_results
from resbench.study.racing import is_over, stages
from resbench.study.resources.resources import Missing, Planned
from resbench.study.seed_allocation import Identity
from resbench.study.trials import Roll, add_points, enrol, retire
from resbench.study.weights.selection import choose_weights
from resbench.workers.attempts import Lost
from resbench.workers.cell_plan import marks_of, needs_of, planned_workers, says_so_still, with_said, within
from resbench.workers.events import Narrator
from resbench.workers.executors.base import Executor
from resbench.workers.executors.factory import Shift
from resbench.workers.shutdown import Stopped
from resbench.workers.tags import asked, unfit

if TYPE_CHECKING:
    from resbench.search.space import Space


def coordinate(desk: Desk, shift: Shift, points: Sequence[Point], space: Space | None = None) -> bool:
    """Train what is missing. Returns whether every cell came to its end; one that fails stops no other.

    `points`: all that are looked at, where it is no search that proposes them. Raises LeaseLost where another process has become
    the coordinator.
    """
    with shift.stop.at_once():
        searching = desk.do(lambda: open_optuna(shift.url, desk.spec.name))
        roll = desk.do(lambda: enrol(desk, searching, () if desk.spec.search.proposes else points))
        before = desk.do(lambda: newest_run(desk.engine))
    narrator = Narrator(desk.watch, {i: (point.name, point.epochs) for i, point in roll.points.items()})
    with ExitStack() as started:
        started.enter_context(_shown_where_stopped(desk, roll))
        executor: Executor | None = None
        for stage in _stages(desk, searching, roll, narrator, (points, space)):
            roll.seeds.update(stage.dealt)
            missing = desk.do(lambda: _missing(desk, roll, stage))  # noqa: B023
            narrator.begin({i: (roll.points[i].name, roll.points[i].epochs) for i in stage.dealt}, missing.stands)
            desk.watch.planned(*missing.counts)
            under_way = desk.do(lambda: _kept(desk, shift, roll, stage, missing.wanted))  # noqa: B023
            if missing.wanted:
                work = _Work(stage, missing.wanted, under_way)
                desk.means.refuse(work.left)
                desk.do(lambda: show_again(desk, [roll.numbers[i] for i in missing.wanted]))  # noqa: B023
                duty = shift.duty(roll.study_id, desk.means.trainers(roll.study_id))
                executor = executor or started.enter_context(shift.executor(desk.engine, duty, narrator))
                _train(desk, executor, shift, roll, work, narrator=narrator)
            desk.do(lambda: [_link(desk, roll, stage, trial_id) for trial_id in stage.dealt])  # noqa: B023
    if desk.latencies.measured:  # also of what was refused last
        desk.do(lambda: agree_on_study(desk, ()))
    desk.do(lambda: show_results(desk, roll.study_id, roll.seeds))
    if desk.do(lambda: is_over(desk.engine, desk.spec)):  # a race may go on
        desk.do(lambda: forget_stopped(desk.engine, roll.study_id))
        desk.note_once(desk.do(lambda: choose_weights(desk, roll.study_id, before)))
    return not narrator.failed


@contextmanager
def _shown_where_stopped(desk: Desk, roll: Roll) -> Iterator[None]:
    """What has ended, or failed, is shown so by Optuna too where somebody stops the study: the rest may go on elsewhere."""
    try:
        yield
    except Stopped:
        with suppress(ResbenchError):  # the next start shows it
            show_results(desk, roll.study_id, roll.seeds, stopped=True)
        raise


def _stages(
    desk: Desk, searching: Searching, roll: Roll, narrator: Narrator, found: tuple[Sequence[Point], Space | None]
) -> Iterator[Stage]:
    spec, (points, space) = desk.spec, found
    if spec.search.is_grid:
        return stages(desk, roll.points, roll.seeds, narrator.failed)
    from resbench.search.selection import Chooser
    from resbench.search.sequential import Tools, proposer, rounds
    from resbench.search.successive_halving import halving

    chooser = Chooser(desk.engine, roll.data.digest, spec.design.objectives, spec.search.own_seeds)
    tools = Tools(chooser, lambda new: desk.do(lambda: _enrolled(desk, searching, roll, new)), desk.watch.note)
    if spec.search.use in BY_RUNGS:
        images = roll.data.n_val if spec.design.objectives[0] == "val_error_pct" else None
        return halving(spec, points, images, tools)
    assert space is not None
    return rounds(spec, proposer(spec.search, space, len(spec.design.objectives)), tools)


def _enrolled(desk: Desk, searching: Searching, roll: Roll, points: Sequence[Point]) -> Mapping[str, int]:
    agree_on_study(desk, points)
    retire(desk, roll.study_id, trials_of_study(desk.engine, roll.study_id), points)
    return add_points(desk, searching, roll, points)


@dataclass(frozen=True, slots=True)
class _Missing:
    """`counts`: of runs that stand and of new ones; `stands`: the trials and seeds of the former."""

    counts: tuple[int, int]
    stands: set[tuple[int, int]]
    wanted: Missing


def _missing(desk: Desk, roll: Roll, stage: Stage) -> _Missing:
    """The seeds of each trial, by id, that have no run; runs that stand are linked.

    An architecture is trained once, for the first trial that has it.
    """
    cached: set[Identity] = set()
    new: set[Identity] = set()
    there: set[tuple[int, int]] = set()
    wanted: dict[int, tuple[Point, tuple[int, ...]]] = {}
    for trial_id, seeds in stage.dealt.items():
        point = roll.points[trial_id]
        stands = _link(desk, roll, stage, trial_id)
        runs = [(point.digest, point.recipe.digest, seed) for seed in seeds]
        cached |= {run for run in runs if run[2] in stands}
        there |= {(trial_id, seed) for seed in stands}
        missing = tuple(run[2] for run in runs if run not in cached and run not in new)
        new |= {run for run in runs if run not in cached}
        if missing and not stage.judges and any(run.status == "diverged" for run in stands.values()):
            missing = seeds  # stopped at a rung, the rest goes on as one network with them
        if missing:
            wanted[trial_id] = (point, missing)
    return _Missing((len(cached), len(new)), there, wanted)


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be trained, and the runs of it that cells of an earlier start will make."""

    stage: Stage
    missing: Missing
    under_way: set[Identity]

    @property
    def left(self) -> Missing:
        rest = {
            i: (point, tuple(seed for seed in seeds if (point.digest, point.recipe.digest, seed) not in self.under_way))
            for i, (point, seeds) in self.missing.items()
        }
        return {i: (point, seeds) for i, (point, seeds) in rest.items() if seeds}


def _train(desk: Desk, executor: Executor, shift: Shift, roll: Roll, work: _Work, *, narrator: Narrator) -> None:
    """Plan, put the cells in the table, and see that they are trained."""
    engine, means, left = desk.engine, desk.means, work.left
    narrator.newest_run = desk.do(lambda: newest_run(engine))
    workers = 0
    with shift.stop.at_once():
        if left:
            planned = desk.do(lambda: means.plan(engine, left))
            workers = planned.workers
            for note in planned.notes:
                desk.watch.note(note)
            desk.do(lambda: _enqueue(desk, left, planned, work.stage))
    cells = desk.do(lambda: open_cells(engine, roll.study_id))
    workers = max([workers, *(planned_workers(cell.plan) or 1 for cell in cells)], default=0)
    if workers and not desk.spec.search.is_grid:  # more stages will come, for which none has to be started again
        workers = max(workers, min(means.slots(), len(cells)))
    count, short = within(means.memory(), needs_of(cells), workers if shift.workers is None else shift.workers)
    desk.note_once(short)
    elsewhere = unfit(cells, shift.record.tags)
    if elsewhere:
        tags = asked(elsewhere)
        desk.note_once(
            f"{len(elsewhere)} of {len(cells)} cells ask for the tags {tags}, which no worker of this process has; they wait for "
            f"`resbench worker --study NAME --tags {tags.partition(' ')[0]}`"
        )
    executor.run(count, lambda: _is_done(desk, roll, narrator))
    for cell in desk.do(lambda: cells_by_id(engine, {cell.id for cell in cells})):
        if cell.status == "failed" and cell.trial_id not in narrator.failed:  # elsewhere
            narrator.ended(cell.trial_id, cause(cell.error))


def _enqueue(desk: Desk, left: Missing, planned: Planned, stage: Stage) -> None:
    for trial_id, (point, _) in left.items():
        for block in planned.blocks[trial_id]:
            plan = with_said(planned.plans[trial_id], point.recipe.plan, planned.workers) | stage.marks
            enqueue_cell(desk.engine, trial_id, block, plan, point.recipe.plan.tags, role=desk.role)
    reach(Failpoint.CELLS_QUEUED)


def _is_done(desk: Desk, roll: Roll, narrator: Narrator) -> bool:
    narrator.catch_up(desk.engine, roll.study_id)
    if not has_role(desk.engine, desk.role):
        raise LeaseLost(f"another process has become {desk.role.name}")
    return not is_open(desk.engine, roll.study_id)


def _kept(desk: Desk, shift: Shift, roll: Roll, stage: Stage, missing: Missing) -> set[Identity]:
    """The runs that cells of an earlier start will make; such a cell stays with its attempts and checkpoints. What is not wanted
    any more, or not so, is closed and planned anew.
    """
    engine = desk.engine
    Lost(engine, roll.study_id, shift.record.name, shift.lease_s).settle()
    for cell in open_cells(engine, roll.study_id, active=False):
        seeds = missing[cell.trial_id][1] if cell.trial_id in missing else ()
        wanted = {*cell.seeds} & {*seeds} and says_so_still(cell.plan, missing[cell.trial_id][0].recipe.plan)
        wanted = wanted and marks_of(cell.plan) == stage.marks
        if cell.status == "queued" and not wanted:
            close_cell(engine, cell.id, "given up: planned anew")
    stands = open_cells(engine, roll.study_id)
    return {(cell.architecture, cell.recipe, seed) for cell in stands for seed in cell.seeds}


def _link(desk: Desk, roll: Roll, stage: Stage, trial_id: int) -> Mapping[int, RunRow]:
    """Let the study show the runs that stand under the trial, as far as the stage wants them. Returns them by seed."""
    point, seeds = roll.points[trial_id], stage.dealt[trial_id]
    identity = (point.digest, point.recipe.digest, roll.data.digest)
    if stage.is_pruned:  # one that this study has stopped is as far as it goes
        found = find_runs(desk.engine, *identity, seeds, rung=Rung(1, roll.study_id))
    else:
        found = find_runs(desk.engine, *identity, seeds, rung=None if stage.upto is None else Rung(stage.upto))
    for run in found.values():
        link_run(desk.engine, roll.study_id, trial_id, run.id, judges=stage.judges)
    return found
