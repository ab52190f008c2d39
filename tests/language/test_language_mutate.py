"""Edits of a unit: each leaves one that a file could hold, the same seeds leave the same one."""

from __future__ import annotations

from pathlib import Path

import pytest
from language_sample import study, study_text

from resbench.errors import BadInput
from resbench.language.generate.mutations import Mutate, mutant, parse_mutate
from resbench.language.library.library import Library
from resbench.language.study.search import SearchSpec
from resbench.language.yaml.node import from_plain, plain
from resbench.language.yaml.problems import Problems
from resbench.ops.schema import table

LIBRARY = Library(table())


def mutate(**keys: object) -> Mutate:
    check = Problems()
    found = parse_mutate(from_plain({"unit": "original", **keys}), LIBRARY, check)  # type: ignore[dict-item]
    check.done()
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["original", "full_preactivation", "exclusive_gating", "squeeze_excitation"])
def test_every_edit_leaves_a_unit(name: str) -> None:
    unit, seen = LIBRARY.unit(name), set()
    for seed in range(1, 60):
        node = mutant(unit, mutate(unit=name), [seed], LIBRARY)
        assert LIBRARY.add_unit(node) == node.mapping["unit"].value
        seen.add(str(node.mapping["unit"].value))
    assert len(seen) > 20


def test_seeds_are_edits_in_their_order_and_0_is_none() -> None:
    unit = LIBRARY.unit("original")
    once, twice = (plain(mutant(unit, mutate(), [7, 8, 0], LIBRARY)) for _ in range(2))
    assert once == twice
    assert str(once["doc"]).count(";") == 1  # type: ignore[index, call-overload]
    assert mutant(unit, mutate(), [0, 0], LIBRARY) is unit.node


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_every_seed_that_a_database_can_hold_is_allowed(seed: int) -> None:
    assert mutate(seed=seed).seed == seed
    assert SearchSpec(use="random", seed=seed).seed == seed
    assert mutant(LIBRARY.unit("original"), mutate(seed=seed), [1], LIBRARY) is not None


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_no_other_seed_is(seed: int) -> None:
    with pytest.raises(BadInput, match="a whole number from 0 to 9,223,372,036,854,775,807 is needed"):
        mutate(seed=seed)
    with pytest.raises(ValueError, match=r"9223372036854775807|equal to 0"):
        SearchSpec(use="random", seed=seed)


def test_a_name_is_of_what_the_unit_is_now() -> None:
    unit = LIBRARY.unit("original")
    names = [str(mutant(unit, mutate(ops=["relu"]), [seed], LIBRARY).mapping["unit"].value) for seed in range(1, 200)]
    bodies = {n: plain(mutant(unit, mutate(ops=["relu"]), [s], LIBRARY))["nodes"] for s, n in enumerate(names, start=1)}  # type: ignore[index, call-overload]
    assert len(names) > len(set(names)) == len({str(body) for body in bodies.values()})


def test_a_unit_that_cannot_be_edited_is_told(folder: Path) -> None:
    (folder / "bare.yaml").write_text("unit: bare\nparams: {o: [relu]}\nnodes: {y: {from: x, ops: $o}}\n", "utf-8")
    library = Library(table(), folder)
    with pytest.raises((BadInput, IndexError), match=r"no edit|empty"):
        mutant(library.unit("bare"), mutate(unit="bare"), [1], library)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("{unit: orginal}", "no unit is called `orginal`; did you mean `original`"),
        ("{unit: original, edits: 0}", "a whole number from 1 to 50 is needed, got 0"),
        ("{unit: original, ops: [conv3]}", "unknown op `conv3`"),
        ("{units: original}", "unknown key `units`"),
    ],
)
def test_faults(folder: Path, bad: str, message: str) -> None:
    assert study(folder, study_text(units="[mutate: {unit: original}]"))[1] == []
    problems = study(folder, study_text(units=f"[mutate: {bad}]"))[1]
    assert any(message in problem for problem in problems), problems
