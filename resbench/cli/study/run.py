"""A study's file and the words behind it -> checked points, then the run itself; shared by `study run` and `study check`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.cli.progress import StudyProgress
from resbench.cli.study.decoding import Decoding
from resbench.cli.study.tracking import check_trackers
from resbench.data.registry import info
from resbench.errors import BadInput, did_you_mean
from resbench.language.library.library import STUDIES, Library, workspace
from resbench.language.library.lookup import exists
from resbench.language.names import why_not
from resbench.language.study.command_line import override_study
from resbench.language.study.plugins import plugin_folders
from resbench.language.study.study import StudySpec, parse_study
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems
from resbench.ops.schema import table
from resbench.plugins.active import activate_also, named_folders
from resbench.store.checkpoints.place import refuse_strangers
from resbench.store.open import Engine, open_store
from resbench.store.results.checkpoints import checkpoint_folder

if TYPE_CHECKING:
    import torch

    from resbench.measure.memory_check import DeviceMemory
    from resbench.search.point import Point, Refused
    from resbench.search.space import Space
    from resbench.store.records import DataRecord
    from resbench.study.trackers.tracking import Trackers
    from resbench.workers.config import Place
    from resbench.workers.executors.factory import Where


@dataclass(frozen=True, slots=True)
class Prepared:
    """`points`, `refused`: what is looked at; of a search that proposes it, one by which recipe and machine are looked at.

    `device_memory`: of the device that trains them, None where others do.
    """

    spec: StudySpec
    space: Space
    points: Sequence[Point]
    refused: Sequence[Refused]
    room: DeviceMemory | None = None


def prepare(
    file: str,
    changes: tuple[str, ...],
    fork: str | None = None,
    url: str | None = None,
    device: Callable[[], DeviceMemory | None] = lambda: None,
) -> Prepared:
    """Return every problem of the study's own text first, without torch; then every point bound, before anything is written.

    `url`: of the database that may hold the study; without one, all points of a grid must fit on the device: with one those that
    have runs need not.
    """
    spec, library = parsed(file, changes)
    if fork is not None:
        reason = why_not(fork)
        if reason:
            raise BadInput(f"--fork: {reason}")
        spec = replace(spec, name=fork)
    from resbench.search.latencies import Latencies, latencies_of
    from resbench.search.space import Space
    from resbench.store.results.stored import from_database
    from resbench.study.resources.memory import begun_on

    device_memory, known = device(), Latencies()
    asked = device_memory if url is None else None
    if not spec.search.is_grid:
        asked = (
            device_memory
            if url is None
            else from_database(url, lambda engine: begun_on(engine, spec.name, device_memory), device_memory)
        )
    if url is not None and spec.budget.latency_ms:
        known = from_database(url, lambda engine: latencies_of(engine, spec.name), known)
    space = Space(spec, info(str(spec.data.name), spec.data.given), library, known, asked)
    return Prepared(spec, space, *space.looked_at(), device_memory)


def parsed(file: str, changes: tuple[str, ...]) -> tuple[StudySpec, Library]:
    """Return the study with the changes made, and the library it was read with."""
    top, library = read_study(find_study(file))
    return _parse(override_study(top, changes, library), library), library


def read_study(path: Path) -> tuple[Node, Library]:
    """Return the study's data, and its library with the plugins that it names."""
    top = Library(table(), path.parent).read("study", path)
    folders = plugin_folders(top, path.parent, named_folders())
    if folders:
        activate_also(folders)
    return top, Library(table(), path.parent)


def _parse(top: Node, library: Library) -> StudySpec:
    """Return the study with its units and network read, and its data known."""
    check = Problems()
    spec = parse_study(top, library, check)
    if spec is not None:
        try:
            info(str(spec.data.name), spec.data.given)
        except BadInput as error:
            check.report_error(spec.data.node, error)
        check_trackers(spec, check)
    check.done()
    assert spec is not None
    return spec


def find_study(file: str) -> Path:
    """Return the file itself, else one of that name in the library. Raises BadInput with the names there are."""
    path = Path(file)
    if exists(path):
        return path
    name = path.name.removesuffix(".yaml")
    folders = [root.parent / "studies" for root in (workspace(),) if root is not None]
    for folder in (*folders, STUDIES):
        found = folder / f"{name}.yaml"
        if exists(found) and file in (name, f"{name}.yaml", f"studies/{name}.yaml", f"studies/{name}"):
            return found
    known = sorted(p.stem for p in STUDIES.glob("*.yaml"))
    raise BadInput(f"{file}: no such study file{did_you_mean(name, known)}; studies of the library: {', '.join(known)}")


