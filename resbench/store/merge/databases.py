"""Databases -> one that holds the runs of all, in one transaction; the others are only read.

A run is identified by its architecture, recipe, data set and seed: a run of both databases is stored once, and where their
numbers differ the first is kept and both are reported. Studies of the same name are the same study if their fixed settings are
equal (network, data, recipe, limits); then units, seeds, trials and looks at test scores are united. Unfinished work (cells,
checkpoints) is not merged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from resbench.errors import BadInput, DatabaseError
from resbench.language.library.lookup import at_home
from resbench.store.connection.dialect import lock_rows
from resbench.store.connection.location import Location, locate
from resbench.store.connection.new_file import new_file, refuse_source
from resbench.store.connection.transaction import reading, writing
from resbench.store.maintenance.check import refuse_unsound
from resbench.store.merge.catalogue import merge_catalogue
from resbench.store.merge.conflicts import MergeReport
from resbench.store.merge.notes import merge_changes
from resbench.store.merge.runs import merge_runs
from resbench.store.merge.studies import merge_studies
from resbench.store.merge.verify import MERGED_TABLES, refuse_loss, rows_held
from resbench.store.open import open_store


def merge(
    into: str, sources: Sequence[str], *, rename: bool = False, transaction_s: float | None = None
) -> list[MergeReport]:
    """Merge the sources into the first database, in their order.

    Args:
        rename: whether a different study of the same name gets a number after its name; else it is refused.
        transaction_s: the limit of the checks of each file, and of the merge.

    Raises:
        BadInput: for a different study of the same name, unless `rename`. Nothing is written.
        DatabaseError: for a database that is damaged, foreign, of another schema or with invalid rows, and where a row of the
            first would be lost. Nothing is written.
    """
    _refuse_twice([into, *sources])
    where = locate(into).shown
    for url in (into, *sources):
        refuse_unsound(url, transaction_s=transaction_s)
    with ExitStack() as stack:
        engines = [stack.enter_context(_opened(url, transaction_s)) for url in (into, *sources)]
        with writing(engines[0]) as connection:
            lock_rows(connection, MERGED_TABLES)
            before, replaced = rows_held(connection), set[int]()
            merged = [MergeReport(locate(url).shown, replaced=replaced) for url in sources]
            # Each source's transaction ends before the next begins: a server ends idle transactions.
            for one, engine in zip(merged, engines[1:], strict=True):
                with reading(engine) as source:
                    _merge_one(source, connection, one, rename=rename, where=where)
            refuse_loss(connection, before, replaced, where)
            return merged


def merge_to_new(
    out: str,
    sources: Sequence[str],
    *,
    rename: bool = False,
    force: bool = False,
    transaction_s: float | None = None,
) -> list[MergeReport]:
    """Merge databases into a new file, written atomically; with `force` it replaces an existing one."""
    location = locate(out)
    if location.path is None:
        raise BadInput(
            f"{location.shown}: -o expects a file; to merge into a server's database, name it first, without -o"
        )
    _refuse_twice(sources)
    read = [path for path in (locate(url).path for url in sources) if path is not None]
    target = location.path if "://" in out else at_home(out)  # as the user wrote it, for messages
    refuse_source(target, read)
    with new_file(target, read, force=force) as rough:
        for url in sources:
            refuse_unsound(url, transaction_s=transaction_s)
        open_store(str(rough), create=True).dispose()
        return merge(str(rough), sources, rename=rename, transaction_s=transaction_s)


def _merge_one(source: Connection, into: Connection, merged: MergeReport, *, rename: bool, where: str) -> None:
    """Merge one source. `where` is the target's name, for the error about a row that it refuses."""
    try:
        merge_catalogue(source, into, merged)
        runs = merge_runs(source, into, merged)
        merge_studies(source, into, runs, merged, rename=rename)
        merge_changes(source, into, runs)
    except IntegrityError as error:
        raise DatabaseError(
            f"{merged.source}: cannot be merged into {where}, which refused a row of it ({error.orig}); nothing was merged"
        ) from None


@contextmanager
def _opened(url: str, transaction_s: float | None) -> Iterator[Engine]:
    engine = open_store(url, create=False, transaction_s=transaction_s, bulk=True)
    try:
        yield engine
    finally:
        engine.dispose()


def _refuse_twice(urls: Sequence[str]) -> None:
    names = [_name(locate(url)) for url in urls]
    twice = next((url for number, url in enumerate(urls) if names[number] in names[:number]), None)
    if twice is not None:
        raise BadInput(f"{locate(twice).shown}: is given twice; name each database once")


def _name(location: Location) -> str:
    return location.url if location.path is None else str(location.path.resolve())
