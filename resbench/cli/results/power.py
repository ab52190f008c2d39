"""`resbench results power STUDY --delta 0.25`: how many seeds detect a difference, by the procedure of the ranking."""

from __future__ import annotations

from typing import Annotated

import typer

from resbench.cli.completion import complete_studies, complete_units
from resbench.cli.echo import echo
from resbench.cli.options import Db, Json, database


def power(
    study: Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)],
    delta: Annotated[
        float,
        typer.Option(
            "--delta", help="Smallest difference of interest, in the unit of the objective (error: percentage points)."
        ),
    ],
    units: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[UNIT]...", autocompletion=complete_units, help="Units of the next study. Default: all."
        ),
    ] = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Print the seeds for 80 % power: if one unit is better than all others by delta, 80 % of these are shown to be worse."""
    from math import isfinite, sqrt

    from resbench.cli.output import print_json, print_table
    from resbench.errors import BadInput
    from resbench.evidence.power import LIMIT, MOST_SEEDS, STUDIES, WANTED, sds_of, seeds_for
    from resbench.evidence.power import power as power_at
    from resbench.evidence.study_runs import study_runs
    from resbench.store.open import open_store

    if not isfinite(delta):
        raise BadInput(f"--delta: expected a finite difference above 0, in the unit of the objective, got {delta}")
    runs = study_runs(open_store(database(db), create=False), study)
    first = runs.design.objectives[0]
    wanted = {runs.find(unit) for unit in units or runs.names}
    samples = [sample for sample in runs.samples(first) if sample.testable and sample.name in wanted]
    if len(samples) < 2:
        raise BadInput(
            f"study {study}: power requires two or more units with at least 3 converged runs each, got {len(samples)}"
        )
    n_val = runs.images(first)
    seeds = min(sample.converged for sample in samples)
    rows: list[dict[str, object]] = []
    for word, sds in zip(("as seen", "upper 80 % limits"), sds_of(samples), strict=True):
        planned = seeds_for(sds, delta, n_val=n_val)
        rows.append(
            {
                "sds": word,
                "mean_sd": sqrt(sum(sd * sd for sd in sds) / len(sds)),
                "seeds": planned.seeds,
                "power": planned.power,
                "monte_carlo_error": planned.error,
                "seeds_now": seeds,
                "power_now": power_at(sds, seeds, delta, n_val=n_val),
            }
        )
    if json:
        print_json({"study": study, "delta": delta, "units": len(samples), "objective": first, "rows": rows})
        return
    cells = [
        [r["sds"], f"{r['mean_sd']:.2f}", f"over {MOST_SEEDS}" if r["seeds"] is None else r["seeds"],
         f"{r['power']:.2f} ± {r['monte_carlo_error']:.2f}", f"{r['power_now']:.2f}"]
        for r in rows
    ]  # fmt: skip
    print_table(["sds", ">mean sd", f">seeds for {WANTED:.0%}", ">power there", f">power at {seeds} seeds"], cells)
    echo(
        f"power: one of {len(samples)} units better than every other by {delta:g}; the share of the others that is shown to "
        f"be worse, and left out, over {STUDIES} simulated studies of normal runs"
    )
    dropped = sorted(wanted - {sample.name for sample in samples})
    if dropped:
        echo(f"excluded: {', '.join(dropped)}, with fewer than 3 converged runs or failing")
    echo(
        f"standard deviations of {seeds} seeds are uncertain: with {LIMIT:.0%} confidence each is below its upper limit; "
        "use that row"
    )
    if runs.design.race is not None or runs.looks or len(runs.design.objectives) > 1:
        echo(
            "for one test of the first objective: a race, seeds added after a look at the results, and several objectives "
            "need more seeds"
        )
