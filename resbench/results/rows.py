"""Columns and tuples -> Rows: a list of plain dicts that knows its columns, and the frames of polars, pandas and pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, get_args, get_origin, overload

from resbench.errors import BadInput
from resbench.escape import LONGEST, printable
from resbench.results.html import html_table

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

_NOTHING = type(None)


@dataclass(frozen=True, slots=True, repr=False)
class Rows(Sequence[dict[str, Any]]):
    """The rows of a result: `rows[0]["unit"]`, `for row in rows`. A missing value is None.

    `types` gives the types of columns by name: str, int, float, bool, bytes, or `list[..]` of one of these. The type of any other
    column is inferred from its values.

    >>> rows = Rows(("unit", "mean"), (("plain", 7.5), ("original", None)))
    >>> rows[0], len(rows), rows
    ({'unit': 'plain', 'mean': 7.5}, 2, Rows(2 rows: unit, mean))
    """

    columns: tuple[str, ...]
    values: Sequence[tuple[Any, ...]]
    types: tuple[tuple[str, Any], ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | Rows:
        if isinstance(index, slice):
            return Rows(self.columns, self.values[index], self.types)
        return dict(zip(self.columns, self.values[index], strict=True))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.values)

    def __repr__(self) -> str:
        return f"Rows({len(self)} rows: {printable(', '.join(self.columns), LONGEST)})"

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a dict for each row."""
        return list(self)

    def _repr_html_(self) -> str:
        """Return the table, for a notebook."""
        return html_table(self.columns, self.values)

    def to_polars(self) -> polars.DataFrame:
        """Return a frame of polars. Raises BadInput where polars is not installed."""
        pl = library("polars")
        kinds = {str: pl.String, int: pl.Int64, float: pl.Float64, bool: pl.Boolean, bytes: pl.Binary}
        schema = {
            name: pl.List(kinds[inner]) if kind is list else kinds[kind]
            for name, (kind, inner) in self._kinds().items()
        }
        frame: polars.DataFrame = pl.DataFrame([list(row) for row in self.values], schema=schema, orient="row")
        return frame

    def to_pandas(self) -> pandas.DataFrame:
        """Return a frame of pandas. Raises BadInput where pandas is not installed. Integers with gaps are pandas' Int64."""
        pd = library("pandas")
        frame: pandas.DataFrame = pd.DataFrame(list(self.values), columns=list(self.columns))
        for name, (kind, _) in self._kinds().items():
            full = kind in (int, bool) and not frame[name].isna().any()
            dtype = {int: "int64" if full else "Int64", bool: "bool" if full else "boolean", float: "float64"}.get(kind)
            if dtype is not None:
                frame[name] = frame[name].astype(dtype)
        return frame

    def to_arrow(self) -> pyarrow.Table:
        """Return a table of pyarrow. Raises BadInput where pyarrow is not installed."""
        pa = library("pyarrow")
        kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), bytes: pa.binary()}
        arrays = {
            name: pa.array(
                [row[number] for row in self.values], pa.list_(kinds[inner]) if kind is list else kinds[kind]
            )
            for number, (name, (kind, inner)) in enumerate(self._kinds().items())
        }
        table: pyarrow.Table = pa.table(arrays)
        return table

    def _kinds(self) -> dict[str, tuple[type, type]]:
        """Return the type of each column, and the type of its items where it holds lists. Raises BadInput for mixed types."""
        twice = next((name for name in self.columns if self.columns.count(name) > 1), None)
        if twice is not None:
            raise BadInput(f"columns: expected different names, got `{twice}` twice; rename one of them with AS")
        known = dict(self.types)
        kinds = {}
        for number, name in enumerate(self.columns):
            if name in known:
                kinds[name] = (get_origin(known[name]) or known[name], next(iter(get_args(known[name])), known[name]))
                continue
            column = [row[number] for row in self.values]
            kind = _kind(name, column)
            inner = _kind(name, [item for value in column if value for item in value]) if kind is list else kind
            kinds[name] = (kind, inner)
        return kinds


def library(name: str) -> Any:
    """Import an optional package. Raises BadInput, with the command that installs it, where it is missing."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        package = name.partition(".")[0]
        raise BadInput(
            f"{package} is not installed; run `pip install 'resbench[frames]'` or `pip install {package}`"
        ) from None


def _kind(name: str, values: Sequence[Any]) -> type:
    """Return the type of a column; float where it has no values, since most columns with gaps hold numbers."""
    kinds = {list if isinstance(value, tuple | list) else type(value) for value in values} - {_NOTHING}
    if len(kinds) > 1 and kinds <= {int, float, bool}:
        return float if float in kinds else int
    if len(kinds) > 1:
        names = " and ".join(sorted(kind.__name__ for kind in kinds))
        raise BadInput(f"column {name}: expected values of one type, got {names}; CAST them in the query")
    return kinds.pop() if kinds else float
