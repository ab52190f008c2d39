"""Broken files end in success or in a message with its place; random valid units compile, train a step and stay finite.

A seeded sample here; `make fuzz` runs 10 000 mutations and 2 000 units (RESBENCH_FUZZ=full).
"""

from __future__ import annotations

import os
import random
import signal
import traceback
from pathlib import Path
from types import FrameType

import pytest
import torch
from fuzz_mutations import mutated
from fuzz_specs import unit
from torch.nn import functional as F

from resbench.compiler.architecture import Request, bind_network
from resbench.compiler.canonical import canonical
from resbench.compiler.materialise import materialise
from resbench.compiler.network import build, random_ops
from resbench.errors import BadInput, SpecError
from resbench.ops.schema import table
from resbench.spec.check import Check
from resbench.spec.find import INSTALLED
from resbench.spec.library import STUDIES, Library
from resbench.spec.network import Use
from resbench.spec.node import Node, flow
from resbench.spec.recipe import parse_recipe
from resbench.spec.study import parse_study

torch.set_num_threads(1)
FULL = os.environ.get("RESBENCH_FUZZ") == "full"
CHUNKS = 40  # a test each, so that two cores share them
HANGS_S = 300  # no speed is asked for: what takes this long never ends
MUTATIONS, UNITS = (10_000, 2_000) if FULL else (400, 40)
FILES = sorted([*INSTALLED.glob("*/**/*.yaml"), *STUDIES.glob("*.yaml")])


def use(path: Path, kind: str) -> None:
    """What the command line does with such a file: read it, and bind it small."""
    library = Library(table(), path.parent)
    if kind == "unit":
        network = Use("resnet_cifar", {"depth": Node(14), "width": Node(8)}, Node("resnet_cifar"))
        library.unit(path.name)
        bind_network(Request(network, Use(path.name, {}, Node(path.name))), library)
    elif kind == "network":
        bind_network(Request(Use(path.name, {}, Node(path.name))), library)
    elif kind == "block":
        library.block(path.name)
    elif kind == "recipe":
        parse_recipe(library.read("recipe", path))
    else:
        check = Check()
        parse_study(library.read("study", path, check), library, check)
        check.done()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_broken_file_is_told_with_its_place(chunk: int, tmp_path: Path) -> None:
    """Any other exception is a traceback that a user would see."""
    for number in range(chunk, MUTATIONS, CHUNKS):
        rng = random.Random(number)
        source = rng.choice(FILES)
        kind = source.relative_to(INSTALLED).parts[0].removesuffix("s") if source.is_relative_to(INSTALLED) else "study"
        path = tmp_path / f"{source.stem}.yaml"
        path.write_bytes(mutated(source.read_text("utf-8"), rng))
        wrong = outcome(path, kind)
        assert wrong is None, f"mutation {number} of {source.name}: {wrong}\n{path.read_bytes()!r}"


def outcome(path: Path, kind: str) -> str | None:
    """What is wrong with how a file was taken; None where it went in, or was refused as it should be."""
    signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(HANGS_S)
    try:
        use(path, kind)
    except SpecError as error:
        placed = [p.place is not None or p.message.endswith("and there may be more:") for p in error.problems]
        return None if placed and all(placed) else f"a problem without a place: {error}"
    except BadInput as error:
        return None if str(error) else "an empty message"
    except Exception as error:
        return "".join(traceback.format_exception(error))
    finally:
        signal.alarm(0)
    return None


def _hangs(signum: int, frame: FrameType | None) -> None:
    raise RuntimeError(f"not done after {HANGS_S} s: it hangs")


@pytest.mark.parametrize("chunk", range(min(CHUNKS, UNITS)))
def test_a_random_unit_compiles_and_takes_a_step(chunk: int, tmp_path: Path) -> None:
    for number in range(chunk, UNITS, CHUNKS):
        rng = random.Random(number)
        data = unit(rng)
        path = tmp_path / "fuzzed.yaml"
        path.write_text("".join(f"{key}: {flow(value)}\n" for key, value in data.items()), encoding="utf-8")
        library = Library(table(), tmp_path)
        network = Use("resnet_cifar", {"depth": Node(8), "width": Node(4)}, Node("resnet_cifar"))
        bound = bind_network(Request(network, Use("fuzzed", {}, Node("fuzzed")), (3, 12, 12), 4), library)
        net, numbers = build(bound), canonical(bound).numbers
        materialise(net, numbers, number, "he_normal")
        for name, op in random_ops(net).items():
            op.generator = torch.Generator().manual_seed(numbers[name])
        images = torch.randn(8, 3, 12, 12, generator=torch.Generator().manual_seed(number))
        optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
        loss = F.cross_entropy(net(images), torch.arange(8) % 4)
        loss.backward()
        optimizer.step()
        finite = all(bool(torch.isfinite(p).all()) for p in net.parameters())
        assert torch.isfinite(loss), (number, path.read_text("utf-8"))
        assert finite, (number, path.read_text("utf-8"))
