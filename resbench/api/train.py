"""A network, a recipe, data and a seed -> one run; or the recipe's batches, for a loop of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike, fspath

import torch
from torch import Tensor, nn

from resbench.api.architecture.library import extended, library_of
from resbench.api.architecture.network import BuiltNetwork, use_of
from resbench.api.architecture.value import Value, to_node, to_nodes
from resbench.api.data import DataLike, data_of
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.network import recompute
from resbench.compiler.modules.stack import Stack, single
from resbench.language.graph.network import Use
from resbench.language.recipe.recipe import RecipeSpec, override, parse_recipe
from resbench.language.study.recipe_overrides import recipe_of
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems
from resbench.train.batches import Batches
from resbench.train.execution.device import repeatable
from resbench.train.execution.layout import ExecutionOptions
from resbench.train.execution.plan import Plan, plan_from, plan_of_rule
from resbench.train.fit import Hooks, fit, reseed_ops
from resbench.train.outcome import Epoch, Status
from resbench.train.schedule import learning_rates, length

RecipeLike = str | PathLike[str] | Mapping[str, Value] | RecipeSpec


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """The result of one run. It has no test error, which would be seen before the selection.

    Attributes:
        status: `complete`, or `diverged` if a number was not finite or nothing was learned.
        epochs: Every epoch, with its losses (nats), errors (percent) and learning rate.
        train_s: Seconds of the training steps only.
    """

    status: Status
    epochs: tuple[Epoch, ...]
    train_s: float

    @property
    def val_error_pct(self) -> float:
        """Validation error (percent) after the last epoch, as in a ranking."""
        return self.epochs[-1].judged_error_pct

    @property
    def val_loss(self) -> float:
        """Validation cross-entropy (nats) after the last epoch, as in a ranking."""
        return self.epochs[-1].judged_loss


@dataclass(frozen=True, slots=True, eq=False)
class EpochBatches:
    """The batches of one epoch: `for images, labels in epoch`, float32 BCHW and int64 B.

    Attributes:
        number: Number of the epoch, from 1.
        learning_rates: The recipe's learning rate of each batch.
    """

    number: int
    learning_rates: tuple[float, ...]
    source: Batches

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return ((images, labels[0]) for images, labels in self.source.epoch(self.number))

    def __len__(self) -> int:
        return len(self.source)


def load_recipe(recipe: RecipeLike, **changes: Value) -> RecipeSpec:
    """Read a recipe and check every value of it.

    Args:
        recipe: A name of the library, the path of a `.yaml` file, `{"use": name, key: value}` as in a study, the mapping that a
            file would hold, or a recipe that is loaded already.
        changes: Values for its keys; `lr` is short for the optimizer's.

    Returns:
        The recipe, frozen.

    Raises:
        SpecError: With every problem.
        BadInput: For a name that is unknown.

    Example:
        >>> import resbench as rb
        >>> recipe = rb.load_recipe("he2016_small", epochs=2, lr=0.05)
        >>> recipe.epochs, recipe.batch, recipe.optimizer.lr
        (2, 64, 0.05)
    """
    if isinstance(recipe, RecipeSpec):
        node = to_node(recipe.model_dump(mode="json", by_alias=True, exclude_unset=True), "")
    elif isinstance(recipe, Mapping) and "use" not in recipe:
        node = extended(library_of(""), "recipe", to_node(recipe, ""))
    else:
        name, given = use_of(recipe, "recipe")
        check = Problems()
        use = Use(name, {**to_nodes(given), **to_nodes(changes)}, Node(name, path="recipe"))
        node = recipe_of(use, library_of(fspath(name)), check)
        check.done()
        return parse_recipe(node)
    for key, value in to_nodes(changes).items():
        node = override(node, key, value)
    return parse_recipe(node)


def train_network(
    network: nn.Module,
    recipe: RecipeLike,
    data: DataLike,
    *,
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: Callable[[Epoch], object] = lambda epoch: None,
) -> TrainedRun:
    """Train a network, in place, as a study trains the run of that seed.

    The numbers are those of a study's run if the recipe has `plan: {width: 1}`; otherwise a study trains several seeds of a small
    network as one, and the last bits differ.

    Args:
        network: A network of `resbench.build_network`, or any torch module from images BCHW to B classes. It ends with the
            weights that are scored.
        recipe: As `resbench.load_recipe` takes it.
        data: A name, `{"use": name, setting: value}`, or what `resbench.load_data` gives.
        seed: Seed of the order of images, of augmentation and of stochastic ops; the weights have the seed of `build_network`.
        device: The training device, to which the network is moved.
        progress: Called after every epoch with its numbers.

    Returns:
        The run, with every epoch.

    Raises:
        SpecError: With every problem of the recipe.
        BadInput: If the recipe does not fit the data or the device.

    Example:
        >>> import resbench as rb
        >>> net = rb.build_network("resnet_cifar", unit="plain", depth=8, width=4, data="digits")
        >>> run = rb.train_network(net, {"use": "he2016_small", "epochs": 1}, "digits")
        >>> run.status, len(run.epochs), run.val_error_pct < 80
        ('complete', 1, True)
    """
    where = torch.device(device)
    spec, source = load_recipe(recipe), data_of(data, where)
    plan = _plan(network, spec, where)
    network.to(where)
    if plan.recompute:
        recompute(network)
    ended: dict[str, Tensor] = {}

    def on_epoch(seed: int, epoch: Epoch) -> None:
        progress(epoch)

    def keep(seed: int, epoch: Epoch, state: Mapping[str, Tensor]) -> None:
        ended.update((name, tensor.clone()) for name, tensor in state.items())

    hooks = Hooks(on_epoch, weights=keep)
    threads = torch.get_num_threads()
    torch.set_num_threads(plan.threads)
    try:
        repeatable(where)
        (outcome,) = fit(_alone(network), spec, source.dataset, (seed,), hooks, way=ExecutionOptions(plan.layout))
    finally:
        torch.set_num_threads(threads)
    if ended:
        network.load_state_dict(ended)
    return TrainedRun(outcome.status, outcome.epochs, outcome.train_s)


def batches(
    recipe: RecipeLike,
    data: DataLike,
    *,
    seed: int = 0,
    network: nn.Module | None = None,
    device: str | torch.device = "cpu",
) -> Iterator[EpochBatches]:
    """Iterate over the epochs of a recipe, each of which iterates over its batches: order and augmentation of a study's run.

    Args:
        recipe: As `resbench.load_recipe` takes it.
        data: A name, `{"use": name, setting: value}`, or what `resbench.load_data` gives.
        seed: Seed of the order of images, of augmentation and of stochastic ops.
        network: The trained network, whose stochastic ops then draw in each epoch what they draw in a study's run; None if it
            has none, or where any numbers will do.
        device: The device of the tensors.

    Yields:
        An epoch, with its `.number` (from 1) and the recipe's `.learning_rates`, one for each batch.

    Raises:
        SpecError: With every problem of the recipe.
        BadInput: If a batch is larger than the training split.

    Example:
        >>> import resbench as rb
        >>> for epoch in rb.batches({"use": "he2016_small", "epochs": 2}, "digits", seed=0):
        ...     for rate, (images, labels) in zip(epoch.learning_rates, epoch):
        ...         pass  # a step of your own
        ...     print(epoch.number, len(epoch), images.shape, labels.shape)
        1 17 torch.Size([64, 1, 8, 8]) torch.Size([64])
        2 17 torch.Size([64, 1, 8, 8]) torch.Size([64])
    """
    spec, source = load_recipe(recipe), data_of(data, torch.device(device))
    split = source.train.split
    run = length(spec, len(split.labels))
    rates = learning_rates(spec, run)
    return _epochs(Batches(split, spec, (seed,)), rates, network)


def _epochs(source: Batches, rates: list[float], network: nn.Module | None) -> Iterator[EpochBatches]:
    count = len(source)
    for number in range(1, len(rates) // count + 1):
        if network is not None:
            reseed_ops(_alone(network), source.seeds, number)
        yield EpochBatches(number, tuple(rates[(number - 1) * count : number * count]), source)


def _plan(network: nn.Module, recipe: RecipeSpec, device: torch.device) -> Plan:
    if isinstance(network, BuiltNetwork):
        return plan_of_rule(network.bound, recipe, device)
    return plan_from({"threads": recipe.plan.threads or (1 if device.type == "cpu" else torch.get_num_threads())})


def _alone(network: nn.Module) -> Stack:
    """Return the network as a stack of one. What draws in a module of the user's own draws from streams named by its path."""
    return single(network, canonical(network.bound).numbers if isinstance(network, BuiltNetwork) else {"": 0})
