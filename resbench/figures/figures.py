"""A kind of picture, a study in a database -> the bytes of the picture; BadInput where the study has no data for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from resbench.compiler.identity.depth import depth
from resbench.compiler.identity.serialize import from_json
from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput, PluginError
from resbench.escape import printable
from resbench.figures import curves, differences, pareto, profile, ranking, seeds
from resbench.figures import depth as depth_picture
from resbench.figures.pareto import Cost
from resbench.figures.style import Ending, drawing, render
from resbench.results.study_results import StudyResults
from resbench.store.open import Engine
from resbench.store.records import ProfileRecord
from resbench.store.results.catalogue import get_architecture
from resbench.store.results.profiles import profiles_of_study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Kind = Literal["curves", "ranking", "seeds", "pareto", "differences", "depth", "signal", "gradient"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def kind_of(text: str) -> Kind:
    """Parse the name of a kind of picture. Raises BadInput for an unknown one."""
    kind = next((each for each in KINDS if each == text), None)
    if kind is None:
        raise BadInput(
            f"picture: expected one of {', '.join(KINDS)}, got `{printable(text)}`{did_you_mean(text, KINDS)}"
        )
    return kind


def picture(
    engine: Engine, results: StudyResults, kind: Kind, ending: Ending, *, train: bool = False, cost: Cost = "params"
) -> bytes:
    """Draw a picture. `train` adds the training error to curves; `cost` is the cost axis of pareto."""
    with drawing():
        figure = _figure(engine, results, kind, train, cost)
        return render(figure, ending, f"{results.study}: {kind}")


def _figure(engine: Engine, results: StudyResults, kind: Kind, train: bool, cost: Cost) -> Figure:
    match kind:
        case "curves":
            return curves.draw(results, train=train)
        case "ranking":
            return ranking.draw(results)
        case "seeds":
            return seeds.draw(results)
        case "pareto":
            return pareto.draw(results, cost=cost)
        case "differences":
            return differences.draw(results)
        case "depth":
            return depth_picture.draw(results, depths=depths_of(engine, results))
        case "signal" | "gradient":
            return profile.draw(profiles_of(engine, results), kind)


def profiles_of(engine: Engine, results: StudyResults) -> dict[str, profile.ByEpoch]:
    """Return the profiles of each unit, in the order of the ranking: for each epoch and seed, the units of the network."""
    records = profiles_of_study(engine, results.board.study)
    shown: dict[str, profile.ByEpoch] = {}
    for unit in results.units:
        by_epoch: dict[int, dict[int, list[ProfileRecord]]] = {}
        for record in records.get(unit.row.unit, ()):
            by_epoch.setdefault(record.epoch, {}).setdefault(record.seed, []).append(record)
        if by_epoch:
            shown[printable(unit.shown.unit, 200)] = {epoch: list(seeds.values()) for epoch, seeds in by_epoch.items()}
    return shown


def depths_of(engine: Engine, results: StudyResults) -> dict[str, int]:
    """Return depths by digest: as stored, else counted in the stored network. Raises BadInput where that is impossible."""
    depths = {}
    for unit in results.units:
        stored = get_architecture(engine, unit.row.digest)
        try:
            depths[stored.digest] = depth(from_json(stored.spec)) if stored.depth is None else stored.depth
        except (KeyError, ValueError, TypeError, IndexError, PluginError) as error:
            raise BadInput(f"architecture {stored.digest}: its depth cannot be counted: {error}") from None
    return depths
