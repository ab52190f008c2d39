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
from resbench.errors import BadInput, did_you_mean
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

SIZES = (64, 75)  # pixels: an even size, and an odd one, which finds a missing `ceil`
WALK_BATCH = 2


@dataclass(frozen=True, slots=True)
class Verification:
    """`params`, `rates`, `outputs`: trainable parameters, what is dropped at random and tensors given in training, of both.

    `unused`: parameters of the reference that evaluation does not use.
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
        """Whether they are one network where nothing is dropped at random: by what was computed in float64 alone."""
        deciding = [difference.equal for difference in self.differences if difference.dtype == DECIDING]
        same = self.params[0] == self.params[1] and self.outputs[0] == self.outputs[1]
        return same and bool(deciding) and all(deciding)


def verify(
    bound: BoundNetwork, theirs: nn.Module, sizes: Sequence[int], dtypes: Sequence[str], given: Mapping[str, str]
) -> Verification:
    """Compare them on images of `sizes` pixels, squared; float64, which decides, is always among the types.

    `given` settles pairs by name. The reference's weights are lost. Raises BadInput: a pair is missing, an image is not taken,
    no room.
    """
    require("verifying it", bound, times=2)
    ours, theirs = _built(bound), theirs.double()
    images = _images(bound, sizes[0], WALK_BATCH)
    seen = [_in_training(network, images, whose) for network, whose in ((ours, OURS), (theirs, REFERENCE))]
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
    (our_rates, our_outputs), (its_rates, its_outputs) = seen
    return Verification(
        canonical(bound).digest, (params(ours), params(theirs)), pairing, tuple(differences), (our_rates, its_rates),
        (our_outputs, its_outputs), unused,
    )  # fmt: skip


def imported(bound: BoundNetwork, source: nn.Module, size: int, given: Mapping[str, str]) -> tuple[nn.Module, Pairing]:
    """Our network, in float32, with the weights of another that is laid out alike.

    They are paired with weights drawn anew, since those of a trained network, or of one just made, may hide a wrong pair.
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
    """Draws the reference's weights anew. Raises BadInput for a map of names that are not there, or of other sizes."""
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
    """Return what it drops at random in training, and how many tensors it gives there. Raises BadInput: it takes no
    such images.
    """
    with torch.no_grad(), still(network, training=True) as dropped:
        outputs = forward(network, images, whose)
    return dropped, len(outputs)


def _images(bound: BoundNetwork, size: int, batch: int) -> Tensor:
    generator = torch.Generator().manual_seed(size)
    return torch.randn(batch, bound.input_shape[0], size, size, generator=generator, dtype=torch.float64)
