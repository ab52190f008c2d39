"""The registry: fills itself without torch, refuses duplicates, and says what is wrong with a name or with the data."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from resbench.data import registry, sets, shipped
from resbench.data.dataset import Dataset, describe
from resbench.data.info import DatasetInfo
from resbench.errors import BadInput, PluginError, Reason

MINE = DatasetInfo("mine", (1, 2, 2), 2, 2, 1, 1, "made up", "none")


def made(info: DatasetInfo) -> Dataset:
    splits = {"train": torch.tensor([0, 1]), "val": torch.tensor([2]), "test": torch.tensor([3])}
    images = torch.zeros(4, 1, 2, 2, dtype=torch.uint8)
    return Dataset(info.name, images, torch.arange(4) % 2, splits, ("a", "b"), info.source, info.licence)


@pytest.fixture(autouse=True)
def _restore(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    registry.names()
    monkeypatch.setattr(registry, "_entries", dict(registry._entries))


def fails_with(error: Exception) -> Callable[[], Dataset]:
    def loader() -> Dataset:
        raise error

    return loader


OWN = (
    "arrays",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mini",
    "fashion_mnist",
    "image_folder",
    "mnist",
    "shapes",
    "svhn",
)


def test_names_are_the_files_of_the_folder() -> None:
    folder = Path(sets.__path__[0])
    assert registry.names() == tuple(sorted(f.stem for f in folder.glob("*.py") if f.stem != "__init__"))


@pytest.mark.parametrize("first", ["registry", "sets.digits", "sets.fashion_mini"])
def test_fills_without_torch_or_numpy_whatever_is_imported_first(first: str) -> None:
    code = (
        f"import sys, resbench.data.{first}; from resbench.data import registry;"
        "print(registry.names(), registry.info('digits').n_val);"
        "print([m for m in ('torch', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{OWN} 340\n[]\n"


@pytest.mark.parametrize("name", ["digits", "fashion_mini", "shapes"])
def test_info_is_equal_to_the_loaded_data(name: str) -> None:
    assert describe(registry.load(name)) == registry.info(name)


def test_registers_and_loads() -> None:
    @registry.dataset(MINE)
    def mine() -> Dataset:
        return made(MINE)

    assert registry.names() == tuple(sorted((*OWN, "mine")))
    assert registry.info("mine") is MINE
    assert registry.load("mine").labels.tolist() == [0, 1, 0, 1]
    assert mine().name == "mine", "the decorator hands the function back"


def test_duplicate_names_both_origins() -> None:
    with pytest.raises(PluginError) as caught:
        registry.dataset(replace(MINE, name="digits"))(fails_with(Reason("x")))
    words = str(caught.value)
    assert words.startswith("data set `digits` is registered twice: by resbench.data.sets.digits.digits (")
    assert f" and by {fails_with.__module__}.fails_with.<locals>.loader ({__file__}:" in words
    assert registry.info("digits").source.startswith("E. Alpaydin")


def test_a_plugin_imported_first_cannot_take_a_shipped_name() -> None:
    code = (
        "from resbench.data.registry import dataset, info\n"
        "from resbench.data.info import DatasetInfo\n"
        "dataset(DatasetInfo('digits', (1, 2, 2), 2, 2, 1, 1, '', ''))(lambda: None)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "is registered twice: by resbench.data.sets.digits.digits (" in done.stderr


@pytest.mark.parametrize("ask", [registry.info, registry.load])
def test_unknown_name(ask: Callable[[str], object]) -> None:
    with pytest.raises(BadInput) as caught:
        ask("fashion-mini")
    assert str(caught.value) == (
        f"no data set is called `fashion-mini`; there are {', '.join(f'`{name}`' for name in OWN)}; "
        "did you mean `fashion_mini` or `fashion_mnist`?"
    )


def test_missing_file_says_where_and_what_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "FILES", tmp_path)
    with pytest.raises(BadInput) as caught:
        registry.load("digits")
    assert str(caught.value) == (
        f"data set `digits`: the file digits.npz is missing in {tmp_path} (it comes with resbench: install "
        "resbench again, or run `python -m resbench.data.make.digits`). Still available: checking, compiling and "
        "measuring networks, reading results, and the other data sets (`fashion_mini`, `shapes`)"
    )
    assert registry.info("digits").n_train == 1117


def test_altered_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray((shipped.FILES / "digits.npz").read_bytes())
    content[-1] ^= 1
    (tmp_path / "digits.npz").write_bytes(content)
    monkeypatch.setattr(shipped, "FILES", tmp_path)
    with pytest.raises(BadInput) as caught:
        registry.load("digits")
    assert f"the file digits.npz in {tmp_path} is damaged or altered: its sha256 is " in str(caught.value)


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "digits.npz").mkdir()
    monkeypatch.setattr(shipped, "FILES", tmp_path)
    with pytest.raises(BadInput, match=r"the file digits\.npz in .* cannot be read: "):
        registry.load("digits")


def test_data_unlike_their_info_are_refused() -> None:
    registry.dataset(replace(MINE, n_classes=5, n_val=2))(lambda: made(MINE))
    with pytest.raises(
        BadInput, match=r"loaded data differ from what is registered: n_classes is 2, registered as 5; n_val is 1"
    ):
        registry.load("mine")


def test_what_a_loader_raises_is_told_with_its_origin() -> None:
    registry.dataset(MINE)(fails_with(ValueError("no such column")))
    with pytest.raises(PluginError) as caught:
        registry.load("mine")
    assert str(caught.value).startswith(
        f"data set `mine`, {fails_with.__module__}.fails_with.<locals>.loader ({__file__}:"
    )
    assert str(caught.value).endswith("): ValueError: no such column")


def test_a_loader_may_say_it_itself() -> None:
    registry.dataset(MINE)(fails_with(BadInput("say it so")))
    with pytest.raises(BadInput, match=r"^say it so$"):
        registry.load("mine")
