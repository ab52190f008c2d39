"""`resbench results agreement STUDY TABLE.csv`: the agreement of a study with a published table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.echo import echo
from resbench.cli.options import Db, Json, database


def agreement(
    study: Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)],
    table: Annotated[
        Path,
        typer.Argument(
            help="A CSV file with the columns unit and error_pct; `fail` marks units that the paper reports as failing."
        ),
    ],
    db: Db = None,
    json: Json = False,
) -> None:
    """Compare the ranking with a published table: tau-b, and the pairs that significantly agree or disagree, or are open."""
    from dataclasses import asdict

    from resbench.cli.output import print_json, print_table
    from resbench.errors import BadInput
    from resbench.evidence.agreement import agreement as agree
    from resbench.evidence.published import read_published
    from resbench.evidence.study_runs import study_runs
    from resbench.store.open import open_store

    published = read_published(table)
    runs = study_runs(open_store(database(db), create=False), study)
    found = agree(published, runs.samples(), n_val=runs.n_val)
    if not found.units:
        raise BadInput(
            f"{table}: expected units of study {study}, got none of them; the study has {', '.join(runs.names)}"
        )
    if json:
        counts = {"agree": found.agree, "disagree": found.disagree, "open": found.open}
        print_json({"study": study, "tau_b": found.tau_b, **counts, **asdict(found)})
        return
    rows = [
        [
            runs.shown.get(v.better, v.better),
            runs.shown.get(v.worse, v.worse),
            v.outcome,
            None if v.p_holm is None else f"{v.p_holm:.2g}",
        ]
        for v in sorted(found.verdicts, key=lambda v: ("disagree", "agree", "open").index(v.outcome))
        if v.outcome != "open"
    ]
    print_table(["better in the table", "worse", "beyond doubt", ">p (Holm)"], rows)
    tau = "none (a side orders nothing)" if found.tau_b is None else f"{found.tau_b:.2f}"
    echo(
        f"tau-b {tau} over {len(found.units)} units; of the {len(found.verdicts)} pairs that the table orders "
        f"{found.agree} agree beyond doubt, {found.disagree} disagree beyond doubt, {found.open} are open"
    )
    if found.unmeasured:
        echo(f"in the table, without a run here: {', '.join(found.unmeasured)}")
