"""A network with any weights, the name of a data set -> norms whose statistics are those of its training images.

Fresh statistics are 0 and 1, so in evaluation nothing normalises: every unit adds to the signal, and outputs of a deep network
overflow. Those of images, taken as in train/statistics.py, keep it in bounds.
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
    """Set the statistics; return of how many images they are: 0 where the network keeps none.

    Args:
        network: That of `bound`, with weights, on the CPU.
        data: A data set's name; its train split alone is used, normalised as training normalises it.
    Raises:
        BadInput: No such data set, or its images are of another shape than the network's.
        TooLarge: A batch of them needs more memory than there is.
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
