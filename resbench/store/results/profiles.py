"""The signal and the gradient at every unit of a run -> rows of rb_profile, and back.

They are written at once, not with the run, since an interrupted run continues after the profiled epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Engine, select

from resbench.store.connection.dialect import insert_absent
from resbench.store.connection.transaction import reading, shown, writing
from resbench.store.queue.cells import hold
from resbench.store.records import Cell, ProfileRecord, finite
from resbench.store.results.reading import typed
from resbench.store.results.studies import study_row
from resbench.store.schema.tables import rb_profile
from resbench.store.schema.views import V_PROFILES

_NUMBERS = ("variance", "gradient_norm", "shortcut_pct", "dead_pct")
_PROFILES = typed(V_PROFILES)


def put_profiles(engine: Engine, cell: Cell, records: Sequence[ProfileRecord]) -> None:
    """Insert profiles under the claim of a cell; existing ones stay. Raises LeaseLost where the cell was taken over."""
    identity = {"architecture": cell.architecture, "recipe": cell.recipe, "data": cell.data}
    with writing(engine) as connection:
        hold(connection, cell)
        for record in records:
            values = asdict(record)
            insert_absent(connection, rb_profile, identity | values | {name: finite(values[name]) for name in _NUMBERS})


def profiles_of_study(engine: Engine, study: str) -> dict[str, list[ProfileRecord]]:
    """Return the profiles of each unit by its shown name, by seed, epoch and unit. Raises BadInput for an unknown study."""
    order = [_PROFILES.c[name] for name in ("unit", "seed", "epoch", "number")]
    with reading(engine) as connection:
        study_row(connection, study, shown(engine))
        columns = [_PROFILES.c[name] for name in ("unit", "seed", "epoch", "number", *_NUMBERS)]
        rows = connection.execute(select(*columns).where(_PROFILES.c.study == study).order_by(*order)).all()
    found: dict[str, list[ProfileRecord]] = {}
    for name, *values in rows:
        found.setdefault(name, []).append(ProfileRecord(*values))
    return found
