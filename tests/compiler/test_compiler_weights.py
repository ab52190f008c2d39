"""Files of weights: what fits is copied, whatever else stands in a file is told with its name, and none of it is run."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

from resbench.compiler import export
from resbench.compiler.weights import read_weights
from resbench.errors import BadInput
from resbench.verify import reference

WEIGHTS = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.tensor([1.0, 2.0])}


def saved(state: Any, *, old: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(state, file, _use_new_zipfile_serialization=not old)
    return file.getvalue()


@pytest.mark.parametrize("state", [WEIGHTS, {"state_dict": WEIGHTS, "epoch": 3}, nn.Linear(3, 2).state_dict()])
@pytest.mark.parametrize("old", [False, True])
def test_a_state_dict_is_read_as_torch_saves_it_now_and_did_before(
    old: bool, state: dict[str, Any], tmp_path: Path
) -> None:
    path, network = tmp_path / "x.pth", nn.Linear(3, 2)
    path.write_bytes(saved(state, old=old))
    reference.load_weights(network, path)
    wanted: dict[str, Tensor] = state.get("state_dict", state)
    assert all(network.state_dict()[name].equal(tensor) for name, tensor in wanted.items())


def test_tensors_that_share_their_numbers_or_take_a_part_of_them(tmp_path: Path) -> None:
    whole = torch.arange(20.0)
    (tmp_path / "x.pth").write_bytes(
        saved({"weight": whole[4:10].view(3, 2).t(), "bias": whole[::10], "none": torch.zeros(0)})
    )
    read = read_weights(tmp_path / "x.pth")
    assert read["weight"].tolist() == [[4, 6, 8], [5, 7, 9]]
    assert read["bias"].tolist() == [0, 10]


class Harmless:
    """Of a class, which a pickle can hold and no state dict needs."""


ANOTHER = "a tensor with all its numbers is needed, got a sparse, quantized or empty one"
FORMATS = "expected a `.safetensors` file, or a state dict that torch.save wrote"
NO_STATE: dict[str, tuple[Any, str]] = {
    "a list": ([WEIGHTS["bias"]], "a state dict is needed, got list"),
    "a tensor": (WEIGHTS["bias"], "a state dict is needed, got Tensor"),
    "nothing in it": ({"state_dict": None}, "a state dict is needed, got NoneType"),
    "names that are numbers": ({7: WEIGHTS["bias"]}, "a name is needed for each tensor, got 7"),
    "a list of numbers": ({"weight": [1.0]}, "weight: a tensor is needed, got list"),
    "a sparse tensor": ({"weight": WEIGHTS["weight"].to_sparse()}, f"weight: {ANOTHER}"),
    "a tensor without numbers": ({"weight": WEIGHTS["weight"].to("meta")}, f"weight: {ANOTHER}"),
    "an object": (
        Harmless(),
        f"{FORMATS}; it is damaged, or holds more than names and tensors: save `state_dict()` alone",
    ),
}


@pytest.mark.parametrize("what", NO_STATE)
def test_what_is_no_state_dict(what: str, tmp_path: Path) -> None:
    state, words = NO_STATE[what]
    (tmp_path / "x.pth").write_bytes(saved(state))
    with pytest.raises(BadInput) as caught:
        read_weights(tmp_path / "x.pth")
    assert str(caught.value) == f"{tmp_path / 'x.pth'}: no weights can be read: {words}"


def members(raw: bytes, change: Callable[[str, bytes], bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", compression) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


@pytest.mark.parametrize(
    ("number", "words"), [(b"K\x08", "weight has another size than the file holds"), (b"J\xff\xff\xff\x7f", r"\w+")]
)
def test_sizes_that_a_file_only_speaks_of(number: bytes, words: str, tmp_path: Path) -> None:
    """More numbers than there are: none is read from behind them, in this file or anywhere."""

    def more(name: str, content: bytes) -> bytes:
        return content.replace(b"K\x04", number) if name.endswith(".pkl") else content

    (tmp_path / "x.pth").write_bytes(members(saved({"weight": torch.arange(4.0)}), more))
    with pytest.raises(BadInput, match=rf"x\.pth: no weights can be read: {words}"):
        read_weights(tmp_path / "x.pth")


def test_an_archive_that_is_packed_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(
        members(saved({"weight": torch.zeros(100_000)}), lambda name, content: content, zipfile.ZIP_DEFLATED)
    )
    with pytest.raises(BadInput, match=r"x\.pth: no weights can be read: archive/data\.pkl in it is compressed"):
        read_weights(path)


def test_no_advice_to_read_it_without_protection(tmp_path: Path) -> None:
    for old in (False, True):
        (tmp_path / "x.pth").write_bytes(saved(Harmless(), old=old))
        with pytest.raises(BadInput) as caught:
            read_weights(tmp_path / "x.pth")
        assert "weights_only" not in str(caught.value)


BROKEN = (b"", b"x", b"PK\x03\x04", b"\x80\x02}", b"\x80\x02]q\x00.", b"{}", bytes(200), (2**62).to_bytes(8, "little") + b"{}",
          (2).to_bytes(8, "little") + b"[]", b"unit: plain\ndoc: none\n",
          (4).to_bytes(8, "little") + b"\xff{} ")  # fmt: skip


@pytest.mark.parametrize("raw", BROKEN)
@pytest.mark.parametrize("name", ["x.safetensors", "x.pth", "x.bin"])
def test_what_is_no_file_of_weights(name: str, raw: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(raw)
    for load in (export.load_weights, reference.load_weights):
        with pytest.raises(BadInput, match=rf"{name}: no weights can be read: \S") as caught:
            load(nn.Linear(3, 2), tmp_path / name)
        assert FORMATS in str(caught.value) or "is needed, got" in str(caught.value)
        assert "Error" not in str(caught.value)


def test_what_is_no_ordinary_file(tmp_path: Path) -> None:
    """It is not opened: a pipe would never end."""
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("gone", "no such file"), (".", "is no ordinary file"), ("pipe", "is no ordinary file")):
        with pytest.raises(BadInput, match=f"no weights can be read: {words}"):
            read_weights(tmp_path / name)


@pytest.mark.parametrize("kind", [torch.complex64, torch.int64, torch.bool])
def test_numbers_of_another_kind_are_not_made_to_fit(kind: torch.dtype, tmp_path: Path) -> None:
    network, path = nn.Linear(3, 2), tmp_path / "x.safetensors"
    before = network.weight.detach().clone()
    path.write_bytes(save(WEIGHTS | {"bias": torch.zeros(2).to(kind)}))
    for load, words in (
        (export.load_weights, "other numbers"),
        (reference.load_weights, "not weights of this reference"),
    ):
        with pytest.raises(BadInput, match=rf"x\.safetensors: .*{words}: bias is torch\.\w+, not torch\.float32"):
            load(network, path)
    assert network.weight.equal(before)
    path.write_bytes(save({name: tensor.half() for name, tensor in WEIGHTS.items()}))
    export.load_weights(network, path)
    assert network.weight.equal(WEIGHTS["weight"])


def test_names_in_a_file_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(save(WEIGHTS | {"\x1b[31m" + "a" * 5000: torch.zeros(1)}))
    with pytest.raises(BadInput, match=r"has besides \\x1b\[31ma+\.\.\.$") as caught:
        export.load_weights(nn.Linear(3, 2), path)
    assert len(str(caught.value)) < 1000