def named_device(device: str | None) -> torch.device:
    """Return the device of that name, or the best there is. Raises BadInput where it cannot be used."""
    import torch

    from resbench.train.execution.device import best_device

    try:
        where = torch.device(device) if device else best_device()
        torch.zeros(1, device=where).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise BadInput(f"--device {device}: {str(error).splitlines()[0]}") from None
    return where


def room_on(device: str | None) -> DeviceMemory | None:
    """Return what the device of that name has, or the best there is, which is not used for that; raises as
    `named_device` does.
    """
    from resbench.measure.memory_check import device_memory
    from resbench.train.execution.device import best_device

    return device_memory(named_device(device) if device else best_device())


@dataclass(frozen=True, slots=True)
class Setting:
    """What a study is run on, which changes no number."""

    url: str
    device: torch.device
    checkpoints: str | None = None
    profile: Path | None = None
    workers: int | None = None
    place: Place | None = None  # on a Ray cluster
    trackers: Trackers | None = None


def trained(prepared: Prepared, setting: Setting, progress: StudyProgress) -> tuple[Engine, bool]:
    """Run the study; of several ranks the first keeps it, and the others end here. Returns whether every cell came to its end.

    Data, recipes and ranks are looked at before anything is written. A wish to stop ends with status 130 or 143, and says how to
    go on.
    """
    from resbench.data.notes import notes
    from resbench.study.resources.local import ThisMachine, data_record
    from resbench.study.resources.memory import short_now
    from resbench.study.run import Manner, Task, run_study
    from resbench.study.trackers.tracking import NO_TRACKERS
    from resbench.train.execution.ranks import shard
    from resbench.workers.data import loaded
    from resbench.workers.job import check_recipe, dismiss, follow
    from resbench.workers.shutdown import Stopped, heard

    spec, points = prepared.spec, prepared.points
    data = data_record(spec, Decoding(progress.note))
    for point in points:
        check_recipe(point.recipe, setting.device)
    _refuse_too_large(prepared, setting.url, data)
    if shard().rank > 0:
        follow(setting.device)
        raise SystemExit(0)
    for note in notes(loaded(data.name, data.settings)[0]):
        progress.note(note)
    if prepared.room is not None and (short := short_now(points, data, setting.device)) is not None:
        progress.note(short)
    folder = checkpoint_folder(setting.url, setting.checkpoints)
    refuse_strangers(folder)
    engine = open_store(setting.url, create=True)
    here: Where = "ranks" if shard().of > 1 else "here" if _in_process(points) else "local"
    where: Where = here if setting.place is None else "ray"
    workers = MANY if where == "ray" and setting.workers is None else setting.workers
    manner = Manner(where, workers, place=setting.place, trackers=setting.trackers or NO_TRACKERS)
    with heard() as stop:
        try:
            away = setting.place is not None
            means = ThisMachine(data, setting.device, folder, setting.profile, away, prepared.room)
            whole = run_study(engine, Task(setting.url, spec, points, means, prepared.space), progress, stop, manner)
        except Stopped as stopped:
            progress.stop()
            progress.line(
                f"stopped: {progress.done} of {progress.total} new runs are saved; the same command goes on with the rest"
            )
            raise SystemExit(stopped.status) from None
    dismiss()
    return engine, whole


def _refuse_too_large(prepared: Prepared, url: str, data: DataRecord) -> None:
    """Raises TooLarge for points that do not fit on the device; of one that has runs, none may be missing, which is seen
    where they would be trained. A search has left them out, by the memory that it was begun with.
    """
    from resbench.store.results.stored import from_database
    from resbench.study.resources.memory import lacks, refuse, without_runs

    device_memory, seeds = prepared.room, prepared.spec.seeds
    if device_memory is None or not prepared.spec.search.is_grid:
        return
    large = [point for point in prepared.points if lacks(point, data, device_memory) is not None]
    if large:
        refuse(
            from_database(url, lambda engine: without_runs(engine, large, data.digest, seeds), large),
            data,
            device_memory,
        )


MANY = 10**6  # slots of a cluster: as many as it has room for


def _in_process(points: Sequence[Point]) -> bool:
    return any(point.recipe.plan.workers == 0 for point in points)
