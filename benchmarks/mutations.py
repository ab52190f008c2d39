"""How many structural mutations a second are proposed, checked and hashed?  `python benchmarks/mutations.py [SECONDS]`, one core.

A mutation is one edit of a small unit (language/generate/mutations.py);
checking binds every place of an 8-layer network of it, shapes included;
hashing is the canonical digest of that network. Draws that cannot be built count in the time, not in the number. Target: 50.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from statistics import median

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.identity.canonical import canonical
from resbench.errors import BadInput
from resbench.language.generate.mutations import mutant, parse_mutate
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node, from_plain
from resbench.language.yaml.problems import Problems
from resbench.ops.schema import table

UNITS = ("original", "full_preactivation", "exclusive_gating")


def per_second(name: str, seconds: float, first: int) -> Iterator[tuple[int, int, float]]:
    """Mutants that were built, draws, seconds."""
    library = Library(table())
    mutate = parse_mutate(from_plain({"unit": name}), library, Problems())
    assert mutate is not None
    unit, network = library.unit(name), Use("resnet_cifar", {"depth": Node(8), "width": Node(4)}, Node("resnet_cifar"))
    built = draws = 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        draws += 1
        try:
            label = library.add_unit(mutant(unit, mutate, [first + draws], library))
            canonical(bind_network(Request(network, Use(label, {}, Node(label)), (1, 8, 8), 10), library))
        except BadInput:
            continue
        built += 1
    yield built, draws, time.perf_counter() - began


if __name__ == "__main__":
    span = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    for name in UNITS:
        list(per_second(name, 1.0, 10**6))  # what is loaded once
        rates, shares = [], []
        for part in range(5):
            for built, draws, took in per_second(name, span, part * 10**4):
                rates.append(built / took)
                shares.append(built / draws)
        print(
            f"{name}: {median(rates):.0f} a second (median of 5, {min(rates):.0f} to {max(rates):.0f}), "
            f"{100 * median(shares):.0f} % of draws can be built"
        )
