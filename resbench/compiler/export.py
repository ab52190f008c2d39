"""Network with weights -> the bytes of an ONNX model, a torch.export program or a safetensors file, in evaluation mode.

The number of images in a batch stays open in the first two. Weights come back from safetensors only, where nothing is executed.
"""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from resbench.compiler.graph import Shape
from resbench.errors import BadInput

LARGEST_ONNX = 2**31 - 1  # bytes of one protobuf message


def onnx_bytes(network: nn.Module, shape: Shape) -> bytes:
    """`images` in, `result` out. Raises BadInput where the extra is not installed, or above LARGEST_ONNX."""
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise BadInput(
            f"onnx export needs a package that is not here ({error}): pip install 'resbench[onnx]'"
        ) from None
    size = sum(tensor.nbytes for tensor in network.state_dict().values())
    if size > LARGEST_ONNX:
        raise BadInput(f"onnx: {size:,} bytes of weights; one file holds at most {LARGEST_ONNX:,}")
    with _quietly():
        program = torch.onnx.export(
            network.eval(), (_images(shape),), dynamo=True, input_names=["images"], output_names=["result"],
            dynamic_shapes=({0: _batch()},), verbose=False,
        )  # fmt: skip
    assert program is not None
    data: bytes = program.model_proto.SerializeToString()
    return data


def torch_bytes(network: nn.Module, shape: Shape) -> bytes:
    """What `torch.export.load` reads."""
    with _quietly():
        program = torch.export.export(network.eval(), (_images(shape),), dynamic_shapes=({0: _batch()},))
        file = io.BytesIO()
        torch.export.save(program, file)
    return file.getvalue()


def safetensors_bytes(network: nn.Module, metadata: Mapping[str, str]) -> bytes:
    """The same bytes each time: safetensors itself writes metadata in an order of chance."""
    from safetensors.torch import save

    data = save({name: t.contiguous() for name, t in network.state_dict().items()}, dict(metadata))
    end = 8 + int.from_bytes(data[:8], "little")  # a length, the header in JSON, then the numbers at multiples of 8
    header = json.dumps(json.loads(data[8:end]), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[end:]


def _images(shape: Shape) -> torch.Tensor:
    return torch.zeros(2, *shape)


def _batch() -> torch.export.Dim:
    return torch.export.Dim("batch", min=1)


@contextmanager
def _quietly() -> Iterator[None]:
    """What torch tells of its own insides is not for the person who exports."""
    loud = logging.getLogger("torch.onnx"), logging.getLogger("torch.export"), logging.getLogger("onnxscript")
    levels = [log.level for log in loud]
    for log in loud:
        log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for log, level in zip(loud, levels, strict=True):
            log.setLevel(level)
