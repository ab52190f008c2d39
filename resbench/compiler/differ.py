"""Shapes that an op cannot join -> what most often is behind them."""

from __future__ import annotations

from resbench.compiler.graph import Shape


def hint(shapes: list[Shape], labels: list[str]) -> str:
    """`labels` are how messages call the values; "" where nothing is known. The words follow on those of the message."""
    large = max(range(len(shapes)), key=lambda i: shapes[i][-1])
    small = min(range(len(shapes)), key=lambda i: shapes[i][-1])
    if {len(shape) for shape in shapes} == {1, 3}:
        return "; a map and a vector do not go together"
    if len(shapes[large]) == 3 and shapes[large][1:] != shapes[small][1:]:
        ratio = round(shapes[large][-1] / shapes[small][-1])
        if ratio < 2:
            return "; an even kernel changes the size by one, padded or not: take an odd one, or the same one on both"
        return f"; {labels[large]} lacks the stride {ratio} that {labels[small]} has"
    if len({shape[0] for shape in shapes}) > 1:
        return "; give both the same number of channels, as `shortcut` and `conv3x3` do by themselves"
    return ""
