"""A recipe's precision -> how a device multiplies: float32 as it is; tf32, CUDA's products with 10 bits; bfloat16, those with 7.

With bfloat16 only convolutions and products are narrow (torch's autocast); weights, norms and losses stay float32.
"""

from __future__ import annotations

import torch

from resbench.errors import BadInput
from resbench.language.recipe.recipe import Precision


def allow(device: torch.device, precision: Precision) -> None:
    """Set the precision of float32 products. Raises BadInput for tf32 on a device without it."""
    if precision == "tf32" and device.type != "cuda":
        raise BadInput(
            f"precision: tf32 requires a CUDA device, got {device.type}; change the recipe's precision or the device"
        )
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
