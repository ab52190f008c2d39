"""The schema of a frozen benchmark: the file that `resbench results freeze` writes and resbench.tabular reads.

It is one SQLite file, identified by its application id and the version of its format. It documents its own tables and columns:
SQLite keeps the comments below, and `.schema` shows them. stdlib sqlite3 only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from resbench.errors import StorageError
from resbench.store.connection.new_file import new_file
from resbench.store.connection.sqlite_open import connect, file_uri
from resbench.store.records import now

APPLICATION_ID = 0x7262_7462  # "rbtb", bytes 68 to 71 of the file
_WAIT_S = 60.0  # never needed: the file has a temporary name until it is complete
FORMAT = 1  # increased with each change that an older resbench cannot read

SCHEMA = """
CREATE TABLE meta (  -- where this file comes from: made_by, made_at, test_scores
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE study (  -- a study whose runs are here
    name TEXT NOT NULL PRIMARY KEY,
    spec TEXT NOT NULL,        -- the resolved study: network, data, recipe, units, seeds; JSON
    created_at TEXT NOT NULL   -- when it was first run, UTC
) WITHOUT ROWID;
CREATE TABLE architecture (  -- a network with its unit
    digest TEXT NOT NULL PRIMARY KEY,  -- canonical digest of the whole bound network, without image size
    network TEXT NOT NULL,     -- name of the network's file
    unit TEXT NOT NULL,        -- name of the unit's file
    spec TEXT NOT NULL,        -- the canonical network, JSON: from it the net is rebuilt
    params INTEGER NOT NULL,   -- trainable parameters
    depth INTEGER              -- layers with weights on the longest path
);
CREATE TABLE cost (  -- what one image costs
    architecture TEXT NOT NULL REFERENCES architecture,
    input_shape TEXT NOT NULL, -- channels x height x width of the image
    macs INTEGER NOT NULL,     -- multiply-accumulates of one forward pass; a multiply-add counts once
    memory_mib REAL,           -- that training keeps of the image for its backward pass, in float32; weights not counted
    PRIMARY KEY (architecture, input_shape)
) WITHOUT ROWID;
CREATE TABLE recipe (  -- how was trained
    digest TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,        -- name of the recipe's file
    spec TEXT NOT NULL         -- the resolved recipe, JSON
);
CREATE TABLE data (  -- what was trained on
    digest TEXT NOT NULL PRIMARY KEY,  -- of the images, labels and splits
    name TEXT NOT NULL,
    input_shape TEXT NOT NULL, -- channels x height x width of one image
    classes INTEGER NOT NULL,
    n_train INTEGER NOT NULL,  -- images trained on
    n_val INTEGER NOT NULL,    -- images that every choice is made by
    n_test INTEGER NOT NULL,   -- images of the sealed test split
    settings TEXT              -- what the study said of the data set beside its name, JSON
);
CREATE TABLE environment (  -- what was trained with
    digest TEXT NOT NULL PRIMARY KEY,
    package_version TEXT NOT NULL,
    git_commit TEXT,
    git_dirty INTEGER,         -- 1: the working folder had changes that were not committed
    python TEXT NOT NULL,
    torch TEXT NOT NULL,
    device TEXT NOT NULL,
    threads INTEGER NOT NULL,  -- CPU threads of one training
    deterministic INTEGER NOT NULL,  -- 1: only deterministic kernels were allowed
    tf32 INTEGER NOT NULL,     -- 1: float32 products could run as TF32
    plugins TEXT NOT NULL,     -- plugins and their versions, JSON
    platform TEXT NOT NULL
);
CREATE TABLE unit (  -- the name under which a study shows an architecture, trained by a recipe on data
    study TEXT NOT NULL REFERENCES study,
    name TEXT NOT NULL,        -- the unit's name and the choices made
    params TEXT NOT NULL,      -- the choices made, JSON
    number INTEGER NOT NULL,   -- its place in the study
    architecture TEXT NOT NULL REFERENCES architecture,
    recipe TEXT NOT NULL REFERENCES recipe,
    data TEXT NOT NULL REFERENCES data,
    PRIMARY KEY (name, study)
) WITHOUT ROWID;
CREATE INDEX unit_of ON unit (architecture);
CREATE TABLE run (  -- one training that came to its end; what a machine lost is not here
    id INTEGER PRIMARY KEY,
    architecture TEXT NOT NULL REFERENCES architecture,
    recipe TEXT NOT NULL REFERENCES recipe,
    data TEXT NOT NULL REFERENCES data,
    seed INTEGER NOT NULL,     -- of everything random in it
    status TEXT NOT NULL CHECK (status IN ('complete', 'diverged', 'stopped')),
    val_error_pct REAL,        -- validation error after the last epoch, percent
    val_loss REAL,
    train_loss REAL,           -- mean over the last epoch
    epochs INTEGER NOT NULL,   -- epochs trained
    train_s REAL,              -- seconds of training, without evaluation, loading and compiling
    wall_s REAL,               -- seconds from start to end, all included
    environment TEXT NOT NULL REFERENCES environment,
    created_at TEXT NOT NULL,  -- when it was saved, UTC
    UNIQUE (architecture, recipe, data, seed)
);
CREATE TABLE epoch (  -- one epoch of a run
    run_id INTEGER NOT NULL REFERENCES run,
    epoch INTEGER NOT NULL,    -- from 1
    lr REAL,                   -- learning rate at its end
    train_loss REAL,           -- mean over the epoch
    train_error_pct REAL,      -- over the epoch, percent
    val_loss REAL,             -- after the epoch; at the last one with recomputed statistics of norms
    val_error_pct REAL,        -- after the epoch, percent; likewise
    train_s REAL,              -- seconds of training in this epoch
    PRIMARY KEY (run_id, epoch)
) WITHOUT ROWID;
CREATE TABLE test_score (  -- empty unless the file was frozen with them; no search sees them
    run_id INTEGER PRIMARY KEY REFERENCES run,
    test_error_pct REAL,       -- after the last epoch, percent
    test_loss REAL
);
"""


def make(connection: sqlite3.Connection, meta: Mapping[str, str]) -> None:
    """Create the empty tables, and record the origin of the file."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    for statement in SCHEMA.split(";\n"):
        connection.execute(statement)
    add(connection, "meta", ({"made_at": now()} | dict(meta)).items())


def add(connection: sqlite3.Connection, table: str, rows: Iterable[Iterable[Any]]) -> None:
    """Insert complete rows, with their values in the order of the table's columns."""
    found = [tuple(row) for row in rows]
    if found:
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(found[0]))})", found)


def is_frozen(head: bytes) -> bool:
    """Return whether the first 100 bytes of an SQLite file are those of a frozen benchmark (file format, 1.3.15)."""
    return head[68:72] == APPLICATION_ID.to_bytes(4, "big")


def write_whole(
    out: Path, fill: Callable[[sqlite3.Connection], None], *, sources: Sequence[Path] = (), force: bool = False
) -> None:
    """Write a new file atomically: it has a temporary name until it is complete. `sources` are the files it is made from.

    Raises BadInput for an occupied name, StorageError where the file cannot be written.
    """
    with new_file(out, sources, force=force) as part:
        try:
            with closing(connect(file_uri(part, "rw"), timeout_s=_WAIT_S)) as connection:
                connection.execute("PRAGMA journal_mode = MEMORY")  # after a failure the whole file is discarded
                with connection:
                    fill(connection)
        except sqlite3.OperationalError as error:
            raise StorageError(f"{out}: cannot be written: {error}") from None
