"""Commands start fast: what each imports is looked up in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WATCHED = ("torch", "numpy", "scipy", "sqlalchemy", "alembic", "optuna", "matplotlib")
PROBE = f"""
import sys
sys.argv = ["resbench", *sys.argv[1:]]
from resbench.cli.main import run
status = 0
try:
    run()
except SystemExit as end:
    status = end.code or 0
print(status, *(name for name in {WATCHED!r} if name in sys.modules), file=sys.stderr)
"""
HELP = ((), ("study",), ("study", "run"), ("study", "check"), ("study", "show"), ("study", "status"), ("worker",), ("results",),
        ("results", "list"),
        ("results", "top"), ("results", "unit"),
        ("results", "compare"), ("results", "power"), ("results", "agreement"), ("results", "export"),
        ("results", "freeze"), ("results", "delete"), ("results", "rename"), ("results", "note"), ("results", "weights"),
        ("results", "show"), ("results", "repeat"), ("unit",), ("unit", "check"),
        ("unit", "show"), ("unit", "list"), ("unit", "diff"), ("unit", "export"), ("net",), ("net", "show"),
        ("net", "export"), ("net", "verify"), ("net", "import-weights"), ("plugins",), ("plugins", "list"),
        ("plugins", "new"), ("plugins", "check"), ("results", "plot"), ("report",), ("analyze",), ("study", "proxies"),
        ("dashboard",), ("query",), ("db",),
        ("db", "upgrade"), ("db", "check"), ("db", "backup"), ("db", "merge"), ("ops",), ("schema",), ("data",))  # fmt: skip


def imported(folder: Path, *words: object) -> tuple[int, set[str], str]:
    """Exit status, watched libraries that were imported, and stdout."""
    environment = {key: value for key, value in os.environ.items() if key != "RESBENCH_DB"}
    command = [sys.executable, "-c", PROBE, *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, timeout=600, check=True)
    status, *names = done.stderr.splitlines()[-1].split()
    return int(status), set(names), done.stdout


def test_the_probe_sees_an_import(tmp_path: Path) -> None:
    assert imported(tmp_path, "results", "list", "--db", "gone.db")[:2] == (4, {"sqlalchemy"})


def test_help_of_every_command_imports_none_of_them(tmp_path: Path) -> None:
    """One process for all: what one imported would be seen after the last."""
    script = PROBE.replace("try:\n    run()\nexcept SystemExit as end:\n    status = end.code or 0", (
        f"for words in {HELP!r}:\n"
        "    sys.argv = ['resbench', *words, '--help']\n"
        "    try:\n        run()\n"
        "    except SystemExit as end:\n        status = status or end.code or 0"
    ))  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, text=True, capture_output=True, timeout=600, check=True
    )
    assert done.stderr.splitlines()[-1] == "0"
    assert done.stdout.count("Usage: resbench") == len(HELP)


def test_every_command_is_in_the_list_above() -> None:
    import typer.main

    from resbench.cli.main import app

    found: list[tuple[str, ...]] = [()]
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        found += [(name,), *((name, below) for below in getattr(command, "commands", ()))]
    assert sorted(found) == sorted(HELP)


@pytest.mark.parametrize(
    "words",
    [
        ("results", "list"),
        ("results", "top", "small"),
        ("results", "compare", "small", "plain", "original"),
        ("results", "show", 1),
        ("study", "status", "small"),
        ("query", "SELECT COUNT(*) FROM v_runs"),
    ],
)
def test_reading_commands_import_neither_torch_nor_optuna(words: tuple[object, ...], finished: Path) -> None:
    status, names, out = imported(finished, *words)
    assert status == 0
    assert out
    assert not names & {"torch", "optuna", "alembic", "matplotlib"}
    if words[0] == "query":
        assert names == set()


def test_pictures_of_a_study_need_matplotlib_and_no_torch(finished: Path, tmp_path: Path) -> None:
    status, names, out = imported(finished, "results", "plot", "small", "ranking", "-o", tmp_path / "x.svg")
    assert (status, out) == (0, f"{tmp_path / 'x.svg'}\n")
    assert names & {"torch", "optuna", "alembic", "matplotlib"} == {"matplotlib"}


@pytest.mark.parametrize("words", [("ops",), ("unit", "list"), ("data",), ("--version",)])
def test_lists_import_none_of_them(words: tuple[str, ...], tmp_path: Path) -> None:
    status, names, out = imported(tmp_path, *words)
    assert (status, names) == (0, set())
    assert out


def test_a_study_with_a_wrong_text_is_refused_without_torch(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("study: bad\nnetwork: resnet_cifar\nunits: [plian]\ndata: digits\n", "utf-8")
    status, names, _ = imported(tmp_path, "study", "run", "bad.yaml")
    assert (status, names & {"torch", "optuna"}) == (2, set())


def test_stdout_is_data_and_stderr_is_progress(tmp_path: Path) -> None:
    """As a shell sees it: no escape sequence, one line of stderr a run, and JSON alone on stdout, also in plain ASCII."""
    import json

    from command_line import SMALL, one_core

    (tmp_path / "small.yaml").write_text(SMALL, "utf-8")
    command = [sys.executable, "-m", "resbench", "study", "run", "small.yaml", "units=[plain]", "seeds=1"]
    environment = {key: value for key, value in os.environ.items() if key != "RESBENCH_DB"} | {
        "PYTHONIOENCODING": "ascii"
    }
    with one_core():
        done = subprocess.run(
            [*command, "--json"], cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=900, check=True
        )
    assert [row["unit"] for row in json.loads(done.stdout)] == ["plain"]
    first, second = done.stderr.splitlines()
    assert first == "0 cached, 1 new"
    assert second.startswith("[1/1] plain, seed 0: val error ")
    top = [sys.executable, "-m", "resbench", "results", "top", "small"]
    table = subprocess.run(top, cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=600, check=False)
    assert (table.returncode, table.stderr) == (0, "")
    assert "plain" in table.stdout
