"""Every command that writes a file where a person says: what is there is left, `--force` replaces it, typed twice it works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import click
import pytest
import typer.main
from command_line import Rb, say
from decoys import place, snapshot
from shortened import every

from resbench.cli.main import app

WRITES = ("-o", "--out", "--output", "--svg", "--plot")  # options that name a file to write
COMMANDS: dict[str, tuple[str, ...]] = {
    "s.json": ("schema", "unit", "-o"),
    "u.svg": ("unit", "show", "original", "-o"),
    "u.mmd": ("unit", "show", "original", "--place", "all", "-o"),
    "u.py": ("unit", "export", "original", "width=2", "-o"),
    "n.py": ("net", "export", "resnet_cifar", "unit=original", "depth=8", "width=2", "-o"),
    "n.safetensors": ("net", "export", "resnet_cifar", "unit=original", "depth=8", "width=2", "-o"),
    "x.csv": ("results", "export", "small", "-o"),
    "x.md": ("results", "export", "small", "-o"),
    "x.parquet": ("results", "export", "small", "-o"),
    "p.svg": ("results", "plot", "small", "ranking", "-o"),
    "p.png": ("results", "plot", "small", "seeds", "-o"),
    "p.pdf": ("results", "plot", "small", "pareto", "-o"),
    "t.svg": ("results", "top", "small", "--svg"),
    "r.html": ("report", "small", "-o"),
}
NEW_EACH_TIME = {  # they hold when they were made
    "f.db": ("results", "freeze", "small", "-o"),
    "b.db": ("db", "backup"),
    "m.db": ("db", "merge", "resbench.db", "other.db", "-o"),
}
REFUSED = "exists already and was left as it is; give another name, or --force replaces it\n"


def all_commands(group: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name, command in getattr(group, "commands", {}).items():
        yield from all_commands(command, (*words, name))
    if not getattr(group, "commands", {}):
        yield " ".join(words), group


def test_every_command_that_writes_a_file_has_force() -> None:
    writing = {
        words: command
        for words, command in all_commands(typer.main.get_command(app))
        if any(option in WRITES for parameter in command.params for option in parameter.opts)
    }
    assert {" ".join(words[:2]) for words in COMMANDS.values() if len(words) > 3} - {
        "schema unit",
        "report small",
    } <= set(writing)
    assert {"study proxies", "net import-weights", "results unit", "analyze", "report", "db merge"} <= set(writing)
    for words, command in (
        *writing.items(),
        ("db backup", dict(all_commands(typer.main.get_command(app)))["db backup"]),
    ):
        assert any("--force" in parameter.opts for parameter in command.params), words


@pytest.fixture
def folder(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of decoys with the database of a study that ran, and a second one."""
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    (tmp_path / "outside").write_bytes(b"elsewhere")
    place(tmp_path / "here", tmp_path / "outside")
    for name in ("resbench.db", "other.db"):
        copyfile(finished / "resbench.db", tmp_path / "here" / name)
    return tmp_path / "here"


def found(folder: Path) -> dict[str, object]:
    """All but the databases that are read: a writer may have left pages to be copied back."""
    return {
        name: what
        for name, what in snapshot(folder.parent).items()
        if not name.startswith(("here/resbench.db", "here/other.db"))
    }


@pytest.mark.parametrize("name", every(4, COMMANDS | NEW_EACH_TIME))
def test_what_is_there_is_left(name: str, folder: Path) -> None:
    command, before = (*(COMMANDS | NEW_EACH_TIME)[name], name), found(folder)
    said = say(command, folder)
    assert said.status == 0, said.err
    once = found(folder)
    assert once.keys() - before.keys() == {f"here/{name}"}
    again = say(command, folder)
    assert (again.status, found(folder)) == (0 if name in COMMANDS else 2, once)
    (folder / name).write_bytes(b"mine")
    said = say(command, folder)
    assert (said.status, said.err) == (2, f"{name}: {REFUSED}")
    assert found(folder) == before | {f"here/{name}": ("file", b"mine")}
    said = say((*command, "--force"), folder)
    assert said.status == 0, said.err
    new = found(folder)
    assert new.keys() == once.keys()
    assert new == once or name in NEW_EACH_TIME
    (folder / name).unlink()
    for target in (folder.parent / "outside", Path("nowhere")):
        (folder / name).symlink_to(target)
        for words in (command, (*command, "--force")):
            said = say(words, folder)
            assert said.status == 2
            assert f"{name}: is a link to {target}" in said.err
        (folder / name).unlink()
    assert found(folder) == before


