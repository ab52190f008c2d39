"""scikit-learn's digits.csv.gz (1797 lines: 64 values of 0 to 16, then the class) -> files/digits.npz.

    python -m resbench.data.make.digits DIGITS_CSV_GZ [TARGET.npz]

The file is `sklearn/datasets/data/digits.csv.gz` in a scikit-learn wheel.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resbench.data.make.archive import Arrays
from resbench.data.make.command import command
from resbench.data.make.draw import shuffled_by_class, take
from resbench.data.sets.digits import SHA256
from resbench.errors import BadInput

PER_CLASS = 34  # in val and in test; the rest is train


def scale(counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Scale 0 to 16 to 0 to 255, halves rounded up; integer arithmetic makes it exact.

    >>> scale(np.array([0, 1, 8, 16])).tolist()
    [0, 16, 128, 255]
    """
    return ((counts * 255 + 8) // 16).astype(np.uint8)


def arrays(csv_gz: Path) -> Arrays:
    """Return images, labels and splits; the images stay in the order of the file."""
    table = read_table(csv_gz)
    labels = table[:, 64]
    by_class = shuffled_by_class(labels, "split of digits")
    return {
        "images": scale(table[:, :64]).reshape(-1, 1, 8, 8),
        "labels": labels,
        "test": take(by_class, 0, PER_CLASS),
        "val": take(by_class, PER_CLASS, 2 * PER_CLASS),
        "train": take(by_class, 2 * PER_CLASS, None),
    }


def read_table(path: Path) -> NDArray[np.int64]:
    try:
        with gzip.open(path, "rt", encoding="ascii") as lines:
            table = np.loadtxt(lines, delimiter=",", dtype=np.int64, ndmin=2)
    except (OSError, EOFError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as a gzipped table of integers: {error}") from None
    if table.shape[1] != 65 or not 0 <= table[:, :64].min() <= table[:, :64].max() <= 16:
        raise BadInput(f"{path}: expected 64 values of 0 to 16 and a class in each line, got shape {table.shape}")
    return table


if __name__ == "__main__":
    command("digits", "scikit-learn's digits.csv.gz", arrays, SHA256, sys.argv[1:])
