"""A file of weights, safetensors or a torch state dict -> named tensors.  Nothing in a file is executed.

The file may be anybody's. A state dict that torch saved is mapped, not read: what it says of its sizes leads to no byte outside
of the file, and takes no memory.
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
_HOLDERS = ("state_dict", "model_state_dict", "model")  # what checkpoints call their state dict
_FORMATS = "expected a `.safetensors` file, or a state dict that torch.save wrote"
Named = Mapping[str, Tensor]


def read_weights(path: Path) -> Named:
    """Read every tensor of a `.safetensors` file, or else of a state dict. Raises BadInput, which names the file."""
    shown = printable(str(path), 200)
    try:
        if not path.is_file():
            raise Reason("no such file" if not path.exists() else "is no ordinary file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch thinks of the insides of a file is not for who gives it
            return _safetensors(path) if path.suffix == ".safetensors" else _state(_loaded(path))
    except Reason as fact:
        raise BadInput(f"{shown}: no weights can be read: {fact}") from None
    except UnpicklingError:  # torch's own words tell a user to read it with no protection
        raise BadInput(
            f"{shown}: no weights can be read: {_FORMATS}; it is damaged, or holds more than names and tensors: "
            "save `state_dict()` alone"
        ) from None
    except OSError as error:
        raise BadInput(f"{shown}: no weights can be read: {error.strerror or 'it is damaged'}") from None
    except Exception:  # what a library finds in it is about its own insides, and no help
        raise BadInput(f"{shown}: no weights can be read: {_FORMATS}; this file is neither, or it is damaged") from None


def _safetensors(path: Path) -> Named:
    from safetensors.torch import load_file

    return load_file(path)


def _loaded(path: Path) -> Any:
    with path.open("rb") as file:
        is_zip = file.read(len(_ZIP)) == _ZIP
    if not is_zip:  # as torch saved before 1.6; it checks what the file says of its sizes
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
    """Return the state dict, or the one in a checkpoint. Raises Reason for anything but names and plain tensors."""
    found = loaded
    for _ in _HOLDERS:  # no deeper: a dict may hold itself
        key = next((key for key in _HOLDERS if isinstance(found, dict) and key in found), None)
        if key is None or isinstance(found[key], Tensor):  # a parameter may be called so
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
    """Return whether a value of a checkpoint is names and tensors itself."""
    return (
        isinstance(value, dict) and bool(value)
        and all(isinstance(name, str) and isinstance(one, Tensor) for name, one in value.items())
    )  # fmt: skip


def read_bytes(content: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a safetensors file, and what it says of itself. Raises ValueError for anything else."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(content)
    except SafetensorError as error:
        raise ValueError(str(error)) from None
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return tensors, header.get("__metadata__") or {}
