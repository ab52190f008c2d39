"""`resbench results note STUDY TEXT`: a note on a study or on a run, kept in the database with who wrote it and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.options import Db, Json, database
from resbench.cli.terminal import echo
from resbench.errors import BadInput

if TYPE_CHECKING:
    from resbench.store.engine import Engine
    from resbench.store.notes import Subject


def note(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STUDY] [TEXT]",
            autocompletion=complete_studies, help="The study's name, unless --run names a run; and what to note.",
                       show_default=False),
    ] = None,
    run: Annotated[
        int | None, typer.Option("--run", metavar="N", help="Of this run: run_id in v_runs.", show_default=False)
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show the notes: of the study, of the run, or all.")] = False,
    remove: Annotated[
        int | None, typer.Option("--remove", metavar="N", help="Delete the note of this number.", show_default=False)
    ] = None,
    db: Db = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Note something on a study or a run; `results show`, `results top`, `results list --json` and the report show it."""
    given = list(words or [])
    if json and not list_:
        raise BadInput("--json applies only to --list")
    if list_ and remove is not None:
        raise BadInput("--list and --remove: give one of them")
    adds = not list_ and remove is None
    subject, rest = _subject(given, run, needed=adds)
    if len(rest) != (1 if adds else 0):
        what = "one text, in quotes" if adds else "no text"
        raise BadInput(
            f"`results note {'STUDY' if run is None else '--run N'}`: expected {what}, got {len(rest)} words"
        )
    from resbench.cli.sealed import user
    from resbench.store.engine import open_store
    from resbench.store.notes import add_note, remove_note

    engine = open_store(database(db), create=False)
    by = f"{user()}: resbench results note"
    if list_:
        _print(engine, subject, json)
    elif remove is not None:
        gone = remove_note(engine, remove, by, subject)
        echo(f"note {remove} is deleted: {gone.text}", err=True)
    else:
        assert subject is not None
        echo(f"note {add_note(engine, subject, rest[0], by)} on {subject}", err=True)


def line_of_notes(engine: Engine, study: str) -> Iterator[str]:
    """The notes of a study as one line; nothing where it has none."""
    from resbench.store.notes import Subject, notes_on

    found = notes_on(engine, Subject(study))
    if found:
        yield f"notes: {' | '.join(note.text for note in found)}"


def _subject(given: Sequence[str], run: int | None, *, needed: bool) -> tuple[Subject | None, Sequence[str]]:
    """What the note is about, and the words that are left."""
    from resbench.store.notes import Subject

    if run is not None:
        return Subject(run=run), given
    if given:
        return Subject(given[0]), given[1:]
    if needed:
        raise BadInput("name a study and a text, or --run N and a text; --list shows every note")
    return None, given


def _print(engine: Engine, subject: Subject | None, json: bool) -> None:
    from resbench.cli.show import print_json, print_table
    from resbench.store.notes import notes_on

    found = notes_on(engine, subject)
    if json:
        print_json([asdict(one) for one in found])
    else:
        rows = [[n.note, n.study if n.run is None else f"run {n.run}", n.noted_at, n.noted_by, n.text] for n in found]
        print_table([">note", "on", "noted", "by", "text"], rows)
