"""Cells under leases with fencing tokens, attempts, workers, roles: rb_cell.token, rb_attempt, rb_worker, rb_lease."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_v0.1.0"
down_revision = "0004_v0.1.0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rb_cell", sa.Column("token", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("rb_cell", sa.Column("lease_until", sa.Double(), nullable=True))
    op.add_column("rb_cell", sa.Column("tags", sa.Text(), nullable=False, server_default="[]"))
    op.create_table(
        "rb_attempt",
        sa.Column("cell_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("token", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("reached", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("cell_id", "token", name="pk_rb_attempt"),
        sa.ForeignKeyConstraint(["cell_id"], ["rb_cell.id"], name="fk_rb_attempt_cell_id"),
        sa.CheckConstraint(
            "outcome IN ('running', 'done', 'given_back', 'retry', 'failed')", name="ck_rb_attempt_outcome"
        ),
    )
    op.create_table(
        "rb_worker",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("study", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("born", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("seen", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_rb_worker"),
    )
    op.create_index("ix_rb_worker_study", "rb_worker", ["study"])
    op.create_table(
        "rb_lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_rb_lease"),
    )
