"""`resbench results delete STUDY`: a study, some units of it, or single runs, taken out of the database for good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.options import Checkpoints, Db, Timeout, database
from resbench.cli.terminal import agree, echo, is_answered
from resbench.errors import BadInput

if TYPE_CHECKING:
    from resbench.store.doomed import Doomed

MOST = 20  # names in a line


def delete(
    study: Annotated[str | None, typer.Argument(metavar="[STUDY]", help="The study's name.",
        autocompletion=complete_studies, show_default=False)] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option("--unit", metavar="UNIT", help="Only this unit of it; may be given again.", show_default=False),
    ] = None,
    run: Annotated[
        list[int] | None,
        typer.Option("--run", metavar="N", help="This run, whichever studies use it; may be given again.",
                     show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    revealed: Annotated[
        bool, typer.Option("--revealed", help="With --yes: also where the test scores were looked at.")
    ] = False,
    timeout_s: Timeout = None,
    checkpoints: Checkpoints = None,
    db: Db = None,
) -> None:  # fmt: skip
    """Delete results for good. A run that another study uses stays, unless --run names it. Frozen files are not touched."""
    if (study is None) == (not run):
        raise BadInput("name a study, with --unit for some of its units, or --run N for single runs: one of the two")
    if unit and study is None:
        raise BadInput("--unit is of a study: name it")
    from resbench.cli.sealed import user
    from resbench.store.checkpoints import checkpoint_folder, sweep
    from resbench.store.delete import delete_results
    from resbench.store.doomed import Wanted, find_doomed
    from resbench.store.engine import open_store
    from resbench.store.location import locate
    from resbench.store.weights_check import OPTION, find_faults
    from resbench.study.host import is_gone

    url = database(db)
    engine = open_store(url, create=False, transaction_s=timeout_s, bulk=True)
    wanted = Wanted(study, tuple(unit or ()), tuple(run or ()))
    found = find_doomed(engine, wanted)
    folder = checkpoint_folder(url, checkpoints)
    lost = {fault.run_id for fault in find_faults(engine, folder, found.weights, names_only=True)}
    echo(f"{locate(url).shown}:", err=True)
    for line in sentences(found):
        echo(f"  {line}", err=True)
    if lost:
        runs = _some([str(run) for run in sorted(lost)])
        echo(
            f"  the kept weights of {'run' if len(lost) == 1 else 'runs'} {runs} are not in {folder}, and stay where they are: "
            f"{OPTION}",
            err=True,
        )
    if yes and found.looks and not revealed:
        raise BadInput("the test scores were looked at, as above: --yes alone deletes nothing, --yes --revealed does")
    if not yes and not is_answered():
        raise BadInput("there is no terminal to ask at, so nothing was deleted; --yes deletes without asking")
    if not yes and not agree("Delete this for good?"):
        echo("nothing was deleted", err=True)
        raise typer.Exit(1)
    delete_results(engine, wanted, found, f"{user()}: resbench results delete", is_gone)
    sweep(engine, folder)
    left = len(found.weights) - len(find_faults(engine, folder, found.weights, names_only=True))
    if left:
        echo(
            f"{_n(left, 'file')} of their weights stay in {folder}: a run is under way, or another database has the file; "
            "a later `study run` removes what nobody needs",
            err=True,
        )
    echo("deleted; rb_change says what, when and by whom", err=True)


def sentences(found: Doomed) -> Iterator[str]:
    """Exactly what goes, and what stays."""
    from resbench.report.words import count

    runs = Counter(status for status in (run.status for run in found.runs))
    told = f" ({', '.join(f'{n} {status}' for status, n in sorted(runs.items()))})" if runs else ""
    if found.study is None:
        for run in found.runs[:MOST]:
            users = ", ".join(f"{study} ({unit})" for study, unit in run.users) or "no study"
            yield f"run {run.id}: {run.status}, seed {run.seed}, used by {users}"
        if len(found.runs) > MOST:
            yield f"and {len(found.runs) - MOST} runs more"
    else:
        units = list(dict.fromkeys(trial.name for trial in found.trials))
        whole = "the whole study" if found.is_whole else "of the study"
        yield f"{whole} {found.study.name}: {_some(units) if units else 'no units'}"
    counts = [_n(len(found.runs), "run") + told, _n(found.epochs, "epoch"), _n(found.test_scores, "test score")]
    if found.weights:
        size = sum(kept.bytes for kept in found.weights)
        counts.append(f"kept weights of {_n(len(found.weights), 'run')} ({count(size)}B)")
    yield ", ".join(counts)
    if found.kept and found.study is not None:
        gone = {(found.study.name, trial.name) for trial in found.trials}
        uses = {use for run in found.kept for use in run.users} - gone
        elsewhere = _some(sorted(f"{study} ({unit})" for study, unit in uses))
        stay = "1 run more stays" if len(found.kept) == 1 else f"{len(found.kept)} runs more stay"
        yield f"{stay}, used elsewhere: {elsewhere}"
    for look in found.looks:
        yield f"the test scores of {look.study} were looked at: {look.at}, {look.by}"
    yield "what is in frozen files, exports and copies stays there"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")


def _n(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
