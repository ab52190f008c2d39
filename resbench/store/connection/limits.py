"""The time limit of a transaction, so that no command waits for ever for a file or a server."""

from __future__ import annotations

import math
import os

from resbench.errors import BadInput
from resbench.store.connection.sqlite_open import TRANSACTION_S

LIMIT_S = "resbench_limit_s"  # execution option of an engine: the limit that its transactions have
NONE = math.inf
_VARIABLE = "RESBENCH_TRANSACTION_S"


def limit_of(seconds: float | None = None) -> float:
    """Return the seconds that a transaction may take: the given ones, else RESBENCH_TRANSACTION_S, else 600. Raises BadInput."""
    text = os.environ.get(_VARIABLE)
    if seconds is not None or not text:
        return TRANSACTION_S if seconds is None else seconds
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not found > 0:
        raise BadInput(f"{_VARIABLE}: expected a number of seconds above 0, got {text!r}")
    return found


def time_limit_message(where: str, limit_s: float) -> str:
    """Return the message for a transaction that did not end within its limit."""
    return (
        f"{where}: took over {limit_s:g} s, the limit of one transaction, and was stopped; nothing was written. Set a longer "
        f"limit by {_VARIABLE}, or by --timeout of `db check`, `db merge` and `results freeze`"
    )
