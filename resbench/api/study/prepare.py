"""A study's file and the changes to it -> its spec, then checked points: before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.api.study.tracking import check_trackers
from resbench.data.registry import info
from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput, StorageError
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

if TYPE_CHECKING:
    import torch

    from resbench.measure.memory_check import DeviceMemory
    from resbench.study.request import StudyRequest


def prepare(
    file: str,
    changes: tuple[str, ...],
    fork: str | None = None,
    url: str | None = None,
    device: Callable[[], DeviceMemory | None] = lambda: None,
) -> StudyRequest:
    """Read a study's file and bind its points: every problem of the text first, without torch, and before anything is written.

    Args:
        file: The file, or the name of one in the library.
        changes: The words behind it.
        fork: A name under which it is run as a study of its own.
        url: The database that may hold the study.
        device: Returns the room of the device that trains, None where other machines do.
    """
    return bind_points(*parsed(file, changes), fork=fork, url=url, device=device)


def bind_points(
    spec: StudySpec,
    library: Library,
    *,
    fork: str | None = None,
    url: str | None = None,
    device: Callable[[], DeviceMemory | None] = lambda: None,
) -> StudyRequest:
    """Bind the points of a study that is parsed, as `prepare` does."""
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
    return parse(override_study(top, changes, library), library), library


def read_study(path: Path) -> tuple[Node, Library]:
    """Read a study's data. Returns them, and its library with the plugins that it names."""
    top = Library(table(), path.parent).read("study", path)
    folders = plugin_folders(top, path.parent, named_folders())
    if folders:
        activate_also(folders)
    return top, Library(table(), path.parent)


def parse(top: Node, library: Library) -> StudySpec:
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
    """Return the device of that name, or the best available. Raises BadInput if it cannot be used."""
    import torch

    from resbench.train.execution.device import best_device

    try:
        where = torch.device(device) if device else best_device()
        torch.zeros(1, device=where).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise BadInput(f"--device {device}: {str(error).splitlines()[0]}") from None
    return where


def room_on(device: str | None) -> DeviceMemory | None:
    """Return the room of the device of that name, or of the best there is, which is not used for that. Raises as named_device."""
    from resbench.measure.memory_check import device_memory
    from resbench.train.execution.device import best_device

    return device_memory(named_device(device) if device else best_device())


def check_environment() -> None:
    """Raise BadInput for a variable that running a study would meet too late: when the database is there already."""
    from resbench import failpoints, files
    from resbench.store.connection.retry import Patience

    Patience()
    files.private_mode()
    failpoints.check_environment()


def tell(request: StudyRequest, note: Callable[[str], object]) -> None:
    """Print what the user should know of the points before they are trained."""
    from resbench.study.warnings import hints

    spec, points, refused = request.spec, request.points, request.refused
    if refused:
        total, first = len(points) + len(refused), refused[0]
        note(
            f"{len(refused)} of {total} points cannot be built; first {first.name}: {str(first.problems[0]).splitlines()[0]}"
        )
    for hint in hints(spec, points, info(str(spec.data.name), spec.data.given).n_train):
        note(hint)


def folder_for(given: Path) -> Path:
    """Make the folder of timings where it is not there. Raises BadInput for a file, StorageError where it cannot be made."""
    try:
        given.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise BadInput(f"--timing: expected a folder, got the file {given}") from None
    except OSError as error:
        raise StorageError(f"--timing {given}: {error.strerror}") from None
    return given
