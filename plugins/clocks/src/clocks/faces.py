"""A number -> a clock face (PIL, 16x16, grey) and its hour, 0 to 11: a data set as torchvision has them."""

from __future__ import annotations

import numpy as np
from PIL import Image
from torch.utils.data import Dataset

SIZE = 16
HOURS = 12


class Faces(Dataset[tuple[Image.Image, int]]):
    """`count` faces from number `start` on."""

    def __init__(self, count: int, start: int = 0) -> None:
        self.numbers = range(start, start + count)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        number = self.numbers[index]
        random = np.random.default_rng(number)
        hour = number % HOURS
        angle = 2 * np.pi * (hour + random.uniform(-0.3, 0.3)) / HOURS
        y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
        along, across = x * np.sin(angle) - y * np.cos(angle), x * np.cos(angle) + y * np.sin(angle)
        hand = (along > 0) & (along < 6) & (np.abs(across) < 1)
        return Image.fromarray(np.where(hand, 220, random.integers(0, 100, (SIZE, SIZE))).astype(np.uint8)), hour
