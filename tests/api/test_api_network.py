"""Networks of the Python door have the weights of a study's run, and train to its numbers, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

import resbench as rb
from resbench.api.architecture.unit import Unit
from resbench.errors import BadInput, SpecError
from resbench.train.execution.plan import plan_of_rule
from resbench.train.fit import Hooks
from resbench.train.outcome import Outcome
from resbench.workers.job import Job, train

SMALL = {"depth": 8, "width": 4, "data": "digits"}
RECIPE = {"use": "he2016_small", "epochs": 2, "plan": {"width": 1}}
UNITS = ("original", "stochastic", "exclusive_gating")
STOCHASTIC = {
    "unit": "stochastic",
    "nodes": {
        "f": {
            "from": "x",
            "ops": [{"drop_branch": {"rate": 0.5, "ops": [{"conv3x3": {"stride": "$stride"}}, "bn", "relu"]}}],
        },
        "h": {"from": "x", "ops": ["shortcut"]},
        "y": {"from": ["h", "f"], "ops": ["add"]},
    },
}


def unit_called(name: str) -> Unit:
    return rb.load_unit(STOCHASTIC if name == "stochastic" else name)


def run_of_a_study(name: str, seeds: tuple[int, ...]) -> tuple[list[dict[str, torch.Tensor]], list[Outcome]]:
    """The weights that the seeds of one cell start with, and what comes of them, as a study's worker trains them."""
    net = rb.build_network("resnet_cifar", unit=unit_called(name), **SMALL)
    data, recipe = rb.load_data("digits").dataset, rb.load_recipe(RECIPE)
    starts: list[dict[str, torch.Tensor]] = []

    def look(epoch: int, stacked: object) -> None:
        if epoch == 0:
            starts.extend({k: v.clone() for k, v in stacked.state(i).items()} for i in range(len(seeds)))  # type: ignore[attr-defined]

    plan = replace(plan_of_rule(net.bound, recipe, torch.device("cpu")), width=len(seeds))
    hooks = replace(Hooks(lambda seed, epoch: None), on_profile=look)
    threads = torch.get_num_threads()
    outcomes = train(Job(net.bound, recipe, data, {}), seeds, plan, torch.device("cpu"), hooks)
    torch.set_num_threads(threads)
    return starts, outcomes


@pytest.mark.parametrize("name", UNITS)
def test_weights_are_those_that_a_run_of_the_seed_starts_with(name: str) -> None:
    starts, _ = run_of_a_study(name, (0, 3))
    for seed, start in zip((0, 3), starts, strict=True):
        built = rb.build_network("resnet_cifar", unit=unit_called(name), seed=seed, **SMALL).state_dict()
        assert built.keys() == start.keys()
        assert all(torch.equal(built[key], start[key]) for key in built)


@pytest.mark.parametrize("name", UNITS)
def test_a_run_has_the_numbers_of_a_study(name: str) -> None:
    _, [outcome] = run_of_a_study(name, (3,))
    net = rb.build_network("resnet_cifar", unit=unit_called(name), seed=3, **SMALL)
    told = []
    run = rb.train_network(net, RECIPE, "digits", seed=3, progress=told.append)
    assert run.status == outcome.status
    assert [replace(epoch, train_s=0) for epoch in run.epochs] == [
        replace(epoch, train_s=0) for epoch in outcome.epochs
    ]
    assert told == list(run.epochs)


def test_a_trained_network_has_the_error_that_is_told() -> None:
    net = rb.build_network("resnet_cifar", unit="plain", **SMALL)
    run = rb.train_network(net, RECIPE, "digits")
    val = rb.load_data("digits").val
    net.eval()
    with torch.no_grad():
        wrong = (net(val.images).argmax(1) != val.labels).float().mean()
    assert f"{100 * wrong:.3f}" == f"{run.val_error_pct:.3f}"


