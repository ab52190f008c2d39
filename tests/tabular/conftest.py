"""A frozen file of the sample study."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tabular_sample import study

from resbench.store.frozen.write import freeze
from resbench.tabular import Bench, load


@pytest.fixture(scope="session")
def frozen_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frozen")
    engine = study(folder / "results.db", more=2)
    freeze(engine, "small", folder / "bench.db")
    engine.dispose()
    return folder / "bench.db"


@pytest.fixture
def bench(frozen_once: Path) -> Iterator[Bench]:
    with load(frozen_once) as opened:
        yield opened
