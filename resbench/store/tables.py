"""The tables, `rb_*`: what stands in a database of results, column by column.  Optuna's own tables may stand beside them.

Times are text, UTC, `2026-11-23T19:21:51Z`, so that they sort and mean the same in SQLite and Postgres. Digests are text.
JSON is text in canonical form. A number that is not finite is stored as NULL.
The comments go to Postgres after each migration and into docs/database.md.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _text(name: str, comment: str, *, nullable: bool = False, refers: str = "", key: bool = False) -> Column[Any]:
    links = (ForeignKey(refers),) if refers else ()
    return Column(name, Text, *links, primary_key=key, nullable=nullable, comment=comment)


def _count(name: str, comment: str, *, nullable: bool = False, refers: str = "", key: bool = False) -> Column[Any]:
    links = (ForeignKey(refers),) if refers else ()
    return Column(name, Integer, *links, primary_key=key, autoincrement=False, nullable=nullable, comment=comment)


def _big(name: str, comment: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False, comment=comment)


def _number(name: str, comment: str) -> Column[Any]:
    return Column(name, Double, comment=comment)


def _id() -> Column[Any]:
    return Column("id", Integer, primary_key=True, comment="number given by the database")


def _identity() -> tuple[Column[Any], Column[Any], Column[Any]]:
    return (
        _text("architecture", "digest of the architecture", refers="rb_architecture.digest"),
        _text("recipe", "digest of the recipe", refers="rb_recipe.digest"),
        _text("data", "digest of the data set", refers="rb_data.digest"),
    )


_MADE = "when the row was written, UTC"

rb_architecture = Table(
    "rb_architecture",
    metadata,
    _text("digest", "canonical digest of the whole bound network, without image size", key=True),
    _text("network", "name of the network's file"),
    _text("unit", "name of the unit's file"),
    _text("spec", "the canonical network, JSON: from it the net is rebuilt"),
    _big("params", "trainable parameters"),
    _count("depth", "layers with weights on the longest path from input to output", nullable=True),
    _text("created_at", _MADE),
)
rb_cost = Table(
    "rb_cost",
    metadata,
    _text("architecture", "digest of the architecture", refers="rb_architecture.digest", key=True),
    _text("input_shape", "channels x height x width of one image, such as 1x14x14", key=True),
    _big("macs", "multiply-accumulates of one forward pass of one image; a multiply-add counts once"),
    _number(
        "memory_mib", "MiB that training keeps of one image for its backward pass, in float32; weights not counted"
    ),
    sqlite_with_rowid=False,
)
rb_recipe = Table(
    "rb_recipe",
    metadata,
    _text("digest", "digest of the resolved recipe", key=True),
    _text("name", "name of the recipe's file"),
    _text("spec", "the resolved recipe, JSON"),
)
rb_data = Table(
    "rb_data",
    metadata,
    _text("digest", "digest of the images, labels and splits", key=True),
    _text("name", "name of the data set"),
    _text("input_shape", "channels x height x width of one image, such as 1x14x14"),
    _count("classes", "number of classes"),
    _count("n_train", "images trained on"),
    _count("n_val", "images that every choice is made by"),
    _count("n_test", "images looked at only by `results top --test`"),
    _text("settings", "what the study said of the data set beside its name, JSON object", nullable=True),
)
rb_environment = Table(
    "rb_environment",
    metadata,
    _text("digest", "digest of the other columns", key=True),
    _text("package_version", "version of resbench"),
    _text("git_commit", "commit of the working folder, where it was a git repository", nullable=True),
    Column("git_dirty", Boolean, comment="whether that folder had changes that were not committed"),
    _text("python", "version of Python"),
    _text("torch", "version of PyTorch"),
    _text("device", "name of the device, such as cpu or NVIDIA A100-SXM4-40GB"),
    _count("threads", "CPU threads of one training"),
    Column("deterministic", Boolean, nullable=False, comment="whether only deterministic kernels were allowed"),
    Column("tf32", Boolean, nullable=False, comment="whether float32 products could run as TF32"),
    _text("plugins", "plugins and their versions, JSON object"),
    _text("platform", "operating system and processor architecture"),
)
rb_study = Table(
    "rb_study",
    metadata,
    _id(),
    _text("name", "name of the study, also of Optuna's"),
    _text("spec", "the resolved study, JSON"),
    _text("digest", "digest of the resolved study"),
    _text("created_at", _MADE),
    _text("updated_at", "when its spec last grew, UTC"),
    UniqueConstraint("name"),
)
rb_trial = Table(
    "rb_trial",
    metadata,
    _id(),
    _count("study_id", "the study", refers="rb_study.id"),
    _count("number", "Optuna's number of the trial, from 0 in each study"),
    _text("name", "what tables show: the unit's name and the choices made"),
    _text("unit", "name of the unit's file"),
    _text("network", "name of the network's file"),
    _text("params", "the choices made, by the name of each, JSON object"),
    *_identity(),
    Column(
        "active", Boolean, nullable=False, comment="false once the study no longer wants it; its cells are not claimed"
    ),
    UniqueConstraint("study_id", "number"),
)
rb_cell = Table(
    "rb_cell",
    metadata,
    _id(),
    _count("trial_id", "the trial it was made for", refers="rb_trial.id"),
    *_identity(),
    _text("seeds", "seeds still missing when it was made, JSON list"),
    _text("status", "queued, running, done or failed"),
    _text("claimed_by", "the worker that has it, or had it last", nullable=True),
    _text("claimed_at", "when that worker claimed it, UTC", nullable=True),
    _text("finished_at", "when it was done or failed, UTC", nullable=True),
    _text("error", "why it failed", nullable=True),
    CheckConstraint("status IN ('queued', 'running', 'done', 'failed')", name="status"),
    Index("ix_rb_cell_status", "status", "id"),
    Index("ix_rb_cell_trial", "trial_id"),
)
rb_cell_plan = Table(
    "rb_cell_plan",
    metadata,
    _count("cell_id", "the cell", refers="rb_cell.id", key=True),
    _text("plan", "how it is to be trained: seeds as one network, memory layout, threads; JSON object"),
)
rb_checkpoint = Table(
    "rb_checkpoint",
    metadata,
    _id(),
    _text("key", "digest of architecture, recipe, data, seeds and layout of what is under way"),
    _count("epoch", "epochs that are done"),
    _text("path", "the file"),
    _text("sha256", "of the file; another means that it is damaged"),
    _text("created_at", _MADE),
    Index("ix_rb_checkpoint_key", "key"),
)
rb_run = Table(
    "rb_run",
    metadata,
    _id(),
    *_identity(),
    Column("seed", BigInteger, nullable=False, comment="the seed of everything random in it, 0 to 2^63 - 1"),
    _text("status", "complete, diverged, stopped (at a rung) or failed (lost to the machine; may be replaced)"),
    _number("val_error_pct", "validation error after the last epoch, percent"),
    _number("val_loss", "validation loss after the last epoch"),
    _number("train_loss", "training loss, mean over the last epoch"),
    _count("epochs", "epochs trained"),
    _number("train_s", "seconds of training, without evaluation, loading and compiling"),
    _number("wall_s", "seconds from start to end, all included"),
    _text("environment", "digest of what it ran on", refers="rb_environment.digest"),
    _text("created_at", _MADE),
    _text("error", "why it failed", nullable=True),
    CheckConstraint("status IN ('complete', 'diverged', 'stopped', 'failed')", name="status"),
    CheckConstraint("status <> 'complete' OR val_error_pct IS NOT NULL", name="complete"),
    CheckConstraint("seed >= 0", name="seed"),
    UniqueConstraint("architecture", "recipe", "data", "seed"),
)
rb_epoch = Table(
    "rb_epoch",
    metadata,
    _count("run_id", "the run", refers="rb_run.id", key=True),
    _count("epoch", "epoch, from 1", key=True),
    _number("lr", "learning rate at the end of the epoch"),
    _number("train_loss", "training loss, mean over the epoch"),
    _number("train_error_pct", "training error over the epoch, percent"),
    _number("val_loss", "validation loss after the epoch"),
    _number("val_error_pct", "validation error after the epoch, percent"),
    _number("train_s", "seconds of training in this epoch"),
    sqlite_with_rowid=False,
)
rb_test_score = Table(
    "rb_test_score",
    metadata,
    _count("run_id", "the run", refers="rb_run.id", key=True),
    _number("test_error_pct", "test error after the last epoch, percent; in no view: `results top --test` shows it"),
    _number("test_loss", "test loss after the last epoch"),
)
rb_run_plan = Table(
    "rb_run_plan",
    metadata,
    _count("run_id", "the run", refers="rb_run.id", key=True),
    _text("plan", "how it was trained: the seeds that were one network with it, memory layout, threads; JSON object"),
)
rb_study_run = Table(
    "rb_study_run",
    metadata,
    _count("study_id", "the study that uses the run", refers="rb_study.id", key=True),
    _count("run_id", "the run", refers="rb_run.id", key=True),
    _count("trial_id", "the trial it belongs to in that study", refers="rb_trial.id", key=True),
    Index("ix_rb_study_run_trial", "trial_id"),
    sqlite_with_rowid=False,
)
rb_reveal = Table(
    "rb_reveal",
    metadata,
    _id(),
    _count("study_id", "the study whose test scores were looked at", refers="rb_study.id"),
    _text("revealed_at", "when, UTC"),
    _text("revealed_by", "who or what looked"),
)
