"""Nothing -> the first schema: tables `rb_*` and views `v_*`.  Frozen: later changes are later revisions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001_v0.1.0"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _tables()
    for view in _VIEWS:
        op.execute(view)


def _texts(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=null) for name in names]


def _ints(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    # Only a lone `id` is numbered by the database.
    return [sa.Column(name, sa.Integer(), nullable=null, autoincrement=name == "id") for name in names]


def _bigs(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _doubles(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Double()) for name in names]


def _flags(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Boolean(), nullable=null) for name in names]


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}")


def _tables() -> None:
    op.create_table(
        "rb_architecture",
        *_texts("digest", "network", "unit", "spec"),
        *_bigs("params"),
        *_ints("depth", null=True),
        *_texts("created_at"),
        sa.PrimaryKeyConstraint("digest", name="pk_rb_architecture"),
    )
    op.create_table(
        "rb_data",
        *_texts("digest", "name", "input_shape"),
        *_ints("classes", "n_train", "n_val", "n_test"),
        sa.PrimaryKeyConstraint("digest", name="pk_rb_data"),
    )
    op.create_table(
        "rb_environment",
        *_texts("digest", "package_version"),
        *_texts("git_commit", null=True),
        *_flags("git_dirty", null=True),
        *_texts("python", "torch", "device"),
        *_ints("threads"),
        *_flags("deterministic", "tf32"),
        *_texts("plugins", "platform"),
        sa.PrimaryKeyConstraint("digest", name="pk_rb_environment"),
    )
    op.create_table(
        "rb_recipe",
        *_texts("digest", "name", "spec"),
        sa.PrimaryKeyConstraint("digest", name="pk_rb_recipe"),
    )
    op.create_table(
        "rb_study",
        *_ints("id"),
        *_texts("name", "spec", "digest", "created_at", "updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_rb_study"),
        sa.UniqueConstraint("name", name="uq_rb_study"),
    )
    op.create_table(
        "rb_cost",
        *_texts("architecture", "input_shape"),
        *_bigs("macs"),
        sa.PrimaryKeyConstraint("architecture", "input_shape", name="pk_rb_cost"),
        _refers("rb_cost", "architecture", "rb_architecture.digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rb_reveal",
        *_ints("id", "study_id"),
        *_texts("revealed_at", "revealed_by"),
        sa.PrimaryKeyConstraint("id", name="pk_rb_reveal"),
        _refers("rb_reveal", "study_id", "rb_study.id"),
    )
    op.create_table(
        "rb_run",
        *_ints("id"),
        *_texts("architecture", "recipe", "data"),
        *_bigs("seed"),
        *_texts("status"),
        *_doubles("val_error_pct", "val_loss", "train_loss"),
        *_ints("epochs"),
        *_doubles("train_s", "wall_s"),
        *_texts("environment", "created_at"),
        *_texts("error", null=True),
        sa.PrimaryKeyConstraint("id", name="pk_rb_run"),
        _refers("rb_run", "architecture", "rb_architecture.digest"),
        _refers("rb_run", "recipe", "rb_recipe.digest"),
        _refers("rb_run", "data", "rb_data.digest"),
        _refers("rb_run", "environment", "rb_environment.digest"),
        sa.UniqueConstraint("architecture", "recipe", "data", "seed", name="uq_rb_run"),
        sa.CheckConstraint("status <> 'complete' OR val_error_pct IS NOT NULL", name="ck_rb_run_complete"),
        sa.CheckConstraint("seed >= 0", name="ck_rb_run_seed"),
        sa.CheckConstraint("status IN ('complete', 'diverged', 'stopped', 'failed')", name="ck_rb_run_status"),
    )
    op.create_table(
        "rb_trial",
        *_ints("id", "study_id", "number"),
        *_texts("name", "unit", "network", "params", "architecture", "recipe", "data"),
        *_flags("active"),
        sa.PrimaryKeyConstraint("id", name="pk_rb_trial"),
        _refers("rb_trial", "study_id", "rb_study.id"),
        _refers("rb_trial", "architecture", "rb_architecture.digest"),
        _refers("rb_trial", "recipe", "rb_recipe.digest"),
        _refers("rb_trial", "data", "rb_data.digest"),
        sa.UniqueConstraint("study_id", "number", name="uq_rb_trial"),
    )
    op.create_table(
        "rb_cell",
        *_ints("id", "trial_id"),
        *_texts("architecture", "recipe", "data", "seeds", "status"),
        *_texts("claimed_by", "claimed_at", "finished_at", "error", null=True),
        sa.PrimaryKeyConstraint("id", name="pk_rb_cell"),
        _refers("rb_cell", "trial_id", "rb_trial.id"),
        _refers("rb_cell", "architecture", "rb_architecture.digest"),
        _refers("rb_cell", "recipe", "rb_recipe.digest"),
        _refers("rb_cell", "data", "rb_data.digest"),
        sa.CheckConstraint("status IN ('queued', 'running', 'done', 'failed')", name="ck_rb_cell_status"),
    )
    op.create_index("ix_rb_cell_status", "rb_cell", ["status", "id"])
    op.create_index("ix_rb_cell_trial", "rb_cell", ["trial_id"])
    op.create_table(
        "rb_epoch",
        *_ints("run_id", "epoch"),
        *_doubles("lr", "train_loss", "train_error_pct", "val_loss", "val_error_pct", "train_s"),
        sa.PrimaryKeyConstraint("run_id", "epoch", name="pk_rb_epoch"),
        _refers("rb_epoch", "run_id", "rb_run.id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rb_study_run",
        *_ints("study_id", "run_id", "trial_id"),
        sa.PrimaryKeyConstraint("study_id", "run_id", "trial_id", name="pk_rb_study_run"),
        _refers("rb_study_run", "study_id", "rb_study.id"),
        _refers("rb_study_run", "run_id", "rb_run.id"),
        _refers("rb_study_run", "trial_id", "rb_trial.id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_rb_study_run_trial", "rb_study_run", ["trial_id"])
    op.create_table(
        "rb_test_score",
        *_ints("run_id"),
        *_doubles("test_error_pct", "test_loss"),
        sa.PrimaryKeyConstraint("run_id", name="pk_rb_test_score"),
        _refers("rb_test_score", "run_id", "rb_run.id"),
    )


_VIEWS = (
    """
