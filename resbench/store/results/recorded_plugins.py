"""The plugin folders of a study: recorded in its row, and used again when its networks are read.

Their code is run, and a database may come from another person: of the folders in a row only those in the workspace are used;
others must be given by `--plugins`, as for a study's file (language/study/plugins.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from os.path import relpath
from pathlib import Path

from sqlalchemy import Engine, select

from resbench.language.library.lookup import is_folder, workspace
from resbench.plugins.active import activate_found, named_folders
from resbench.store.connection.transaction import reading
from resbench.store.results.stored import StoredStudy
from resbench.store.results.studies import study_spec
from resbench.store.schema.tables import rb_study, rb_trial


def plugins_in_use() -> list[str]:
    """Return the folders that are named, as seen from the workspace: what a study's row keeps."""
    root = _root()
    return [Path(relpath(folder, root)).as_posix() for folder in named_folders()]


def use_plugins_of(engine: Engine, *studies: str) -> None:
    """Activate the plugins of these studies as well. Raises BadInput for an unknown study."""
    for study in studies:
        _use(StoredStudy.from_json(study_spec(engine, study)).plugins)


def use_plugins_of_network(engine: Engine, architecture: str) -> None:
    """Activate the plugins of every study that has the architecture with this digest."""
    with reading(engine) as connection:
        query = select(rb_study.c.name).join(rb_trial, rb_trial.c.study_id == rb_study.c.id)
        names = connection.execute(query.where(rb_trial.c.architecture == architecture).distinct()).scalars().all()
    use_plugins_of(engine, *sorted(names))


def plugin_folders_of(stored: StoredStudy) -> list[Path]:
    """Return the folders that a study ran with, as they lie from the workspace."""
    return [(_root() / text).resolve() for text in stored.plugins if "\x00" not in text]


def _use(texts: Sequence[str]) -> None:
    root, found, elsewhere = _root(), [], []
    for text in texts:
        path = (root / text).resolve() if "\x00" not in text else root.parent
        if path.is_relative_to(root) and is_folder(path):
            found.append(path)
        elif path not in named_folders():
            elsewhere.append(text)
    if texts:
        activate_found(found, elsewhere)


def _root() -> Path:
    space = workspace()
    return (space.parent if space is not None else Path.cwd()).resolve()
