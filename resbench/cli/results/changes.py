"""`resbench results delete STUDY`: delete, rename and annotate results in the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.echo import agree, echo, is_answered
from resbench.cli.options import Checkpoints, Db, Json, Timeout, database
from resbench.errors import BadInput

if TYPE_CHECKING:
    from resbench.store.edits.deletion import DeletionPlan
    from resbench.store.edits.notes import NoteSubject
    from resbench.store.open import Engine

MOST = 20  # names in a line


def delete(
    study: Annotated[str | None, typer.Argument(metavar="[STUDY]", help="The study's name.",
        autocompletion=complete_studies, show_default=False)] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option("--unit", metavar="UNIT", help="Delete only this unit of the study; may be repeated.", show_default=False),
    ] = None,
    run: Annotated[
        list[int] | None,
        typer.Option("--run", metavar="N", help="Delete this run from every study; may be repeated.",
                     show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    revealed: Annotated[
        bool, typer.Option("--revealed", help="With --yes: also delete results whose test scores were looked at.")
    ] = False,
    timeout_s: Timeout = None,
    checkpoints: Checkpoints = None,
    db: Db = None,
) -> None:  # fmt: skip
    """Delete results permanently. A run that another study uses is kept, unless --run names it. Frozen files are not changed."""
    if (study is None) == (not run):
        raise BadInput(
            "results delete: expected either STUDY, with --unit for some of its units, or --run N for single runs; give "
            "one of them"
        )
    if unit and study is None:
        raise BadInput("--unit requires STUDY")
    from resbench.cli.results.sealed_scores import user
    from resbench.store.checkpoints.faults import OPTION, find_faults
    from resbench.store.connection.location import locate
    from resbench.store.edits.delete import delete_results
    from resbench.store.edits.deletion import DeletionRequest, plan_deletion
    from resbench.store.open import open_store
    from resbench.store.results.checkpoints import checkpoint_folder, sweep
    from resbench.workers.processes import is_gone

    url = database(db)
    engine = open_store(url, create=False, transaction_s=timeout_s, bulk=True)
    wanted = DeletionRequest(study, tuple(unit or ()), tuple(run or ()))
    found = plan_deletion(engine, wanted)
    folder = checkpoint_folder(url, checkpoints)
    lost = {fault.run_id for fault in find_faults(engine, folder, found.weights, names_only=True)}
    echo(f"{locate(url).shown}:", err=True)
    for line in sentences(found):
        echo(f"  {line}", err=True)
    if lost:
        runs = _some([str(run) for run in sorted(lost)])
        echo(
            f"  the kept weights of {'run' if len(lost) == 1 else 'runs'} {runs} are not in {folder} and are not deleted: "
            f"{OPTION}",
            err=True,
        )
    if yes and found.looks and not revealed:
        raise BadInput(
            "the test scores were looked at (see above), so nothing was deleted; add --revealed to --yes to delete them"
        )
    if not yes and not is_answered():
        raise BadInput("there is no terminal for the question, so nothing was deleted; --yes deletes without asking")
    if not yes and not agree("Delete this permanently?"):
        echo("nothing was deleted", err=True)
        raise typer.Exit(1)
    delete_results(engine, wanted, found, f"{user()}: resbench results delete", is_gone)
    sweep(engine, folder)
    left = len(found.weights) - len(find_faults(engine, folder, found.weights, names_only=True))
    if left:
        echo(
            f"{_n(left, 'file')} of their weights remain in {folder}: a run is in progress, or another database uses the file; "
            "a later `study run` removes files that are no longer used",
            err=True,
        )
    echo("deleted; rb_change records what, when and by whom", err=True)


def sentences(found: DeletionPlan) -> Iterator[str]:
    """Yield what exactly is deleted, and what is kept."""
    from resbench.drawing.format import count

    runs = Counter(status for status in (run.status for run in found.runs))
    by_status = f" ({', '.join(f'{n} {status}' for status, n in sorted(runs.items()))})" if runs else ""
    if found.study is None:
        for run in found.runs[:MOST]:
            users = ", ".join(f"{study} ({unit})" for study, unit in run.users) or "no study"
            yield f"run {run.id}: {run.status}, seed {run.seed}, used by {users}"
        if len(found.runs) > MOST:
            yield f"and {len(found.runs) - MOST} more runs"
    else:
        units = list(dict.fromkeys(trial.name for trial in found.trials))
        whole = "the whole study" if found.is_whole else "of the study"
        yield f"{whole} {found.study.name}: {_some(units) if units else 'no units'}"
    counts = [_n(len(found.runs), "run") + by_status, _n(found.epochs, "epoch"), _n(found.test_scores, "test score")]
    if found.weights:
        size = sum(kept.bytes for kept in found.weights)
        counts.append(f"kept weights of {_n(len(found.weights), 'run')} ({count(size)}B)")
    yield ", ".join(counts)
    if found.kept and found.study is not None:
        gone = {(found.study.name, trial.name) for trial in found.trials}
        uses = {use for run in found.kept for use in run.users} - gone
        elsewhere = _some(sorted(f"{study} ({unit})" for study, unit in uses))
        stay = "1 more run is kept" if len(found.kept) == 1 else f"{len(found.kept)} more runs are kept"
        yield f"{stay}, used elsewhere: {elsewhere}"
    for look in found.looks:
        yield f"the test scores of {look.study} were looked at: {look.at}, {look.by}"
    yield "frozen files, exports and copies are not changed"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")


def _n(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def note(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STUDY] [TEXT]",
            autocompletion=complete_studies, help="The study's name, unless --run names a run, and the text of the note.",
                       show_default=False),
    ] = None,
    run: Annotated[
        int | None, typer.Option("--run", metavar="N", help="Annotate this run (run_id in v_runs).", show_default=False)
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the notes of the study, of the run, or all.")] = False,
    remove: Annotated[
        int | None, typer.Option("--remove", metavar="N", help="Delete the note with this number.", show_default=False)
    ] = None,
    db: Db = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Add a note to a study or a run; `results show`, `results top`, `results list --json` and the report show it."""
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
    from resbench.cli.results.sealed_scores import user
    from resbench.store.edits.notes import add_note, remove_note
    from resbench.store.open import open_store

    engine = open_store(database(db), create=False)
    by = f"{user()}: resbench results note"
    if list_:
        _print(engine, subject, json)
    elif remove is not None:
        gone = remove_note(engine, remove, by, subject)
        echo(f"deleted note {remove}: {gone.text}", err=True)
    else:
        assert subject is not None
        echo(f"note {add_note(engine, subject, rest[0], by)} on {subject}", err=True)


