"""`resbench analyze UNIT`: what a unit's identity path is, from its graph and on a real network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_units, complete_units_and_settings
from resbench.cli.delayed_progress import patient
from resbench.cli.options import Force, Json, Plugins
from resbench.cli.terminal import echo
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
                       help="More units, the network they stand in, and values for params."),
    ] = None,
    profiled: Annotated[
        bool, typer.Option("--profile", help="Also variance, gradient norm and shortcut share at every unit, at the start.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the profiles (.svg, .png), units beside each other.",
                                  show_default=False)
    ] = None,
    force: Force = False,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST, help="Of weights and noise.")] = 0,
    json: Json = False, plugins: Plugins = None,
) -> None:  # fmt: skip
    """Tell a unit's identity path: its equation, what Eq. 4, 5, 7 and 8 of He et al. 2016 say of it, and whether they hold."""
    from resbench.api.architecture.analysis import analyze_words
    from resbench.cli.output import print_json
    from resbench.language.library.library import Library
    from resbench.ops.schema import table

    settings = tuple(word for word in words or () if "=" in word)
    units = [unit, *(word for word in words or () if "=" not in word)]
    for name in units:  # what is wrong with a file itself is told before torch is imported
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
    """Signal and gradient, a file each."""
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
    for name, stands in reading.names.items():
        echo(f"    {name} = {stands}")
    echo(f"  h: {reading.h}")
    echo(f"  f: {reading.f}")
    echo(f"  over {reading.units} units: {consequence(reading)}")
    if reading.per_stage == 1:
        echo("  no two units of a stage are alike, so the equations are held over one unit; depth=.. makes more")
    rows = []
    for check in checks:
        seen = "holds" if check.holds else "does not hold"
        agrees = "as foretold" if check.agrees else "NOT AS FORETOLD"
        residuals = [f"{check.residuals[dtype]:.1e}" for dtype in ("float32", "float64")]
        rows.append([f"Eq. {check.equation}", check.words, seen, agrees, *residuals])
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
