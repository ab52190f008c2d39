"""`resbench study status STUDY`: the progress of a study, from any machine that reaches the database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.echo import echo
from resbench.cli.options import Db, Json, Plugins, database

if TYPE_CHECKING:
    from resbench.store.results.progress import StudyStatus

EVERY_S = 2.0
MOST_FAILED = 10


def status(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="The study's name.", autocompletion=complete_studies)],
    db: Db = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Repeat every 2 s until no cell is left.")] = False,
    json: Json = False,
    plugins: Plugins = None,
) -> None:
    """Print the progress of a study: its cells, workers, leases and failures, and the estimated time left."""
    from dataclasses import asdict

    from rich.console import Console

    from resbench.cli.output import print_json
    from resbench.store.open import open_store
    from resbench.store.results.progress import study_status

    engine = open_store(database(db), create=False)
    while True:
        found = study_status(engine, study)
        if json:
            print_json(asdict(found))
        else:
            if watch:
                Console().clear()
            _print(found)
        if not watch or not (found.cells["queued"] or found.cells["running"]):
            return
        time.sleep(EVERY_S)


def _print(found: StudyStatus) -> None:
    from resbench.cli.output import print_table
    from resbench.store.records import cause

    counted = ", ".join(f"{count} {status}" for status, count in found.cells.items() if count) or "none"
    echo(f"{found.study}: {found.runs} runs; cells: {counted}")
    left = "; `resbench study run` continues with the rest" if found.runs_left else ""
    echo(f"coordinator: {found.coordinator or f'none{left}'}")
    if found.running:
        print_table(
            [">cell", "unit", "seeds", "worker", "since", ">lease s", ">attempt"],
            [
                [
                    str(c.cell),
                    c.unit,
                    _seeds(c.seeds),
                    c.worker or "–",
                    c.since or "–",
                    f"{c.lease_s:.0f}",
                    str(c.attempt),
                ]
                for c in found.running
            ],
        )
    if found.workers:
        print_table(
            ["worker", "host", ">pid", "device", ">slots", "tags", "started", ">last seen"],
            [
                [
                    row.worker.name, row.worker.host, str(row.worker.pid), row.worker.device, str(row.worker.slots),
                    ", ".join(row.worker.tags) or "–", row.started_at, f"{row.unseen_s:.0f} s ago",
                ]
                for row in found.workers
            ],
        )  # fmt: skip
    for one in found.failed[:MOST_FAILED]:
        tried = f" after {one.attempts} attempts" if one.attempts > 1 else ""
        echo(f"FAILED {one.unit}, seeds {_seeds(one.seeds)} ({one.kind}{tried}): {cause(one.error)}")
    if len(found.failed) > MOST_FAILED:
        echo(f"and {len(found.failed) - MOST_FAILED} more; `--json` prints all")
    if found.runs_left:
        echo(f"left: {found.runs_left} runs{_time(found)}")


def _time(found: StudyStatus) -> str:
    if found.wall_s is None:
        return "; the time per run is not known yet"
    each = f" of about {found.wall_s:.1f} s (median of the newest)"
    if found.left_s is None:
        return f"{each}; no worker trains them now"
    return f"{each}, {len(found.running)} cells at a time: about {found.left_s:.0f} s"


def _seeds(seeds: tuple[int, ...]) -> str:
    """Write seeds as `0–3, 7`: neighbours are one range."""
    ranges: list[list[int]] = []
    for seed in sorted(seeds):
        if ranges and ranges[-1][-1] == seed - 1:
            ranges[-1] = [ranges[-1][0], seed]
        else:
            ranges.append([seed])
    return ", ".join("–".join(map(str, one)) for one in ranges)