def line_of_notes(engine: Engine, study: str) -> Iterator[str]:
    """Yield the notes of a study as one line; nothing where it has none."""
    from resbench.store.edits.notes import NoteSubject, notes_on

    found = notes_on(engine, NoteSubject(study))
    if found:
        yield f"notes: {' | '.join(note.text for note in found)}"


def _subject(given: Sequence[str], run: int | None, *, needed: bool) -> tuple[NoteSubject | None, Sequence[str]]:
    """Return the subject of the note and the remaining words."""
    from resbench.store.edits.notes import NoteSubject

    if run is not None:
        return NoteSubject(run=run), given
    if given:
        return NoteSubject(given[0]), given[1:]
    if needed:
        raise BadInput("results note: expected STUDY or --run N, and a text; --list shows every note")
    return None, given


def _print(engine: Engine, subject: NoteSubject | None, json: bool) -> None:
    from resbench.cli.output import print_json, print_table
    from resbench.store.edits.notes import notes_on

    found = notes_on(engine, subject)
    if json:
        print_json([asdict(one) for one in found])
    else:
        rows = [[n.note, n.study if n.run is None else f"run {n.run}", n.noted_at, n.noted_by, n.text] for n in found]
        print_table([">note", "on", "noted", "by", "text"], rows)


def rename(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The study's name.", autocompletion=complete_studies)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new name, which no study may have.")],
    db: Db = None,
) -> None:
    """Rename a study and its Optuna study; the database records when and by whom."""
    from resbench.cli.results.sealed_scores import user
    from resbench.store.edits.rename import rename_study
    from resbench.store.open import open_store
    from resbench.workers.processes import is_gone

    rename_study(open_store(database(db), create=False), old, new, f"{user()}: resbench results rename", is_gone)
    echo(
        f"{old} is now {new}; to continue it, write `study: {new}` in its file or run `resbench study run FILE --fork {new}`",
        err=True,
    )
