"""A database -> Results: rankings, comparisons, pictures, weights and rows, in a notebook or a script.

No test scores are returned: `resbench results top STUDY --test` shows them, and records that they were looked at.
"""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from resbench.api.results.comparison import UnitComparison, compare_units
from resbench.api.results.plot import Plot
from resbench.api.results.ranking import Ranking
from resbench.errors import BadInput
from resbench.evidence.leaderboard import leaderboard
from resbench.evidence.study_runs import study_runs
from resbench.results.rows import Rows
from resbench.results.views import epoch_rows, leaderboard_rows, run_rows, study_rows
from resbench.store.open import open_store
from resbench.store.query.query import query
from resbench.store.results.checkpoints import checkpoint_folder

if TYPE_CHECKING:
    from resbench.api.architecture.network import BuiltNetwork
    from resbench.figures.figures import Kind
    from resbench.figures.pareto import Cost


class Results:
    """A database that is only read. Close it, or use it in a `with`."""

    def __init__(self, url: str, checkpoints: str | None = None) -> None:
        self.url = url
        self._checkpoints = checkpoints
        self._engine = open_store(url, create=False)

    def studies(self) -> Rows:
        """Return a row for each study: study, runs, created_at, notes."""
        return study_rows(self._engine)

    def leaderboard(self, study: str) -> Ranking:
        """Return the ranking of a study, best first.

        Args:
            study: The study's name.

        Raises:
            BadInput: For an unknown study, and for one without a finished run.
        """
        rows = leaderboard_rows(self._engine, study)
        return Ranking(rows.columns, rows.values, rows.types, leaderboard(self._engine, study))

    def compare(self, study: str, *units: str, method: Literal["exact", "paired"] | None = None) -> UnitComparison:
        """Return the differences between units, with intervals and p values by Holm over the pairs.

        Args:
            study: The study's name.
            units: Two or more, as the ranking names them.
            method: `exact` for an exact permutation test, `paired` for sign flips over common seeds, where the study says
                `paired: true`; None for the test that the study's design asks for.

        Raises:
            BadInput: For fewer than two units or an unknown one, and for a paired test that was not planned.
        """
        return compare_units(self._engine, study, units, method)

    def plot(self, study: str, kind: Kind = "ranking", *, train: bool = False, cost: Cost = "params") -> Plot:
        """Return a picture of a study.

        Args:
            study: The study's name.
            kind: `curves`, `ranking`, `seeds`, `pareto`, `differences`, `depth`, `signal` or `gradient`.
            train: Whether curves show the training error too.
            cost: Of `pareto`: `params`, `macs` or `train_s` (seconds of training).

        Raises:
            BadInput: For an unknown study, kind or cost. Where the study has nothing to show of a kind, drawing raises it.
        """
        from resbench.figures.figures import kind_of
        from resbench.figures.pareto import cost_of

        study_runs(self._engine, study)  # an unknown study is refused here, not where a notebook shows the picture
        return Plot(self._engine, study, kind_of(kind), train, cost_of(cost))

    def load_network(self, study: str, unit: str, *, seed: int = 0) -> BuiltNetwork:
        """Return the network of a run with the weights that it ended with, in evaluation mode.

        Args:
            study: The study's name.
            unit: As the ranking names it.
            seed: Of the run.

        Raises:
            BadInput: For an unknown study or unit, for a run that is not complete, and where its weights are not kept: then
                `resbench results weights RUN` trains it again, bit for bit, and keeps them.
        """
        from resbench.api.results.weights import load_run

        folder = checkpoint_folder(self.url, self._checkpoints)
        return load_run(self._engine, folder, self._run_of(study, unit, seed))

    def runs(self, study: str) -> Rows:
        """Return every run of every status, column by column as in the view v_runs."""
        return run_rows(self._engine, study)

    def epochs(self, study: str) -> Rows:
        """Return every epoch of every run, column by column as in the view v_epochs."""
        return epoch_rows(self._engine, study)

    def query(self, sql: str, *, max_rows: int = 1_000_000, timeout_s: float = 30.0) -> Rows:
        """Return the rows of one SELECT, which can only read.

        Args:
            sql: The SELECT, over the views of docs/database.md.
            max_rows: Maximum number of rows.
            timeout_s: Maximum seconds of the query.

        Raises:
            BadInput: For more than `max_rows` rows; no row is dropped silently.
            DatabaseError: For SQL that the database refuses.
        """
        found = query(self.url, sql, max_rows=max_rows, timeout_s=timeout_s)
        if found.truncated:
            raise BadInput(f"query: expected at most {max_rows} rows, got more; add a LIMIT, or set a larger max_rows")
        return Rows(found.columns, found.rows)

    def freeze(self, study: str, path: str | PathLike[str], *, force: bool = False) -> None:
        """Write a study to a file that answers without training; see `resbench.load_benchmark`.

        Args:
            study: The study's name.
            path: The file.
            force: Whether to replace a file that exists already.

        Raises:
            BadInput: For an unknown study, one without a finished run, and a file that exists already.
        """
        from resbench.store.frozen.write import freeze

        freeze(self._engine, study, Path(path), force=force)

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run_of(self, study: str, unit: str, seed: int) -> int:
        """Return the number of the run. Raises BadInput if there is none."""
        runs = study_runs(self._engine, study)
        name = runs.find(unit)
        group = dict(zip(runs.names, runs.groups.values(), strict=True)).get(name, [])
        found = next((run.run_id for run in group if run.seed == seed), None)
        if found is None:
            seeds = ", ".join(str(run.seed) for run in group)
            raise BadInput(f"{name}: expected the seed of a finished run ({seeds or 'there is none'}), got {seed}")
        return found


def open_results(url: str | PathLike[str], *, checkpoints: str | PathLike[str] | None = None) -> Results:
    """Open a database to read it.

    Args:
        url: A path or a URL, as `--db` takes it.
        checkpoints: The folder of kept weights; None for the one beside the database.

    Returns:
        The results. Close them, or use them in a `with`.

    Raises:
        DatabaseError: If there is no database of resbench.

    Example:
        >>> import resbench as rb
        >>> study = rb.load_study("quickstart", "network.depth=8", "network.width=2", units=["plain", "original"], seeds=3)
        >>> study = rb.load_study(study, recipe={"use": "he2016_small", "epochs": 1, "plan": {"workers": 0}})
        >>> outcome = study.run("results.db", progress=False)
        >>> with rb.open_results("results.db") as results:
        ...     ranking = results.leaderboard("quickstart")
        ...     [pair] = results.compare("quickstart", "original", "plain").to_dicts()
        ...     picture = results.plot("quickstart", "seeds").svg
        ...     [runs] = results.query("SELECT count(*) AS n FROM v_runs")
        >>> [(row["n"], row["missing"]) for row in ranking], (pair["a"], pair["b"]), picture[:5], runs
        ([(3, 0), (3, 0)], ('original', 'plain'), '<?xml', {'n': 6})
    """
    return Results(fspath(url), None if checkpoints is None else fspath(checkpoints))