CREATE VIEW v_runs AS
SELECT s.name AS study, t.name AS unit, t.number AS trial, t.active AS active, r.architecture AS digest,
    t.network AS network, p.name AS recipe, r.recipe AS recipe_digest, d.name AS data, r.data AS data_digest,
    r.seed AS seed, r.status AS status, r.val_error_pct AS val_error_pct, r.val_loss AS val_loss,
    r.train_loss AS train_loss, r.epochs AS epochs, a.params AS params, c.macs AS macs, r.train_s AS train_s,
    r.wall_s AS wall_s, r.id AS run_id, r.created_at AS created_at, r.error AS error
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
    """
CREATE VIEW v_epochs AS
SELECT v.study AS study, v.unit AS unit, v.digest AS digest, v.seed AS seed, v.status AS status, v.run_id AS run_id,
    e.epoch AS epoch, e.lr AS lr, e.train_loss AS train_loss, e.train_error_pct AS train_error_pct,
    e.val_loss AS val_loss, e.val_error_pct AS val_error_pct, e.train_s AS train_s
FROM v_runs v
JOIN rb_epoch e ON e.run_id = v.run_id
""",
    """
CREATE VIEW v_leaderboard AS
WITH scored AS (
    SELECT v.*,
        CASE WHEN v.status = 'complete' THEN v.val_error_pct END AS score,
        AVG(CASE WHEN v.status = 'complete' THEN v.val_error_pct END) OVER cell AS mean,
        COUNT(CASE WHEN v.status IN ('complete', 'diverged') THEN 1 END) OVER cell AS n,
        ROW_NUMBER() OVER (
            PARTITION BY v.study, v.unit, v.digest, v.recipe_digest, v.data_digest
            ORDER BY CASE v.status WHEN 'complete' THEN 0 WHEN 'diverged' THEN 1 ELSE 2 END, v.val_error_pct) AS place
    FROM v_runs v
    WINDOW cell AS (PARTITION BY v.study, v.unit, v.digest, v.recipe_digest, v.data_digest)
), summed AS (
    SELECT w.*,
        COUNT(score) OVER cell AS converged,
        COUNT(CASE WHEN status = 'diverged' THEN 1 END) OVER cell AS diverged,
        COUNT(CASE WHEN status = 'stopped' THEN 1 END) OVER cell AS stopped,
        COUNT(CASE WHEN status = 'failed' THEN 1 END) OVER cell AS failed,
        SUM((score - mean) * (score - mean)) OVER cell AS squares,
        MIN(score) OVER cell AS lowest,
        MAX(score) OVER cell AS highest,
        COUNT(CASE WHEN status = 'diverged' AND place IN ((n + 1) / 2, (n + 2) / 2) THEN 1 END) OVER cell AS no_median,
        AVG(CASE WHEN place IN ((n + 1) / 2, (n + 2) / 2) THEN score END) OVER cell AS median,
        AVG(CASE WHEN status = 'complete' THEN train_s END) OVER cell AS mean_train_s,
        MAX(CASE WHEN active THEN 1 ELSE 0 END) OVER cell AS wanted
    FROM scored w
    WINDOW cell AS (PARTITION BY study, unit, digest, recipe_digest, data_digest)
)
SELECT study, unit, wanted AS active, digest, network, recipe, recipe_digest, data, data_digest,
    n, converged, diverged, stopped, failed, mean,
    CASE WHEN converged > 1 THEN sqrt(squares / (converged - 1)) END AS std,
    lowest AS min, highest AS max, CASE WHEN no_median = 0 THEN median END AS median,
    params, macs, mean_train_s AS train_s
FROM summed
WHERE place = 1
""",
)
