"""BoundNetwork -> digest and numbering.  Two files that mean the same network get the same of both.

The simplified network is cut wherever one value carries everything; each piece is labelled canonically: colours refined
from both sides, ties broken by individualising each candidate in turn and keeping the least certificate. Beyond a
bound, ties are broken by the order written: an equal network may be missed, but two different networks never get one
digest, since the certificate is the whole piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b, sha256
from itertools import pairwise

from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.simplify import GraphValue, Simple, simplify

VERSION = "a2"
MAX_TRIES = 200  # leaves of the search in one piece
Row = tuple[str, tuple[int, ...], bool]  # label, inputs (0 is the piece's input), commutative


@dataclass(frozen=True, slots=True)
class Canonical:
    """`numbers`: for each op with parameters or randomness, by module path, its number in the normal form, from 0.

    `order`: the values of `simple`, whose numbers depend on the writing, in an order that does not.
    """

    digest: str
    numbers: dict[str, int]
    simple: Simple
    order: tuple[int, ...]


@lru_cache(maxsize=8)
def canonical(network: BoundNetwork) -> Canonical:
    """Return the canonical form. It depends on every op, its arguments, the start of parameters, input channels and
    classes, and not on names, order or image size.
    """
    simple = simplify(network)
    order, certificate = arrange(simple)
    numbers: dict[str, int] = {}
    _number(simple, order, numbers)
    for (
        path,
        _,
    ) in network.ops():  # removed by simplification, but perhaps built (dropout of rate 0): numbered behind all others
        numbers.setdefault(path, len(numbers))
    text = f"{VERSION} {network.input_shape[0]} {network.classes}\n{certificate}"
    return Canonical(f"{VERSION}_{sha256(text.encode()).hexdigest()[:32]}", numbers, simple, order)


def arrange(simple: Simple) -> tuple[tuple[int, ...], str]:
    """Return the numbers of the values in canonical order, and the text of the graph in that order."""
    order: list[int] = []
    certificates: list[str] = []
    for start, stop in _pieces(simple.values, simple.result):
        piece = simple.values[start:stop]
        rows = tuple((_text(v), tuple(max(0, i - start) for i in v.inputs), v.commutative) for v in piece)
        found, certificate = _certify(rows)
        order += [start + i + 1 for i in found]
        certificates.append(certificate)
    return tuple(order), "\n".join(certificates)


def _text(value: GraphValue) -> str:
    """Return the label, with the ops inside it in their own canonical form."""
    return value.label + "".join(f" {name} {{{arrange(inner)[1]}}}" for name, inner in value.inner)


def _number(simple: Simple, order: tuple[int, ...], numbers: dict[str, int]) -> None:
    for number in order:
        value = simple.values[number - 1]
        if value.path is not None:
            numbers[value.path] = len(numbers)
        for _, inner in value.inner:
            _number(inner, arrange(inner)[0], numbers)


def _pieces(values: Sequence[GraphValue], result: int) -> list[tuple[int, int]]:
    """Return [start, stop) of runs of values; each reads nothing before its start except for the value just before it."""
    last_reader = {i: number for number, value in enumerate(values, 1) for i in value.inputs}
    last_reader[result] = len(values) + 1
    cuts, held_until = [0], last_reader.get(0, 0)
    for number in range(1, len(values) + 1):
        if held_until <= number:  # nothing older than this value is read later: it carries everything
            cuts.append(number)
        held_until = max(held_until, last_reader[number])
    return list(pairwise(cuts))


@lru_cache(maxsize=4096)
def _certify(rows: tuple[Row, ...]) -> tuple[tuple[int, ...], str]:
    """Return the canonical order of a piece's rows, and the text of the piece in that order."""
    search = _Search(rows)
    search.run(search.refine([_hash(label) for label, _, _ in rows]))
    assert search.best is not None
    return search.best


class _Search:
    def __init__(self, rows: tuple[Row, ...]) -> None:
        self.rows = rows
        self.readers: list[list[tuple[int, int]]] = [[] for _ in rows]
        for number, (_, inputs, commutative) in enumerate(rows):
            for position, i in enumerate(inputs):
                if i:
                    self.readers[i - 1].append((number, 0 if commutative else position))
        self.depths: list[int] = []
        for _, inputs, _ in rows:
            self.depths.append(1 + max((self.depths[i - 1] for i in inputs if i), default=0))
        self.tries = 0
        self.best: tuple[tuple[int, ...], str] | None = None

    def refine(self, colours: list[str]) -> list[str]:
        """Refine the colours by the inputs of a value, then by its readers, until no class splits."""
        classes = -1
        while len(set(colours)) > classes:
            classes = len(set(colours))
            down: list[str] = []
            for number, (_, inputs, commutative) in enumerate(self.rows):
                below = [down[i - 1] if i else "x" for i in inputs]
                down.append(_hash(colours[number], *(sorted(below) if commutative else below)))
            up = [""] * len(self.rows)
            for number in reversed(range(len(self.rows))):
                above = sorted(f"{up[r]}{down[r]}{position}" for r, position in self.readers[number])
                up[number] = _hash(down[number], *above)
            colours = up
        return colours

    def run(self, colours: list[str]) -> None:
        """Search depth-first over the first tied class, with at most MAX_TRIES leaves."""
        groups: dict[tuple[int, str], list[int]] = {}
        for number, colour in enumerate(colours):
            groups.setdefault((self.depths[number], colour), []).append(number)
        tied = next((groups[key] for key in sorted(groups) if len(groups[key]) > 1), None)
        if tied is None:
            self.tries += 1
            found = self.certificate(colours)
            if self.best is None or found[1] < self.best[1]:
                self.best = found
            return
        for number in tied:
            if self.tries >= MAX_TRIES:
                return
            marked = list(colours)
            marked[number] = _hash(marked[number], "first")
            self.run(self.refine(marked))

    def certificate(self, colours: list[str]) -> tuple[tuple[int, ...], str]:
        order = tuple(sorted(range(len(self.rows)), key=lambda n: (self.depths[n], colours[n])))
        new = {number + 1: place + 1 for place, number in enumerate(order)} | {0: 0}
        lines = []
        for number in order:
            label, inputs, commutative = self.rows[number]
            renamed = [new[i] for i in inputs]
            lines.append(f"{label} {sorted(renamed) if commutative else renamed}")
        return order, "\n".join(lines)


def _hash(*parts: str) -> str:
    return blake2b("\x1f".join(parts).encode(), digest_size=12).hexdigest()
