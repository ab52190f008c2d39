"""Plugins that a test activates in this process are gone after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from plugins_sample import Use

from resbench.plugins.active import Active, activate, active
from resbench.plugins.plugin import Failure


@pytest.fixture
def told() -> list[Failure]:
    """What was told of failures, in order."""
    return []


@pytest.fixture
def use(told: list[Failure]) -> Iterator[Use]:
    """`use(folder, ...)` -> the active set."""

    def start(*folders: Path) -> Active:
        activate(folders, told.append)
        return active()

    yield start
    activate((), lambda failure: None)
