"""Network with weights -> the bytes of an ONNX model, a torch.export program or a safetensors file, in evaluation mode.

The number of images in a batch stays open in the first two. Each holds the network's metadata (its digest, its unit),
nothing about the machine that wrote it, and is the same bytes each time.
"""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import GraphModule

from resbench.compiler.graph import Shape
from resbench.errors import BadInput
from resbench.escape import LONGEST, printable

LARGEST_ONNX = 2**31 - 1  # bytes of one protobuf message
TORCH_METADATA = "resbench.json"


def onnx_bytes(network: nn.Module, shape: Shape, metadata: Mapping[str, str]) -> bytes:
    """Return an ONNX model with input `images` and output `result`, without folder names.

    Raise BadInput where the extra is not installed, or above LARGEST_ONNX.
    """
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
    model = program.model_proto
    _remove_notes(model)
    for name, value in escaped(metadata).items():
        model.metadata_props.add(key=name, value=value)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _remove_notes(message: Any) -> None:
    """Remove the exporter's notes on the origin of each node: source lines with their folders, and more."""
    from google.protobuf.message import Message

    for field, value in message.ListFields():
        if field.name in ("metadata_props", "doc_string"):
            message.ClearField(field.name)
        elif field.message_type is not None:
            for part in (value,) if isinstance(value, Message) else value:
                _remove_notes(part)


def torch_bytes(network: nn.Module, shape: Shape, metadata: Mapping[str, str]) -> bytes:
    """Return a program for `torch.export.load`, without folder names; the metadata are in its extra file TORCH_METADATA."""
    with _quietly():
        program = torch.export.export(network.eval(), (_images(shape),), dynamic_shapes=({0: _batch()},))
        for module in program.graph_module.modules():
            for node in module.graph.nodes if isinstance(module, GraphModule) else ():
                node.meta.pop("stack_trace", None)  # lines of source, with the folders they are in
        file = io.BytesIO()
        torch.export.save(program, file, extra_files={TORCH_METADATA: json.dumps(escaped(metadata))})
    return file.getvalue()


def safetensors_bytes(state: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Return the same bytes each time: safetensors itself writes metadata in arbitrary order."""
    from safetensors.torch import save

    data = save({name: t.cpu().contiguous() for name, t in state.items()}, escaped(metadata))
    end = 8 + int.from_bytes(data[:8], "little")  # a length, the header in JSON, then the numbers at multiples of 8
    header = json.dumps(json.loads(data[8:end]), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[end:]


def escaped(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata sorted by name and printable, whatever the name of a unit."""
    return {printable(name): printable(value, LONGEST) for name, value in sorted(metadata.items())}


def _images(shape: Shape) -> torch.Tensor:
    return torch.zeros(2, *shape)


def _batch() -> torch.export.Dim:
    return torch.export.Dim("batch", min=1)


@contextmanager
def _quietly() -> Iterator[None]:
    """Suppress torch's messages about its internals, which do not concern the user."""
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
