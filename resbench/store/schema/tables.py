"""The tables of results, `rb_*`; those of work under way are in work_tables.py. Optuna's tables may be in the same database.

The comments go to Postgres after each migration and into docs/database.md.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Table,
    UniqueConstraint,
    true,
)

from resbench.store.records import STATUSES
from resbench.store.schema.columns import (
    MADE,
    BigIntegerType,
    big,
    count,
    flag,
    identity,
    metadata,
    number,
    row_id,
    sealed,
    text,
    word,
)

rb_architecture = Table(
    "rb_architecture",
    metadata,
    text("digest", "canonical digest of the whole bound network, without image size", key=True),
    text("network", "name of the network's file"),
    text("unit", "name of the unit's file"),
    text("spec", "the canonical network, JSON: from it the net is rebuilt"),
    big("params", "trainable parameters"),
    count("depth", "layers with weights on the longest path from input to output", nullable=True),
    text("created_at", MADE),
)
rb_cost = Table(
    "rb_cost",
    metadata,
    text("architecture", "digest of the architecture", refers="rb_architecture.digest", key=True),
    text("input_shape", "channels x height x width of one image, such as 1x14x14", key=True),
    big("macs", "multiply-accumulates of one forward pass of one image; a multiply-add counts once"),
    number("memory_mib", "MiB that training keeps of one image for its backward pass, in float32; weights not counted"),
    sqlite_with_rowid=False,
)
rb_recipe = Table(
    "rb_recipe",
    metadata,
    text("digest", "digest of the resolved recipe", key=True),
    text("name", "name of the recipe's file"),
    text("spec", "the resolved recipe, JSON"),
)
rb_data = Table(
    "rb_data",
    metadata,
    text("digest", "digest of the images, labels and splits", key=True),
    text("name", "name of the data set"),
    text("input_shape", "channels x height x width of one image, such as 1x14x14"),
    count("classes", "number of classes"),
    count("n_train", "images trained on"),
    count("n_val", "images that every choice is made by"),
    count("n_test", "images looked at only by `results top --test`"),
    text("settings", "what the study said of the data set beside its name, JSON object", nullable=True),
    number(
        "largest_class_error_pct", "validation error of always naming its largest class, percent; NULL where not known"
    ),
)
rb_environment = Table(
    "rb_environment",
    metadata,
    text("digest", "digest of the other columns", key=True),
    text("package_version", "version of resbench"),
    text("git_commit", "commit of the working folder, where it was a git repository", nullable=True),
    flag("git_dirty", "whether that folder had changes that were not committed", nullable=True),
    text("python", "version of Python"),
    text("torch", "version of PyTorch"),
    text("device", "name of the device, such as cpu or NVIDIA A100-SXM4-40GB"),
    count("threads", "CPU threads of one training"),
    flag("deterministic", "whether only deterministic kernels were allowed"),
    flag("tf32", "whether float32 products could run as TF32"),
    text("plugins", "plugins and their versions, JSON object"),
    text("platform", "operating system and processor architecture"),
    text("processor", "name of the CPU and the instructions that torch's kernels used on it", nullable=True),
)
rb_study = Table(
    "rb_study",
    metadata,
    row_id(),
    text("name", "name of the study, also of Optuna's"),
    text("spec", "the resolved study, JSON"),
    text("digest", "digest of the resolved study"),
    text("created_at", MADE),
    text("updated_at", "when its spec last grew, UTC"),
    UniqueConstraint("name"),
)
rb_trial = Table(
    "rb_trial",
    metadata,
    row_id(),
    count("study_id", "the study", refers="rb_study.id"),
    count("number", "Optuna's number of the trial, from 0 in each study"),
    text("name", "what tables show: the unit's name and the choices made"),
    text("unit", "name of the unit's file"),
    text("network", "name of the network's file"),
    text("params", "the choices made, by the name of each, JSON object"),
    *identity(),
    flag("active", "false once the study no longer wants it; its cells are not claimed"),
    UniqueConstraint("study_id", "number"),
)
rb_run = Table(
    "rb_run",
    metadata,
    row_id(),
    *identity(),
    Column(
        "seed",
        BigIntegerType("seed", nullable=False),
        nullable=False,
        comment="the seed of everything random in it, 0 to 2^63 - 1",
    ),
    word(
        "status", STATUSES, "complete, diverged, stopped (at a rung) or failed (lost to the machine; may be replaced)"
    ),
    number("val_error_pct", "validation error after the last epoch, percent"),
    number("val_loss", "validation loss after the last epoch"),
    number("train_loss", "training loss, mean over the last epoch"),
    count("epochs", "epochs trained"),
    number("train_s", "seconds of training, without evaluation, loading and compiling"),
    number("wall_s", "seconds from start to end, all included"),
    text("environment", "digest of what it ran on", refers="rb_environment.digest"),
    text("created_at", MADE),
    text("error", "why it failed", nullable=True),
    CheckConstraint("status IN ('complete', 'diverged', 'stopped', 'failed')", name="status"),
    CheckConstraint("status <> 'complete' OR val_error_pct IS NOT NULL", name="complete"),
    CheckConstraint("seed >= 0", name="seed"),
    UniqueConstraint("architecture", "recipe", "data", "seed"),
)
rb_epoch = Table(
    "rb_epoch",
    metadata,
    count("run_id", "the run", refers="rb_run.id", key=True),
    count("epoch", "epoch, from 1", key=True),
    number("lr", "learning rate at the end of the epoch"),
    number("train_loss", "training loss, mean over the epoch"),
    number("train_error_pct", "training error over the epoch, percent"),
    number("val_loss", "validation loss after the epoch, by running statistics of norms"),
    number("val_error_pct", "validation error after the epoch, by running statistics of norms, percent"),
    number("train_s", "seconds of training in this epoch"),
    number(
        "recomputed_val_loss",
        "validation loss by recomputed statistics of norms; NULL where nothing was judged",
    ),
    number("recomputed_val_error_pct", "validation error by recomputed statistics of norms, percent; NULL likewise"),
    sqlite_with_rowid=False,
)
rb_test_score = Table(
    "rb_test_score",
    metadata,
    count("run_id", "the run", refers="rb_run.id", key=True),
    sealed("sealed", "test error and loss after the last epoch, as a text to be read by `results top --test` alone"),
)
rb_run_plan = Table(
    "rb_run_plan",
    metadata,
    count("run_id", "the run", refers="rb_run.id", key=True),
    text("plan", "how it was trained: the seeds that were one network with it, memory layout, threads; JSON object"),
)
rb_weights = Table(
    "rb_weights",
    metadata,
    count("run_id", "the run", refers="rb_run.id", key=True),
    text("sha256", "of its file of weights, which is named by it, in the folder of checkpoints"),
    big("bytes", "size of that file"),
    flag("asked", "whether a person asked for them: then no study removes them"),
)
rb_study_run = Table(
    "rb_study_run",
    metadata,
    count("study_id", "the study that uses the run", refers="rb_study.id", key=True),
    count("run_id", "the run", refers="rb_run.id", key=True),
    count("trial_id", "the trial it belongs to in that study", refers="rb_trial.id", key=True),
    flag("judges", "false where a search chose by the run: it is in no ranking of the study", default=true()),
    Index("ix_rb_study_run_run", "run_id"),
    Index("ix_rb_study_run_trial", "trial_id"),
    sqlite_with_rowid=False,
)
rb_profile = Table(
    "rb_profile",
    metadata,
    *identity(key=True),
    Column(
        "seed",
        BigIntegerType("seed", nullable=False),
        primary_key=True,
        autoincrement=False,
        comment="the seed of the run",
    ),
    count("epoch", "epochs trained before it was taken; 0: at the start", key=True),
    count("unit", "number of the unit in the network, from 0", key=True),
    number("variance", "of the unit's output, over images, channels and pixels"),
    number("gradient_norm", "of the mean loss, at the unit's output"),
    number("shortcut_pct", "of the gradient that leaves the unit, what came through its shortcut, percent"),
    number("dead_pct", "channels behind its ReLUs that are 0 for the whole batch, percent"),
    sqlite_with_rowid=False,
)
rb_reveal = Table(
    "rb_reveal",
    metadata,
    row_id(),
    count("study_id", "the study whose test scores were looked at", refers="rb_study.id"),
    text("revealed_at", "when, UTC"),
    text("revealed_by", "who or what looked"),
)
