"""A study's data and their digest, loaded once in a process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from resbench.data.dataset import Dataset, digest
from resbench.data.registry import load
from resbench.spec.node import Plain
from resbench.store.records import canonical_json


def loaded(name: str, settings: Mapping[str, Plain]) -> tuple[Dataset, str]:
    """Raises as data/registry.py does."""
    return _loaded(name, canonical_json(dict(settings)))


@lru_cache(maxsize=1)
def _loaded(name: str, settings: str) -> tuple[Dataset, str]:
    found = load(name, json.loads(settings))
    return found, digest(found)
