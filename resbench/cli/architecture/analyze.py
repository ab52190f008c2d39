"""`resbench analyze UNIT`: the identity path of a unit, from its graph and on a real network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_units, complete_units_and_settings
from resbench.cli.delayed_progress import patient
from resbench.cli.echo import echo
from resbench.cli.options import Force, Json, Plugins
from resbench.random_streams import LARGEST

if TYPE_CHECKING:
    from resbench.theory.identities import EquationCheck
    from resbench.theory.identity_report import IdentityReport
    from resbench.theory.profile import UnitProfile


def analyze(
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="A unit's name, or its YAML file.",
        autocompletion=complete_units)],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[UNIT]... [network=NAME] [depth=..] [data=NAME] [PARAM=VALUE]...",
                       autocompletion=complete_units_and_settings,
                       help="Further units, the network that they are placed in, and values of params."),
    ] = None,
    profiled: Annotated[
        bool, typer.Option("--profile", help="Also print variance, gradient norm and shortcut share at every unit, before "
            "training.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the profiles of all units in one picture (.svg, .png).",
                                  show_default=False)
    ] = None,
    force: Force = False,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST, help="Seed of the weights and the noise.")] = 0,
    json: Json = False, plugins: Plugins = None,
) -> None:  # fmt: skip
    """Print a unit's equation, what Eq. 4, 5, 7 and 8 of He et al. 2016 predict for it, and whether they hold when measured."""
    from resbench.api.architecture.analysis import analyze_words
    from resbench.cli.output import print_json
    from resbench.language.library.library import Library
    from resbench.ops.schema import table

    settings = tuple(word for word in words or () if "=" in word)
    units = [unit, *(word for word in words or () if "=" not in word)]
    for name in units:  # problems of a file are reported before torch is imported
        Library(table(), Path(name).parent if name.endswith(".yaml") else None).unit(name)
    tell = patient(1.0)
    found = {name: analyze_words(name, settings, seed, profiled or plot is not None, tell) for name in units}
    if plot is not None:
        for file in _draw({one.reading.unit: one.profiles for one in found.values()}, plot, force=force):
            echo(f"drawn: {file}", err=True)
    if json:
        print_json([one.to_dict() for one in found.values()])
        return
    for one in found.values():
        _tell(one.reading, one.checks)
        if profiled:
            _tell_profile(one.profiles)


def _draw(profiles: Mapping[str, Sequence[UnitProfile]], out: Path, *, force: bool) -> list[Path]:
    """Draw signal and gradient, each to a file of its own."""
    from resbench.figures.profile import QUANTITIES, draw
    from resbench.figures.style import drawing, ending_of, render
    from resbench.files import write_all

    ending, drawn = ending_of(out), []
    for quantity in QUANTITIES:
        with drawing():
            figure = draw({name: {0: [of]} for name, of in profiles.items()}, quantity)
            file = out.with_name(f"{out.stem}-{quantity}{out.suffix}")
            drawn.append((file, render(figure, ending, f"{quantity} at the start")))
    write_all(drawn, force=force)
    return [file for file, _ in drawn]


def _tell(reading: IdentityReport, checks: Sequence[EquationCheck]) -> None:
    from resbench.cli.output import print_table
    from resbench.theory.identity_report import consequence

    echo(f"{reading.unit} in {reading.network}, {reading.alike} of {reading.units} units alike")
    echo(f"  {reading.equation}")
    for name, expression in reading.names.items():
        echo(f"    {name} = {expression}")
    echo(f"  h: {reading.h}")
    echo(f"  f: {reading.f}")
    echo(f"  over {reading.units} units: {consequence(reading)}")
    if reading.per_stage == 1:
        echo(
            "  no two units of a stage are alike, so the equations are checked over one unit; a larger depth= gives more"
        )
    rows = []
    for check in checks:
        measured = "holds" if check.holds else "does not hold"
        agrees = "as predicted" if check.agrees else "NOT AS PREDICTED"
        residuals = [f"{check.residuals[dtype]:.1e}" for dtype in ("float32", "float64")]
        rows.append([f"Eq. {check.equation}", check.words, measured, agrees, *residuals])
    print_table(["", "equation", "on the network", "from the graph", ">float32", ">float64"], rows)


def _tell_profile(profiles: Sequence[UnitProfile]) -> None:
    from resbench.cli.output import print_table

    rows = [
        [
            str(p.unit), p.path, f"{p.variance:.3g}", f"{p.gradient_norm:.3g}", f"{p.shortcut_pct:.1f}",
            "" if p.dead_pct is None else f"{p.dead_pct:.1f}",
        ]
        for p in profiles
    ]  # fmt: skip
    print_table([">unit", "module", ">variance", ">gradient norm", ">through h %", ">dead ReLU %"], rows)
