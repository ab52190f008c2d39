"""Arguments that cannot be: told by the name that a program wrote, before anything is built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import resbench as rb

SMALL = ("network.depth=8", "network.width=2")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rb.build_network("resnet_cifar", depth=8, seed="a"), "seed: expected a whole number of at least 0, got 'a'"),
        (lambda: rb.build_network("resnet_cifar", depth=8, seed=1.5), "seed: expected a whole number of at least 0, got 1.5"),
        (lambda: rb.build_network("resnet_cifar", depth=8, seed=-1), "seed: expected a whole number of at least 0, got -1"),
        (lambda: rb.build_network("resnet_cifar", depth=8, seed=True), "seed: expected a whole number of at least 0, got True"),
        (lambda: rb.build_network("resnet_cifar", depth=8, classes=0), "classes: expected a whole number of at least 1, got 0"),
        (lambda: rb.build_network("resnet_cifar", depth=8, input_shape=(3, 8)), "input_shape: expected three whole numbers"),
        (lambda: rb.build_network(None), "network: expected a name, a file or a mapping, got None"),
        (lambda: rb.load_unit(3), "unit: expected a name, a file, a mapping or a loaded unit, got 3"),
        (lambda: rb.load_unit({}), "unit: expected a mapping with the key `unit`, its name, got one with no key"),
        (lambda: rb.load_unit({"network": "mine"}),
         "unit: expected a mapping with the key `unit`, its name, got one with `network`"),
        (lambda: rb.load_study(None), "study: expected a name, a file, a mapping or a loaded study, got None"),
        (lambda: rb.load_study({}), "study: expected a mapping with the key `study`, its name, got one with no key"),
    ],
)  # fmt: skip
def test_what_cannot_be(call: Callable[[], object], message: str) -> None:
    with pytest.raises(rb.BadInput) as caught:
        call()
    assert str(caught.value).startswith(message)


def test_one_unit_needs_no_list() -> None:
    alone = rb.load_study("quickstart", *SMALL, units="plain", seeds=1)
    assert [point.name for point in alone.check().points] == ["plain"]


def test_fewer_workers_than_none(tmp_path: Path) -> None:
    study = rb.load_study("quickstart", *SMALL, units="plain", seeds=1)
    with pytest.raises(rb.BadInput, match="workers: expected a whole number of at least 0, got -1"):
        study.run(tmp_path / "x.db", workers=-1)
    assert [*tmp_path.iterdir()] == []
