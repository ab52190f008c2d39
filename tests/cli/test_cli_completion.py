"""What a shell offers behind `resbench ...`: commands, options and names, those of studies from the database; without torch."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from command_line import Database, Rb

from resbench.store.open import open_store
from resbench.store.query import postgres as readonly_postgres
from resbench.store.schema.tables import rb_study

Offer = Callable[..., list[str]]


@pytest.fixture
def offered(rb: Rb, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """What bash is given for the last of some words."""

    def offer(*words: str) -> list[str]:
        monkeypatch.setenv("_RESBENCH_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", "\n".join(["resbench", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        said = rb()
        assert (said.status, said.err) == (0, "")
        return said.out.split()

    return offer


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["re"], {"report", "results"}),
        (["results", "t"], {"top"}),
        (["results", "top", "--j"], {"--json"}),
        (["unit", "check", "orig"], {"original", "original_bottleneck", "original_one_layer"}),
        (["unit", "diff", "plain", "plain_b"], {"plain_bottleneck"}),
        (["unit", "show", "no_such"], set()),
        (["analyze", "original", "plain", "plain_b"], {"plain_bottleneck"}),
        (["net", "show", "resnet_c"], {"resnet_cifar"}),
        (["net", "verify", "wide"], {"wide_resnet"}),
        (["study", "run", "quick"], {"quickstart"}),
        (["study", "check", "quick"], {"quickstart"}),
        (["schema", "n"], {"network"}),
        (["data", "cifar"], {"cifar10", "cifar100"}),
        (["plugins", "check", "--network", "resnet_i"], {"resnet_imagenet"}),
        (["net", "show", "resnet_cifar", "unit=plain_b"], {"unit=plain_bottleneck"}),
        (["net", "show", "resnet_cifar", "unit", "=", "plain_b"], {"plain_bottleneck"}),
        (["analyze", "original", "network", "=", "wide"], {"wide_resnet"}),
        (["net", "show", "resnet_cifar", "depth=1"], set()),
    ],
)
def test_names(offered: Offer, words: list[str], names: set[str]) -> None:
    assert set(offered(*words)) == names


ABOUT_A_STUDY = [
    ["results", "top"], ["results", "compare"], ["results", "power"], ["results", "agreement"],
    ["results", "export"], ["results", "freeze"], ["results", "plot"], ["results", "delete"], ["results", "rename"],
    ["results", "note"], ["study", "status"], ["study", "proxies"], ["report"], ["dashboard"], ["worker", "--study"],
]  # fmt: skip


@pytest.mark.parametrize("words", ABOUT_A_STUDY, ids=" ".join)
def test_studies_of_the_database(offered: Offer, ran: None, words: list[str]) -> None:
    assert offered(*words, "sm") == ["small"]


def test_of_the_database_that_the_command_line_names(
    offered, ran: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "resbench.db").rename(tmp_path / "other.db")
    assert offered("results", "top", "") == []
    assert offered("results", "top", "--db", "other.db", "") == ["small"]
    monkeypatch.setenv("RESBENCH_DB", str(tmp_path / "other.db"))
    assert offered("results", "top", "") == ["small"]
    monkeypatch.delenv("RESBENCH_DB")
    (tmp_path / "pyproject.toml").write_text('[tool.resbench]\ndb = "other.db"\n', "utf-8")
    assert offered("results", "top", "") == ["small"]


def test_nothing_is_made_or_written(offered: Offer, ran: None, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    offered("results", "top", "s")
    offered("results", "top", "--db", "none.db", "s")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("text", ["", "no database", "SQLite format 3\0"])
def test_of_what_is_no_database_nothing_is_offered(offered: Offer, tmp_path: Path, text: str) -> None:
    (tmp_path / "resbench.db").write_text(text, "utf-8")
    assert offered("results", "top", "") == []


def test_a_name_that_a_shell_would_obey_is_not_offered(offered: Offer, ran: None, database: Database) -> None:
    for name in ("a b", "a;b", "$(b)", "`b`", "--json", "a'b", "a\nb", "(a)", "*"):
        with closing(sqlite3.connect(database.path)) as connection, connection:
            connection.execute("UPDATE rb_study SET name = ?", (name,))
        assert offered("results", "top", "") == []


def test_a_server_that_does_not_answer_is_left(offered: Offer, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(*given: object) -> list[tuple[str]]:
        raise TimeoutError

    monkeypatch.setattr(readonly_postgres, "rows", wait)
    monkeypatch.setenv("RESBENCH_DB", "postgresql://nobody@localhost/none")
    assert offered("results", "top", "") == []


def test_studies_of_a_server(offered: Offer, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_store(postgres, create=False)
    with engine.begin() as connection:
        row = {"name": "small", "spec": "{}", "digest": "", "created_at": "", "updated_at": ""}
        connection.execute(rb_study.insert().values(row))
    engine.dispose()
    monkeypatch.setenv("RESBENCH_DB", postgres)
    assert offered("results", "top", "") == ["small"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_it_is_installed(shell: str, tmp_path: Path) -> None:
    """Into the files of the person's shell, for the command `resbench`, however it was started."""
    environment = os.environ | {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [sys.executable, "-m", "resbench", "--install-completion", shell]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = {
        str(path.relative_to(tmp_path)): path.read_text("utf-8") for path in tmp_path.rglob("*") if path.is_file()
    }
    (script,) = (text for name, text in written.items() if "resbench" in name)
    assert f"_RESBENCH_COMPLETE=complete_{shell}" in script
    assert "python" not in script


def test_bash_completes_by_the_script(tmp_path: Path, ran: None) -> None:
    """As bash calls it; the names of units, with no module of torch, SQLAlchemy or Optuna imported."""
    command = tmp_path / "bin" / "resbench"
    command.parent.mkdir()
    heavy = "[m for m in ('torch', 'sqlalchemy', 'optuna', 'matplotlib') if m in sys.modules]"
    command.write_text(
        f"#!{sys.executable}\nimport atexit, sys\nfrom resbench.cli.main import run\n"
        f"atexit.register(lambda: open({str(tmp_path / 'heavy')!r}, 'a').write(str({heavy}) + '\\n'))\nrun()\n",
        "utf-8",
    )
    command.chmod(0o755)
    script = """
source <(_RESBENCH_COMPLETE=source_bash resbench)
try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _resbench_completion resbench; echo "${COMPREPLY[*]}"; }
try resbench net show resnet_c
try resbench results top sm
try resbench schema u
"""
    environment = os.environ | {
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("resnet_cifar\nsmall\nunit\n", "")
    assert set((tmp_path / "heavy").read_text("utf-8").splitlines()) == {"[]"}
