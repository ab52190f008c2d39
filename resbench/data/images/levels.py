"""Values of any type -> uint8: 256 equal steps from black to white, never clipped.

A value v becomes floor(256 (v - black) / (white - black)), and white itself 255.  From 0 to 65535 that keeps the upper 8 of 16
bits, as Pillow does in 16-bit colour; from 0.0 to 1.0 it gives back every k / 255 as k.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from resbench.errors import Reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DARK = 64  # of 256 steps: images that use fewer were probably scaled with the wrong white
Levels = tuple[float, float]
"""The value of black and the value of white."""


def _rising(levels: Levels) -> Levels:
    if not levels[0] < levels[1]:
        raise ValueError("expected two numbers, black and white, the second larger than the first")
    return levels


LevelsSetting = Annotated[Levels, AfterValidator(_rising)]


def to_uint8(values: NDArray[Any], levels: Levels) -> NDArray[np.uint8]:
    """Scale values to uint8. Raises Reason if a value is not finite or lies outside of the levels.

    >>> import numpy as np
    >>> to_uint8(np.array([0, 255, 256, 65535], np.uint16), (0, 65535)).tolist()
    [0, 0, 1, 255]
    >>> to_uint8(np.array([0, 1, 128, 255], np.float32) / 255, (0, 1)).tolist()
    [0, 1, 128, 255]
    """
    import numpy as np

    black, white = levels
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise Reason(f"{np.count_nonzero(~np.isfinite(values))} of its values are not finite")
    if low < black or high > white:
        raise Reason(
            f"expected values from {black:g} (black) to {white:g} (white), got {low:g} to {high:g}; "
            "`levels: [low, high]` sets others"
        )
    steps = np.floor((values.astype(np.float64) - black) * 256 / (white - black))
    return np.minimum(steps, 255).astype(np.uint8)
