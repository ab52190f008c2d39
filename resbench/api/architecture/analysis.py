"""A unit in a network -> its equation, the predictions of Eq. 4 to 8 of He et al. 2016, whether they hold, and profiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from os import PathLike, fspath
from typing import Any

from resbench.api.architecture.unit import NETWORK, UnitLike, load_unit
from resbench.api.architecture.value import Value, to_nodes
from resbench.api.architecture.words import bind_unit, split_words
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import build
from resbench.data.registry import load
from resbench.data.split import normalised, whole
from resbench.escape import xml_text
from resbench.measure.macs import macs
from resbench.measure.memory_check import require
from resbench.measure.threads import enough_threads
from resbench.results.html import html_table
from resbench.theory.identities import IMAGES as NOISE
from resbench.theory.identities import EquationCheck, check_identities
from resbench.theory.identity_report import IdentityReport, consequence, identity_report
from resbench.theory.profile import IMAGES, UnitProfile, profile

DATA = "digits"  # ships with the package


@dataclass(frozen=True, slots=True)
class Analysis:
    """The analysis of a unit's identity path.

    Attributes:
        reading: The result from the graph: the equations of the unit, of `h` and of `f`.
        checks: The equations of the paper: whether each is predicted to hold, whether it does, and its residuals.
        profiles: Variance, gradient norm and shortcut share at every unit, if they were requested.
    """

    reading: IdentityReport
    checks: Sequence[EquationCheck]
    profiles: Sequence[UnitProfile]

    @property
    def equation(self) -> str:
        """The unit's equation."""
        return self.reading.equation

    @property
    def consequence(self) -> str:
        """What follows from it over all units of the network."""
        return consequence(self.reading)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, as `resbench analyze --json` prints it."""
        reading = self.reading
        return {
            "unit": reading.unit, "network": reading.network, "units": reading.units, "alike": reading.alike,
            "equation": reading.equation, "names": reading.names, "h": reading.path.h_kind, "f": reading.path.f_kind,
            "factor": reading.factor, "left": reading.remaining_factor, "consequence": consequence(reading),
            "checks": [
                {"equation": c.equation, "words": c.words, "foretold": c.predicted, "holds": c.holds,
                 "residuals": c.residuals}
                for c in self.checks
            ],
            "profile": [asdict(p) for p in self.profiles],
        }  # fmt: skip

    def _repr_html_(self) -> str:
        """Return the equation and the table of checks, for a notebook."""
        rows = [
            (
                f"Eq. {c.equation}",
                c.words,
                c.predicted,
                c.holds,
                *(f"{c.residuals[d]:.1e}" for d in ("float32", "float64")),
            )
            for c in self.checks
        ]
        columns = ("", "equation", "predicted", "holds", "float32", "float64")
        reading = self.reading
        lines = [f"{reading.unit} in {reading.network}: {reading.equation}", self.consequence]
        return "".join(f"<p>{xml_text(line)}</p>" for line in lines) + html_table(columns, rows)


def analyze(
    unit: UnitLike,
    *,
    network: str | PathLike[str] = NETWORK,
    data: str | None = None,
    seed: int = 0,
    profiles: bool = False,
    progress: Callable[[str], object] = lambda text: None,
    **params: Value,
) -> Analysis:
    """Analyze a unit's identity path, from its graph and on a real network.

    Args:
        unit: A name, a file, a mapping or a loaded unit, as `resbench.load_unit` takes it.
        network: The name or the file of the network.
        data: A data set that gives the input shape and the images of profiles; None for the network's own shape and the digits.
        seed: Seed of weights and noise.
        profiles: Whether to measure variance, gradient norm and shortcut share at every unit, before training.
        progress: Called with a sentence on the progress.
        params: Values for params of the unit or of the network, such as `depth=110`.

    Returns:
        The analysis. Notebooks show its equation and checks.

    Raises:
        SpecError: With every problem of the unit's file.
        TooLarge: Where the network needs more memory than there is.

    Example:
        >>> import resbench as rb
        >>> found = rb.analyze("constant_scaling", depth=20, width=4)
        >>> found.equation, [check.holds for check in found.checks]
        ('x_{l+1} = relu(0.5 x_l + 0.5 F(x_l))', [False, False, False, False, True])
    """
    found = load_unit(unit)
    given = to_nodes(params)
    return _analyze(lambda images: found.bind_nodes(fspath(network), given, images), data, seed, profiles, progress)


def analyze_words(
    unit: str, words: tuple[str, ...], seed: int, profiles: bool, progress: Callable[[str], object]
) -> Analysis:
    """Analyze with words of the command line, such as `depth=110`."""

    def bind(images: str | None) -> BoundNetwork:
        return bind_unit(unit, words if images is None else (*words, f"data={images}"))[1]

    return _analyze(bind, split_words(words)[1], seed, profiles, progress)


def _analyze(
    bind: Callable[[str | None], BoundNetwork],
    data: str | None,
    seed: int,
    profiles: bool,
    progress: Callable[[str], object],
) -> Analysis:
    bound = bind(data)
    require(
        "analysing it", bound, times=2, images=IMAGES if profiles else 0
    )  # in float64, or with a copy for the profile
    measured: list[UnitProfile] = []
    if profiles:
        measured = at_start(bound if data else bind(DATA), data or DATA, seed)
    with enough_threads(macs(bound).count * NOISE):
        checks = check_identities(bound, seed, tell=lambda text: progress(f"{bound.unit}: {text}"))
    return Analysis(identity_report(bound), checks, measured)


def at_start(bound: BoundNetwork, data: str, seed: int) -> list[UnitProfile]:
    """Return profiles with the initial weights of a run of that seed, on the first images of the training split."""
    network = build(bound)
    initialize_weights(network, canonical(bound).numbers, seed, "he_normal")
    images, labels = whole(normalised(load(data), "train"))
    return profile(bound, network, images[:IMAGES], labels[:IMAGES])
