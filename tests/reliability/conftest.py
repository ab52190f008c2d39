"""A zygote for each process of tests, and scenes made from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Scene, Stage, Zygote, describe, scene, template


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    made = Zygote()
    yield made
    made.close()


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """Units of the library, bound: the only part that needs torch."""
    return describe(tmp_path_factory.mktemp("described"))


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def stage(zygote: Zygote, described: list[dict[str, object]], empty: Path, tmp_path: Path) -> Iterator[Stage]:
    """`stage(seeds=3, epochs=5)`: a scene on an SQLite file; `stage("x", url=...)` in a folder of its own, on that database."""
    made: list[Scene] = []

    def make(name: str = "scene", url: str | None = None, **settings: object) -> Scene:
        made.append(scene(zygote, tmp_path / name, described, url or empty, **settings))
        return made[-1]

    yield make
    for one in made:
        if "engine" in one.__dict__:
            one.engine.dispose()
