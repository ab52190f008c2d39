"""Augmentation: each image moved or mirrored by its own draw, by the generator alone."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import Generator, Tensor
from torch.nn.functional import pad as pad_edges

from resbench.data import augment
from resbench.data.augment import AUGMENTATIONS, cutout, flip, pad_crop, random_resized_crop
from resbench.errors import BadInput

OPTIONS: list[tuple[str, dict[str, object]]] = [
    ("pad_crop", {"pad": 4}), ("flip", {}), ("cutout", {"size": 2}),
    ("random_resized_crop", {"scale": (0.2, 1.0), "ratio": (0.75, 4 / 3)}),
]  # fmt: skip


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def numbered(batch: int = 64) -> Tensor:
    """Every pixel of every image has its own number, and none is 0; higher than wide."""
    return torch.arange(1, 1 + batch * 2 * 5 * 4).reshape(batch, 2, 5, 4).float()


def corners(before: Tensor, after: Tensor, pad: int) -> list[tuple[int, int]]:
    """Where each image was cut, found by trying every place."""
    padded = pad_edges(before, (pad,) * 4)
    height, width = before.shape[2:]
    places = [(top, left) for top in range(2 * pad + 1) for left in range(2 * pad + 1)]
    found = []
    for image, crop in zip(padded, after, strict=True):
        fits = [(t, le) for t, le in places if torch.equal(image[:, t : t + height, le : le + width], crop)]
        assert len(fits) == 1, "each image is one crop of itself, the same in all channels"
        found.append(fits[0])
    return found


def test_pad_crop_cuts_every_image_at_its_own_place() -> None:
    x = numbered(400)
    found = corners(x, pad_crop(x, 1, [seeded()]), 1)
    counts = [found.count((top, left)) for top in range(3) for left in range(3)]
    assert min(counts) > 20, "all nine places come up, 44 times each on average"
    assert max(counts) < 75


@pytest.mark.parametrize("pad", [0, 1, 4, 6])
def test_pad_crop_keeps_shape_and_kind(pad: int) -> None:
    x = numbered().half()
    out = pad_crop(x, pad, [seeded()])
    assert (out.shape, out.dtype, out.device) == (x.shape, x.dtype, x.device)
    assert pad or torch.equal(out, x)


def test_flip_mirrors_half_of_the_images_left_to_right() -> None:
    x = numbered(400)
    out = flip(x, [seeded()])
    mirrored = [torch.equal(a, b[:, :, [3, 2, 1, 0]]) for a, b in zip(out, x, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(out, x, strict=True)]
    assert [a != b for a, b in zip(mirrored, kept, strict=True)] == [True] * 400
    assert 160 < sum(mirrored) < 240


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_the_generator_decides_alone(name: str, options: dict[str, object]) -> None:
    apply, x = AUGMENTATIONS[name], numbered()
    before = x.clone()
    first = apply(x, generators=[seeded()], **options)
    torch.rand(3)  # the global generator has no say
    again = apply(x, generators=[seeded()], **options)
    assert torch.equal(first, again)
    assert not torch.equal(first, apply(x, generators=[seeded(1)], **options))
    assert torch.equal(x, before), "the batch given stays as it was"
    generator = seeded()
    state = torch.get_rng_state()
    assert not torch.equal(apply(x, generators=[generator], **options), apply(x, generators=[generator], **options))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_draws_do_not_depend_on_the_pixels(name: str, options: dict[str, object]) -> None:
    apply, x = AUGMENTATIONS[name], numbered()
    assert torch.equal(apply(2 * x, generators=[seeded()], **options), 2 * apply(x, generators=[seeded()], **options))


@pytest.mark.parametrize("pad", [-1, 1.0, True, "4"])
def test_pad_must_be_a_number_of_pixels(pad: object) -> None:
    with pytest.raises(BadInput) as caught:
        pad_crop(numbered(), pad, [seeded()])  # type: ignore[arg-type]
    assert str(caught.value) == f"`pad` of `pad_crop` must be a whole number of pixels, 0 or more, got {pad!r}"


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_a_stack_sees_what_each_sees_alone(name: str, options: dict[str, object]) -> None:
    """Three batches one after the other, a generator for each."""
    apply, batches = AUGMENTATIONS[name], [numbered(8) + 1000 * i for i in range(3)]
    alone = [apply(batch, generators=[seeded(i)], **options) for i, batch in enumerate(batches)]
    together = apply(torch.cat(batches), generators=[seeded(i) for i in range(3)], **options)
    assert torch.equal(together, torch.cat(alone))


def test_cutout_puts_one_square_of_zeros_into_each_image() -> None:
    x = torch.ones(300, 2, 9, 7)
    out = cutout(x, 3, [seeded()])
    zeros = (out == 0).sum((1, 2, 3)) / 2
    assert set(zeros.tolist()) <= {4.0, 6.0, 9.0}  # cut at a corner, at an edge, whole
    assert (zeros == 9).float().mean() > 0.3
    assert torch.equal(out[:, 0], out[:, 1])


def test_a_resized_crop_of_everything_changes_nothing_and_of_a_quarter_magnifies() -> None:
    x = torch.rand(50, 1, 8, 8, generator=seeded(3))
    whole = random_resized_crop(x, (1.0, 1.0), (1.0, 1.0), [seeded()])
    assert torch.allclose(whole, x, atol=1e-6)
    ramp = torch.arange(8.0).expand(400, 1, 8, 8)
    quarter = random_resized_crop(ramp, (0.25, 0.25), (1.0, 1.0), [seeded()])
    inner = quarter[:, 0, 4, 2:6].diff(dim=1)
    assert torch.allclose(inner[inner > 0.01], torch.tensor(0.5), atol=1e-4)  # twice as large, so half as steep
    assert float(quarter[:, 0, :, 0].min()) < 0.5 < 3.5 < float(quarter[:, 0, :, 0].max())


def test_every_augmentation_of_the_file_has_its_name() -> None:
    functions = inspect.getmembers(augment, inspect.isfunction)
    here = {name: f for name, f in functions if f.__module__ == augment.__name__ and not name.startswith("_")}
    assert here == AUGMENTATIONS
