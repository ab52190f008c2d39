"""A folder of images, one folder for each class -> train, val, test, decoded as they are needed.

`PATH/CLASS/*.png`, or `PATH/train/CLASS/*` with `val` or `test` beside it. What is not there is drawn from the training images,
a tenth of each class (at least one image), by a hash of its place in the class, so that the same files give the same splits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from resbench.data.info import DatasetInfo
from resbench.data.public import folders
from resbench.data.registry import configured
from resbench.errors import Fact
from resbench.seeds import stream
from resbench.spec.model import Model

if TYPE_CHECKING:
    from resbench.data.dataset import Dataset

NAME = "image_folder"
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
SPLITS = ("train", "val", "test")
Image = tuple[Path, int]  # and its label


class Folder(Model):
    path: str = Field(min_length=1, description="The folder; else it is looked for where all data are.")
    size: Annotated[int, Field(ge=4, le=4096)] = Field(
        64, description="Pixels of a side of the square that each image is brought to."
    )
    channels: Literal[1, 3] = Field(3, description="3 of colour, 1 of grey.")


@dataclass(frozen=True, slots=True)
class Tree:
    """The images of each split."""

    classes: tuple[str, ...]
    images: dict[str, list[Image]]


def about(folder: Folder) -> DatasetInfo:
    tree = _tree(_find(folder.path))
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
    from resbench.data.files import Files

    tree, known = _tree(_find(folder.path)), about(folder)
    images = [image for split in SPLITS for image in tree.images[split]]
    ends = [0, known.n_train, known.n_train + known.n_val, len(images)]
    return Dataset(
        name=NAME,
        images=Files(tuple(path for path, _ in images), folder.size, folder.channels),
        labels=torch.tensor([label for _, label in images]),
        splits={split: torch.arange(ends[i], ends[i + 1]) for i, split in enumerate(SPLITS)},
        classes=tree.classes,
        source=known.source,
        licence=known.licence,
    )


def _find(path: str) -> Path:
    """As it stands, or where all data are looked for. Raises Fact."""
    given = Path(path).expanduser()
    places = [given, *(folder / path for folder in folders() if not given.is_absolute())]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise Fact(f"`path`: there is no folder {' and no '.join(map(str, places))}")
    return found


def _tree(root: Path) -> Tree:
    """Raises Fact where there are not two classes, or one without enough images."""
    parts = {split: root / split for split in SPLITS if (root / split).is_dir()}
    if parts and (strange := sorted(set(_classes(root)) ^ set(parts) | {"train"} - set(parts))):
        raise Fact(
            f"{root}: beside {', '.join(parts)} there may be train, val and test, and train must; look at {strange[0]}"
        )
    parts = parts or {"train": root}
    classes = _classes(parts["train"])
    if len(classes) < 2:
        raise Fact(
            f"{parts['train']}: two or more folders of images are needed, one for each class; there are {len(classes)}"
        )
    images = {split: _images(folder, classes) for split, folder in parts.items()}
    needed = 1 + len(SPLITS) - len(parts)
    for label, name in enumerate(classes):
        count = sum(image[1] == label for image in images["train"])
        if count < needed:
            raise Fact(
                f"{parts['train'] / name}: {needed} images are needed, to be dealt to the splits; there are {count}"
            )
    for split in ("test", "val"):
        if split not in images:
            images["train"], images[split] = _draw(images["train"], split)
    return Tree(classes, images)


def _classes(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")))


def _images(folder: Path, classes: tuple[str, ...]) -> list[Image]:
    other = set(_classes(folder)) - set(classes)
    if other:
        raise Fact(f"{folder}: there are no training images of its class `{min(other)}`")
    found: list[Image] = []
    for label, name in enumerate(classes):
        of_class = sorted((folder / name).rglob("*")) if (folder / name).is_dir() else []
        files = [(path, label) for path in of_class if path.suffix.lower() in SUFFIXES and path.is_file()]
        if not files:
            raise Fact(f"{folder / name}: there is no image; known are {', '.join(sorted(SUFFIXES))}")
        found += files
    return found


def _draw(images: list[Image], split: str) -> tuple[list[Image], list[Image]]:
    """What is left of the training images, and what is drawn from them."""
    left, drawn = [], []
    for label in range(images[-1][1] + 1):
        of_class = [image for image in images if image[1] == label]
        order = sorted(range(len(of_class)), key=lambda i: stream(0, i, f"{NAME} {split}"))
        chosen = set(order[: max(1, len(of_class) // 10)])
        drawn += [image for i, image in enumerate(of_class) if i in chosen]
        left += [image for i, image in enumerate(of_class) if i not in chosen]
    return left, drawn
