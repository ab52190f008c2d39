"""Units of a study -> the table of their differences, pair by pair, with what it can claim."""

from __future__ import annotations

from dataclasses import asdict
from itertools import combinations

import typer

from resbench.cli.show import print_json, print_table
from resbench.errors import BadInput
from resbench.evidence.compare import compare
from resbench.evidence.comparison import Comparison, Method, reach_note
from resbench.evidence.leaderboard import find, samples_of
from resbench.store.engine import Engine

COLUMNS = ("a", "b", ">a - b", ">in sds", "95 % interval", ">p", ">p (Holm)", ">n", "different?")


def print_comparisons(engine: Engine, study: str, units: list[str], method: Method, json: bool) -> None:
    """Raises BadInput for fewer than two units, an unknown one, or one named twice."""
    samples, n_val = samples_of(engine, study)
    names = [find(engine, study, unit) for unit in units]
    twice = next((name for name in names if names.count(name) > 1), None)
    if len(names) < 2 or twice is not None:
        one = [unit for unit, name in zip(units, names, strict=True) if name == twice]
        why = f"; {' and '.join(one)} are one architecture" if len(set(one)) > 1 else ""
        raise BadInput(f"two different units or more are compared, got {', '.join(units)}{why}")
    rows = compare(samples, list(combinations(names, 2)), n_val=n_val, method=method)
    if json:
        print_json([{**asdict(row), "claim": row.claim} for row in rows])
        return
    print_table(COLUMNS, [_cells(row) for row in rows])
    test = "Welch's t, variances moderated over the study" if method == "welch" else "exact unpaired permutation test"
    typer.echo(
        f"differences of mean val error in points, below 0: a is better; p: {test}; Holm over the {len(rows)} shown"
    )
    note = reach_note(rows)
    if note:
        typer.echo(note)
    if any(row.claim is None for row in rows):
        typer.echo("no claim (?): fewer than 3 converged runs, or under half of a unit's runs converged")


def _cells(row: Comparison) -> list[object]:
    interval = None if row.ci_low is None or row.ci_high is None else f"[{row.ci_low:+.2f}, {row.ci_high:+.2f}]"
    verdict = {True: "yes", False: "not shown", None: "?"}[row.claim]
    return [
        row.a, row.b, _number(row.difference, "+.2f"), _number(row.effect_sd, "+.1f"), interval,
        _number(row.p, ".2g"), _number(row.p_holm, ".2g"), f"{row.n_a} / {row.n_b}", verdict,
    ]  # fmt: skip


def _number(value: float | None, form: str) -> str | None:
    return None if value is None else format(value, form)
