"""A folder of images, one folder for each class -> train, val, test, decoded on demand.

The layout is `PATH/CLASS/*.png`, or `PATH/train/CLASS/*` with `val` or `test` beside it. A missing split is drawn from the
training images, a tenth of each class (at least one image), by a hash of the place in the class, so that the same files give the
same splits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from resbench.data.held_out import tenth_by_class
from resbench.data.images.formats import SUFFIXES, is_hidden, is_image
from resbench.data.images.levels import LevelsSetting
from resbench.data.images.tree import Beside, entries, images_below, is_file, is_folder
from resbench.data.info import DatasetInfo
from resbench.data.paths import find
from resbench.data.registry import configured
from resbench.errors import Reason
from resbench.language.yaml.models import Model

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

NAME = "image_folder"
SPLITS = ("train", "val", "test")
Image = tuple[Path, int]  # with its label


class Folder(Model):
    path: str = Field(min_length=1, description="The folder; if it does not exist, it is searched in the data folders.")
    size: Annotated[int, Field(ge=4, le=4096)] = Field(
        64, description="Side of the square that each image is resized to, in pixels."
    )
    channels: Literal[1, 3] = Field(3, description="3 for colour, 1 for grey.")
    levels: LevelsSetting | None = Field(
        None,
        description="Black and white of grey images of more than 8 bits; by default 16 bits use the range of their type.",
    )
    transparent: Literal["white", "black"] = Field("white", description="The colour behind transparent pixels.")
    allow_copies: bool = Field(False, description="Whether the same file may be in two splits.")


@dataclass(frozen=True, slots=True)
class Tree:
    """The images of each split, and the other entries of the folder."""

    classes: tuple[str, ...]
    images: dict[str, list[Image]]
    beside: Beside = field(default_factory=Beside)


def about(folder: Folder) -> DatasetInfo:
    return _info(folder, _tree(find(folder.path, Path.is_dir, "folder")))


def _info(folder: Folder, tree: Tree) -> DatasetInfo:
    train, val, test = (len(tree.images[split]) for split in SPLITS)
    return DatasetInfo(
        name=NAME,
        input_shape=(folder.channels, folder.size, folder.size),
        n_classes=len(tree.classes),
        n_train=train,
        n_val=val,
        n_test=test,
        source=f"images in {folder.path}",
        licence="not stated",
    )


@configured(NAME, Folder, about)
def image_folder(folder: Folder) -> Dataset:
    import torch

    from resbench.data.dataset import Dataset
    from resbench.data.image_files import ImageFiles
    from resbench.data.images.pixels import Rules

    tree = _tree(find(folder.path, Path.is_dir, "folder"))
    known = _info(folder, tree)
    images = [image for split in SPLITS for image in tree.images[split]]
    ends = [0, known.n_train, known.n_train + known.n_val, len(images)]
    return Dataset(
        name=NAME,
        images=ImageFiles(
            tuple(path for path, _ in images), folder.size, Rules(folder.channels, folder.levels, folder.transparent)
        ),
        labels=torch.tensor([label for _, label in images]),
        splits={split: torch.arange(ends[i], ends[i + 1]) for i, split in enumerate(SPLITS)},
        classes=tree.classes,
        source=known.source,
        licence=known.licence,
        notes=tuple(tree.beside.sentences()),
        copies="reported" if folder.allow_copies else "refused",
    )


def _tree(root: Path) -> Tree:
    """Read the folder. Raises Reason if there are fewer than two classes, or a class has too few images."""
    beside = Beside()
    parts = {split: root / split for split in SPLITS if (root / split).is_dir()}
    if parts and (strange := sorted({path.name for path in _folders(root)} ^ set(parts) | {"train"} - set(parts))):
        raise Reason(
            f"{root}: expected only the folders train, val and test, of which train is required; check {strange[0]}"
        )
    if parts:
        _note(root, beside)
    parts = parts or {"train": root}
    classes = tuple(path.name for path in _folders(parts["train"]))
    if len(classes) < 2:
        raise Reason(
            f"{parts['train']}: expected two or more folders of images, one for each class, got {len(classes)}"
        )
    images = {split: _images(folder, classes, beside) for split, folder in parts.items()}
    needed = 1 + len(SPLITS) - len(parts)
    counts = Counter(label for _, label in images["train"])
    for label, name in enumerate(classes):
        if counts[label] < needed:
            raise Reason(
                f"{parts['train'] / name}: expected at least {needed} images for the splits, got {counts[label]}"
            )
    for split in ("test", "val"):
        if split not in images:
            images["train"], images[split] = _draw(images["train"], split)
    return Tree(classes, images, beside)


def _folders(folder: Path) -> Iterator[Path]:
    """Yield the folders that are not hidden, by name; each is a class or a split."""
    yield from (folder / each.name for each in entries(folder) if is_folder(each) and not is_hidden(each.name))


def _note(folder: Path, beside: Beside) -> None:
    """Add the entries beside the folders of classes or splits to `beside`."""
    for each in entries(folder):
        if is_hidden(each.name):
            beside.hidden.append(folder / each.name)
        elif is_image(each.name) and is_file(each):
            beside.loose.append(folder / each.name)


def _images(folder: Path, classes: tuple[str, ...], beside: Beside) -> list[Image]:
    other = {path.name for path in _folders(folder)} - set(classes)
    if other:
        raise Reason(f"{folder}: there are no training images of its class `{min(other)}`")
    _note(folder, beside)
    found: list[Image] = []
    for label, name in enumerate(classes):
        files = images_below(folder / name, beside) if (folder / name).is_dir() else []
        if not files:
            raise Reason(f"{folder / name}: there is no image; the known suffixes are {', '.join(sorted(SUFFIXES))}")
        found += [(path, label) for path in files]
    return found


def _draw(images: list[Image], split: str) -> tuple[list[Image], list[Image]]:
    """Return the remaining training images, and those that are drawn from them."""
    drawn = tenth_by_class([label for _, label in images], f"{NAME} {split}")
    chosen = set(drawn)
    return [image for i, image in enumerate(images) if i not in chosen], [images[i] for i in drawn]
