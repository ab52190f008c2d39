"""The tables of work under way: cells, workers, leases and checkpoints."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table

from resbench.store.schema.columns import (
    MADE,
    CheckedType,
    IntegerType,
    count,
    identity,
    metadata,
    moment,
    row_id,
    text,
    word,
)

CELL_STATUSES = ("queued", "running", "done", "failed")
OUTCOMES = ("running", "done", "given_back", "retry", "failed")

rb_cell = Table(
    "rb_cell",
    metadata,
    row_id(),
    count("trial_id", "the trial it was made for", refers="rb_trial.id"),
    *identity(),
    text("seeds", "seeds still missing when it was made, JSON list"),
    word("status", CELL_STATUSES, "queued, running, done or failed"),
    text("claimed_by", "the worker that has it, or had it last", nullable=True),
    text("claimed_at", "when that worker claimed it, UTC", nullable=True),
    Column(
        "token",
        IntegerType("token", nullable=False),
        nullable=False,
        server_default="0",
        comment="how often it was claimed: the fencing token; a write under a lower one is refused",
    ),
    moment("lease_until", "when the claim ends unless it is renewed", nullable=True),
    Column(
        "tags",
        CheckedType("tags", nullable=False),
        nullable=False,
        server_default="[]",
        comment="what a worker must have to claim it, JSON list",
    ),
    text("finished_at", "when it was done or failed, UTC", nullable=True),
    text("error", "why it failed", nullable=True),
    CheckConstraint("status IN ('queued', 'running', 'done', 'failed')", name="status"),
    Index("ix_rb_cell_status", "status", "id"),
    Index("ix_rb_cell_trial", "trial_id"),
)
rb_cell_plan = Table(
    "rb_cell_plan",
    metadata,
    count("cell_id", "the cell", refers="rb_cell.id", key=True),
    text("plan", "how it is to be trained: seeds as one network, memory layout, threads; JSON object"),
)
rb_attempt = Table(
    "rb_attempt",
    metadata,
    count("cell_id", "the cell", refers="rb_cell.id", key=True),
    count("token", "the fencing token of the claim: 1 for the first attempt", key=True),
    text("worker", "who made it"),
    text("started_at", "when the cell was claimed, UTC"),
    text("ended_at", "when it ended, UTC", nullable=True),
    word("outcome", OUTCOMES, "running, done, given_back (told to stop), retry (queued again) or failed"),
    text(
        "kind", "why it ended so: error, plugin, oom, crash, killed, stalled, over_time, lost, stopped", nullable=True
    ),
    text("error", "the same in words; of an exception the whole trace", nullable=True),
    Column(
        "reached",
        IntegerType("reached", nullable=False),
        nullable=False,
        comment="epochs that the seeds of the cell had behind them, all together",
    ),
    CheckConstraint("outcome IN ('running', 'done', 'given_back', 'retry', 'failed')", name="outcome"),
)
rb_worker = Table(
    "rb_worker",
    metadata,
    text("name", "host:pid, and letters that tell it from every other process of that number", key=True),
    text("study", "name of the study that it works for"),
    text("host", "name of the machine"),
    text("boot", "the machine's start and the container, so that numbers of processes can be told apart"),
    count("pid", "number of the process there"),
    text("born", "when the process started there, by the machine's own count"),
    text("device", "what it trains on"),
    count("slots", "cells that it trains at a time"),
    text("tags", "what it has, of what cells ask for, JSON list"),
    text("started_at", "when it began, UTC"),
    moment("seen", "when it was last heard of"),
    text("ended_at", "when it left, UTC", nullable=True),
    Index("ix_rb_worker_study", "study"),
)
rb_lease = Table(
    "rb_lease",
    metadata,
    text("name", "the role, such as `coordinator of quickstart`", key=True),
    text("holder", "name of the worker that has it, or had it last"),
    count("token", "how often it was taken: a write under a lower one is refused"),
    moment("until", "when it ends unless it is renewed"),
)
rb_checkpoint = Table(
    "rb_checkpoint",
    metadata,
    row_id(),
    text("key", "digest of architecture, recipe, data, seeds and layout of what is under way"),
    count("epoch", "epochs that are done"),
    text("path", "name of the file in the folder of checkpoints"),
    text("sha256", "of the file; another means that it is damaged"),
    text("created_at", MADE),
    Index("ix_rb_checkpoint_key", "key"),
)
WORK_TABLES = frozenset(table.name for table in (rb_cell, rb_cell_plan, rb_attempt, rb_worker, rb_lease, rb_checkpoint))