def test_of_several_pictures_none_is_written_where_one_is_in_the_way(folder: Path) -> None:
    command = ("results", "plot", "small", "ranking", "seeds", "pareto", "-o", "p.svg")
    (folder / "p-pareto.svg").write_bytes(b"mine")
    before = found(folder)
    said = say(command, folder)
    assert (said.status, said.out, said.err) == (2, "", f"p-pareto.svg: {REFUSED}")
    assert found(folder) == before
    assert say((*command, "--force"), folder).status == 0
    assert {"here/p-ranking.svg", "here/p-seeds.svg", "here/p-pareto.svg"} <= found(folder).keys()


def test_a_database_is_not_lost_to_a_slip(folder: Path) -> None:
    before = snapshot(folder)
    for words in (
        ("results", "freeze", "small", "-o", "resbench.db", "--force"),
        ("results", "freeze", "small", "--merge", "other.db", "-o", "other.db", "--force"),
        ("results", "freeze", "small", "--merge", "other.db", "-o", "resbench.db", "--force"),
        ("db", "backup", "resbench.db", "--force"),
        ("db", "merge", "resbench.db", "other.db", "-o", "other.db", "--force"),
    ):
        said = say(words, folder)
        what = "is one of the files to be merged" if "other.db" in words[-3:] else "is the database itself"
        assert (said.status, f"{what} and was left as it is" in said.err) == (2, True)
    said = say(("schema", "unit", "-o", "resbench.db", "--force"), folder)
    assert (said.status, said.err) == (2, "resbench.db: is a database and was left as it is; give another name\n")
    assert snapshot(folder) == before


def test_a_pipe_gets_what_a_file_would(rb: Rb, tmp_path: Path) -> None:
    assert rb("schema", "unit", "-o", "/dev/null").status == 0
    assert rb("schema", "unit", "-o", "/dev/null", "--force").status == 0
    assert list(tmp_path.iterdir()) == []


def test_profiles_drawn_twice(rb: Rb, tmp_path: Path) -> None:
    command = ("analyze", "original", "depth=8", "width=2", "--plot", "p.svg")
    assert rb(*command).status == 0
    files = snapshot(tmp_path)
    assert set(files) == {"p-signal.svg", "p-gradient.svg"}
    assert (rb(*command).status, snapshot(tmp_path)) == (0, files)
    (tmp_path / "p-gradient.svg").write_bytes(b"mine")
    (tmp_path / "p-signal.svg").unlink()
    refused = rb(*command)
    assert refused.status == 2
    assert refused.err.endswith(f"p-gradient.svg: {REFUSED}")  # behind lines of progress, where the machine is slow
    assert snapshot(tmp_path) == {"p-gradient.svg": ("file", b"mine")}
    assert rb(*command, "--force").status == 0
    assert snapshot(tmp_path) == files


@pytest.mark.long
def test_numbers_of_untrained_networks_are_shown_though_their_file_is_in_the_way(folder: Path) -> None:
    command = ("study", "proxies", "small", "-o", "p.csv")
    assert say(command, folder).status == 0
    assert say(command, folder).status == 0
    (folder / "p.csv").write_bytes(b"mine")
    refused = say(command, folder)
    assert (refused.status, refused.err.splitlines()[-1] + "\n") == (2, f"p.csv: {REFUSED}")
    assert "naswot" in refused.out
    assert (folder / "p.csv").read_bytes() == b"mine"
    assert say((*command, "--force"), folder).status == 0
    assert (folder / "p.csv").read_bytes().startswith(b"unit,digest,")
    gone = say(("study", "proxies", "small", "-o", "gone/p.csv"), folder)
    assert (gone.status, gone.out, gone.err) == (2, "", "gone/p.csv: there is no folder gone\n")


@pytest.mark.long
def test_weights_taken_over_twice(rb: Rb, tmp_path: Path) -> None:
    command = ("net", "import-weights", "resnet_imagenet", "depth=18", "unit=original", "unit.change=project")
    command = (*command, "--against", "torchvision:resnet18", "-o", "w.safetensors")
    assert rb(*command).status == 0
    assert rb(*command).status == 0
    (tmp_path / "w.safetensors").write_bytes(b"mine")
    refused = rb(*command)
    assert (refused.status, refused.err) == (2, f"w.safetensors: {REFUSED}")
    assert (tmp_path / "w.safetensors").read_bytes() == b"mine"
    assert rb(*command, "--force").status == 0
