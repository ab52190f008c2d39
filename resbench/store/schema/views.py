"""The views, `v_*`: the tables joined for queries by people.  None of them has a test score.

The SQL is portable: the same text makes the view in SQLite, with or without its mathematical functions, and in Postgres, and
means the same to DuckDB, which reads a view's text from the file and runs it itself: no `/` of integers, no `sqrt`, no undefined
order. A run that is linked to two trials of one name and study (a search that drew one point twice) is shown once, under the
first.

SQLite has no type for an expression, but takes that of the last SELECT of a UNION ALL. So a view with expressions ends with a
SELECT that returns no row, and has a column of a table in the place of each expression: there a reader finds the types before the
first value, or where it is NULL.
"""

from __future__ import annotations

from resbench.store.schema.leaderboard_view import V_LEADERBOARD
from resbench.store.schema.view import COST, DATA, DIGEST, STUDY, UNIT, View

V_RUNS = View(
    "v_runs",
    "one row per study, unit and run, of every status",
    (
        *(
            STUDY,
            UNIT,
            ("trial", "Optuna's number of the trial"),
            ("active", "whether the study still wants the unit"),
        ),
        *(DIGEST, *DATA, ("seed", "the seed of the run"), ("status", "complete, diverged, stopped or failed")),
        ("val_error_pct", "validation error after the last epoch, percent"),
        ("val_loss", "validation loss after the last epoch"),
        ("train_loss", "training loss, mean over the last epoch"),
        ("epochs", "epochs trained"),
        *COST,
        ("train_s", "seconds of training alone"),
        ("wall_s", "seconds, all included"),
        *(("run_id", "number of the run"), ("created_at", "when the run was saved, UTC"), ("error", "why it failed")),
        ("judges", "false where a search chose by the run: it is in no ranking"),
    ),
    """
CREATE VIEW v_runs AS
SELECT s.name AS study, t.name AS unit, t.number AS trial, t.active AS active, r.architecture AS digest,
    t.network AS network, p.name AS recipe, r.recipe AS recipe_digest, d.name AS data, r.data AS data_digest,
    r.seed AS seed, r.status AS status, r.val_error_pct AS val_error_pct, r.val_loss AS val_loss,
    r.train_loss AS train_loss, r.epochs AS epochs, a.params AS params, c.macs AS macs, r.train_s AS train_s,
    r.wall_s AS wall_s, r.id AS run_id, r.created_at AS created_at, r.error AS error, l.judges AS judges
FROM rb_study s
JOIN rb_study_run l ON l.study_id = s.id
JOIN rb_trial t ON t.id = l.trial_id
JOIN rb_run r ON r.id = l.run_id
JOIN rb_architecture a ON a.digest = r.architecture
JOIN rb_recipe p ON p.digest = r.recipe
JOIN rb_data d ON d.digest = r.data
LEFT JOIN rb_cost c ON c.architecture = r.architecture AND c.input_shape = d.input_shape
WHERE NOT EXISTS (
    SELECT 1 FROM rb_study_run l2 JOIN rb_trial t2 ON t2.id = l2.trial_id
    WHERE l2.study_id = l.study_id AND l2.run_id = l.run_id AND l2.trial_id < l.trial_id AND t2.name = t.name)
""",
)

V_EPOCHS = View(
    "v_epochs",
    "one row per study, unit, run and epoch",
    (
        *(STUDY, UNIT, DIGEST, ("seed", "the seed of the run"), ("status", "the run's, at its end")),
        *(("run_id", "number of the run"), ("epoch", "epoch, from 1"), ("lr", "learning rate at its end")),
        ("train_loss", "training loss, mean over the epoch"),
        ("train_error_pct", "training error over the epoch, percent"),
        ("val_loss", "validation loss after the epoch, by running statistics of norms"),
        ("val_error_pct", "validation error after the epoch, by running statistics of norms, percent"),
        ("train_s", "seconds of training in this epoch"),
        ("recomputed_val_loss", "by recomputed statistics of norms; NULL where nothing was judged by the epoch"),
        ("recomputed_val_error_pct", "by recomputed statistics of norms, percent; NULL likewise"),
    ),
    """
CREATE VIEW v_epochs AS
SELECT v.study AS study, v.unit AS unit, v.digest AS digest, v.seed AS seed, v.status AS status, v.run_id AS run_id,
    e.epoch AS epoch, e.lr AS lr, e.train_loss AS train_loss, e.train_error_pct AS train_error_pct,
    e.val_loss AS val_loss, e.val_error_pct AS val_error_pct, e.train_s AS train_s,
    e.recomputed_val_loss AS recomputed_val_loss, e.recomputed_val_error_pct AS recomputed_val_error_pct
FROM v_runs v
JOIN rb_epoch e ON e.run_id = v.run_id
""",
)

