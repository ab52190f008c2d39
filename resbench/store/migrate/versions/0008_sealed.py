"""Test scores as texts that nobody reads by mistake: rb_test_score. Views that mean the same to SQLite without mathematics, to
Postgres and to DuckDB, and whose columns have types in front of the first value: v_leaderboard, v_units.
"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import blake2b, shake_256

import sqlalchemy as sa
from alembic import op

revision = "0008_v0.1.0"
down_revision = "0007_v0.1.0"
branch_labels = None
depends_on = None

_AT_ONCE = 10_000  # rows in memory


def upgrade() -> None:
    _seal_scores(op.get_bind())
    for name, text in (("v_leaderboard", _V_LEADERBOARD), ("v_units", _V_UNITS)):
        if op.get_bind().dialect.name == "postgresql":  # a user's own view may read it, and keeps it from being dropped
            op.execute(text.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1))
        else:
            op.execute(f"DROP VIEW IF EXISTS {name}")
            op.execute(text)


def _seal_scores(connection: sa.Connection) -> None:
    """Copied by way of a second table: a column cannot be dropped in every SQLite, and a name of Postgres's is taken once."""
    columns = (("run_id", sa.Integer()), ("sealed", sa.Text()))
    beside = op.create_table(
        "rb_test_score_sealed", *(sa.Column(name, kind, nullable=False, autoincrement=False) for name, kind in columns)
    )
    page = sa.text(
        "SELECT run_id, test_error_pct, test_loss FROM rb_test_score WHERE run_id > :last ORDER BY run_id "
        f"LIMIT {_AT_ONCE}"
    )
    last = -1
    while rows := connection.execute(page, {"last": last}).all():
        connection.execute(sa.insert(beside), [{"run_id": row[0], "sealed": _seal(row[1], row[2])} for row in rows])
        last = rows[-1][0]
    op.drop_table("rb_test_score")
    op.create_table(
        "rb_test_score",
        *(sa.Column(name, kind, nullable=False, autoincrement=False) for name, kind in columns),
        sa.PrimaryKeyConstraint("run_id", name="pk_rb_test_score"),
        sa.ForeignKeyConstraint(["run_id"], ["rb_run.id"], name="fk_rb_test_score_run_id"),
    )
    op.execute("INSERT INTO rb_test_score (run_id, sealed) SELECT run_id, sealed FROM rb_test_score_sealed")
    op.drop_table("rb_test_score_sealed")


def _seal(test_error_pct: object, test_loss: object) -> str:
    """A value that no version wrote is sealed as it is: `db check` tells of it afterwards."""
    plain = json.dumps([test_error_pct, test_loss], default=str).encode()
    tag = blake2b(plain, digest_size=8).digest()
    mask = shake_256(tag).digest(len(plain))
    return b64encode(tag + bytes(a ^ b for a, b in zip(plain, mask, strict=True))).decode()


_V_LEADERBOARD = """
CREATE VIEW v_leaderboard AS
WITH told AS (
    SELECT r.study, r.unit, r.active, r.digest, r.network, r.recipe, r.recipe_digest, r.data, r.data_digest,
        r.val_error_pct, r.params, r.macs, r.train_s, r.run_id,
        CASE WHEN r.judges THEN r.status ELSE 'stopped' END AS status
    FROM v_runs r
), scored AS (
    SELECT v.*,
        CASE WHEN v.status = 'complete' THEN v.val_error_pct END AS score,
        AVG(CASE WHEN v.status = 'complete' THEN v.val_error_pct END) OVER cell AS mean,
        COUNT(CASE WHEN v.status IN ('complete', 'diverged') THEN 1 END) OVER cell AS n,
        ROW_NUMBER() OVER (
            PARTITION BY v.study, v.unit, v.digest, v.recipe_digest, v.data_digest
            ORDER BY CASE v.status WHEN 'complete' THEN 0 WHEN 'diverged' THEN 1 ELSE 2 END,
                CASE WHEN v.status = 'complete' THEN v.val_error_pct END, v.run_id) AS place
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
        COUNT(CASE WHEN status = 'diverged' AND 2 * place BETWEEN n AND n + 2 THEN 1 END) OVER cell AS no_median,
        AVG(CASE WHEN 2 * place BETWEEN n AND n + 2 THEN score END) OVER cell AS median,
        AVG(CASE WHEN status = 'complete' THEN train_s END) OVER cell AS mean_train_s,
        MAX(CASE WHEN active THEN 1 ELSE 0 END) OVER cell AS wanted
    FROM scored w
    WINDOW cell AS (PARTITION BY study, unit, digest, recipe_digest, data_digest)
), spread AS (
    SELECT x.*, squares / NULLIF(converged - 1, 0) AS variance, highest - lowest AS extent
    FROM summed x
    WHERE place = 1
), root0 AS (
    SELECT x.*, extent * CASE
        WHEN NOT (squares > 0 AND extent > 0) THEN NULL
        WHEN 16 * variance >= extent * extent THEN 0.42
        WHEN 256 * variance >= extent * extent THEN 0.125
        WHEN 4096 * variance >= extent * extent THEN 0.03125
        WHEN 65536 * variance >= extent * extent THEN 0.0078125
        ELSE 0.001953125 END AS s0
    FROM spread x
), root1 AS (SELECT x.*, (s0 + variance / s0) / 2 AS s1 FROM root0 x
), root2 AS (SELECT x.*, (s1 + variance / s1) / 2 AS s2 FROM root1 x
), root3 AS (SELECT x.*, (s2 + variance / s2) / 2 AS s3 FROM root2 x
), root4 AS (SELECT x.*, (s3 + variance / s3) / 2 AS s4 FROM root3 x
), root5 AS (SELECT x.*, (s4 + variance / s4) / 2 AS s5 FROM root4 x
)
SELECT study, unit, wanted AS active, digest, network, recipe, recipe_digest, data, data_digest,
    n, converged, diverged, stopped, failed, mean,
    CASE WHEN converged > 1 THEN COALESCE((s5 + variance / s5) / 2, 0.0) END AS std,
    lowest AS min, highest AS max, CASE WHEN no_median = 0 THEN median END AS median,
    params, macs, mean_train_s AS train_s
FROM root5
UNION ALL
SELECT r.architecture, r.architecture, r.epochs, r.architecture, r.architecture, r.recipe, r.recipe, r.data, r.data,
    r.seed, r.seed, r.seed, r.seed, r.seed, r.val_error_pct,
    r.val_error_pct,
    r.val_error_pct, r.val_error_pct, r.val_error_pct,
    r.seed, r.seed, r.train_s
FROM rb_run r
WHERE 1 = 0
"""
_V_UNITS = """
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
"""
