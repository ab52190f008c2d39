"""A study's file or mapping, and changes to it -> Study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath

from resbench.api.architecture.library import extended, library_of
from resbench.api.architecture.unit import Unit, UnitLike, load_unit
from resbench.api.architecture.value import Value, to_node
from resbench.api.arguments import check_kind, check_named
from resbench.api.study.prepare import find_study, parse, read_study
from resbench.api.study.study import Study
from resbench.language.library.library import Library
from resbench.language.study.command_line import override_study
from resbench.language.yaml.node import Node

StudyLike = str | PathLike[str] | Mapping[str, Value] | Study


def load_study(
    study: StudyLike,
    *changes: str,
    network: str | Mapping[str, Value] | None = None,
    units: UnitLike | Sequence[UnitLike] | None = None,
    data: str | Mapping[str, Value] | None = None,
    recipe: str | Mapping[str, Value] | None = None,
    seeds: int | Sequence[int] | None = None,
    search: str | Mapping[str, Value] | None = None,
    budget: Mapping[str, Value] | None = None,
    objectives: Sequence[str] | None = None,
    race: Value = None,
    paired: bool | None = None,
    keep: str | None = None,
    name: str | None = None,
) -> Study:
    """Read a study, make changes to it, and check everything that can be checked without a network.

    Args:
        study: The path of a YAML file, a name of the library, the mapping that a file would hold, or a study that is loaded.
        changes: As the command line takes them: `"recipe.epochs=2"`, `"units+=mine.yaml"`, `"unit.gate_bias=-3"`.
        network: Replaces the study's `network`.
        units: Replaces its `units`; loaded units are accepted.
        data: Replaces its `data`.
        recipe: Replaces its `recipe`.
        seeds: The number of seeds, or a list of them.
        search: Replaces its `search`.
        budget: Replaces its `budget`.
        objectives: The objectives of the ranking, the most important first.
        race: The interim looks of a race as numbers of seeds, as in a study's file.
        paired: Whether units are compared seed by seed.
        keep: Whose weights are kept: `best`, `finalists`, `all` or `none`.
        name: Replaces its name.

    Returns:
        The study, which `.check()` checks further and `.run(db)` trains.

    Raises:
        SpecError: With every problem, each with its line.
        BadInput: For a file that does not exist, and a change without effect.

    Example:
        >>> import resbench as rb
        >>> study = rb.load_study("quickstart", "recipe.epochs=2", units=["plain", "original"], seeds=3)
        >>> study.name, study.seeds
        ('quickstart', (0, 1, 2))
        >>> for sentence in study.check().sentences()[-1:]:
        ...     print(sentence)
        2 points, 2 different networks, 3 seeds: 6 runs
    """
    top, library = _read(study)
    given: dict[str, Value] = {
        "study": name, "network": network, "data": data, "recipe": recipe, "seeds": seeds, "search": search,
        "budget": budget, "objectives": objectives, "race": race, "paired": paired, "keep": keep,
    }  # fmt: skip
    nodes = {key: to_node(value, key) for key, value in given.items() if value is not None}
    if isinstance(units, str | PathLike | Mapping | Unit):
        units = [units]
    if units is not None:
        nodes["units"] = Node(tuple(_entry(unit, library, f"units[{i}]") for i, unit in enumerate(units)), path="units")
    top = Node({**top.mapping, **nodes}, top.place, top.path, top.keys)
    return Study(parse(override_study(top, changes, library), library), library)


def _read(study: StudyLike) -> tuple[Node, Library]:
    if isinstance(study, Study):
        return study.spec.node, study.library
    check_named(study, "study", "a name, a file, a mapping or a loaded study")
    if not isinstance(study, Mapping):
        return read_study(find_study(fspath(study)))
    check_kind(study, "study")
    library = library_of("")
    return extended(library, "study", to_node(study, "")), library


def _entry(unit: UnitLike, library: Library, path: str) -> Node:
    """Return an entry of `units`. A unit that no file holds is added to the study's library."""
    if isinstance(unit, Mapping) and "unit" in unit:
        unit = load_unit(unit)
    if not isinstance(unit, Unit):
        return to_node(unit, path)
    entry = unit.to_node()
    use = entry.mapping["use"]
    if isinstance(use.value, dict):
        use = Node(library.add_unit(use))
    return Node({**entry.mapping, "use": use}, path=path)
