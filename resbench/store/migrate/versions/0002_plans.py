"""How cells are to be trained and runs were: rb_cell_plan, rb_run_plan. Runs under way: rb_checkpoint."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_v0.1.0"
down_revision = "0001_v0.1.0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, key, target in (("rb_cell_plan", "cell_id", "rb_cell.id"), ("rb_run_plan", "run_id", "rb_run.id")):
        op.create_table(
            table,
            sa.Column(key, sa.Integer(), nullable=False, autoincrement=False),
            sa.Column("plan", sa.Text(), nullable=False),
            sa.PrimaryKeyConstraint(key, name=f"pk_{table}"),
            sa.ForeignKeyConstraint([key], [target], name=f"fk_{table}_{key}"),
        )
    op.create_table(
        "rb_checkpoint",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("path", "sha256", "created_at")),
        sa.PrimaryKeyConstraint("id", name="pk_rb_checkpoint"),
    )
    op.create_index("ix_rb_checkpoint_key", "rb_checkpoint", ["key"])
