"""One entry of a study's ranking -> the files that repeat it anywhere: unit, network, recipe, and a study of its seeds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path
from typing import Any

from resbench.errors import BadInput
from resbench.evidence.leaderboard import find_entry
from resbench.evidence.study_runs import study_runs
from resbench.language.library.library import Library
from resbench.language.names import why_not
from resbench.language.recipe.recipe import recipe_to_json
from resbench.language.study.command_line import word_value
from resbench.language.yaml.node import plain
from resbench.language.yaml.writer import yaml_text
from resbench.ops.schema import table
from resbench.store.open import Engine
from resbench.store.results.catalogue import stored_recipe
from resbench.store.results.recorded_plugins import plugin_folders_of, use_plugins_of
from resbench.store.results.stored import StoredStudy, stored_study
from resbench.store.results.studies import get_study
from resbench.study.identity import ORDER

_WORD = re.compile(r" (?=[A-Za-z_][\w.]*=)")


@dataclass(frozen=True, slots=True)
class EntryFiles:
    """Files that repeat an entry.

    Attributes:
        name: The entry's.
        files: Texts by the ending of their names, `.yaml` for the unit, `.study.yaml` for what repeats it.
        architecture: The digest of what is repeated.
        recipe: The same of its recipe.
    """

    name: str
    files: Mapping[str, str]
    architecture: str
    recipe: str


def entry_unit(engine: Engine, study: str, asked: str) -> dict[str, Any]:
    """Return an entry's unit as data, with the values that the entry has as its defaults. Raises BadInput."""
    stored = _stored(engine, study)
    if asked in stored.written:
        return _unit_data(stored, asked)
    name = find_entry(study_runs(engine, study), asked)
    use_plugins_of(engine, study)
    return _with_defaults(_unit_data(stored, name.split(" ")[0]), _own(_params_in(name)))


def is_written_only(engine: Engine, study: str, asked: str) -> bool:
    """Return whether the study wrote a unit of this name that its ranking does not have: a search looked at it, and
    went on without.
    """
    return asked in _stored(engine, study).written and asked not in study_runs(engine, study).names


def _stored(engine: Engine, study: str) -> StoredStudy:
    """Read the study. Raises BadInput, with the names there are, for one that is not there."""
    get_study(engine, study)
    return stored_study(engine, study) or StoredStudy()


def entry_files(engine: Engine, study: str, asked: str, out: Path) -> EntryFiles:
    """Return what repeats an entry, as files beside `out`, which is the unit's, under its name with other endings.

    Params that the study gave or searched are the unit's defaults in its file. A recipe and a network of their own are written
    where the study searched something of them.

    Raises:
        BadInput: for an entry that is not there or has no run, and for a unit whose file is not found.
    """
    runs, stem = study_runs(engine, study), out.name.removesuffix(".yaml")
    name = find_entry(runs, asked)
    found = next((key for key, own in zip(runs.groups, runs.names, strict=True) if own == name), None)
    if found is None:
        raise BadInput(f"{name}: has no run yet, so there is nothing to repeat")
    use_plugins_of(engine, study)
    stored = _stored(engine, study)
    params = _params_in(name)
    own = _own(params)
    unit = _with_defaults(_unit_data(stored, name.split(" ")[0]), own)
    words = stored.fixed.get("network", {})
    use, arguments = words.get("use"), {key: value for key, value in words.items() if key != "use"}
    arguments |= {key.removeprefix("network."): value for key, value in params.items() if key.startswith("network.")}
    recipe = stored_recipe(engine, found[1])
    data = json.loads(recipe_to_json(recipe))
    title = "entry" if why_not(stem) else stem
    files = {".yaml": yaml_text(unit)}
    if any(key.startswith("network.") for key in params):
        network = {
            "network": f"{title}_network",
            "extends": use,
            "unit": _of_network(use, f"{stem}.yaml"),
            "params": arguments,
        }
        files[".network.yaml"] = yaml_text(network)
    if any(key.startswith("recipe.") for key in params):
        files[".recipe.yaml"] = yaml_text({"recipe": f"{title}_recipe"} | {**data, "recipe": f"{title}_recipe"})
    study_data = {
        "study": f"{title}_again",
        "doc": f"{name}, of the study {study}",
        "network": f"{stem}.network.yaml" if ".network.yaml" in files else {"use": use, **arguments},
        "units": [{"use": f"{stem}.yaml", **own} if own else f"{stem}.yaml"],
        "data": stored.fixed.get("data"),
        "recipe": f"{stem}.recipe.yaml" if ".recipe.yaml" in files else _recipe_words(data),
        "seeds": sorted({run.seed for run in runs.groups[found]}),
        "plugins": [relpath(folder, out.parent.resolve()) for folder in plugin_folders_of(stored)] or None,
    }
    files[".study.yaml"] = yaml_text({key: value for key, value in study_data.items() if value is not None})
    return EntryFiles(name, files, *found)


def _params_in(name: str) -> dict[str, Any]:
    """Read the values in a name such as `constant_scaling shortcut_scale=0.5 recipe.lr=0.1`."""
    pairs = [word.partition("=") for word in _WORD.split(name)[1:]]
    return {key: plain(word_value(value, f"{key}={value}")) for key, _, value in pairs}


def _own(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the unit itself."""
    return {key: value for key, value in params.items() if not key.startswith(("network.", "recipe."))}


def _unit_data(stored: StoredStudy, unit: str) -> dict[str, Any]:
    """Return a unit as the study wrote it, else as its file says."""
    if unit not in stored.written:
        try:
            data = plain(Library(table(), Path()).unit(unit).node)
        except BadInput as error:
            raise BadInput(f"{error}; the study took it from a file: go to the folder where that is") from None
        assert isinstance(data, dict)
    else:
        data = stored.written[unit]  # JSON of ours is sorted
    return {key: data[key] for key in (*(key for key in ORDER if key in data), *sorted({*data} - {*ORDER}))}


def _with_defaults(unit: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    params = unit.get("params", {})
    return unit if not values else {**unit, "params": {key: values.get(key, value) for key, value in params.items()}}


def _of_network(network: str, unit: str) -> Any:
    """Return the network's entry for its unit, with this unit."""
    given = Library(table(), Path()).network(network).unit.arguments
    return {"use": unit, **{key: plain(value) for key, value in given.items()}} if given else unit


def _recipe_words(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "use": data["recipe"],
        **{key: value for key, value in data.items() if key not in ("recipe", "doc", "cite")},
    }
