"""Fashion-MNIST's four IDX files (70 000 images of 28x28) -> files/fashion_mini.npz (5000 of 14x14).

    python -m resbench.data.make.fashion_mini SOURCE_FOLDER [TARGET.npz]

SOURCE_FOLDER is /usr/share/datasets/fashion-mnist of Debian's package dataset-fashion-mnist, or torchvision's
FashionMNIST/raw; the files may be gzipped or not.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resbench.data.make.archive import Arrays
from resbench.data.make.command import command
from resbench.data.make.draw import Index, shuffled_by_class, take
from resbench.data.make.idx import read_idx
from resbench.data.sets.fashion_mini import SHA256
from resbench.errors import BadInput

TRAIN, VAL, TEST = 300, 100, 100  # images of each class


def pool(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """B H W -> B 1 H/2 W/2: the mean of each block of 2x2, halves rounded up; integer arithmetic makes it exact.

    >>> pool(np.array([[[0, 1, 9, 9], [0, 1, 9, 9]]], dtype=np.uint8)).tolist()
    [[[[1, 9]]]]
    """
    n, height, width = images.shape
    blocks = images.reshape(n, 1, height // 2, 2, width // 2, 2).astype(np.int64)
    pooled: NDArray[np.int64] = (blocks.sum(axis=(3, 5)) + 2) // 4
    return pooled.astype(np.uint8)


def arrays(folder: Path) -> Arrays:
    """Return the arrays: train and val from the train file, test from the t10k file; images in the order train, val, test."""
    train_images, train_labels = _read(folder, "train", TRAIN + VAL)
    test_images, test_labels = _read(folder, "t10k", TEST)
    by_class = shuffled_by_class(train_labels, "fashion_mini, train and val")
    train, val = take(by_class, 0, TRAIN), take(by_class, TRAIN, TRAIN + VAL)
    test = take(shuffled_by_class(test_labels, "fashion_mini, test"), 0, TEST)
    ends = np.cumsum([len(train), len(val), len(test)])
    return {
        "images": pool(np.concatenate([train_images[train], train_images[val], test_images[test]])),
        "labels": np.concatenate([train_labels[train], train_labels[val], test_labels[test]]),
        "train": np.arange(0, ends[0]),
        "val": np.arange(ends[0], ends[1]),
        "test": np.arange(ends[1], ends[2]),
    }


def _read(folder: Path, part: str, needed: int) -> tuple[NDArray[np.uint8], Index]:
    """Return one of the two parts: images B 28 28 and labels B, with at least `needed` images in each of the ten classes."""
    images = read_idx(folder, f"{part}-images-idx3-ubyte")
    labels = read_idx(folder, f"{part}-labels-idx1-ubyte").astype(np.int64)
    if images.shape != (len(labels), 28, 28) or labels.ndim != 1:
        raise BadInput(f"{part} in {folder}: images of shape {images.shape} do not fit labels of shape {labels.shape}")
    counts = np.bincount(labels, minlength=10)
    if len(counts) > 10 or counts.min() < needed:
        raise BadInput(f"{part} in {folder}: expected {needed} images of each of 10 classes, got {counts.tolist()}")
    return images, labels


if __name__ == "__main__":
    command("fashion_mini", "the folder with Fashion-MNIST's four IDX files", arrays, SHA256, sys.argv[1:])
