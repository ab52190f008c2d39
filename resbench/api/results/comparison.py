"""Units of a study -> their differences, pair by pair, with what they can claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from resbench.errors import BadInput
from resbench.evidence.compare import compare
from resbench.evidence.leaderboard import find_entry
from resbench.evidence.study_runs import StudyRuns, study_runs
from resbench.language.study.design import WORDS
from resbench.results.html import html_table
from resbench.results.rows import Rows
from resbench.statistics.comparison import TESTS, Comparison, Method, reach_note
from resbench.store.open import Engine

if TYPE_CHECKING:
    import pandas

COLUMNS = ("a", "b", ">a - b", ">in sds", "95 % interval", ">p", ">p (Holm)", ">n", "different?")


@dataclass(frozen=True, slots=True)
class UnitComparison:
    """Differences of units, pair by pair, with what they can claim.

    Attributes:
        rows: One a pair; `claim` is True where the two differ with 95 % confidence, False where that is not shown, None where
            there are too few runs.
        title: What the numbers are, and which test was used.
        notes: What a reader should know.
        shown: Names of units as tables show them, with four digits where that is unambiguous.
    """

    rows: tuple[Comparison, ...]
    title: str
    notes: tuple[str, ...]
    shown: Mapping[str, str]

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a dict for each pair."""
        return [{**asdict(row), "claim": row.claim} for row in self.rows]

    def to_pandas(self) -> pandas.DataFrame:
        """Return a frame with a row for each pair. Raises BadInput where pandas is not installed."""
        dicts = self.to_dicts()
        return Rows(tuple(dicts[0]), [tuple(row.values()) for row in dicts]).to_pandas()

    def _repr_html_(self) -> str:
        """Return the table with its notes, for a notebook."""
        columns = [column.removeprefix(">") for column in COLUMNS]
        return html_table(columns, [cells(row, self.shown) for row in self.rows], title=self.title, notes=self.notes)


def compare_units(
    engine: Engine, study: str, units: Sequence[str], method: Literal["exact", "paired"] | None = None
) -> UnitComparison:
    """Compare units of a study. `method` None: the one that the study's design asks for.

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
    title = (
        f"differences of means in {WORDS[first].unit}, below 0: a is better; p: {TESTS[chosen]}; "
        f"Holm over the {len(rows)} shown"
    )
    return UnitComparison(tuple(rows), title, tuple(_notes(runs, rows, method, looks)), runs.shown)


def _different(runs: StudyRuns, units: Sequence[str]) -> list[str]:
    names = [find_entry(runs, unit) for unit in units]
    twice = next((name for name in names if names.count(name) > 1), None)
    if len(names) < 2 or twice is not None:
        one = [unit for unit, name in zip(units, names, strict=True) if name == twice]
        why = f"; {' and '.join(one)} are one architecture" if len(set(one)) > 1 else ""
        raise BadInput(f"compare: expected two or more different units, got {', '.join(units)}{why}")
    return names


def _notes(runs: StudyRuns, rows: Sequence[Comparison], method: Method | None, looks: int) -> list[str]:
    found = []
    if looks > 1:
        found.append(f"p is multiplied by {looks}: the study is a race with {looks} interim looks, which share the 5 %")
    if runs.looks and method is None:
        found.append(
            f"seeds were added without a plan, after a look at {_listed(runs.looks)} seeds; the intervals are valid for one look"
        )
    elif runs.looks:
        found.append(
            f"seeds were added without a plan, after a look at {_listed(runs.looks)} seeds: this p is too small"
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


def cells(row: Comparison, shown: Mapping[str, str]) -> list[object]:
    interval = None if row.ci_low is None or row.ci_high is None else f"[{row.ci_low:+.2f}, {row.ci_high:+.2f}]"
    verdict = {True: "yes", False: "not shown", None: "?"}[row.claim]
    return [
        shown[row.a], shown[row.b], _number(row.difference, "+.2f"), _number(row.effect_sd, "+.1f"), interval,
        _number(row.p, ".2g"), _number(row.p_holm, ".2g"), f"{row.n_a} / {row.n_b}", verdict,
    ]  # fmt: skip


def _number(value: float | None, form: str) -> str | None:
    return None if value is None else format(value, form)
