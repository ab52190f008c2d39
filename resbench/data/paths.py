"""A data set's path in a study -> its place: the path as given, else below the folders in which data are searched."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from resbench.errors import Reason
from resbench.language.library.lookup import at_home


def folders() -> tuple[Path, ...]:
    """Return the folders in which data are searched; downloads go to the first: `$RESBENCH_DATA`, else two folders."""
    named = os.environ.get("RESBENCH_DATA")
    return (Path(named),) if named else (Path("data").resolve(), Path.home() / ".cache" / "resbench" / "data")


def find(path: str, is_there: Callable[[Path], bool], what: str) -> Path:
    """Return where the path is. Raises Reason with all places that were searched; `what` names the thing."""
    given = at_home(path)
    places = [given, *(folder / path for folder in folders() if not given.is_absolute())]
    found = next((place for place in places if is_there(place)), None)
    if found is None:
        raise Reason(f"`path`: there is no {what} {' and no '.join(map(str, places))}")
    return found
