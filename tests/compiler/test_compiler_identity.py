"""The digest of whole networks: files, stages, sizes, the units of the library, and that it stays what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compiler_sample import LIBRARY, bind, digest, folder, small, use

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import canonical


def test_the_size_of_the_image_does_not_count_but_classes_do() -> None:
    first, large, more = (
        bind_network(Request(use("resnet_cifar", {"depth": 20}), None, shape, classes), LIBRARY)
        for shape, classes in (((3, 32, 32), 10), ((3, 64, 48), 10), ((3, 32, 32), 11))
    )
    assert digest(first) == digest(large)
    assert digest(first) != digest(more)


NETWORK = """
network: NAME
input: [3, 8, 8]
classes: 10
unit: {use: original, change: project}
stem: [conv3x3: {out: 4}, $after_stem]
stages: STAGES
head: [$after_last, global_avg_pool, linear: {out: $classes}]
"""


def written(path: Path, stages: str, name: str, unit: str | None = None) -> BoundNetwork:
    return bind(name, unit, library=folder(path, **{name: NETWORK.replace("NAME", name).replace("STAGES", stages)}))


def test_names_of_files_and_where_stages_are_cut(tmp_path: Path) -> None:
    whole = written(tmp_path, "[{units: 3, out: 4}, {units: 1, out: 8, stride: 2}]", "whole")
    cut = written(tmp_path, "[{units: 1, out: 4}, {units: 2, out: 4}, {units: 1, out: 8, stride: 2}]", "cut")
    empty = written(tmp_path, "[{units: 0, out: 9}, {units: 3, out: 4}, {units: 1, out: 8, stride: 2}]", "empty")
    other = written(tmp_path, "[{units: 2, out: 4}, {units: 2, out: 8, stride: 2}]", "other")
    assert digest(whole) == digest(cut) == digest(empty) != digest(other)


def test_what_stands_before_a_stage_may_stand_in_its_unit(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text("unit: two\nnodes: {y: {from: x, ops: [bn, relu, conv3x3]}}")
    (tmp_path / "one.yaml").write_text("unit: one\nnodes: {y: {from: x, ops: [relu, conv3x3]}}")
    first = written(tmp_path, "[{units: 1, out: 4}]", "first", "two")
    second = written(tmp_path, "[{units: 1, out: 4, before: [bn]}]", "second", "one")
    assert digest(first) == digest(second)


def test_shipped_units_are_all_different() -> None:
    """But those of which one is a special case of the other: in ResNet-29, three 1x1 shortcuts are everywhere or nowhere."""
    found: dict[str, list[str]] = {}
    for unit in LIBRARY.names("unit"):
        found.setdefault(digest(small(unit)), []).append(unit)
    assert [names for names in found.values() if len(names) > 1] == []


def test_twins_among_the_shipped_units() -> None:
    def of_unit(unit: str, **arguments: Any) -> str:
        return digest(bind("resnet_cifar", unit, of_unit=arguments, depth=20))

    assert of_unit("constant_scaling", shortcut_scale=1, branch_scale=1.0) == of_unit("original")
    assert of_unit("dropout_shortcut", rate=0) == of_unit("original")
    assert of_unit("dropout_shortcut", rate=0.5) != of_unit("original")
    assert of_unit("exclusive_gating", gate_bias=-6) != of_unit("exclusive_gating", gate_bias=0)
    assert of_unit("conv1x1_shortcut") != of_unit("original", change="project")


def test_the_digest_is_versioned_and_stands() -> None:
    """Written in databases: it may change only together with its version."""
    assert canonical(bind("resnet_cifar", "original", depth=20)).digest == "a2_05104dd3385a3e40febbead189ffdac5"
    assert (
        digest(bind("resnet_cifar", "exclusive_gating_bottleneck", depth=29)) == "a2_6aca8f76aa07561cbd14b1c2f8488443"
    )
