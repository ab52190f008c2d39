"""Eq. 4, 5, 7, 8 on real networks: of every unit that ships, what the graph foretells is what is seen."""

from __future__ import annotations

import pytest
import torch
from shortened import every
from theory_sample import bound, small
from torch import Tensor

from resbench.language.library.library import Library
from resbench.measure.threads import enough_threads
from resbench.ops.schema import table
from resbench.theory import identities
from resbench.theory.identities import _carried, check_identities, predicted
from resbench.theory.paths import identity_path, inner_unit
from resbench.theory.pieces import Pieces

UNITS = Library(table()).names("unit")


@pytest.mark.parametrize("unit", every(4, UNITS))
def test_the_graph_foretells_what_is_seen(unit: str) -> None:
    for check in check_identities(small(unit)):
        assert check.agrees, check
        if check.holds:
            assert check.residuals["float32"] < 2e-6
            assert check.residuals["float64"] < 5e-15
        else:
            assert check.residuals["float64"] > 1e-3


def test_what_holds_of_the_papers_units() -> None:
    seen = {
        unit: {check.equation for check in check_identities(small(unit)) if check.holds}
        for unit in ("full_preactivation", "original", "bn_after_addition", "highway", "constant_scaling")
    }
    assert seen == {
        "full_preactivation": {"4", "5", "7", "8"},
        "original": {"4 cut"},
        "bn_after_addition": set(),
        "highway": {"7", "8 gates"},
        "constant_scaling": {"4 cut"},
    }


def test_a_constant_on_the_shortcut_without_the_last_relu_keeps_eq_7_and_8(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("units")
    file = folder / "halved.yaml"
    file.write_text(
        "unit: halved\nnodes:\n  f: {from: x, ops: [bn, relu, conv3x3: {stride: $stride}]}\n"
        "  h: {from: x, ops: [shortcut, scale: {by: 0.9}]}\n  y: {from: [h, f], ops: [add]}\nboundary: {layers: 1}\n",
        "utf-8",
    )
    checks = {check.equation: check for check in check_identities(bound(str(file), "depth=14", "width=4"))}
    assert {name for name, check in checks.items() if check.holds} == {"7", "8"}
    assert all(check.agrees for check in checks.values())


def test_a_wrong_sum_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of the test: with a thousandth of F missing, Eq. 4 does not hold."""
    real = identities.pieces

    def wrong(*given: object) -> Pieces:
        one = real(*given)  # type: ignore[arg-type]
        return Pieces(one.out, one.push, one.rest * 0.999, one.cut)

    monkeypatch.setattr(identities, "pieces", wrong)
    checks = check_identities(small("full_preactivation"))
    assert not any(check.holds for check in checks)


def test_the_order_of_the_sum_is_not_the_networks() -> None:
    """Equal to the last bit it would be the same sum, which proves nothing."""
    four = check_identities(bound("full_preactivation", "depth=56", "width=4"))[0]
    assert 0 < four.residuals["float64"] < 1e-14


def test_foretelling_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    alike, units = inner_unit(bound("full_preactivation", "depth=20"))
    monkeypatch.setattr(torch.nn.Module, "__call__", lambda *given: pytest.fail("something was run"))
    assert predicted(identity_path(alike[0][1])) == {"4": True, "5": True, "7": True, "8": True}
    assert units == 9


def test_the_sum_over_many_units_costs_few_pushes() -> None:
    """171 one by one for 18 units, as a stage of depth 110 has; each unit here doubles what is carried and adds 1."""
    pushed: list[int] = []

    def unit(number: int) -> Pieces:
        def push(carried: Tensor, fast: bool) -> Tensor:
            pushed.append(number)
            return 2 * carried

        return Pieces(torch.ones(1), push, torch.ones(1), torch.zeros(1))

    found = _carried(torch.ones(1), [unit(number) for number in range(18)], lambda one: one.rest)
    assert float(found) == 2**18 + sum(2**k for k in range(18))
    assert len(pushed) <= 18 + 18 * 5


def test_small_networks_are_worked_out_by_one_thread() -> None:
    """Several would wait for each other: of 110 layers, more than half of the CPU time."""
    there = torch.get_num_threads()
    with enough_threads(1e9):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == there
    with enough_threads(1e12):
        assert torch.get_num_threads() == there
