"""The device chosen where nobody chose one."""

from __future__ import annotations

import torch

from resbench.train.execution.device import best_device, device_name


def test_the_best_device_there_is() -> None:
    device = best_device()
    if torch.cuda.is_available():
        assert (device.type, device_name(device)) == ("cuda", torch.cuda.get_device_name())
    elif torch.backends.mps.is_available():
        assert (device.type, device_name(device)) == ("mps", "mps")
    else:
        assert (device.type, device_name(device)) == ("cpu", "cpu")
    torch.zeros(1, device=device)
