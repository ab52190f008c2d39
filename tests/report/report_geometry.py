"""Layout -> what is wrong with it as a drawing, one line each: what overlaps, what runs through what, what does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise, permutations

from resbench.drawing.format import text_width
from resbench.drawing.layout.boxes import LABEL_SIZE, MARGIN, NAME_SIZE, PAD, SMALL_SIZE
from resbench.drawing.layout.layout import Edge, Layout, PlacedBox

Box = tuple[float, float, float, float]  # left, top, right, bottom
Piece = tuple[tuple[float, float], tuple[float, float]]


def faults(layout: Layout) -> list[str]:
    return [
        *overlapping(layout), *run_through(layout), *sharing(layout), *not_down(layout), *too_small(layout),
        *outside(layout), *crooked(layout), *inside(layout),
    ]  # fmt: skip


def whole(item: PlacedBox) -> Box:
    return item.left, item.top, item.right, item.bottom


def core(item: PlacedBox) -> Box:
    """Without the words beside a circle."""
    return item.left, item.top, item.left + item.box.side, item.top + item.box.foot


def meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def pieces(edge: Edge) -> list[Piece]:
    return list(pairwise(edge.points))


def enters(piece: Piece, box: Box) -> bool:
    """Whether a piece of an edge goes into the inside of a box."""
    (ax, ay), (bx, by) = piece
    slack = 0.01
    line = (min(ax, bx) - slack, min(ay, by) - slack, max(ax, bx) + slack, max(ay, by) + slack)
    return meet(line, (box[0] + 2 * slack, box[1] + 2 * slack, box[2] - 2 * slack, box[3] - 2 * slack))


def overlapping(layout: Layout) -> Iterator[str]:
    frames = [(f.name, (f.left, f.top, f.right, f.bottom)) for f in layout.frames]
    for (i, a), (j, b) in combinations(enumerate(layout.items), 2):
        if meet(whole(a), whole(b)):
            yield f"items {i} and {j} overlap"
    for (a, box), (b, other) in combinations(frames, 2):
        if meet(box, other):
            yield f"frames {a} and {b} overlap"
    for name, box in frames:
        for i, item in enumerate(layout.items):
            within = box[0] <= item.left and item.right <= box[2] and box[1] <= item.top and item.bottom <= box[3]
            if meet(box, whole(item)) and not within:
                yield f"item {i} sticks out of frame {name}"


def run_through(layout: Layout) -> Iterator[str]:
    for edge in layout.edges:
        for i, item in enumerate(layout.items):
            box = core(item) if i in (edge.source, edge.target) else whole(item)
            if any(enters(piece, box) for piece in pieces(edge)):
                yield f"edge {edge.source} -> {edge.target} runs through item {i}"


def sharing(layout: Layout) -> Iterator[str]:
    """Edges that lie on each other though they have neither end in common."""
    for a, b in combinations(layout.edges, 2):
        if a.source != b.source and a.target != b.target and any(along(p, q) for p in pieces(a) for q in pieces(b)):
            yield f"edges {a.source} -> {a.target} and {b.source} -> {b.target} share a line"


def crossings(layout: Layout) -> int:
    """Where edges that have neither end in common go over each other; a trunk of several edges counts once."""
    spots = set()
    for a, b in permutations(layout.edges, 2):
        if a.source == b.source or a.target == b.target:
            continue
        for (ax, ay), (bx, by) in pieces(a):
            for (cx, cy), (dx, dy) in pieces(b):
                if ay == by and cx == dx and min(ax, bx) < cx < max(ax, bx) and cy < ay < dy:
                    spots.add((cx, ay))
    return len(spots)


def along(a: Piece, b: Piece) -> bool:
    for axis, other in ((0, 1), (1, 0)):
        if a[0][axis] == a[1][axis] == b[0][axis] == b[1][axis]:
            low, high = (sorted(p[end][other] for end in (0, 1)) for p in (a, b))
            return max(low[0], high[0]) < min(low[1], high[1])
    return False


def not_down(layout: Layout) -> Iterator[str]:
    for edge in layout.edges:
        for (ax, ay), (bx, by) in pieces(edge):
            if by < ay or (ax != bx and ay != by):
                yield f"edge {edge.source} -> {edge.target} goes up or askew"
        source, target = layout.items[edge.source], layout.items[edge.target]
        (x, y), below = edge.points[0], source.top + source.box.foot
        if abs(x - source.axis) > 1e-6 or abs(y - below) > 1e-6:
            yield f"edge {edge.source} -> {edge.target} does not begin below its source"
        end = edge.points[-1]
        borders = ((target.axis, target.top), *((x, target.top + target.box.middle) for x in core(target)[::2]))
        if not any(abs(end[0] - x) < 1e-6 and abs(end[1] - y) < 1e-6 for x, y in borders):
            yield f"edge {edge.source} -> {edge.target} does not end at its target"


def too_small(layout: Layout) -> Iterator[str]:
    for i, item in enumerate(layout.items):
        box = item.box
        if box.form == "circle":
            longest = max(text_width(words, SMALL_SIZE) for words in (box.shape, box.cost))
            fits = box.side + 4 + longest <= box.width + 0.01
        elif box.form == "dot":
            fits = True
        else:
            first = text_width(box.label, LABEL_SIZE) + 6 + text_width(box.shape, SMALL_SIZE)
            fits = max(first, text_width(box.cost, SMALL_SIZE)) <= box.width - 2 * PAD + 0.01
        if not fits:
            yield f"the words of item {i} do not fit: {box.label}"
    for frame in layout.frames:
        axis = next(item.axis for item in layout.items if frame.top < item.top < frame.bottom and item.left < frame.right
                    and frame.left < item.right)  # fmt: skip
        if frame.left + MARGIN + text_width(frame.name, NAME_SIZE) > axis:
            yield f"the name of frame {frame.name} lies on the edge into it"


def outside(layout: Layout) -> Iterator[str]:
    points = [point for edge in layout.edges for point in edge.points]
    boxes = [whole(item) for item in layout.items] + [(f.left, f.top, f.right, f.bottom) for f in layout.frames]
    points += [(box[i], box[j]) for box in boxes for i in (0, 2) for j in (1, 3)]
    if any(not (-0.01 <= x <= layout.width + 0.01 and -0.01 <= y <= layout.height + 5.01) for x, y in points):
        yield "something lies outside of the picture"


def crooked(layout: Layout) -> Iterator[str]:
    """The skip path leads from x to y in one vertical line."""
    if not layout.skip:
        return
    if (layout.skip[0], layout.skip[-1]) != (0, len(layout.items) - 1):
        yield "the skip path does not lead from x to y"
    for i in layout.skip:
        if abs(layout.items[i].axis - layout.axis) > 1e-6:
            yield f"item {i} of the skip path is not on its line"
    for source, target in pairwise(layout.skip):
        edges = [edge for edge in layout.edges if (edge.source, edge.target) == (source, target)]
        if not any({x for x, _ in edge.points} == {layout.axis} for edge in edges):
            yield f"the skip path is not straight from {source} to {target}"


def inside(layout: Layout) -> Iterator[str]:
    for i, item in enumerate(layout.items):
        for held, (left, top) in zip(item.held, item.box.inside, strict=True):
            yield from faults(held)
            if left < 0 or top < 0 or left + held.width > item.box.width or top + held.height > item.box.height:
                yield f"what item {i} holds does not fit into it"
            if abs(left + held.axis - item.box.axis) > 1e-6:
                yield f"what item {i} holds is not on its line"