@pytest.mark.parametrize("name", UNITS)
def test_a_loop_of_ones_own_by_the_batches_of_a_recipe_has_the_numbers_of_a_run(name: str) -> None:
    """SGD as the recipe says it: the same losses, batch by batch."""
    recipe = rb.load_recipe(RECIPE)
    net = rb.build_network("resnet_cifar", unit=unit_called(name), seed=3, **SMALL)
    run = rb.train_network(net, recipe, "digits", seed=3)
    own = rb.build_network("resnet_cifar", unit=unit_called(name), seed=3, **SMALL)
    own.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    spec = recipe.optimizer
    sgd = torch.optim.SGD(own.parameters(), lr=spec.lr, momentum=spec.momentum, weight_decay=spec.weight_decay)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    means = []
    for epoch in rb.batches(recipe, "digits", seed=3, network=own):
        losses = torch.zeros(())
        for rate, (images, labels) in zip(epoch.learning_rates, epoch, strict=True):
            sgd.param_groups[0]["lr"] = rate
            loss = F.cross_entropy(own(images.contiguous(memory_format=torch.channels_last)), labels)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            losses += loss.detach()
        means.append(losses.item() / len(epoch))
    torch.set_num_threads(threads)
    assert means == pytest.approx([epoch.train_loss for epoch in run.epochs], rel=1e-5)


def test_any_torch_module_can_be_trained() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    run = rb.train_network(net, RECIPE, "digits")
    assert run.status == "complete"
    assert run.epochs[1].train_loss < run.epochs[0].train_loss


def test_a_unit_may_be_a_name_a_path_a_mapping_or_loaded(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("unit: mine\nextends: full_preactivation\ndoc: mine <b>\n", "utf-8")
    mapping = {"unit": "mine", "extends": "full_preactivation"}
    given = [
        "full_preactivation",
        tmp_path / "mine.yaml",
        str(tmp_path / "mine.yaml"),
        {"use": "full_preactivation"},
        mapping,
    ]
    given.append(rb.load_unit(tmp_path / "mine.yaml"))
    digests = {rb.build_network("resnet_cifar", unit=unit, **SMALL).digest for unit in given}
    assert len(digests) == 1
    assert "mine &lt;b&gt;" in rb.load_unit(tmp_path / "mine.yaml")._repr_html_()


def test_params_go_to_the_unit_and_to_the_network() -> None:
    gated = rb.load_unit("exclusive_gating", gate_bias=-3)
    default = rb.build_network("resnet_cifar", unit="exclusive_gating", **SMALL)
    other = rb.build_network({"use": "resnet_cifar", "depth": 8}, unit=gated, width=4, data="digits")
    same = rb.build_network("resnet_cifar", unit={"use": "exclusive_gating", "gate_bias": -3}, **SMALL)
    assert default.digest != other.digest == same.digest
    assert rb.build_network("resnet_cifar", depth=8, input_shape=(3, 16, 16), classes=7)(
        torch.zeros(2, 3, 16, 16)
    ).shape == (2, 7)


def test_mistakes_name_what_is_allowed() -> None:
    with pytest.raises(BadInput, match=r"`dpth`: no `dpth` here; names: .*did you mean `depth`"):
        rb.build_network("resnet_cifar", dpth=8)
    with pytest.raises(
        BadInput, match=r"unit exclusive_gating: param `gate_bais`: expected one of .*did you mean `gate_bias`"
    ):
        rb.load_unit("exclusive_gating", gate_bais=-3)
    with pytest.raises(
        BadInput, match=r"depth: expected a number, text, list or mapping, as in a YAML file, got object"
    ):
        rb.build_network("resnet_cifar", depth=object())  # type: ignore[arg-type]
    with pytest.raises(SpecError) as caught:
        rb.load_unit({"unit": "a b", "nodes": {"y": {"from": "z", "ops": ["rleu"]}}})
    assert len(caught.value.problems) == 3
    with pytest.raises(BadInput, match=r"data set `digits`: expected `train` or `val`, got `test`, which is sealed"):
        _ = rb.load_data("digits").test


def test_a_network_shows_itself_with_every_text_escaped() -> None:
    net = rb.build_network("resnet_cifar", unit=STOCHASTIC, **SMALL)
    html = net._repr_html_()
    assert f"digest {net.digest}" in html
    assert "drop_branch" in html
    assert "<script" not in html
