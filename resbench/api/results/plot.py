"""A study in the database and a kind -> Plot: the picture, drawn when it is shown or saved."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from resbench.files import write
from resbench.store.open import Engine

if TYPE_CHECKING:
    from resbench.figures.figures import Kind
    from resbench.figures.pareto import Cost
    from resbench.figures.style import Ending


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture of a study. Notebooks show it."""

    engine: Engine
    study: str
    kind: Kind
    train: bool
    cost: Cost

    @property
    def svg(self) -> str:
        """The picture as SVG text."""
        return self._render("svg").decode("utf-8")

    def save(self, path: str | PathLike[str], *, force: bool = False) -> None:
        """Write the picture in the format of the file's ending: .svg, .png or .pdf.

        Args:
            path: The file.
            force: Whether to replace a file that exists already and is another.

        Raises:
            BadInput: For another ending, and for a file that exists already.
        """
        from resbench.figures.style import ending_of

        file = Path(path)
        write(file, self._render(ending_of(file)), force=force)

    def _render(self, ending: Ending) -> bytes:
        from resbench.figures.figures import picture
        from resbench.results.study_results import study_results

        study = study_results(self.engine, self.study)
        return picture(self.engine, study, self.kind, ending, train=self.train, cost=self.cost)

    def _repr_svg_(self) -> str:
        """Return the picture, for a notebook."""
        return self.svg
