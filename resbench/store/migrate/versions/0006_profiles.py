"""Signal and gradient at every unit, and whether a study is judged by a run: rb_profile, rb_study_run.judges, v_profiles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_v0.1.0"
down_revision = "0005_v0.1.0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rb_study_run", sa.Column("judges", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "rb_profile",
        sa.Column("architecture", sa.Text(), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("epoch", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("unit", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("variance", sa.Double(), nullable=True),
        sa.Column("gradient_norm", sa.Double(), nullable=True),
        sa.Column("shortcut_pct", sa.Double(), nullable=True),
        sa.Column("dead_pct", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("architecture", "recipe", "data", "seed", "epoch", "unit", name="pk_rb_profile"),
        sa.ForeignKeyConstraint(["architecture"], ["rb_architecture.digest"], name="fk_rb_profile_architecture"),
        sa.ForeignKeyConstraint(["recipe"], ["rb_recipe.digest"], name="fk_rb_profile_recipe"),
        sa.ForeignKeyConstraint(["data"], ["rb_data.digest"], name="fk_rb_profile_data"),
        sqlite_with_rowid=False,
    )
    for view in ("v_leaderboard", "v_epochs", "v_runs"):  # each reads the last
        op.execute(f"DROP VIEW IF EXISTS {view}")
    for text in (_V_RUNS, _V_EPOCHS, _V_LEADERBOARD, _V_PROFILES):
        op.execute(text)


_V_RUNS = """
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
"""
_V_EPOCHS = """
CREATE VIEW v_epochs AS
SELECT v.study AS study, v.unit AS unit, v.digest AS digest, v.seed AS seed, v.status AS status, v.run_id AS run_id,
    e.epoch AS epoch, e.lr AS lr, e.train_loss AS train_loss, e.train_error_pct AS train_error_pct,
    e.val_loss AS val_loss, e.val_error_pct AS val_error_pct, e.train_s AS train_s
FROM v_runs v
JOIN rb_epoch e ON e.run_id = v.run_id
"""
_V_LEADERBOARD = """
CREATE VIEW v_leaderboard AS
WITH told AS (
    SELECT r.study, r.unit, r.active, r.digest, r.network, r.recipe, r.recipe_digest, r.data, r.data_digest,
        r.val_error_pct, r.params, r.macs, r.train_s, CASE WHEN r.judges THEN r.status ELSE 'stopped' END AS status
    FROM v_runs r
), scored AS (
    SELECT v.*,
        CASE WHEN v.status = 'complete' THEN v.val_error_pct END AS score,
        AVG(CASE WHEN v.status = 'complete' THEN v.val_error_pct END) OVER cell AS mean,
        COUNT(CASE WHEN v.status IN ('complete', 'diverged') THEN 1 END) OVER cell AS n,
        ROW_NUMBER() OVER (
            PARTITION BY v.study, v.unit, v.digest, v.recipe_digest, v.data_digest
            ORDER BY CASE v.status WHEN 'complete' THEN 0 WHEN 'diverged' THEN 1 ELSE 2 END, v.val_error_pct) AS place
    FROM told v
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
"""
_V_PROFILES = """
CREATE VIEW v_profiles AS
SELECT v.study AS study, v.unit AS unit, v.digest AS digest, v.seed AS seed, p.epoch AS epoch, p.unit AS number,
    p.variance AS variance, p.gradient_norm AS gradient_norm, p.shortcut_pct AS shortcut_pct, p.dead_pct AS dead_pct
FROM v_runs v
JOIN rb_profile p ON p.architecture = v.digest AND p.recipe = v.recipe_digest AND p.data = v.data_digest
    AND p.seed = v.seed
"""
