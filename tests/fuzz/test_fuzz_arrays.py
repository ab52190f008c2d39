"""Array files of strangers: each is read, or refused with its name."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fuzz_arrays import npz_file
from fuzz_case import Figures, cases, chunks, kept

from resbench.data import shipped
from resbench.data.registry import load
from resbench.errors import ResbenchError

SAMPLE, WANTED = 80, 2_000


def base() -> bytes:
    """Images, labels and splits, as a data set of arrays has them: 40 of 8 x 8, ten classes."""
    rng, file = np.random.default_rng(0), io.BytesIO()
    order = rng.permutation(40).astype(np.int64)
    np.savez(
        file,
        images=rng.integers(0, 256, (40, 1, 8, 8), np.uint8),
        labels=np.arange(40, dtype=np.int64) % 10,
        train=np.sort(order[:20]),
        val=np.sort(order[20:30]),
        test=np.sort(order[30:]),
    )
    return file.getvalue()


def read_shipped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of a file that comes with resbench: only the very bytes that were shipped are read."""
    path.rename(path.with_name("digits.npz"))
    monkeypatch.setattr(shipped, "FILES", path.parent)
    load("digits")


def read_unchecked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, as if these were the bytes that were shipped."""
    monkeypatch.setattr(shipped, "_checked_bytes", lambda name, expected: path.read_bytes())
    load("digits")


# How an npz gets in, by name, and what a message calls it.
READERS: dict[str, tuple[Callable[[Path, pytest.MonkeyPatch], None], str]] = {
    "shipped": (read_shipped, "digits.npz"),
    "unchecked": (read_unchecked, "data set `digits`"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("chunk", chunks(SAMPLE))
def test_a_broken_file_of_arrays_is_read_or_refused(
    chunk: int, reader: str, figures: Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, (read, name) = base(), READERS[reader]
    for number in cases(chunk, SAMPLE, WANTED):
        with figures.case(number) as rng, kept(tmp_path) as folder:
            path = folder / "broken.npz"
            path.write_bytes(npz_file(whole, rng))
            try:
                read(path, monkeypatch)
            except ResbenchError as error:
                assert name in str(error), error  # noqa: PT017
