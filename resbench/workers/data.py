"""A study's data and their digest, loaded once in a process: every file decoded, and copies refused, before any training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from resbench.data.dataset import Dataset, digest
from resbench.data.duplicates import refuse_duplicates
from resbench.data.images.inspection import OnProgress, silent
from resbench.data.registry import load
from resbench.errors import BadInput, SpecError
from resbench.language.study.study import StudySpec
from resbench.language.yaml.node import Plain, values
from resbench.store.records import canonical_json

_newest: dict[str, tuple[Dataset, str]] = {}  # one at most: data may fill the memory


def loaded(name: str, settings: Mapping[str, Plain], tell: OnProgress = silent) -> tuple[Dataset, str]:
    """Load the data set, or return it where it is the newest one loaded.

    Raises as data/registry.py does; SpecError where files cannot be read, BadInput where splits share images.
    """
    key = canonical_json([name, dict(settings)])
    if key not in _newest:
        dataset = load(name, settings)
        found = dataset, digest(dataset, tell)
        refuse_duplicates(dataset)
        _newest.clear()
        _newest[key] = found
    return _newest[key]


def data_of(spec: StudySpec, tell: OnProgress = silent) -> tuple[Dataset, str]:
    """Load a study's data again, for what lies there may have changed. Raises SpecError where the study names its data."""
    node = spec.data.node
    _newest.clear()
    try:
        return loaded(str(spec.data.name), values(spec.data.given), tell)
    except SpecError as error:
        first, *others = error.problems
        placed = first if first.place else replace(first, path=node.path, place=node.place)
        raise SpecError([placed, *others]) from None
    except BadInput as error:
        raise SpecError([node.problem(str(error))]) from None
