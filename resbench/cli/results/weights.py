"""`resbench results weights RUN -o FILE`: the final weights of a run, kept or trained again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.echo import echo
from resbench.cli.options import Checkpoints, Db, Force, Plugins, database
from resbench.errors import BadInput, StorageError

if TYPE_CHECKING:
    from resbench.study.weights.run_weights import RunWeights

Other = Annotated[
    bool,
    typer.Option(
        "--other-bits",
        help="Accept different numbers if training the run again does not reproduce it here; the file records this.",
    ),
]


def weights(
    run: Annotated[int, typer.Argument(help="A run's number: run_id in v_runs.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="The .safetensors file to write. Default: only keep the "
            "weights.", show_default=False),
    ] = None,
    force: Force = False,
    other_bits: Other = False,
    checkpoints: Checkpoints = None,
    db: Db = None,
    plugins: Plugins = None,
) -> None:  # fmt: skip
    """Write the final weights of a run. If none are kept, the run is trained again, bit for bit, and its weights are kept."""
    from resbench.files import check, write

    if out is not None:
        if out.suffix != ".safetensors":
            raise BadInput(
                f"-o: expected a file name that ends in .safetensors, got {out}; `resbench net export --run {run}` writes "
                "other formats"
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
    """Return the weights of a run from its file, or train the run again and show its epochs. Raises BadInput."""
    from resbench.store.open import open_store
    from resbench.store.results.checkpoints import checkpoint_folder
    from resbench.study.weights.run_weights import weights_of_run

    def on_epoch(epoch: int, error: float) -> None:
        echo(f"epoch {epoch}: val error {error:.2f} %", err=True)

    engine = open_store(url, create=False)
    folder = checkpoint_folder(url, checkpoints)
    return weights_of_run(engine, folder, run, on_epoch, other_bits=other_bits, note=lambda text: echo(text, err=True))


def nearest_run(url: str, study: str, unit: str) -> int:
    """Return the run of the unit that is nearest to its median, if possible one whose weights are kept."""
    from resbench.store.open import open_store
    from resbench.study.weights.selection import nearest

    return nearest(open_store(url, create=False), study, unit)
