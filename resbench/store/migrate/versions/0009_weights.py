"""Weights of runs, kept as files in the folder of checkpoints: rb_weights."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_v0.1.0"
down_revision = "0008_v0.1.0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rb_weights",
        sa.Column("run_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_rb_weights"),
        sa.ForeignKeyConstraint(["run_id"], ["rb_run.id"], name="fk_rb_weights_run_id_rb_run"),
    )
