"""Small things to train: a recipe with changes, a bound network with weights, and a network that remembers what it saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import Network, build
from resbench.compiler.modules.stack import single
from resbench.data.dataset import Dataset
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.recipe.recipe import RecipeSpec, override, parse_recipe
from resbench.language.yaml.node import Node, Plain, from_plain
from resbench.ops.parameter import Parametric, Start, empty
from resbench.ops.schema import table
from resbench.ops.stochastic.dropout import Dropout
from resbench.train.fit import Hooks, fit
from resbench.train.outcome import Epoch, Outcome


def recipe(changes: dict[str, Plain] | None = None, name: str = "he2016_small") -> RecipeSpec:
    library = Library(table())
    node = library.read("recipe", library.find("recipe", name))
    for key, value in (changes or {}).items():
        node = override(node, key, from_plain(value))
    return parse_recipe(node)


def network(unit: str, seed: int = 0, width: int = 2) -> tuple[Network, dict[str, int]]:
    """ResNet-8 for the digits with its weights, and the numbers of its ops."""
    use = Use("resnet_cifar", {"depth": Node(8), "width": Node(width)}, Node("resnet_cifar"))
    bound = bind_network(Request(use, Use(unit, {}, Node(unit)), (1, 8, 8), 10), Library(table()))
    built, numbers = build(bound), dict(canonical(bound).numbers)
    initialize_weights(built, numbers, seed, "he_normal")
    return built, numbers


def flat_images(labels: Tensor | None = None) -> Dataset:
    """Image i of 60 is i everywhere, so that what a network saw tells which images they were, flipped or not.

    Of the darker 40 the even ones are trained on and the odd ones are val; the brighter 20 are test.
    """
    images = torch.arange(60, dtype=torch.uint8).reshape(60, 1, 1, 1).expand(60, 1, 4, 4).contiguous()
    splits = {"train": torch.arange(0, 40, 2), "val": torch.arange(1, 40, 2), "test": torch.arange(40, 60)}
    given = torch.arange(60) // 2 % 2 if labels is None else labels
    return Dataset("flat", images, given, splits, ("even", "odd"), "made here", "none")


class Witness(Parametric):
    """Answers nonsense from one weight per class, and remembers the first pixel of every image, train and eval apart."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.starts = {"weight": Start("linear")}
        self.buffer_starts = {}
        self.weight = empty(classes)
        self.seen: list[tuple[str, list[float]]] = []
        self.masks: dict[str, list[Tensor]] = {"first": [], "second": []}
        self.first, self.second = Dropout(rate=0.5), Dropout(rate=0.5)
        nn.init.zeros_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(("train" if self.training else "eval", x[:, 0, 0, 0].tolist()))
        if self.training:
            for name in self.masks:
                self.masks[name].append(self.get_submodule(name)(torch.ones(8, 8)))
        return x[:, :1, 0, 0] * self.weight


NUMBERS = {"first": 1, "second": 2}


def train(
    net: nn.Module, numbers: Mapping[str, int], spec: RecipeSpec, data: Dataset, seed: int,
    told: Callable[[Epoch], object] = lambda epoch: None,
) -> Outcome:  # fmt: skip
    """One network."""
    (outcome,) = fit(single(net, numbers), spec, data, (seed,), Hooks(lambda _, epoch: told(epoch)))
    return outcome
