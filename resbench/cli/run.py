"""A study's file and the words behind it -> checked points, then the run itself; shared by `study run` and `study check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.cli.progress import StudyProgress
from resbench.data.registry import info
from resbench.errors import BadInput, did_you_mean
from resbench.ops.schema import table
from resbench.plugins.active import activate_also, named_folders
from resbench.spec.check import Check
from resbench.spec.library import STUDIES, Library, workspace
from resbench.spec.names import why_not
from resbench.spec.node import Node, values
from resbench.spec.override import override_study
from resbench.spec.study import StudySpec, parse_study
from resbench.spec.study_plugins import plugin_folders
from resbench.store.engine import Engine, open_store

if TYPE_CHECKING:
    import torch

    from resbench.study.space import Point, Refused  # imports torch


def prepare(
    file: str, changes: tuple[str, ...], fork: str | None
) -> tuple[StudySpec, Sequence[Point], Sequence[Refused]]:
    """Every problem of the study's own text first, without torch; then every point bound, before anything is written."""
    spec, library = parsed(file, changes)
    if fork is not None:
        reason = why_not(fork)
        if reason:
            raise BadInput(f"--fork: {reason}")
        spec = replace(spec, name=fork)
    from resbench.study.space import space_of

    return spec, *space_of(spec, info(str(spec.data.name), spec.data.given), library)


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
    if path.exists():
        return path
    name = path.name.removesuffix(".yaml")
    folders = [root.parent / "studies" for root in (workspace(),) if root is not None]
    for folder in (*folders, STUDIES):
        found = folder / f"{name}.yaml"
        if found.is_file() and file in (name, f"{name}.yaml", f"studies/{name}.yaml", f"studies/{name}"):
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


def trained(
    url: str,
    spec: StudySpec,
    points: Sequence[Point],
    where: torch.device,
    profile: Path | None,
    progress: StudyProgress,
) -> tuple[Engine, bool]:
    """Run the study; of several ranks the first keeps it, and the others end here. Returns whether every cell came to its end.

    Data, recipes and ranks are looked at before anything is written. Ctrl-C ends with status 130 and says how to go on.
    """
    from resbench.study.coordinator import run_study
    from resbench.study.data import loaded
    from resbench.study.follow import dismiss, follow
    from resbench.study.job import check_recipe
    from resbench.study.profile import Machine
    from resbench.train.ranks import part

    loaded(str(spec.data.name), values(spec.data.given))
    for point in points:
        check_recipe(point.recipe, where)
    if part().rank > 0:
        follow(where)
        raise SystemExit(0)
    engine = open_store(url, create=True)
    try:
        whole = run_study(engine, url, spec, points, Machine(where, profile), progress)
    except KeyboardInterrupt:
        progress.bar.stop()
        progress.line(
            f"stopped: {progress.done} of {progress.total} new runs are saved; the same command goes on with the rest"
        )
        raise SystemExit(130) from None
    dismiss()
    return engine, whole
