"""`resbench results unit STUDY NAME -o best.yaml`: an entry of a ranking as files with which it can be repeated anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, count
from os.path import lexists
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.echo import echo, write_file
from resbench.cli.options import Db, Force, database
from resbench.errors import BadInput
from resbench.escape import shell_line

if TYPE_CHECKING:
    from resbench.study.entry_files import EntryFiles


def unit(
    study: Annotated[str, typer.Argument(help="The study's name.", autocompletion=complete_studies)],
    name: Annotated[str, typer.Argument(metavar="UNIT", help="The unit's name or number in the ranking.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", show_default=False,
            help="The file to write. The files that train it again go beside it: .study.yaml, .network.yaml, .recipe.yaml.",
        ),
    ] = None,
    force: Force = False,
    db: Db = None,
) -> None:  # fmt: skip
    """Print an entry of the ranking as a YAML unit, with its values as defaults; -o also writes a study that trains it again."""
    from resbench.language.yaml.writer import yaml_text
    from resbench.store.connection.location import locate
    from resbench.store.open import open_store
    from resbench.study.companions import stamped
    from resbench.study.entry_files import entry_files, entry_unit, is_written_only

    if out is not None and out.suffix != ".yaml":
        got = f"got {out.suffix}" if out.suffix else "got none"
        give = out.with_suffix(".yaml") if out.name else "best.yaml"
        raise BadInput(f"-o {out}: expected a name that ends in .yaml, {got}; give {give}")
    url = database(db)
    engine = open_store(url, create=False)
    if out is None or is_written_only(engine, study, name):
        text = yaml_text(entry_unit(engine, study, name))
        if out is None:
            write_file(text)
        else:
            _write({out: stamped(text)}, out, force=force)
            echo(f"{out}: {name}, which is in no ranking, so there are no seeds to repeat", err=True)
        return
    stem = out.name.removesuffix(".yaml")
    with TemporaryDirectory() as folder:
        _verify(entry_files(engine, study, name, Path(folder) / out.name), Path(folder), stem)
    found = entry_files(engine, study, name, out)
    places = {ending: out.with_name(f"{stem}{ending}") for ending in found.files}
    _write({places[ending]: stamped(text) for ending, text in found.files.items()}, out, force=force)
    echo(f"written: {', '.join(map(str, places.values()))}: {found.name}", err=True)
    command = ["resbench", "study", "run", str(places[".study.yaml"]), "--db", str(_new_database(out.with_name(stem)))]
    echo(
        f"{locate(url).shown} has its runs, so nothing would be trained there; to train it again, run: {shell_line(command)}",
        err=True,
    )


def _write(files: Mapping[Path, bytes], out: Path, *, force: bool) -> None:
    """Write all files and remove those of an earlier write. Raises BadInput for a file that resbench did not write."""
    from resbench.files import write_all
    from resbench.study.companions import find_stale, remove_stale

    stale = find_stale(out, files, force=force)
    write_all([*files.items()], force=force)
    remove_stale(stale)
    if stale:
        echo(f"removed from an earlier write: {', '.join(map(str, stale))}", err=True)


def _new_database(stem: Path) -> Path:
    """Return the name of a database that does not exist yet: `best.db`, else `best-2.db`, ..."""
    endings = chain(("",), (f"-{number}" for number in count(2)))
    return next(path for end in endings if not lexists(path := stem.with_name(f"{stem.name}{end}.db")))


def _verify(found: EntryFiles, folder: Path, stem: str) -> None:
    """Raise BadInput if the files make a different network or recipe than the entry's, since a file has changed."""
    from resbench.api.study.prepare import prepare

    for ending, text in found.files.items():
        (folder / f"{stem}{ending}").write_text(text, "utf-8")
    (point,) = prepare(str(folder / f"{stem}.study.yaml"), (), None, None, lambda: None).points
    for what, was, now in (
        ("network", found.architecture, point.digest),
        ("recipe", found.recipe, point.recipe.digest),
    ):
        if was != now:
            raise BadInput(
                f"{found.name}: expected the {what} that was trained, {was}, got {now} from its files: a file has changed "
                "since, or "
                "this version of resbench reads it differently; nothing was written"
            )
