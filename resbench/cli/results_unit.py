"""`resbench results unit STUDY NAME -o best.yaml`: an entry of a ranking, as files that repeat it anywhere."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.options import Db, Force, database
from resbench.cli.terminal import echo, write_file
from resbench.errors import BadInput
from resbench.escape import shell_line

if TYPE_CHECKING:
    from resbench.study.entry_files import EntryFiles


def unit(
    study: Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)],
    name: Annotated[str, typer.Argument(metavar="UNIT", help="As the ranking names it, or its number there.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", show_default=False,
            help="Write it there; beside it, with .study.yaml, .network.yaml, .recipe.yaml, what trains it again.",
        ),
    ] = None,
    force: Force = False,
    db: Db = None,
) -> None:  # fmt: skip
    """An entry of the ranking as a YAML unit, with the values that it was found with; and the study that trains it again."""
    from resbench.files import write_all
    from resbench.spec.yaml_text import yaml_text
    from resbench.store.engine import open_store
    from resbench.study.entry_files import entry_files, entry_unit, is_written_only

    if out is not None and out.suffix != ".yaml":
        raise BadInput(f"-o {out}: the name of a YAML file is needed, such as best.yaml")
    engine = open_store(database(db), create=False)
    if out is None or is_written_only(engine, study, name):
        text = yaml_text(entry_unit(engine, study, name))
        if out is None:
            write_file(text)
        else:
            write_all([(out, text.encode())], force=force)
            echo(f"{out}: {name}, which is in no ranking: there are no seeds to repeat", err=True)
        return
    stem = out.name.removesuffix(".yaml")
    with TemporaryDirectory() as folder:
        _verify(entry_files(engine, study, name, Path(folder) / out.name), Path(folder), stem)
    found = entry_files(engine, study, name, out)
    places = {ending: out.with_name(f"{stem}{ending}") for ending in found.files}
    write_all([(places[ending], text.encode()) for ending, text in found.files.items()], force=force)
    echo(f"written: {', '.join(map(str, places.values()))}: {found.name}", err=True)
    echo(f"it is trained again by: {shell_line(['resbench', 'study', 'run', str(places['.study.yaml'])])}", err=True)


def _verify(found: EntryFiles, folder: Path, stem: str) -> None:
    """Raises BadInput where the files make another network or recipe than the entry's: one that it was read from has changed."""
    from resbench.api.prepare import prepare

    for ending, text in found.files.items():
        (folder / f"{stem}{ending}").write_text(text, "utf-8")
    (point,) = prepare(str(folder / f"{stem}.study.yaml"), (), None, None, lambda: None).points
    for what, was, now in (
        ("network", found.architecture, point.digest),
        ("recipe", found.recipe, point.recipe.digest),
    ):
        if was != now:
            raise BadInput(
                f"{found.name}: what its files say now is another {what} than it was trained as ({now}, not {was}): a file has "
                "changed since, or this version of resbench reads it otherwise; nothing was written"
            )
