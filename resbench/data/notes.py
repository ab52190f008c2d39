"""A data set -> notes that a person should read before training on it, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from resbench.data.dataset import SPLITS, Dataset
from resbench.data.duplicates import duplicate_notes
from resbench.data.image_files import ImageFiles
from resbench.data.images.decoded import Finding
from resbench.data.images.inspection import inspect
from resbench.data.images.levels import DARK
from resbench.data.images.tree import count, named
from resbench.data.info import DatasetInfo

GUESSED = 0.05  # if guessing gets all of val right with a larger probability, val is useless


def sizes(info: DatasetInfo) -> str:
    """Return one line with the sizes of the splits, and the weight of one val image in the error."""
    classes = f"{info.n_classes} classes of {'x'.join(map(str, info.input_shape))}"
    splits = f"{info.n_train:,} train, {info.n_val:,} val, {info.n_test:,} test"
    return f"data {info.name}: {classes}; {splits}; one val image is {100 / info.n_val:.3g} points of error"


def by_class(dataset: Dataset) -> dict[str, list[int]]:
    """Return the number of images of each class in train, val and test."""
    counts = [
        torch.bincount(dataset.labels[dataset.splits[split]], minlength=dataset.n_classes).tolist() for split in SPLITS
    ]
    return {name: list(each) for name, each in zip(dataset.classes, zip(*counts, strict=True), strict=True)}


def notes(dataset: Dataset) -> list[str]:
    """Return all notes. ImageFiles are decoded first, unless that was done before (data/images/inspection.py)."""
    of_images = _file_sentences(dataset.images) if isinstance(dataset.images, ImageFiles) else iter(())
    return [
        *dataset.notes, *of_images, *_constant_channels(dataset), *duplicate_notes(dataset), *_absent_classes(dataset),
        *_guessed(dataset),
    ]  # fmt: skip


def _file_sentences(files: ImageFiles) -> Iterator[str]:
    by_finding: dict[Finding, list[Path]] = {}
    for path, finding in zip(files.paths, inspect(files).findings, strict=True):
        by_finding.setdefault(finding, []).append(path)

    def paths_where(test: Callable[[Finding], bool]) -> list[Path]:
        return sorted(path for finding, paths in by_finding.items() if test(finding) for path in paths)

    for rule in sorted({rule for finding in by_finding for rule in finding.changed}):
        paths = paths_where(lambda finding, rule=rule: rule in finding.changed)  # type: ignore[misc]
        yield f"{count(paths, 'image')} {_words(rule)}: {named(paths)}"
    if dark := paths_where(lambda finding: _is_deep(finding) and max(finding.high) < DARK):
        yield f"{count(dark, 'image')} of more than 8 bits stay below {DARK} of 255; `levels` sets white: {named(dark)}"
    if cmyk := paths_where(lambda finding: "cmyk" in finding.noted):
        yield f"{count(cmyk, 'image')} in CMYK, converted without a colour profile: {named(cmyk)}"
    if several := paths_where(lambda finding: "several" in finding.noted):
        yield f"{count(several, 'file')} with several pictures, of which the first is read: {named(several)}"
    if flat := paths_where(lambda finding: finding.low == finding.high):
        yield f"{count(flat, 'image')} of one colour alone: {named(flat)}"


def _words(rule: str) -> str:
    """Return the phrase for a rule of data/images/pixels.py."""
    word, *how = rule.split(" ")
    if word == "levels":
        return f"of more than 8 bits, scaled: {how[0]} is black, {how[1]} is white"
    return f"with transparent pixels, laid over {how[0]}" if word == "over" else "turned or mirrored, as EXIF says"


def _is_deep(finding: Finding) -> bool:
    return any(rule.startswith("levels ") for rule in finding.changed)


def _constant_channels(dataset: Dataset) -> Iterator[str]:
    """Yield the channels whose standard deviation is 0; `moments` divides by 1 instead."""
    low, high = _extremes(dataset)
    for channel, (darkest, brightest) in enumerate(zip(low, high, strict=True)):
        if darkest == brightest:
            what = "every pixel" if len(low) == 1 else f"channel {channel}"
            yield f"{what} of the training images is {darkest}: it carries no information and becomes 0"


def _extremes(dataset: Dataset) -> tuple[Sequence[int], Sequence[int]]:
    """Return the darkest and the brightest value of each channel over the train split."""
    index = dataset.splits["train"]
    if isinstance(dataset.images, Tensor):
        pixels = dataset.images[index].transpose(0, 1).flatten(1)
        return pixels.amin(1).tolist(), pixels.amax(1).tolist()
    used = {id(finding): finding for finding in map(inspect(dataset.images).findings.__getitem__, index.tolist())}
    low, high = ([getattr(finding, name) for finding in used.values()] for name in ("low", "high"))
    return [min(values) for values in zip(*low, strict=True)], [max(values) for values in zip(*high, strict=True)]


def _absent_classes(dataset: Dataset) -> Iterator[str]:
    counts = by_class(dataset)
    for number, split in enumerate(SPLITS):
        absent = [name for name, each in counts.items() if each[number] == 0]
        if absent:
            more = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
            yield f"{count(absent, 'class', 'classes')} without an image in {split}: {', '.join(absent[:5])}{more}"


def _guessed(dataset: Dataset) -> Iterator[str]:
    """Yield a note if predicting the most frequent class for every val image is fully right too often."""
    labels = dataset.labels[dataset.splits["val"]]
    n, largest = len(labels), int(torch.bincount(labels).max())
    chance = (largest / n) ** n
    if chance > GUESSED:
        yield (
            f"{count(labels.tolist(), 'val image')} cannot distinguish learning from guessing: guessing gets all right with "
            f"probability {100 * chance:.0f} %; use more of them"
        )
