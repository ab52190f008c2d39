"""Broken YAML files end in success or in a message with its place.

A seeded sample in the suite; `make fuzz` runs all of every family (RESBENCH_FUZZ=full).
"""

from __future__ import annotations

import random
import traceback
from pathlib import Path

import pytest
from fuzz_case import Figures, cases, chunks
from fuzz_mutations import mutated

from resbench.compiler.binding.network import Request, bind_network
from resbench.errors import BadInput, SpecError
from resbench.language.graph.network import Use
from resbench.language.library.library import STUDIES, Library
from resbench.language.library.lookup import INSTALLED
from resbench.language.recipe.recipe import parse_recipe
from resbench.language.study.study import parse_study
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems
from resbench.ops.schema import table

SAMPLE, WANTED = 400, 10_000
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
        check = Problems()
        parse_study(library.read("study", path, check), library, check)
        check.done()


@pytest.mark.parametrize("chunk", chunks(SAMPLE))
def test_a_broken_file_is_told_with_its_place(chunk: int, figures: Figures, tmp_path: Path) -> None:
    """Any other exception is a traceback that a user would see."""
    for number in cases(chunk, SAMPLE, WANTED):
        with figures.case(number):
            rng = random.Random(number)
            source = rng.choice(FILES)
            own = source.is_relative_to(INSTALLED)
            kind = source.relative_to(INSTALLED).parts[0].removesuffix("s") if own else "study"
            path = tmp_path / f"{source.stem}.yaml"
            path.write_bytes(mutated(source.read_text("utf-8"), rng))
            wrong = outcome(path, kind)
            assert wrong is None, f"{source.name}: {wrong}\n{path.read_bytes()!r}"


def outcome(path: Path, kind: str) -> str | None:
    """What is wrong with how a file was taken; None where it went in, or was refused as it should be."""
    try:
        use(path, kind)
    except SpecError as error:
        placed = [p.place is not None or p.message.endswith("and there may be more:") for p in error.problems]
        return None if placed and all(placed) else f"a problem without a place: {error}"
    except BadInput as error:
        return None if str(error) else "an empty message"
    except Exception as error:
        return "".join(traceback.format_exception(error))
    return None
