"""Kinds of picture, a study in the database -> bytes of each; what a study has nothing to show of raises BadInput."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from resbench.compiler.identity.depth import depth
from resbench.compiler.identity.serialize import from_json
from resbench.errors import BadInput, PluginError, did_you_mean
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
    """Raises BadInput for a picture that nobody draws."""
    kind = next((each for each in KINDS if each == text), None)
    if kind is None:
        raise BadInput(f"no picture `{printable(text)}`: choose from {', '.join(KINDS)}{did_you_mean(text, KINDS)}")
    return kind


def picture(
    engine: Engine, found: StudyResults, kind: Kind, ending: Ending, *, train: bool = False, cost: Cost = "params"
) -> bytes:
    """`train`: in curves, the training error too. `cost`: of pareto."""
    with drawing():
        figure = _figure(engine, found, kind, train, cost)
        return render(figure, ending, f"{found.study}: {kind}")


def _figure(engine: Engine, found: StudyResults, kind: Kind, train: bool, cost: Cost) -> Figure:
    match kind:
        case "curves":
            return curves.draw(found, train=train)
        case "ranking":
            return ranking.draw(found)
        case "seeds":
            return seeds.draw(found)
        case "pareto":
            return pareto.draw(found, cost=cost)
        case "differences":
            return differences.draw(found)
        case "depth":
            return depth_picture.draw(found, depths=depths_of(engine, found))
        case "signal" | "gradient":
            return profile.draw(profiles_of(engine, found), kind)


def profiles_of(engine: Engine, found: StudyResults) -> dict[str, profile.ByEpoch]:
    """Of the units that are shown, in the order of the ranking: by epoch, of each seed, its units."""
    taken = profiles_of_study(engine, found.board.study)
    shown: dict[str, profile.ByEpoch] = {}
    for unit in found.units:
        by_epoch: dict[int, dict[int, list[ProfileRecord]]] = {}
        for record in taken.get(unit.row.unit, ()):
            by_epoch.setdefault(record.epoch, {}).setdefault(record.seed, []).append(record)
        if by_epoch:
            shown[printable(unit.shown.unit, 200)] = {epoch: list(seeds.values()) for epoch, seeds in by_epoch.items()}
    return shown


def depths_of(engine: Engine, found: StudyResults) -> dict[str, int]:
    """By digest: as stored, else counted in the network that is stored. Raises BadInput where neither can be."""
    depths = {}
    for unit in found.units:
        stored = get_architecture(engine, unit.row.digest)
        try:
            depths[stored.digest] = depth(from_json(stored.spec)) if stored.depth is None else stored.depth
        except (KeyError, ValueError, TypeError, IndexError, PluginError) as error:
            raise BadInput(f"architecture {stored.digest}: its depth cannot be counted: {error}") from None
    return depths
