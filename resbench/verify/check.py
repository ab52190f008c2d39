"""BoundNetwork and a reference -> Verification: parameters paired, weights copied, every difference measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import build
from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.escape import printable
from resbench.language.yaml.problems import listed
from resbench.measure.memory_check import require
from resbench.measure.params import params
from resbench.verify.equal import BATCH, DECIDING, Difference, compare
from resbench.verify.forward import OURS, REFERENCE, forward
from resbench.verify.pair import Pairing, pair
from resbench.verify.randomness import Rates, still
from resbench.verify.trace import bare, shown
from resbench.verify.weights import randomise, tensors, transfer

SIZES = (64, 75)  # pixels: an even size, and an odd one, which reveals a missing `ceil`
WALK_BATCH = 2


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a verification. `params`, `rates`, `outputs`: of both networks, trainable parameters, rates of random
    drops, and

    number of output tensors in training. `unused`: parameters of the reference that the forward pass does not use.
    """

    digest: str
    params: tuple[int, int]
    pairing: Pairing
    differences: tuple[Difference, ...]
    rates: tuple[Rates, Rates]
    outputs: tuple[int, int]
    unused: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether the two are equal when nothing is dropped at random; only what was computed in float64 decides."""
        deciding = [difference.equal for difference in self.differences if difference.dtype == DECIDING]
        same = self.params[0] == self.params[1] and self.outputs[0] == self.outputs[1]
        return same and bool(deciding) and all(deciding)


def verify(
    bound: BoundNetwork, theirs: nn.Module, sizes: Sequence[int], dtypes: Sequence[str], given: Mapping[str, str]
) -> Verification:
    """Compare the two on square images of `sizes` pixels; float64, which decides, is always among the types.

    `given` maps our names to the reference's. The reference's weights are overwritten. Raises BadInput if a pair is missing, an
    image is refused or memory is insufficient.
    """
    require("verifying it", bound, times=2)
    ours, theirs = _built(bound), theirs.double()
    images = _images(bound, sizes[0], WALK_BATCH)
    in_training = [_in_training(network, images, whose) for network, whose in ((ours, OURS), (theirs, REFERENCE))]
    pairing = _paired(ours, theirs, images, given)
    used = {*pairing.names.values()}
    unused = tuple(name for name, p in theirs.named_parameters() if p.requires_grad and name not in used)
    differences = []
    for dtype in dict.fromkeys([DECIDING, *dtypes]):
        for network in (ours, theirs):
            network.to(getattr(torch, dtype))
        for size in sizes:
            batch = _images(bound, size, BATCH).to(getattr(torch, dtype))
            differences.append(compare(ours, theirs, pairing.names, batch))
    (our_rates, our_outputs), (its_rates, its_outputs) = in_training
    return Verification(
        canonical(bound).digest, (params(ours), params(theirs)), pairing, tuple(differences), (our_rates, its_rates),
        (our_outputs, its_outputs), unused,
    )  # fmt: skip


def imported(bound: BoundNetwork, source: nn.Module, size: int, given: Mapping[str, str]) -> tuple[nn.Module, Pairing]:
    """Return our network, in float32, with the weights of another of the same structure.

    The networks are paired with random weights, since trained or initial weights may hide a wrong pair.
    """
    kept = {name: tensor.clone() for name, tensor in tensors(source).items()}
    ours = _built(bound)
    images = _images(bound, size, WALK_BATCH)
    _in_training(source.double(), images, REFERENCE)
    pairing = _paired(ours, source, images, given)
    with torch.no_grad():
        for name, tensor in tensors(source.float()).items():
            tensor.copy_(kept[name])
    transfer(source, ours.float(), pairing.names)
    return ours, pairing


def _built(bound: BoundNetwork) -> nn.Module:
    network = build(bound)
    initialize_weights(network, canonical(bound).numbers, 0, "he_normal")
    return network.double()


def _paired(ours: nn.Module, theirs: nn.Module, images: Tensor, given: Mapping[str, str]) -> Pairing:
    """Randomise the reference's weights and pair. Raises BadInput for a map with unknown names or different sizes."""
    mine, its = tensors(ours), tensors(theirs)
    for name, other in given.items():
        for there, which, whose in ((mine, name, OURS), (its, other, REFERENCE)):
            if which not in there:
                raise BadInput(
                    f"--map: expected a parameter of {whose}, got `{printable(which)}`"
                    f"{did_you_mean(which, list(there)) or f'; it has {listed(list(there), 5)}'}"
                )
        if bare(mine[name].shape) != bare(its[other].shape):
            sizes = [shown([tuple(tensor.shape)]) for tensor in (mine[name], its[other])]
            fitting = [key for key, tensor in its.items() if bare(tensor.shape) == bare(mine[name].shape)]
            raise BadInput(
                f"--map: expected a parameter of the size of {name} ({sizes[0]}), got {other} ({sizes[1]}); "
                f"of that size the reference has {listed(fitting, 5)}"
            )
    randomise(theirs, 0, images)
    return pair(ours, theirs, images, given)


def _in_training(network: nn.Module, images: Tensor, whose: str) -> tuple[Rates, int]:
    """Return the rates of random drops in training, and the number of output tensors. Raises BadInput if the network refuses
    such images.
    """
    with torch.no_grad(), still(network, training=True) as dropped:
        outputs = forward(network, images, whose)
    return dropped, len(outputs)


def _images(bound: BoundNetwork, size: int, batch: int) -> Tensor:
    generator = torch.Generator().manual_seed(size)
    return torch.randn(batch, bound.input_shape[0], size, size, generator=generator, dtype=torch.float64)
