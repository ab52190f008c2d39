"""Units of a study -> the table of their differences, pair by pair, with what it can claim."""

from __future__ import annotations

from dataclasses import asdict
from itertools import combinations

from resbench.cli.output import print_json, print_table
from resbench.cli.terminal import echo
from resbench.errors import BadInput
from resbench.evidence.compare import compare
from resbench.evidence.leaderboard import find_entry
from resbench.evidence.study_runs import StudyRuns, study_runs
from resbench.language.study.design import WORDS
from resbench.statistics.comparison import TESTS, Comparison, Method, reach_note
from resbench.store.open import Engine

COLUMNS = ("a", "b", ">a - b", ">in sds", "95 % interval", ">p", ">p (Holm)", ">n", "different?")


def print_comparisons(engine: Engine, study: str, units: list[str], method: Method | None, json: bool) -> None:
    """`method` None: the one that the study's design asks for.

    Raises BadInput for fewer than two units, an unknown one, or one named twice, and for a paired test that was not planned.
    """
    runs = study_runs(engine, study)
    names = _different(runs, units)
    if method == "paired" and not runs.design.paired:
        raise BadInput(
            f"study {study} does not say `paired: true`, so its runs are not paired: seeds that draw weights and order alone "
            f"make runs of different units no more alike. It is said in the study before its first run"
        )
    first = runs.design.objectives[0]
    chosen: Method = method or ("anytime" if runs.looks else "welch")
    looks = len(runs.design.race or (1,))
    pairs = list(combinations(names, 2))
    rows = compare(runs.samples(first), pairs, n_val=runs.images(first), method=chosen, looks=looks)
    if json:
        print_json([{**asdict(row), "claim": row.claim} for row in rows])
        return
    print_table(COLUMNS, [_cells(row) for row in rows])
    echo(
        f"differences of means in {WORDS[first].unit}, below 0: a is better; p: {TESTS[chosen]}; "
        f"Holm over the {len(rows)} shown"
    )
    for note in _notes(runs, rows, method, looks):
        echo(note)


def _different(runs: StudyRuns, units: list[str]) -> list[str]:
    names = [find_entry(runs, unit) for unit in units]
    twice = next((name for name in names if names.count(name) > 1), None)
    if len(names) < 2 or twice is not None:
        one = [unit for unit, name in zip(units, names, strict=True) if name == twice]
        why = f"; {' and '.join(one)} are one architecture" if len(set(one)) > 1 else ""
        raise BadInput(f"two different units or more are compared, got {', '.join(units)}{why}")
    return names


def _notes(runs: StudyRuns, rows: list[Comparison], method: Method | None, looks: int) -> list[str]:
    found = []
    if looks > 1:
        found.append(f"p is times {looks}: the study is a race of {looks} looks, which share the 5 %")
    if runs.looks and method is None:
        found.append(
            f"seeds were added after a look at {_listed(runs.looks)} seeds without a plan; intervals hold for one look"
        )
    elif runs.looks:
        found.append(
            f"seeds were added after a look at {_listed(runs.looks)} seeds without a plan: this p is too small"
        )
    reach = reach_note(rows, looks)
    if reach:
        found.append(reach)
    together = [row.correlation for row in rows if row.correlation is not None]
    if together:
        found.append(
            f"over common seeds units correlate at {min(together):+.2f} to {max(together):+.2f}; it chooses no test"
        )
    if any(row.claim is None for row in rows):
        found.append("no claim (?): fewer than 3 converged runs, or under half of a unit's runs converged")
    return found


def _listed(looks: tuple[int, ...]) -> str:
    return " and ".join(map(str, looks))


def _cells(row: Comparison) -> list[object]:
    interval = None if row.ci_low is None or row.ci_high is None else f"[{row.ci_low:+.2f}, {row.ci_high:+.2f}]"
    verdict = {True: "yes", False: "not shown", None: "?"}[row.claim]
    return [
        row.a, row.b, _number(row.difference, "+.2f"), _number(row.effect_sd, "+.1f"), interval,
        _number(row.p, ".2g"), _number(row.p_holm, ".2g"), f"{row.n_a} / {row.n_b}", verdict,
    ]  # fmt: skip


def _number(value: float | None, form: str) -> str | None:
    return None if value is None else format(value, form)
