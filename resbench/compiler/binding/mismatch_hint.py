"""Shapes that an op cannot join -> the most likely cause, and its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resbench.compiler.graph import Shape

EVEN = "; an even kernel changes the size by one, padded or not: take an odd one, or the same one on both"


def hint(shapes: Sequence[Shape], labels: Sequence[str], stride: int | None = None, size: int | None = None) -> str:
    """Return a hint to append to the message; "" where no cause is known. `labels` name the values.

    `stride` is the one of the place and `size` the resulting side of the map, where they are known: a value of another
    size is the cause.
    """
    if {len(shape) for shape in shapes} == {1, 3}:
        return "; a map and a vector cannot be joined"
    if len(shapes[0]) == 3 and len({shape[1:] for shape in shapes}) > 1:
        sides = [shape[-1] for shape in shapes]
        if stride is not None and size is not None and size in sides:
            wrong = next(i for i, side in enumerate(sides) if side != size)
            return _culprit(labels[wrong], sides[wrong], size, stride)
        large, small = sides.index(max(sides)), sides.index(min(sides))
        if (ratio := round(sides[large] / sides[small])) >= 2:
            return f"; {labels[large]} lacks the stride {ratio} that {labels[small]} has"
        return _of_kernels(labels[small], sides[large] - sides[small])
    if len({shape[0] for shape in shapes}) > 1:
        return "; give both the same number of channels, as `shortcut` and `conv3x3` do by themselves"
    return ""


def _culprit(label: str, side: int, size: int, stride: int) -> str:
    if side >= 2 * size:
        return f"; {label} lacks `stride: $stride`, which is {stride} here"
    if size >= 2 * side and stride > 1:
        return f"; {label} has a stride too many: `stride: $stride`, {stride} here, belongs in one op of a branch"
    if size >= 2 * side:
        return f"; {label} has a stride where this place asks for none: write `stride: $stride`, which is 1 here"
    return _of_kernels(label, size - side)


def _of_kernels(label: str, lost: int) -> str:
    if abs(lost) == 1:
        return EVEN
    if lost > 0:
        return f"; {label} has lost {lost} pixels a side, as a kernel of {lost + 1} without padding does: leave its `padding` out"
    return f"; {label} has {-lost} pixels a side more than the place asks for, as too much `padding` gives"


def where(known: Mapping[str, object]) -> str:
    """Return the place in the network for messages, where the ops are a unit's. `known` has the names that expressions
    may read there.
    """
    stage = known.get("stage")
    if not isinstance(stage, int) or "transition" not in known:
        return ""
    place = (
        "transition" if known["transition"] is True else "first place" if known.get("first") is True else "inner place"
    )
    return f" (at the {place} of stage {stage})"
