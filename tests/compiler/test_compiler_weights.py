"""Files of weights: the tensors in them are read, and nothing of them is run."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from resbench.compiler.modules.weight_files import read_weights
from resbench.errors import BadInput

WEIGHTS = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.tensor([1.0, 2.0])}


def saved(state: Any, *, old: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(state, file, _use_new_zipfile_serialization=not old)
    return file.getvalue()


HELD = [
    WEIGHTS,
    nn.Linear(3, 2).state_dict(),
    {"state_dict": WEIGHTS, "epoch": 3},
    {"model": WEIGHTS, "optimizer": {"state": {0: torch.zeros(2)}, "param_groups": [{"lr": 0.1}]}},
    {"epoch": 3, "model_state_dict": WEIGHTS},
    {"model": {"state_dict": WEIGHTS}},
]


@pytest.mark.parametrize("state", HELD)
@pytest.mark.parametrize("old", [False, True])
def test_a_state_dict_is_read_as_torch_saves_it_now_and_did_before(
    old: bool, state: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(saved(state, old=old))
    wanted: dict[str, Tensor] = WEIGHTS if "weight" not in state else state
    read = read_weights(path)
    assert {name: tensor.tolist() for name, tensor in read.items()} == {n: t.tolist() for n, t in wanted.items()}


def test_a_parameter_may_be_called_model(tmp_path: Path) -> None:
    (tmp_path / "x.pth").write_bytes(saved({"model": torch.ones(2), "state_dict": torch.zeros(1)}))
    assert set(read_weights(tmp_path / "x.pth")) == {"model", "state_dict"}


def test_a_checkpoint_that_holds_itself(tmp_path: Path) -> None:
    state: dict[str, Any] = {}
    state["model"] = state
    (tmp_path / "x.pth").write_bytes(saved(state))
    with pytest.raises(BadInput, match="no weights can be read: model: expected a tensor, got dict"):
        read_weights(tmp_path / "x.pth")


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


ANOTHER = "expected a tensor with all its numbers, got a sparse, quantized or empty one"
FORMATS = "expected a `.safetensors` file, or a state dict that torch.save wrote"
NO_STATE: dict[str, tuple[Any, str]] = {
    "a list": ([WEIGHTS["bias"]], "expected a state dict, got list"),
    "a tensor": (WEIGHTS["bias"], "expected a state dict, got Tensor"),
    "nothing in it": ({"state_dict": None}, "expected a state dict, got NoneType"),
    "names that are numbers": ({7: WEIGHTS["bias"]}, "expected a name for each tensor, got 7"),
    "a list of numbers": ({"weight": [1.0]}, "weight: expected a tensor, got list"),
    "a state dict under another key": (
        {"epoch": 3, "net": WEIGHTS, "ema": WEIGHTS, "optimizer": {"state": {}}},
        "expected names and tensors, or a state dict under state_dict, model_state_dict, model, got one under `net`, `ema`; save "
        "that one alone: torch.save(checkpoint[KEY], FILE)",
    ),
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
    with pytest.raises(BadInput, match=rf"{name}: no weights can be read: \S") as caught:
        read_weights(tmp_path / name)
    assert FORMATS in str(caught.value) or "is needed, got" in str(caught.value)
    assert "Error" not in str(caught.value)


def test_what_is_no_ordinary_file(tmp_path: Path) -> None:
    """It is not opened: a pipe would never end."""
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("gone", "no such file"), (".", "is no ordinary file"), ("pipe", "is no ordinary file")):
        with pytest.raises(BadInput, match=f"no weights can be read: {words}"):
            read_weights(tmp_path / name)
