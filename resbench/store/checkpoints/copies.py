"""Copy files of weights from the folder of one database to that of another which has rows for them, after a copy or a merge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resbench.errors import StorageError
from resbench.store.checkpoints.files import places_of
from resbench.store.checkpoints.place import claim
from resbench.store.checkpoints.weights import kept_weights, read_file, write_weights
from resbench.store.connection.location import locate
from resbench.store.connection.transaction import reading
from resbench.store.open import connect, read_revision
from resbench.store.results.checkpoints import checkpoint_folder
from resbench.store.schema.revision import REVISIONS


@dataclass(frozen=True, slots=True)
class CarryReport:
    """What was copied: the number of files, their bytes, their folder, and the number of files that were not found."""

    files: int
    bytes: int
    folder: Path
    missing: int


def carry_weights(sources: Sequence[str], target: str, named: str | None = None) -> CarryReport:
    """Copy the files that rows of the target refer to and its folder lacks; a database with an older schema has none.

    `named` is a folder of checkpoints common to all databases; else each has its own. Raises StorageError where no file can be
    written: the rows stay, and `results weights` trains the missing weights again.
    """
    folder = checkpoint_folder(target, named)
    location = locate(target)
    engine = connect(location, create=False)
    try:
        with reading(engine) as connection:
            rows = read_revision(connection) == REVISIONS[-1]
        wanted = kept_weights(engine) if rows else {}
        lacking = {kept.sha256 for kept in wanted.values() if read_file(places_of(engine, folder), kept.sha256) is None}
        found = dict[str, int]()
        if lacking:
            claim(engine, folder)
        for source in sources if lacking else ():
            origin = connect(locate(source), create=False)
            try:
                folders = dict.fromkeys((checkpoint_folder(source, named), checkpoint_folder(source)))
                places = [place for each in folders for place in places_of(origin, each)]
            finally:
                origin.dispose()
            for digest in sorted(lacking - {*found}):
                content = read_file(places, digest)
                if content is not None:
                    found[digest] = write_weights(engine, folder, content).bytes
        return CarryReport(len(found), sum(found.values()), folder, len(lacking) - len(found))
    except StorageError as error:
        raise StorageError(f"{error}; the database itself is complete") from None
    finally:
        engine.dispose()
