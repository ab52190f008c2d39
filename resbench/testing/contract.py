"""`check_op("my_op", {"rate": 0.5})` -> Report, or AssertionError that names the op, the check and the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from resbench.compiler.graph import Shape, sizes
from resbench.errors import Reason, ResbenchError
from resbench.testing.case import Case, case_of, make, run
from resbench.testing.case import inputs as tensors_of
from resbench.testing.checks import CHECKS, macs
from resbench.testing.claims import CLAIMS, claimed
from resbench.testing.facts import FACTS, stated
from resbench.testing.stacked import stacked


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `stacked`: whether K of them run side by side, `yes` or why not. `macs` are for one image.

    `claims`: what the op says of itself and was tried. `known`: its role and effect in words, empty where it says none.
    """

    case: str
    output: str
    checks: tuple[str, ...]
    claims: tuple[str, ...]
    stacked: str
    macs: int
    known: str = ""

    def __str__(self) -> str:
        claims = f", claims {', '.join(self.claims)}" if self.claims else ""
        known = f", {self.known}" if self.known else ""
        return (
            f"{self.case} -> {self.output}: {len(self.checks)} checks{claims}{known}, {self.macs:,} MACs, "
            f"stacked: {self.stacked}"
        )


def check_op(
    op: str | type[nn.Module], arguments: Mapping[str, Any] | None = None, inputs: Sequence[Shape] = ()
) -> Report:
    """Check all obligations and claims of an op, with these arguments (as in YAML) and input shapes (without the batch).

    `op`: its name, or its class, for a plugin that is not installed. Without `inputs`, it gets as few as possible, of 8x6x5.
    """
    return check_case(case_of(op, arguments or {}, inputs))


def check_case(case: Case) -> Report:
    claims = [*claimed(case), *stated(case)]
    for name, check in [*CHECKS.items(), *((name, {**CLAIMS, **FACTS}[name]) for name in claims)]:
        try:
            check(case)
        except AssertionError as error:
            raise AssertionError(f"op {case}: {name}: {error}") from None
        except Exception as error:
            what = str(error) if isinstance(error, Reason | ResbenchError) else f"{type(error).__name__}: {error}"
            raise AssertionError(f"op {case}: {name}: it raises {what}") from error
    try:
        side_by_side = stacked(case)
    except AssertionError as error:
        raise AssertionError(f"op {case}: stacked: {error}") from None
    result = sizes(run(make(case).eval(), tensors_of(case)).shape[1:])
    return Report(str(case), result, tuple(CHECKS), tuple(claims), side_by_side, macs(case), _known(case))


def _known(case: Case) -> str:
    kind = case.kind
    effect = f"effect {kind.effect}" if kind.effect != "nonlinear" else ""
    return ", ".join(text for text in (f"role {kind.role}" if kind.role is not None else "", effect) if text)
