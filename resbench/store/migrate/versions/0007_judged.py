"""What runs are judged by, with statistics of norms made anew, and the error of naming the largest class: rb_epoch, rb_data.
The depth of every architecture, which no older version wrote: rb_architecture. What a CPU's last bits depend on: rb_environment.
What people deleted, renamed and noted: rb_change, rb_note. The studies that use a run, found without reading all: rb_study_run.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007_v0.1.0"
down_revision = "0006_v0.1.0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rb_epoch", sa.Column("recomputed_val_loss", sa.Double(), nullable=True))
    op.add_column("rb_epoch", sa.Column("recomputed_val_error_pct", sa.Double(), nullable=True))
    op.add_column("rb_data", sa.Column("largest_class_error_pct", sa.Double(), nullable=True))
    op.add_column("rb_environment", sa.Column("processor", sa.Text(), nullable=True))
    _add_changes()
    _fill_depths(op.get_bind())
    op.execute("DROP VIEW IF EXISTS v_epochs")
    op.execute(_V_EPOCHS)


def _add_changes() -> None:
    op.create_table(
        "rb_change",
        sa.Column("id", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("changed_at", "changed_by", "change", "subject", "details")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rb_change"),
    )
    op.create_table(
        "rb_note",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("study_id", "run_id")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("noted_at", "noted_by", "note")),
        sa.PrimaryKeyConstraint("id", name="pk_rb_note"),
        sa.ForeignKeyConstraint(["study_id"], ["rb_study.id"], name="fk_rb_note_study_id_rb_study"),
        sa.ForeignKeyConstraint(["run_id"], ["rb_run.id"], name="fk_rb_note_run_id_rb_run"),
        sa.CheckConstraint("(study_id IS NULL) <> (run_id IS NULL)", name="ck_rb_note_subject"),
    )
    op.create_index("ix_rb_note_run", "rb_note", ["run_id"])
    op.create_index("ix_rb_study_run_run", "rb_study_run", ["run_id"])


def _fill_depths(connection: sa.Connection) -> None:
    rows = connection.execute(sa.text("SELECT digest, spec FROM rb_architecture WHERE depth IS NULL")).all()
    for digest, spec in rows:
        found = _depth(spec)
        if found is not None:
            connection.execute(
                sa.text("UPDATE rb_architecture SET depth = :depth WHERE digest = :digest"),
                {"depth": found, "digest": digest},
            )


def _depth(spec: str) -> int | None:
    """Layers with weights on the longest way; None for what is not of the format 1."""
    try:
        data = json.loads(spec)
        graphs = data["graphs"]
        units = [number for before, of in data["stages"] for number in (before, *of)]
        body = sum(_layers(graphs[number], False) for number in (data["stem"], *units))
        return body + _layers(graphs[data["head"]], True)
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def _layers(graph: Any, behind_a_pool: bool) -> int:
    _, ops, output = graph
    longest, pooled = [0], [False]
    for _, kind, arguments, inputs, _ in ops:
        pooled.append(kind == "global_avg_pool" or (bool(inputs) and all(pooled[i] for i in inputs)))
        inner = [value["graph"] for value in arguments.values() if isinstance(value, dict) and "graph" in value]
        own = sum(_layers(each, behind_a_pool) for each in inner) + (kind in ("conv", "linear"))
        counts = behind_a_pool or not pooled[-1]
        longest.append(max((longest[i] for i in inputs), default=0) + own * counts)
    return int(longest[output])


_V_EPOCHS = """
CREATE VIEW v_epochs AS
SELECT v.study AS study, v.unit AS unit, v.digest AS digest, v.seed AS seed, v.status AS status, v.run_id AS run_id,
    e.epoch AS epoch, e.lr AS lr, e.train_loss AS train_loss, e.train_error_pct AS train_error_pct,
    e.val_loss AS val_loss, e.val_error_pct AS val_error_pct, e.train_s AS train_s,
    e.recomputed_val_loss AS recomputed_val_loss, e.recomputed_val_error_pct AS recomputed_val_error_pct
FROM v_runs v
JOIN rb_epoch e ON e.run_id = v.run_id
"""
