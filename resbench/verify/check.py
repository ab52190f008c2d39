"""BoundNetwork and the name of a reference -> Verdict: parameters paired, weights copied, every difference measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from resbench.compiler.canonical import canonical
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.materialise import materialise
from resbench.compiler.network import build
from resbench.errors import BadInput
from resbench.measure.params import params
from resbench.measure.room import require
from resbench.verify.equal import BATCH, Difference, compare
from resbench.verify.pair import Pairing, pair
from resbench.verify.reference import reference
from resbench.verify.trace import uses
from resbench.verify.weights import randomise, transfer

PAIRING_SIZE = 64  # pixels of the images that show who reads what; any that the network takes


@dataclass(frozen=True, slots=True)
class Verdict:
    """`params`: trainable parameters of ours and of the reference."""

    reference: str
    digest: str
    params: tuple[int, int]
    pairing: Pairing
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        return self.params[0] == self.params[1] and all(difference.equal for difference in self.differences)


def verify(
    bound: BoundNetwork, against: str, sizes: Sequence[int], dtypes: Sequence[str], given: Mapping[str, str]
) -> Verdict:
    """`sizes` of the images in pixels, squared; `given` settles pairs by name. Raises BadInput: a pair is missing, no room."""
    require("verifying it", bound, times=2 if "float64" in dtypes else 1)
    ours, theirs, pairing = paired(bound, reference(against, bound.classes), given)
    randomise(theirs, 0)
    trainable = params(ours), params(theirs)
    differences = tuple(
        compare(ours, theirs, pairing.names, images) for images in _images(bound, (ours, theirs), sizes, dtypes)
    )
    return Verdict(against, canonical(bound).digest, trainable, pairing, differences)


def imported(bound: BoundNetwork, source: nn.Module, given: Mapping[str, str]) -> tuple[nn.Module, Pairing]:
    """Our network with the weights of another that is laid out alike."""
    ours, theirs, pairing = paired(bound, source, given)
    transfer(theirs, ours, pairing.names)
    return ours, pairing


def paired(bound: BoundNetwork, theirs: nn.Module, given: Mapping[str, str]) -> tuple[nn.Module, nn.Module, Pairing]:
    """Both networks on the CPU, and who is who. Raises BadInput for names in `given` that are not there."""
    ours = build(bound)
    materialise(ours, canonical(bound).numbers, 0, "he_normal")
    for name, other in given.items():
        for network, which, whose in ((ours, name, "ours"), (theirs, other, "the reference")):
            if which not in network.state_dict():
                raise BadInput(f"the map names `{which}`, which is no parameter of {whose}")
    images = torch.randn(
        2, bound.input_shape[0], PAIRING_SIZE, PAIRING_SIZE, generator=torch.Generator().manual_seed(0)
    )
    try:
        used = uses(theirs, images)
    except RuntimeError as error:
        shape = "x".join(map(str, images.shape[1:]))
        raise BadInput(f"the reference does not take images of {shape}: {str(error).splitlines()[0]}") from None
    return ours, theirs, pair(uses(ours, images), used, given)


def _images(
    bound: BoundNetwork, networks: tuple[nn.Module, ...], sizes: Sequence[int], dtypes: Sequence[str]
) -> Iterator[torch.Tensor]:
    """Images of every type and size; both networks are turned to the type on the way."""
    for name in dtypes:
        dtype = {"float32": torch.float32, "float64": torch.float64}[name]
        for network in networks:
            network.to(dtype)
        for size in sizes:
            generator = torch.Generator().manual_seed(size)
            yield torch.randn(BATCH, bound.input_shape[0], size, size, generator=generator).to(dtype)
