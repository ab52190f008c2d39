"""A study's file and the words behind it -> checked points, then the run itself; shared by `study run` and `study check`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
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
from resbench.language.yaml.problems import Check
from resbench.ops.schema import table
from resbench.plugins.active import activate_also, named_folders
from resbench.store.checkpoints.place import refuse_strangers
from resbench.store.open import Engine, open_store
from resbench.store.results.checkpoints import checkpoint_folder

MANY = 10**6  # slots of a cluster: as many as it has room for

if TYPE_CHECKING:
    import torch

    from resbench.measure.memory_check import Room
    from resbench.search.point import Point
    from resbench.store.records import DataRecord
    from resbench.study.request import RunOptions, StudyRequest


def prepare(
    file: str,
    changes: tuple[str, ...],
    fork: str | None = None,
    url: str | None = None,
    device: Callable[[], Room | None] = lambda: None,
) -> StudyRequest:
    """Read a study's file and bind its points: every problem of the text first, without torch, and before anything is written.

    Args:
        file: The file, or the name of one in the library.
        changes: The words behind it.
        fork: A name under which it is run as a study of its own.
        url: The database that may hold the study.
        device: Returns the room of the device that trains, None where other machines do.
    """
    spec, library = parsed(file, changes)
    if fork is not None:
        reason = why_not(fork)
        if reason:
            raise BadInput(f"--fork: {reason}")
        spec = replace(spec, name=fork)
    from resbench.study.request import bind_request  # after the file was read: what is wrong there needs no torch

    return bind_request(spec, library, url=url, device=device)


def parsed(file: str, changes: tuple[str, ...]) -> tuple[StudySpec, Library]:
    """Read the study with the changes made. Returns it, and the library it was read with."""
    top, library = read_study(find_study(file))
    return _parse(override_study(top, changes, library), library), library


def read_study(path: Path) -> tuple[Node, Library]:
    """Read a study's data. Returns them, and its library with the plugins that it names."""
    top = Library(table(), path.parent).read("study", path)
    folders = plugin_folders(top, path.parent, named_folders())
    if folders:
        activate_also(folders)
    return top, Library(table(), path.parent)


def _parse(top: Node, library: Library) -> StudySpec:
    """Parse the study with its units and network, and look up its data."""
    check = Check()
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


def room_on(device: str | None) -> Room | None:
    """Return the room of the device of that name, or of the best there is, which is not used for that. Raises as named_device."""
    from resbench.measure.memory_check import room
    from resbench.train.execution.device import best_device

    return room(named_device(device) if device else best_device())


def trained(request: StudyRequest, options: RunOptions, progress: StudyProgress) -> tuple[Engine, bool]:
    """Run the study; of several ranks the first keeps it, and the others end here. Returns whether every cell came to its end.

    Data, recipes and ranks are looked at before anything is written. A request to stop ends with status 130 or 143, and says how
    to go on.
    """
    from resbench.data.notes import notes
    from resbench.study.resources.local import LocalResources, data_record
    from resbench.study.resources.memory import short_now
    from resbench.study.run import run_study
    from resbench.train.execution.ranks import part
    from resbench.workers.data import loaded
    from resbench.workers.job import check_recipe, dismiss, follow
    from resbench.workers.shutdown import Stopped, handle_signals

    spec, points, device = request.spec, request.points, options.device
    assert device is not None
    data = data_record(spec, Decoding(progress.note))
    for point in points:
        check_recipe(point.recipe, device)
    _refuse_too_large(request, options.url, data)
    if part().rank > 0:
        follow(device)
        raise SystemExit(0)
    for note in notes(loaded(data.name, data.settings)[0]):
        progress.note(note)
    if request.room is not None and (short := short_now(points, data, device)) is not None:
        progress.note(short)
    folder = checkpoint_folder(options.url, options.checkpoints)
    refuse_strangers(folder)
    engine = open_store(options.url, create=True)
    options, elsewhere = with_executor(options, points), options.cluster is not None
    resources = LocalResources(data, device, folder, options.timing, elsewhere, request.room)
    with handle_signals() as shutdown:
        try:
            whole = run_study(engine, request, resources, options, progress=progress, shutdown=shutdown)
        except Stopped as stopped:
            progress.stop()
            progress.line(
                f"stopped: {progress.done} of {progress.total} new runs are saved; the same command goes on with the rest"
            )
            raise SystemExit(stopped.status) from None
    dismiss()
    return engine, whole


def with_executor(options: RunOptions, points: Sequence[Point]) -> RunOptions:
    """Return the options with the executor that they and the recipes of the points ask for."""
    from resbench.train.execution.ranks import part

    if options.cluster is not None:
        return replace(options, executor="ray", workers=MANY if options.workers is None else options.workers)
    if part().of > 1:
        return replace(options, executor="ranks")
    in_process = any(point.recipe.plan.workers == 0 for point in points)
    return replace(options, executor="in_process" if in_process else "local")


def _refuse_too_large(request: StudyRequest, url: str, data: DataRecord) -> None:
    """Raise TooLarge for points that do not fit on the device; of one that has runs, none may be missing, which is seen
    where they would be trained. A search has left them out, by the memory that it was begun with.
    """
    from resbench.store.results.stored import from_database
    from resbench.study.resources.memory import lacks, refuse, without_runs

    room, seeds = request.room, request.spec.seeds
    if room is None or not request.spec.search.is_grid:
        return
    large = [point for point in request.points if lacks(point, data, room) is not None]
    if large:
        refuse(from_database(url, lambda engine: without_runs(engine, large, data.digest, seeds), large), data, room)
