"""Cells that are left and what a worker has -> whether one is for this worker, and once a sentence where none is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from resbench.store.open import Engine
from resbench.store.queue.cells import is_open, open_cells
from resbench.store.records import Cell


@dataclass(slots=True)
class TagCheck:
    """`tags`: of the worker. `note` gets the sentence."""

    engine: Engine
    study_id: int
    tags: tuple[str, ...]
    note: Callable[[str], None]
    is_noted: bool = False

    def is_open(self) -> bool:
        """Return whether a cell is queued or running that this worker may train."""
        if is_open(self.engine, self.study_id, self.tags):
            return True
        if not self.is_noted:
            lacking = unfit(open_cells(self.engine, self.study_id), self.tags)
            if lacking:
                self.is_noted = True
                self.note(
                    f"--tags: expected {asked(lacking)}, which the {len(lacking)} cells that are left ask for, got "
                    f"{', '.join(self.tags) or 'no tags'}; this worker trains none of them: start one with these tags"
                )
        return False


def unfit(cells: Iterable[Cell], tags: tuple[str, ...]) -> list[Cell]:
    """Return the cells that ask for a tag that is not among these."""
    return [cell for cell in cells if not {*cell.tags} <= {*tags}]


def unfit_note(cells: Sequence[Cell], tags: tuple[str, ...]) -> str:
    """Return a sentence on the cells that no worker with these tags may train; "" where there are none."""
    lacking = unfit(cells, tags)
    if not lacking:
        return ""
    wanted = asked(lacking)
    return (
        f"{len(lacking)} of {len(cells)} cells ask for the tags {wanted}, which no worker of this process has; they wait for "
        f"`resbench worker --study NAME --tags {wanted.partition(' ')[0]}`"
    )


def asked(cells: Iterable[Cell]) -> str:
    """Return each list of tags that cells ask for, as `--tags` takes it.

    >>> asked([])
    ''
    """
    return " or ".join(dict.fromkeys(",".join(sorted(cell.tags)) for cell in cells))
