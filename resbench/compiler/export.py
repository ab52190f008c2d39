"""Network with weights -> the bytes of an ONNX model, a torch.export program or a safetensors file, in evaluation mode.

The number of images in a batch stays open in the first two. Weights come back from safetensors only, where nothing is executed.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from resbench.compiler.graph import Shape
from resbench.compiler.weights import other_numbers, other_shapes, read_weights
from resbench.compiler.weights_file import weights_bytes
from resbench.errors import BadInput
from resbench.escape import printable

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
    """Its weights alone."""
    return weights_bytes(network.state_dict(), metadata)


def load_weights(network: nn.Module, path: Path) -> None:
    """Every tensor of the network from a safetensors file, and no other. Raises BadInput with what does not fit."""
    given = read_weights(path)
    own = network.state_dict()
    wrong = [
        *_some("lacks", [name for name in own if name not in given]),
        *_some("has besides", [name for name in given if name not in own]),
        *_some("other shapes:", other_shapes(network, given)),
        *_some("other numbers:", other_numbers(network, given)),
    ]
    if wrong:
        raise BadInput(f"{printable(str(path), 200)}: these are weights of another network: {'; '.join(wrong)}")
    network.load_state_dict(given)


def _some(what: str, names: list[str], shown: int = 3) -> list[str]:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return [f"{what} {', '.join(printable(name, 200) for name in names[:shown])}{more}"] if names else []


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
