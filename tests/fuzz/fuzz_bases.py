"""The small files that are broken: a database of a study with every table in use, and a frozen benchmark of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tabular_sample import study

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.identity.serialize import to_json
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import parse_recipe, recipe_to_json
from resbench.language.yaml.node import Node
from resbench.ops.schema import table
from resbench.store.frozen.write import freeze
from resbench.store.optuna.storage import optuna_storage

THEN = "2026-01-01T00:00:00Z"
# A cell that is queued, one that is being trained, and all that comes with work under way.
WORK = f"""
INSERT INTO rb_cell (id, trial_id, architecture, recipe, data, seeds, status, claimed_by, claimed_at, token, lease_until, tags)
    SELECT 1, 1, architecture, recipe, data, '[7]', 'running', 'host:1-a', '{THEN}', 1, 1e9, '["cuda"]'
    FROM rb_trial WHERE id = 1;
INSERT INTO rb_cell (id, trial_id, architecture, recipe, data, seeds, status, token, tags)
    SELECT 2, 2, architecture, recipe, data, '[7,8]', 'queued', 0, '[]' FROM rb_trial WHERE id = 2;
INSERT INTO rb_cell (id, trial_id, architecture, recipe, data, seeds, status, token, tags, error, finished_at)
    SELECT 3, 3, architecture, recipe, data, '[9]', 'failed', 2, '[]', 'no room', '{THEN}' FROM rb_trial WHERE id = 3;
INSERT INTO rb_cell_plan VALUES (1, '{{"width":1}}'), (2, '{{"upto":2,"judges":false}}');
INSERT INTO rb_attempt VALUES (1, 1, 'host:1-a', '{THEN}', NULL, 'running', NULL, NULL, 2),
    (3, 1, 'host:1-a', '{THEN}', '{THEN}', 'retry', 'oom', 'no room', 1),
    (3, 2, 'host:1-a', '{THEN}', '{THEN}', 'failed', 'oom', 'no room', 1);
INSERT INTO rb_worker VALUES ('host:1-a', 'small', 'host', 'boot', 1, 'born', 'cpu', 2, '["cuda"]', '{THEN}', 1e9, NULL);
INSERT INTO rb_lease VALUES ('coordinator of small', 'host:1-a', 1, 1e9);
INSERT INTO rb_checkpoint VALUES (1, 'key', 2, 'key.2', 'sum', '{THEN}');
INSERT INTO rb_run_plan SELECT id, '{{"width":3,"layout":"channels_last","threads":1}}' FROM rb_run;
INSERT INTO rb_profile SELECT architecture, recipe, data, seed, 2, 0, 1.0, 0.1, 50.0, 0.0 FROM rb_run;
INSERT INTO rb_reveal VALUES (1, 1, '{THEN}', 'somebody');
INSERT INTO rb_note VALUES (1, 1, NULL, '{THEN}', 'somebody', 'a note'), (2, NULL, 1, '{THEN}', 'somebody', 'a note on a run');
INSERT INTO rb_change VALUES (1, '{THEN}', 'somebody', 'noted', 'study small', '{{"note":"a note"}}');
INSERT INTO rb_run
    SELECT 100, architecture, recipe, data, 50, 'failed', NULL, NULL, NULL, 0, NULL, NULL, environment, created_at, 'killed'
    FROM rb_run WHERE id = 1;
INSERT INTO rb_run
    SELECT 101, architecture, recipe, data, 51, 'stopped', 20.0, 1.0, 1.0, 1, 1.0, 1.0, environment, created_at, NULL
    FROM rb_run WHERE id = 1;
INSERT INTO rb_epoch (run_id, epoch, lr, train_loss, train_error_pct, val_loss, val_error_pct, train_s)
    SELECT 101, epoch, lr, 1.0, 20.0, 1.0, 20.0, 1.0 FROM rb_epoch WHERE run_id = 1 AND epoch = 1;
INSERT INTO rb_study_run SELECT study_id, 100, trial_id, 1 FROM rb_study_run WHERE run_id = 1;
INSERT INTO rb_study_run SELECT study_id, 101, trial_id, 0 FROM rb_study_run WHERE run_id = 1;
"""
# A real one, and the times of the making fixed: a case is the same on every machine.
PARTS = f"""
UPDATE rb_architecture SET spec = :network, created_at = '{THEN}';
UPDATE rb_recipe SET spec = :recipe;
UPDATE rb_run SET created_at = '{THEN}';
UPDATE rb_study SET created_at = '{THEN}', updated_at = '{THEN}';
UPDATE rb_study SET spec = json_set(spec, '$.fixed.objectives', json('["val_error_pct"]'), '$.wrote',
    json('{{"plain":{{"unit":"plain"}}}}'))
"""


def make_database(path: Path) -> None:
    """A study `small` of three units and three seeds, with Optuna's tables beside ours; nothing holds it open."""
    study(path, more=2).dispose()
    storage = optuna_storage(str(path))
    storage.create_new_study([], "small")
    storage.engine.dispose()
    library = Library(table())
    recipe = parse_recipe(library.read("recipe", library.find("recipe", "he2016_small")))
    request = Request(
        Use("resnet_cifar", {"depth": Node(8), "width": Node(2)}, Node("resnet_cifar")),
        Use("plain", {}, Node("plain")),
        (1, 8, 8),
        10,
    )
    values = {"network": to_json(bind_network(request, library)), "recipe": recipe_to_json(recipe)}
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(WORK)
        for statement in PARTS.split(";\n"):
            connection.execute(statement, values)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")


def make_frozen(database: Path, path: Path) -> None:
    from resbench.store.open import open_store

    engine = open_store(str(database), create=False)
    freeze(engine, "small", path)
    engine.dispose()


def small_pages(path: Path, to: Path) -> None:
    """The same on pages of 512 bytes: fewer bytes that mean nothing, and deeper trees."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size = 512")
        connection.execute("VACUUM INTO ?", (str(to),))
