"""Tables, views, questions -> docs/database.md with its generated sections renewed: `python -m tools.docs.database PAGE`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from resbench.escape import markdown_row
from resbench.files import write
from resbench.store.query.examples import QUESTIONS
from resbench.store.schema.metadata import metadata
from resbench.store.schema.views import VIEWS

_TABLES = {  # the description of one row
    "rb_architecture": "a whole network, by what it computes and not by its name",
    "rb_attempt": "one worker's attempt at a cell, and how it ended",
    "rb_cell": "a piece of work: seeds of one trial, for one worker",
    "rb_cell_plan": "how a cell is to be trained",
    "rb_change": "something that a person did to results: what was deleted, renamed or noted",
    "rb_checkpoint": "a file that a run under way goes on from; gone when it is done",
    "rb_cost": "what an architecture costs on images of one shape",
    "rb_data": "a data set with its splits",
    "rb_environment": "what runs ran on",
    "rb_epoch": "one epoch of one run",
    "rb_note": "a note on a study or on a run",
    "rb_profile": "one unit of a network in one run, after some epochs: how signal and gradient fare there",
    "rb_lease": "a role that one process has at a time",
    "rb_recipe": "how to train",
    "rb_reveal": "one look at a study's test scores",
    "rb_run": "an architecture, a recipe, a data set and a seed, and what came of them; finished, it is never rewritten",
    "rb_run_plan": "how a run was trained",
    "rb_weights": "the weights of a run that are kept",
    "rb_study": "a study",
    "rb_study_run": "a run that a study shows, and under which trial; a run may serve several studies",
    "rb_test_score": "the sealed test score of a run: no view has it, and `resbench query` refuses it",
    "rb_trial": "one point of a study's space",
    "rb_worker": "a process that trains cells, or did",
}


def tables() -> str:
    parts = []
    for table in sorted(metadata.tables.values(), key=lambda table: table.name):
        rows = [
            (
                f"`{c.name}`",
                str(c.type).lower(),
                _key(c.primary_key, c.nullable),
                _links(c.comment or "", c.foreign_keys),
            )
            for c in table.columns
        ]
        head = f"### {table.name}\nOne row: {_TABLES[table.name]}.\n\n"
        parts.append(head + _grid(("column", "type", "", "what it is"), rows))
    return "\n".join(parts)


def views() -> str:
    parts = []
    for view in VIEWS:
        rows = [(f"`{name}`", what) for name, what in view.columns]
        parts.append(
            f"### {view.name}\n{view.comment[0].upper()}{view.comment[1:]}.\n\n{_grid(('column', 'what it is'), rows)}"
        )
    return "\n".join(parts)


def questions() -> str:
    return "\n".join(f"### {q.asked}\n{q.note}\n```sql{q.sql}\n```\n" for q in QUESTIONS)


SECTIONS: Mapping[str, Callable[[], str]] = {"views": views, "questions": questions, "tables": tables}
_SECTION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def refresh(text: str) -> str:
    """Return the page with its generated sections renewed. Raise KeyError for an unknown section."""
    return _SECTION.sub(lambda found: f"{found[1]}{SECTIONS[found[2]]().rstrip()}\n{found[3]}", text)


def _key(primary: bool, nullable: bool | None) -> str:
    return "key" if primary else "may be NULL" if nullable else ""


def _links(comment: str, keys: object) -> str:
    targets = [str(key.target_fullname) for key in keys]  # type: ignore[attr-defined]
    return f"{comment} (`{targets[0]}`)" if targets else comment


def _grid(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "".join(f"{markdown_row(line)}\n" for line in (head, tuple("---" for _ in head), *rows))


def main(paths: list[str]) -> None:
    for path in map(Path, paths):
        write(path, refresh(path.read_text("utf-8")).encode(), force=True)


if __name__ == "__main__":
    main(sys.argv[1:])
