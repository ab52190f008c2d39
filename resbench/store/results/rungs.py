"""Runs -> their results after an epoch, also for runs that have continued since, from which a search is replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, and_, func, select

from resbench.store.connection.transaction import reading
from resbench.store.schema.tables import rb_epoch, rb_run

_SEEDS_PER_QUERY = 500


_ERROR = func.coalesce(rb_epoch.c.recomputed_val_error_pct, rb_epoch.c.val_error_pct)
_LOSS = func.coalesce(rb_epoch.c.recomputed_val_loss, rb_epoch.c.val_loss)


@dataclass(frozen=True, slots=True)
class RungResult:
    """The results of a run after an epoch. `epochs` is the run's current length. A number is None where it is not finite, or the
    run did not reach the epoch.
    """

    seed: int
    status: str
    epochs: int
    val_error_pct: float | None
    val_loss: float | None
    train_loss: float | None
    train_s: float | None


def results_at_epoch(
    engine: Engine, identity: tuple[str, str, str], seeds: Sequence[int], epoch: int | None = None
) -> dict[int, RungResult]:
    """Return results by seed, after `epoch` or after the last one of each run. `identity` is architecture, recipe and data."""
    same = and_(
        *(rb_run.c[name] == value for name, value in zip(("architecture", "recipe", "data"), identity, strict=True))
    )
    found: dict[int, RungResult] = {}
    with reading(engine) as connection:
        for start in range(0, len(seeds), _SEEDS_PER_QUERY):
            some = list(seeds[start : start + _SEEDS_PER_QUERY])
            runs = connection.execute(select(rb_run).where(same, rb_run.c.seed.in_(some))).mappings().all()
            for run in runs:
                at = run["epochs"] if epoch is None else epoch
                spent = select(func.sum(rb_epoch.c.train_s)).where(
                    rb_epoch.c.run_id == run["id"], rb_epoch.c.epoch <= at
                )
                row = connection.execute(
                    select(_ERROR, _LOSS, rb_epoch.c.train_loss, spent.scalar_subquery())
                    .where(rb_epoch.c.run_id == run["id"], rb_epoch.c.epoch == at)
                ).first()  # fmt: skip
                found[run["seed"]] = RungResult(run["seed"], run["status"], run["epochs"], *(row or (None,) * 4))
    return found


def curves(engine: Engine, identity: tuple[str, str, str], seeds: Sequence[int]) -> list[list[float | None]]:
    """Return the val errors (percent) of each run by epoch; where an epoch was recomputed, the recomputed error."""
    same = and_(
        *(rb_run.c[name] == value for name, value in zip(("architecture", "recipe", "data"), identity, strict=True))
    )
    query = (
        select(rb_run.c.seed, _ERROR)
        .join(rb_epoch, rb_epoch.c.run_id == rb_run.c.id)
        .where(same, rb_run.c.seed.in_(list(seeds)))
        .order_by(rb_run.c.seed, rb_epoch.c.epoch)
    )
    rows: dict[int, list[float | None]] = {}
    with reading(engine) as connection:
        for seed, error in connection.execute(query):
            rows.setdefault(seed, []).append(error)
    return list(rows.values())
