"""Named tensors -> the bytes of a safetensors file, the same each time; and such bytes back, of which nothing is executed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import torch
from torch import Tensor


def weights_bytes(state: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Write a state_dict. The header's keys are sorted: safetensors itself writes metadata in an order of chance."""
    from safetensors.torch import save

    data = save({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}, dict(metadata))
    end = 8 + int.from_bytes(data[:8], "little")  # a length, the header in JSON, then the numbers at multiples of 8
    header = json.dumps(json.loads(data[8:end]), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[end:]


def read_bytes(content: bytes) -> dict[str, torch.Tensor]:
    """The tensors of such a file. Raises ValueError for anything else."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(content)
    except SafetensorError as error:
        raise ValueError(str(error)) from None
