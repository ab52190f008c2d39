"""A study's file and the words behind it -> checked points, then the run itself; shared by `study run` and `study check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.cli.progress import StudyProgress
from resbench.data.registry import info
from resbench.errors import BadInput, did_you_mean
from resbench.ops.schema import table
from resbench.plugins.active import activate_also, named_folders
from resbench.spec.check import Check
from resbench.spec.find import exists
from resbench.spec.library import STUDIES, Library, workspace
from resbench.spec.names import why_not
from resbench.spec.node import Node
from resbench.spec.override import override_study
from resbench.spec.study import StudySpec, parse_study
from resbench.spec.study_plugins import plugin_folders
from resbench.store.checkpoints import checkpoint_folder
from resbench.store.engine import Engine, open_store

if TYPE_CHECKING:
    import torch

    from resbench.study.place import Place
    from resbench.study.point import Point, Refused
    from resbench.study.shift import Where
    from resbench.study.space import Space


@dataclass(frozen=True, slots=True)
class Prepared:
    """`points`, `refused`: what is looked at; of a search that proposes it, one by which recipe and machine are looked at."""

    spec: StudySpec
    space: Space
    points: Sequence[Point]
    refused: Sequence[Refused]


def prepare(file: str, changes: tuple[str, ...], fork: str | None = None, url: str | None = None) -> Prepared:
    """Every problem of the study's own text first, without torch; then every point bound, before anything is written.

    `url`: of the database that may hold the study.
    """
    spec, library = parsed(file, changes)
    if fork is not None:
        reason = why_not(fork)
        if reason:
            raise BadInput(f"--fork: {reason}")
        spec = replace(spec, name=fork)
    from resbench.study.latencies import Latencies, stored_latencies
    from resbench.study.space import Space

    known = stored_latencies(url, spec.name) if url is not None and spec.budget.latency_ms else Latencies()
    space = Space(spec, info(str(spec.data.name), spec.data.given), library, known)
    return Prepared(spec, space, *space.looked_at())


def parsed(file: str, changes: tuple[str, ...]) -> tuple[StudySpec, Library]:
    """The study with the changes made, and the library it was read with."""
    top, library = read_study(find_study(file))
    return _parse(override_study(top, changes, library), library), library


def read_study(path: Path) -> tuple[Node, Library]:
    """The study's data, and its library with the plugins that it names."""
    top = Library(table(), path.parent).read("study", path)
    folders = plugin_folders(top, path.parent, named_folders())
    if folders:
        activate_also(folders)
    return top, Library(table(), path.parent)


def _parse(top: Node, library: Library) -> StudySpec:
    """The study with its units and network read, and its data known."""
    check = Check()
    spec = parse_study(top, library, check)
    if spec is not None:
        try:
            info(str(spec.data.name), spec.data.given)
        except BadInput as error:
            check.report_error(spec.data.node, error)
    check.done()
    assert spec is not None
    return spec


def find_study(file: str) -> Path:
    """The file itself, else one of that name in the library. Raises BadInput with the names there are."""
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
    """The device of that name, or the best there is. Raises BadInput where it cannot be used."""
    import torch

    from resbench.train.device import best_device

    try:
        where = torch.device(device) if device else best_device()
        torch.zeros(1, device=where).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise BadInput(f"--device {device}: {str(error).splitlines()[0]}") from None
    return where


def ray_place(executor: str, address: str | None, gpus: float) -> Place | None:
    """Where on a Ray cluster; None where it is not asked for. Raises BadInput."""
    from importlib.util import find_spec

    from resbench.study.place import Place

    if executor not in ("local", "ray"):
        raise BadInput(f"--executor {executor}: allowed are local, ray{did_you_mean(executor, ['local', 'ray'])}")
    if executor == "local":
        if address is not None or gpus:
            raise BadInput("--address and --gpus-per-worker are of `--executor ray`")
        return None
    if find_spec("ray") is None:
        raise BadInput("--executor ray: Ray is not installed; `pip install 'resbench[ray]'`")
    return Place(address, gpus=gpus)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a study is run on, which changes no number."""

    url: str
    device: torch.device
    checkpoints: str | None = None
    profile: Path | None = None
    workers: int | None = None
    place: Place | None = None  # on a Ray cluster


def trained(prepared: Prepared, setting: Setting, progress: StudyProgress) -> tuple[Engine, bool]:
    """Run the study; of several ranks the first keeps it, and the others end here. Returns whether every cell came to its end.

    Data, recipes and ranks are looked at before anything is written. A wish to stop ends with status 130 or 143, and says how to
    go on.
    """
    from resbench.study.follow import dismiss, follow
    from resbench.study.job import check_recipe
    from resbench.study.machine import ThisMachine, data_record
    from resbench.study.run import Manner, Task, run_study
    from resbench.study.stop import Stopped, heard
    from resbench.train.ranks import part

    spec, points = prepared.spec, prepared.points
    data = data_record(spec)
    for point in points:
        check_recipe(point.recipe, setting.device)
    if part().rank > 0:
        follow(setting.device)
        raise SystemExit(0)
    engine = open_store(setting.url, create=True)
    folder = checkpoint_folder(setting.url, setting.checkpoints)
    here: Where = "ranks" if part().of > 1 else "here" if _in_process(points) else "local"
    where: Where = here if setting.place is None else "ray"
    workers = MANY if where == "ray" and setting.workers is None else setting.workers
    manner = Manner(where, workers, place=setting.place)
    with heard() as stop:
        try:
            means = ThisMachine(data, setting.device, folder, setting.profile, setting.place is not None)
            whole = run_study(engine, Task(setting.url, spec, points, means, prepared.space), progress, stop, manner)
        except Stopped as stopped:
            progress.bar.stop()
            progress.line(
                f"stopped: {progress.done} of {progress.total} new runs are saved; the same command goes on with the rest"
            )
            raise SystemExit(stopped.status) from None
    dismiss()
    return engine, whole


MANY = 10**6  # slots of a cluster: as many as it has room for


def _in_process(points: Sequence[Point]) -> bool:
    return any(point.recipe.plan.workers == 0 for point in points)
