"""A frozen benchmark's file -> Bench: answers and searches without training."""

from __future__ import annotations

from os import PathLike, fspath

from resbench.tabular.bench import Bench, load


def load_benchmark(path: str | PathLike[str], *, study: str | None = None) -> Bench:
    """Open a file that `resbench results freeze` wrote.

    Args:
        path: The file.
        study: Which of its studies answers; None where it holds one, or where a unit is in one only.

    Returns:
        The benchmark. Close it, or use it in a `with`: `.query(unit, epoch=3, seed=0)` answers, `.simulate(search,
        seconds=600)` returns what a search would have found.

    Raises:
        DatabaseError: For a file that is not a frozen benchmark.
        BadInput: For a study that it does not hold.

    Example:
        >>> import resbench as rb
        >>> study = rb.load_study("quickstart", "network.depth=8", "network.width=2", units=["plain"], seeds=1)
        >>> study = rb.load_study(study, recipe={"use": "he2016_small", "epochs": 1, "plan": {"workers": 0}})
        >>> outcome = study.run("results.db", progress=False)
        >>> with rb.open_results("results.db") as results:
        ...     results.freeze("quickstart", "bench.db")
        >>> with rb.load_benchmark("bench.db") as bench:
        ...     bench.units, bench.query("plain", seed=0).status
        (('plain',), 'complete')
    """
    return load(fspath(path), study=study)
