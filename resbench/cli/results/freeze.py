"""`resbench results freeze STUDY -o bench.db`: a study as a frozen benchmark, a file that is queried without training."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from resbench.cli.completion import complete_studies
from resbench.cli.echo import echo
from resbench.cli.options import Db, Force, Timeout, database
from resbench.errors import BadInput
from resbench.escape import printable


def freeze(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The file to write.")],
    study: Annotated[
        str | None, typer.Argument(help="The study's name; optional with --merge.",
            autocompletion=complete_studies, show_default=False)
    ] = None,
    merge: Annotated[
        list[Path] | None,
        typer.Option("--merge", metavar="FILE", help="Also include this frozen file; may be repeated.", show_default=False),
    ] = None,
    with_test: Annotated[
        bool,
        typer.Option("--with-test", help="Include the test scores in a table of their own; the database records that they "
            "were looked at."),
    ] = False,
    force: Force = False,
    timeout_s: Timeout = None,
    db: Db = None,
) -> None:  # fmt: skip
    """Write every run and epoch of a study, with costs, recipe and provenance, to a file for `resbench.tabular`."""
    if study is None and not merge:
        raise BadInput("results freeze: expected STUDY, or frozen files with --merge")
    if study is None and with_test:
        raise BadInput("--with-test requires STUDY; a merged file has the test scores of its parts")
    from resbench.store.connection.location import locate
    from resbench.store.connection.new_file import check_place, refuse_source
    from resbench.tabular import load
    from resbench.tabular import merge as merged

    url = database(db)
    file = locate(url).path
    refuse_source(out, merge or [])
    check_place(out, [*(merge or []), *([] if file is None else [file])], force=force)
    if study is None:
        merged(merge or [], out, force=force)
    else:
        from resbench.cli.results.sealed_scores import user
        from resbench.store.frozen.write import freeze as frozen
        from resbench.store.open import open_store

        engine = open_store(url, create=False, transaction_s=timeout_s, bulk=True)
        by = f"{user()}: resbench results freeze --with-test" if with_test else None
        if merge:
            with TemporaryDirectory() as folder:
                own = Path(folder) / "study.db"  # a study's name may be a stranger's and lead elsewhere
                frozen(engine, study, own, test_for=by)
                merged([own, *merge], out, force=force)
        else:
            frozen(engine, study, out, test_for=by, force=force)
    with load(out) as bench:
        units, runs = len(bench.units), bench.count()
    echo(f"{printable(str(out), 300)}: {units} units, {runs} runs", err=True)
