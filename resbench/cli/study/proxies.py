"""`resbench study proxies STUDY`: how well numbers of untrained networks predict the ranking of the trained ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.echo import echo
from resbench.cli.options import Db, Force, Json, Plugins, Raw, database
from resbench.errors import BadInput
from resbench.escape import csv_text
from resbench.random_streams import LARGEST

if TYPE_CHECKING:
    from resbench.evidence.proxies import Ceiling, ProxyAgreement


def proxies(
    study: Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)],
    images: Annotated[int, typer.Option(min=2, help="Number of training images on which each network is evaluated.")] = 64,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST, help="Seed of the initial weights.")
    ] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the scores of each architecture to this CSV file.",
                                 show_default=False)
    ] = None,
    force: Force = False, raw: Raw = False, db: Db = None, json: Json = False, plugins: Plugins = None,
) -> None:  # fmt: skip
    """Print Kendall's tau of each proxy with the trained ranking, its interval, and the difference to parameters and MACs."""
    from resbench.cli.output import print_json
    from resbench.evidence.proxies import agreements, ceiling
    from resbench.files import check, write
    from resbench.store.open import open_store
    from resbench.study.proxy_scores import BASELINES, score_proxies

    if raw and out is None:
        raise BadInput("--raw applies only to the CSV of --out")
    if out is not None:
        check(out, force=True)  # fail before minutes of work; writing the same numbers again is allowed
    engine = open_store(database(db), create=False)

    def on_network(done: int, of: int) -> None:
        if done % 20 == 0 or done == of:
            echo(f"{done} of {of} networks", err=True)

    found = score_proxies(engine, study, images, seed, on_network)
    rows = agreements(found.values, found.errors, BASELINES)
    rows.sort(key=lambda row: -abs(row.tau))
    top = ceiling(found.scores)
    if json:
        print_json({
            "study": study, "architectures": len(found.names), "images": images, "seed": seed,
            "proxies": [_json(row) for row in rows],
            "ceiling": None if top is None else {"tau": top.tau, "low": top.low, "high": top.high, "runs": top.runs},
        })  # fmt: skip
    else:
        _tell(rows, top, len(found.names), images, seed)
    if out is not None:  # last, so that the numbers are printed even if the file exists
        names = ["unit", "digest", "val_error_pct", *found.values]
        table = zip(found.names, found.digests, found.errors, *found.values.values(), strict=True)
        write(out, csv_text(names, table, raw=raw).encode("utf-8", "backslashreplace"), force=force)


def _tell(rows: list[ProxyAgreement], top: Ceiling | None, architectures: int, images: int, seed: int) -> None:
    from resbench.cli.output import print_table
    from resbench.evidence.proxies import RESAMPLES
    from resbench.study.proxy_scores import BASELINES

    cells = [
        [row.name, str(row.n), f"{row.tau:+.2f}", _interval(row.low, row.high),
         *(_beside(row, other) for other in BASELINES)]
        for row in rows
    ]  # fmt: skip
    beside = [f"less that of {name}" for name in BASELINES]
    print_table(["proxy", ">n", ">tau", "95 % interval", *beside], cells)
    echo(
        f"tau: Kendall's tau-b with accuracy over {architectures} architectures, where failing units are tied in the last "
        "place; percentile "
        f"bootstrap over architectures, {RESAMPLES} resamples. Networks of seed {seed}, {images} images of the training split."
    )
    if top is None:
        echo("no ceiling: some architectures have fewer than 2 runs")
    else:
        half = f"{top.runs // 2} and {top.runs - top.runs // 2}"
        echo(
            f"ceiling: tau between two halves of the seeds ({half}), mean {top.tau:.2f}, {top.low:.2f} to {top.high:.2f} over "
            f"{top.splits} splits"
        )


def _interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"[{low:+.2f}, {high:+.2f}]"


def _beside(row: ProxyAgreement, other: str) -> str:
    if other not in row.beside:
        return "–"
    difference, low, high = row.beside[other]
    return f"{difference:+.2f} {_interval(low, high)}"


def _json(row: ProxyAgreement) -> dict[str, object]:
    beside = {
        name: dict(zip(("difference", "low", "high"), values, strict=True)) for name, values in row.beside.items()
    }
    return {"name": row.name, "n": row.n, "tau": row.tau, "low": row.low, "high": row.high, "beside": beside}
