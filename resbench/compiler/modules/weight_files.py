"""A file of weights, safetensors or a torch state dict -> named tensors.  Nothing in a file is executed.

The file may come from anyone. A state dict that torch saved is mapped, not read: wrong sizes in it cannot lead outside
the file, and take no memory.
"""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from resbench.errors import BadInput, Reason
from resbench.escape import printable
from resbench.language.yaml.problems import listed

_ZIP = b"PK\x03\x04"
_HOLDERS = ("state_dict", "model_state_dict", "model")  # names of the state dict in checkpoints
_FORMATS = "expected a `.safetensors` file, or a state dict that torch.save wrote"
Named = Mapping[str, Tensor]


def read_weights(path: Path) -> Named:
    """Read every tensor of a `.safetensors` file, or else of a state dict. Raise BadInput, which names the file."""
    shown = printable(str(path), 200)
    try:
        if not path.is_file():
            raise Reason("no such file" if not path.exists() else "is no ordinary file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's warnings about a file's internals do not concern the user
            return _safetensors(path) if path.suffix == ".safetensors" else _state(_loaded(path))
    except Reason as fact:
        raise BadInput(f"{shown}: no weights can be read: {fact}") from None
    except UnpicklingError:  # torch's own message advises the user to read it without protection
        raise BadInput(
            f"{shown}: no weights can be read: {_FORMATS}; it is damaged, or holds more than names and tensors: "
            "save `state_dict()` alone"
        ) from None
    except OSError as error:
        raise BadInput(f"{shown}: no weights can be read: {error.strerror or 'it is damaged'}") from None
    except Exception:  # a library's message is about its own internals, and does not help
        raise BadInput(f"{shown}: no weights can be read: {_FORMATS}; this file is neither, or it is damaged") from None


def _safetensors(path: Path) -> Named:
    from safetensors.torch import load_file

    return load_file(path)


def _loaded(path: Path) -> Any:
    with path.open("rb") as file:
        is_zip = file.read(len(_ZIP)) == _ZIP
    if not is_zip:  # the format of torch before 1.6; its reader checks the file's sizes
        return torch.load(path, map_location="cpu", weights_only=True)
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    packed = next((member.filename for member in members if member.compress_type != zipfile.ZIP_STORED), None)
    if packed is not None:
        raise Reason(f"{printable(packed)} in it is compressed, which torch.save does not do")
    loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    sizes = {member.file_size for member in members}
    for name, tensor in _state(loaded).items():
        if tensor.untyped_storage().nbytes() not in sizes:
            raise Reason(f"{printable(name)} has another size than the file holds")
    return loaded


def _state(loaded: Any) -> Named:
    """Return the state dict, or the one in a checkpoint. Raise Reason for anything except names and plain tensors."""
    found = loaded
    for _ in _HOLDERS:  # no deeper: a dict may hold itself
        key = next((key for key in _HOLDERS if isinstance(found, dict) and key in found), None)
        if key is None or isinstance(found[key], Tensor):  # a parameter may have this name
            break
        found = found[key]
    if not isinstance(found, dict):
        raise Reason(f"expected a state dict, got {type(found).__name__}")
    elsewhere = [key for key, value in found.items() if _is_state(value)]
    if elsewhere:
        raise Reason(
            f"expected names and tensors, or a state dict under {', '.join(_HOLDERS)}, got one under "
            f"{listed([f'`{printable(str(key), 40)}`' for key in elsewhere], 5)}; save that one alone: "
            "torch.save(checkpoint[KEY], FILE)"
        )
    for name, value in found.items():
        if not isinstance(name, str):
            raise Reason(f"expected a name for each tensor, got {printable(repr(name))}")
        if not isinstance(value, Tensor):
            raise Reason(f"{printable(name)}: expected a tensor, got {type(value).__name__}")
        if value.layout != torch.strided or value.is_quantized or value.is_nested or value.is_meta:
            raise Reason(
                f"{printable(name)}: expected a tensor with all its numbers, got a sparse, quantized or empty one"
            )
    return found


def _is_state(value: Any) -> bool:
    """Return whether a value of a checkpoint maps names to tensors."""
    return (
        isinstance(value, dict) and bool(value)
        and all(isinstance(name, str) and isinstance(one, Tensor) for name, one in value.items())
    )  # fmt: skip


def read_bytes(content: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a safetensors file, and its metadata. Raise ValueError for anything else."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(content)
    except SafetensorError as error:
        raise ValueError(str(error)) from None
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return tensors, header.get("__metadata__") or {}
