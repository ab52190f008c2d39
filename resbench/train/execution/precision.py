"""A recipe's precision -> how a device multiplies: float32 as it is; tf32, CUDA's products with 10 bits; bfloat16, those with 7.

In bfloat16 convolutions and products alone are narrow (torch's autocast); weights, norms and losses stay float32.
"""

from __future__ import annotations

import torch

from resbench.errors import BadInput
from resbench.language.recipe.recipe import Precision


def allow(device: torch.device, precision: Precision) -> None:
    """Set what float32 products may do. Raises BadInput for tf32 where there is none."""
    if precision == "tf32" and device.type != "cuda":
        raise BadInput(f"the recipe says precision: tf32, which CUDA devices have; this one is {device.type}")
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
