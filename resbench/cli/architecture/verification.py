"""Verification -> a table, notes and a sentence, or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from resbench.cli.echo import echo
from resbench.cli.output import print_json, print_table
from resbench.compiler.graph import BoundNetwork
from resbench.language.yaml.problems import listed
from resbench.verify.check import Verification
from resbench.verify.equal import DECIDING, TOLERANCES, Difference
from resbench.verify.randomness import Rates

_COLUMNS = [">pixels", "type", ">output, eval", ">output, train", ">gradients", ">statistics", "", "furthest gradient"]


def print_verification(bound: BoundNetwork, against: str, verdict: Verification, *, json: bool) -> None:
    """Print a verification. `against` is the reference's name with the arguments that it was built with."""
    notes = list(_notes(verdict))
    if json:
        print_json(_record(against, verdict, notes))
        return
    print_table(
        _COLUMNS,
        [
            [d.size, d.dtype, *(f"{x:.1e}" for x in (d.eval_output, d.train_output, d.gradient, d.statistics)), _word(d),
             d.worst if d.gradient else None]
            for d in verdict.differences
        ],
    )  # fmt: skip
    for note in notes:
        echo(f"note: {note}", err=True)
    near, far = TOLERANCES[DECIDING]
    random = " apart from random dropping" if verdict.equal and verdict.rates[0] != verdict.rates[1] else ""
    echo(
        f"{bound.name} of {bound.unit} {'is' if verdict.equal else 'is NOT'} {against}{random}: "
        f"{verdict.params[0]:,} parameters, the reference has {verdict.params[1]:,}; largest differences over 4 images in "
        f"{DECIDING}, relative to the largest value; at most {near:g} is allowed, {far:g} for gradients"
    )


def _word(difference: Difference) -> str:
    """Return the verdict on one difference. A difference in float32 does not decide."""
    if difference.equal:
        return "equal"
    return "NOT equal" if difference.dtype == DECIDING else "differs, does not decide"


def _notes(verdict: Verification) -> Iterator[str]:
    if not verdict.equal:
        if verdict.pairing.parts:
            yield verdict.pairing.parts
        yield from verdict.pairing.open
        if verdict.pairing.open:
            yield f"{verdict.pairing.tries} ways of pairing were tried; `--map FILE` settles pairs by name"
    if verdict.unused:
        yield (
            f"evaluation does not use {len(verdict.unused)} parameters of the reference: {listed(list(verdict.unused), 3)}; "
            "an argument such as --reference-args aux_logits=false may leave them out"
        )
    ours, its = verdict.outputs
    if ours != its:
        yield (
            f"in training the reference returns {its} tensors, the network {ours}; the first were compared, and such "
            "networks are "
            "not equal; --reference-args aux_logits=false may leave the others out"
        )
    if verdict.rates[0] != verdict.rates[1]:
        yield (
            f"in training the network drops at random {_dropped(verdict.rates[0])}, the reference {_dropped(verdict.rates[1])}; "
            "an argument such as --reference-args drop_rate=0 changes the reference's"
        )


def _dropped(rates: Rates) -> str:
    if not rates:
        return "nothing"
    found = [f"{rate:g} ({count} place{'s' * (count > 1)})" for rate, count in sorted(rates.items())]
    return listed(found, 4)


def _record(against: str, verdict: Verification, notes: list[str]) -> dict[str, object]:
    rows = []
    for d in verdict.differences:
        row = {k: v if v != float("inf") else None for k, v in asdict(d).items()}
        rows.append(row | {"equal": d.equal, "decides": d.dtype == DECIDING, "tolerances": list(TOLERANCES[d.dtype])})
    return {
        "equal": verdict.equal,
        "equal_rates": verdict.rates[0] == verdict.rates[1],
        "reference": against,
        "digest": verdict.digest,
        "params": list(verdict.params),
        "differences": rows,
        "map": dict(verdict.pairing.names),
        "notes": notes,
    }
