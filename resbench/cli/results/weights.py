"""`resbench results weights RUN -o FILE`: the weights that a run ended with, kept ones or trained again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.options import Checkpoints, Db, Force, Plugins, database
from resbench.cli.terminal import echo
from resbench.errors import BadInput, StorageError

if TYPE_CHECKING:
    from resbench.study.weights.run_weights import RunWeights

Other = Annotated[
    bool,
    typer.Option("--other-bits", help="Also where training the run again gives other numbers here; the file says so."),
]


def weights(
    run: Annotated[int, typer.Argument(help="A run's number: run_id in v_runs.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="A .safetensors file; else they are only kept.", show_default=False),
    ] = None,
    force: Force = False,
    other_bits: Other = False,
    checkpoints: Checkpoints = None,
    db: Db = None,
    plugins: Plugins = None,
) -> None:  # fmt: skip
    """Write the weights that a run ended with. Where none are kept the run is trained again, bit for bit, and they are."""
    from resbench.files import check, write

    if out is not None:
        if out.suffix != ".safetensors":
            raise BadInput(
                f"-o {out}: weights are written as .safetensors; `resbench net export --run {run}` writes other formats"
            )
        check(out, force=force)
    taken = take(run, database(db), checkpoints, other_bits=other_bits)
    if taken.unkept is not None and out is None:
        raise StorageError(f"{taken.unkept}; -o FILE writes them there")
    if taken.unkept is not None:
        echo(taken.unkept, err=True)
    if out is not None:
        write(out, taken.file(), force=force)
        echo(f"{out}: {taken.title}", err=True)
    else:
        echo(taken.title, err=True)


def take(run: int, url: str, checkpoints: str | None, *, other_bits: bool) -> RunWeights:
    """Of the run, from its file, or by training it again while its epochs are shown. Raises BadInput."""
    from resbench.store.open import open_store
    from resbench.store.results.checkpoints import checkpoint_folder
    from resbench.study.weights.run_weights import weights_of_run

    def on_epoch(epoch: int, error: float) -> None:
        echo(f"epoch {epoch}: val error {error:.2f} %", err=True)

    engine = open_store(url, create=False)
    folder = checkpoint_folder(url, checkpoints)
    return weights_of_run(engine, folder, run, on_epoch, other_bits=other_bits, note=lambda text: echo(text, err=True))


def nearest_run(url: str, study: str, unit: str) -> int:
    """Of the unit of the study, the run nearest to its median; one whose weights are kept, if there is one."""
    from resbench.store.open import open_store
    from resbench.study.weights.selection import nearest

    return nearest(open_store(url, create=False), study, unit)
