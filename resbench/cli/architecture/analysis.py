"""Words of the command line -> a unit's IdentityReport, its Checks and, where asked for, its profile at the start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from resbench.cli.architecture.binding import bind_unit
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import build
from resbench.data.registry import load
from resbench.data.split import normalised, whole
from resbench.measure.macs import macs
from resbench.measure.memory_check import require
from resbench.measure.threads import enough_threads
from resbench.theory.identities import IMAGES as NOISE
from resbench.theory.identities import EquationCheck, check_identities
from resbench.theory.identity_report import IdentityReport, consequence, identity_report
from resbench.theory.profile import IMAGES, UnitProfile, profile

DATA = "digits"  # ships with the package


@dataclass(frozen=True, slots=True)
class Analysis:
    reading: IdentityReport
    checks: list[EquationCheck]
    profiles: list[UnitProfile]


def analysed(
    unit: str, words: tuple[str, ...], seed: int, profiled: bool, tell: Callable[[str], object] = lambda text: None
) -> Analysis:
    """In the network that the words say; a profile takes images of `data=`, else of the digits. Raises TooLarge."""
    _, bound = bind_unit(unit, words)
    require(
        "analysing it", bound, times=2, images=IMAGES if profiled else 0
    )  # in float64, or with a copy for the profile
    profiles: list[UnitProfile] = []
    if profiled:
        named = next((word.partition("=")[2] for word in words if word.startswith("data=")), None)
        at = bound if named else bind_unit(unit, (*words, f"data={DATA}"))[1]
        profiles = at_start(at, named or DATA, seed)
    with enough_threads(macs(bound).count * NOISE):
        checks = check_identities(bound, seed, tell=lambda text: tell(f"{bound.unit}: {text}"))
    return Analysis(identity_report(bound), checks, profiles)


def at_start(bound: BoundNetwork, data: str, seed: int) -> list[UnitProfile]:
    """With weights as a run of that seed starts from, on the first images of the training split."""
    network = build(bound)
    initialize_weights(network, canonical(bound).numbers, seed, "he_normal")
    images, labels = whole(normalised(load(data), "train"))
    return profile(bound, network, images[:IMAGES], labels[:IMAGES])


def as_json(one: Analysis) -> dict[str, Any]:
    reading = one.reading
    return {
        "unit": reading.unit, "network": reading.network, "units": reading.units, "alike": reading.alike,
        "equation": reading.equation, "names": reading.names, "h": reading.path.h_kind, "f": reading.path.f_kind,
        "factor": reading.factor, "left": reading.remaining_factor, "consequence": consequence(reading),
        "checks": [
            {"equation": c.equation, "words": c.words, "foretold": c.predicted, "holds": c.holds, "residuals": c.residuals}
            for c in one.checks
        ],
        "profile": [asdict(p) for p in one.profiles],
    }  # fmt: skip
