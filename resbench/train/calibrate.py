"""A network with any weights and the name of a data set -> norms with the statistics of its training images.

Initial statistics are 0 and 1, so that norms do not normalise in evaluation: every unit adds to the signal, and the outputs of a
deep network overflow. Statistics of images, computed as in train/statistics.py, keep the signal bounded.
"""

from __future__ import annotations

from torch import nn

from resbench.compiler.graph import BoundNetwork, sizes
from resbench.data.registry import info, load
from resbench.data.split import normalised
from resbench.errors import BadInput
from resbench.measure.memory_check import require
from resbench.train.execution.layout import DEFAULT
from resbench.train.statistics import BATCH, MOST_IMAGES, norms_of, recomputed


def calibrate(network: nn.Module, bound: BoundNetwork, data: str) -> int:
    """Set the statistics; return the number of images they are computed from: 0 if the network keeps none.

    Args:
        network: The network of `bound`, with weights, on the CPU.
        data: A data set's name; only its train split is used, normalised as in training.
    Raises:
        BadInput: There is no such data set, or its images do not have the network's input shape.
        TooLarge: A batch needs more memory than the device has.
    """
    shape = info(data).input_shape
    if shape != bound.input_shape:
        raise BadInput(
            f"statistics of `{data}`: expected images of {sizes(bound.input_shape)}, which the network takes, got "
            f"{sizes(shape)}; `data={data}` makes a network for them"
        )
    if not norms_of(network):
        return 0
    require("setting its statistics", bound, images=BATCH)
    split = normalised(load(data), "train")
    with recomputed(network, split, 1, DEFAULT.layout, keep=True):
        return min(len(split.labels), MOST_IMAGES)
