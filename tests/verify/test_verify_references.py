"""Networks of arch_specs/ against torchvision, timm and torch_resnet: equal; with one thing out of place: not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from resbench.cli.architecture.request import request_of
from resbench.compiler.binding.network import bind_network
from resbench.errors import BadInput
from resbench.verify.check import Verification, verify
from resbench.verify.reference import reference as built

torch.set_num_threads(1)
PRE = "unit=full_preactivation"
HERE = "tests/verify/networks"
SMALL = ("shufflenet_v2", "torchvision:shufflenet_v2_x1_0", 2_278_604)
NETS = [
    SMALL,
    ("regnet size=x_200mf unit=regnet_x", "timm:regnetx_002", 2_684_792),
    ("resnet_imagenet depth=18 unit=original unit.change=project", "torchvision:resnet18", 11_689_512),
    ("resnet_imagenet", "torchvision:resnet50", 25_557_032),
    ("resnet_imagenet unit=resnext", "torchvision:resnext50_32x4d", 25_028_904),
    ("mobilenet_v2", "torchvision:mobilenet_v2", 3_504_872),
    ("densenet", "torchvision:densenet121", 7_978_856),
    ("convnext", "torchvision:convnext_tiny", 28_589_128),
    ("regnet", "torchvision:regnet_y_400mf", 4_344_144),
    ("regnet size=x_400mf unit=regnet_x", "torchvision:regnet_x_400mf", 5_495_976),
    (f"resnet_imagenet {PRE} depth=18 unit.first_sees=x", "timm:resnetv2_18", 11_687_720),
    ("resnet_imagenet unit=full_preactivation_bottleneck", "timm:resnetv2_50", 25_549_352),
    ("resnet_imagenet unit=squeeze_excitation_bottleneck", "timm:seresnet50", 28_088_024),
    ("resnet_imagenet unit=resnet_d stem=three", "timm:resnet50d", 25_576_264),
    (f"resnet_cifar {PRE} depth=110 unit.change=project unit.first_sees=x", "torch_resnet:PreActResNet110", 1_730_522),
    (
        "resnet_cifar unit=full_preactivation_bottleneck depth=164 unit.stride_in=middle",
        "torch_resnet:PreActResNet164",
        1_703_258,
    ),
    ("wide_resnet widen=1", "torch_resnet:PreActWideResNet28", 369_498),
    ("resnet_imagenet unit=resnext unit.cardinality=64 depth=101", "torchvision:resnext101_64x4d", 83_455_272),
    ("regnet size=x_800mf unit=regnet_x", "torchvision:regnet_x_800mf", 7_259_656),
    ("regnet size=x_1_6gf unit=regnet_x", "torchvision:regnet_x_1_6gf", 9_190_136),
    (f"{HERE}/mnasnet.yaml", "torchvision:mnasnet1_0", 4_383_312),
    (f"{HERE}/repvgg.yaml", "timm:repvgg_a0", 9_108_968),
    (f"{HERE}/googlenet.yaml", "torchvision:googlenet", 6_624_904),
]
ARGUMENTS = {"torchvision:googlenet": {"aux_logits": False, "init_weights": False}}  # the latter takes its time


def verdict(words: str, reference: str, sizes: tuple[int, ...], dtypes: tuple[str, ...] = ("float64",)) -> Verification:
    network, *rest = words.split()
    bound = bind_network(*request_of(network, tuple(rest)))
    return verify(bound, built(reference, bound.classes, ARGUMENTS.get(reference, {})), sizes, dtypes, {})


def test_a_small_one_is_equal() -> None:
    words, reference, params = SMALL
    found = verdict(words, reference, (32,))
    assert found.equal, found
    assert found.params == (params, params)


@pytest.mark.long
@pytest.mark.parametrize(("words", "reference", "params"), NETS, ids=[reference for _, reference, _ in NETS])
def test_equal(words: str, reference: str, params: int) -> None:
    """An odd size finds a missing `ceil`; float64 leaves no room for a small mistake."""
    size = 35 if reference.startswith("torch_resnet:") else 75  # the former are made for images of 32 pixels
    found = verdict(words, reference, (size,), ("float32", "float64"))
    assert found.params == (params, params)
    assert found.equal, found.differences
    assert found.pairing.parts == ""


@pytest.mark.long
@pytest.mark.parametrize("reference", ["torchvision:resnet18", "timm:resnetv2_18", "torchvision:shufflenet_v2_x1_0"])
def test_equal_at_an_even_size(reference: str) -> None:
    words = next(words for words, other, _ in NETS if other == reference)
    assert verdict(words, reference, (64,)).equal


NETWORK = (Path("arch_specs") / "networks" / "resnet_imagenet.yaml").read_text("utf-8")


def changed(folder: Path, name: str, text: str, old: str, new: str) -> str:
    """A file with one thing out of place."""
    assert old in text
    (folder / f"{name}.yaml").write_text(text.replace(old, new), encoding="utf-8")
    return str(folder / f"{name}.yaml")


@pytest.mark.long
def test_an_activation_behind_the_pool_is_seen_in_training(tmp_path: Path) -> None:
    """In evaluation it hides only while no gamma is negative, and here some are."""
    file = changed(
        tmp_path, "resnet_imagenet", NETWORK, "$after_stem, max_pool: {kernel: 3, stride: 2}]",
        "max_pool: {kernel: 3, stride: 2}, $after_stem]",
    )  # fmt: skip
    (found,) = verdict(f"{file} depth=18 unit=original unit.change=project", "torchvision:resnet18", (64,)).differences
    assert not found.equal
    assert found.train_output > 1e-2
    assert found.eval_output > 1e-2


@pytest.mark.long
def test_raw_x_into_a_projection_is_seen(tmp_path: Path) -> None:
    unit = Path("arch_specs/units/identity_mappings/full_preactivation.yaml").read_text("utf-8")
    file = changed(
        tmp_path,
        "full_preactivation",
        unit,
        "{if: transition, nodes: {h: {from: a}}}",
        "{if: transition, nodes: {h: {from: x}}}",
    )
    found = verdict(
        f"resnet_imagenet depth=18 unit={file} unit.first_sees=x", "timm:resnetv2_18", (64,)
    )  # fmt: skip
    assert not found.equal
    assert found.differences[0].eval_output > 1e-2
    assert "it reads other numbers than" in found.pairing.parts


@pytest.mark.long
def test_a_missing_ceil_is_seen_at_an_odd_size_only(tmp_path: Path) -> None:
    file = changed(
        tmp_path,
        "resnet_imagenet",
        NETWORK,
        "max_pool: {kernel: 3, stride: 2}]",
        "max_pool: {kernel: 3, stride: 2, ceil: true}]",
    )
    words = f"{file} depth=18 unit=original unit.change=project"
    even, odd = verdict(words, "torchvision:resnet18", (65, 67)).differences
    assert (even.equal, odd.equal) != (True, True)


@pytest.mark.parametrize(
    ("words", "reference", "message"),
    [
        ("resnet_imagenet", "torchvison:resnet50", "got `torchvison:resnet50`; did you mean `torchvision`"),
        ("resnet_imagenet", "torchvision:resnet5", "torchvision has no network `resnet5`; did you mean `resnet50`"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared(words: str, reference: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        verdict(words, reference, (64,))


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "reference", "message"),
    [
        ("resnet_imagenet", "torchvision:resnet18", r"conv1.weight \(256x64\) has no counterpart among the \d+ uses left"),
        ("resnet_imagenet depth=18 unit=original unit.change=project", "torchvision:resnet34", "the reference has more: 32 uses"),
    ],
)  # fmt: skip
def test_networks_of_other_sizes(words: str, reference: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        verdict(words, reference, (64,))
