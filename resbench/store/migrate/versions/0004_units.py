"""Costs in memory, and a row for each architecture whichever studies have it: rb_cost.memory_mib, v_units."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_v0.1.0"
down_revision = "0003_v0.1.0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rb_cost", sa.Column("memory_mib", sa.Double(), nullable=True))
    op.execute(_V_UNITS)


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
"""