V_UNITS = View(
    "v_units",
    "one row per architecture and shape of image, whichever studies have it; mostly an architecture meets one shape",
    (
        ("digest", "digest of the architecture"),
        ("unit", "its name in studies, the first of the alphabet; in no study yet: of the unit's file"),
        ("aliases", "its other names in studies, with commas between; NULL where it has one"),
        ("network", "name of the network's file"),
        ("depth", "layers with weights on the longest path; NULL where not known"),
        ("params", "trainable parameters"),
        ("input_shape", "channels x height x width of one image; NULL where it has met none"),
        ("macs", "multiply-accumulates for one image of that shape; NULL where not measured"),
        ("memory_mib", "MiB that training keeps of one image of that shape; NULL where not measured"),
        ("studies", "studies that have it, on data of that shape"),
        ("runs", "finished runs on data of that shape: complete, diverged and stopped"),
        ("converged", "runs that are complete"),
        ("diverged", "runs that diverged"),
        ("created_at", "when the architecture was first written, UTC"),
    ),
    """
CREATE VIEW v_units AS
WITH RECURSIVE shapes AS (
    SELECT architecture, input_shape FROM rb_cost
    UNION SELECT t.architecture, d.input_shape FROM rb_trial t JOIN rb_data d ON d.digest = t.data
    UNION SELECT r.architecture, d.input_shape FROM rb_run r JOIN rb_data d ON d.digest = r.data
), named AS (
    SELECT architecture, name, ROW_NUMBER() OVER (PARTITION BY architecture ORDER BY name) AS place
    FROM (SELECT DISTINCT architecture, name FROM rb_trial) AS names
), listed (architecture, place, aliases) AS (
    SELECT architecture, place, name FROM named WHERE place = 2
    UNION ALL
    SELECT n.architecture, n.place, l.aliases || ', ' || n.name
    FROM listed l JOIN named n ON n.architecture = l.architecture AND n.place = l.place + 1
), longest AS (
    SELECT architecture, MAX(place) AS place FROM named GROUP BY architecture
), used AS (
    SELECT t.architecture, d.input_shape, COUNT(DISTINCT t.study_id) AS studies
    FROM rb_trial t JOIN rb_data d ON d.digest = t.data GROUP BY t.architecture, d.input_shape
), ran AS (
    SELECT r.architecture, d.input_shape,
        COUNT(CASE WHEN r.status <> 'failed' THEN 1 END) AS runs,
        COUNT(CASE WHEN r.status = 'complete' THEN 1 END) AS converged,
        COUNT(CASE WHEN r.status = 'diverged' THEN 1 END) AS diverged
    FROM rb_run r JOIN rb_data d ON d.digest = r.data GROUP BY r.architecture, d.input_shape
)
SELECT a.digest AS digest, COALESCE(n.name, a.unit) AS unit, l.aliases AS aliases, a.network AS network,
    a.depth AS depth, a.params AS params, s.input_shape AS input_shape, c.macs AS macs, c.memory_mib AS memory_mib,
    COALESCE(u.studies, 0) AS studies, COALESCE(r.runs, 0) AS runs, COALESCE(r.converged, 0) AS converged,
    COALESCE(r.diverged, 0) AS diverged, a.created_at AS created_at
FROM rb_architecture a
LEFT JOIN shapes s ON s.architecture = a.digest
LEFT JOIN rb_cost c ON c.architecture = a.digest AND c.input_shape = s.input_shape
LEFT JOIN named n ON n.architecture = a.digest AND n.place = 1
LEFT JOIN longest g ON g.architecture = a.digest
LEFT JOIN listed l ON l.architecture = a.digest AND l.place = g.place
LEFT JOIN used u ON u.architecture = a.digest AND u.input_shape = s.input_shape
LEFT JOIN ran r ON r.architecture = a.digest AND r.input_shape = s.input_shape
UNION ALL
SELECT a.digest, a.unit, a.unit, a.network, a.depth, a.params, a.unit, a.params, c.memory_mib,
    a.params, a.params, a.params, a.params, a.created_at
FROM rb_architecture a JOIN rb_cost c ON c.architecture = a.digest
WHERE 1 = 0
""",
)

V_PROFILES = View(
    "v_profiles",
    "one row per study, unit, run, epoch and unit of the network: how signal and gradient fare there",
    (
        *(STUDY, UNIT, DIGEST, ("seed", "the seed of the run")),
        ("epoch", "epochs trained before it was taken; 0: at the start"),
        ("number", "number of the unit in the network, from 0"),
        ("variance", "of the unit's output, over images, channels and pixels"),
        ("gradient_norm", "of the mean loss, at the unit's output"),
        ("shortcut_pct", "of the gradient that leaves the unit, what came through its shortcut, percent"),
        ("dead_pct", "channels behind its ReLUs that are 0 for the whole batch, percent; NULL where it has none"),
    ),
    """
CREATE VIEW v_profiles AS
SELECT v.study AS study, v.unit AS unit, v.digest AS digest, v.seed AS seed, p.epoch AS epoch, p.unit AS number,
    p.variance AS variance, p.gradient_norm AS gradient_norm, p.shortcut_pct AS shortcut_pct, p.dead_pct AS dead_pct
FROM v_runs v
JOIN rb_profile p ON p.architecture = v.digest AND p.recipe = v.recipe_digest AND p.data = v.data_digest
    AND p.seed = v.seed
""",
)

VIEWS = (V_RUNS, V_EPOCHS, V_LEADERBOARD, V_UNITS, V_PROFILES)  # in the order in which they can be made
