"""A database whose rows are of a stranger's making: every command ends in its work or in a message, whatever a row holds.

What no row of ours can be is refused by every command that reads it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import copyfile

import pytest
from command_line import Said, say
from shortened import every

COMMANDS: dict[str, tuple[str, ...]] = {
    "list": ("results", "list"), "top": ("results", "top", "small"), "top_json": ("results", "top", "small", "--json"),
    "show": ("results", "show", "1"), "compare": ("results", "compare", "small", "plain", "original"),
    "power": ("results", "power", "small", "--delta", "5"), "md": ("results", "export", "small", "-o", "out.md"),
    "csv": ("results", "export", "small", "-o", "out.csv"), "freeze": ("results", "freeze", "small", "-o", "bench.db"),
    "report": ("report", "small", "-o", "out.html"), "plot": ("results", "plot", "small", "curves", "-o", "out.png"),
    "status": ("study", "status", "small"), "check": ("db", "check"), "backup": ("db", "backup", "copy.db"),
    "query": ("query", "SELECT * FROM v_runs"), "unit": ("results", "unit", "small", "plain"),
    "agreement": ("results", "agreement", "small", "small.csv"), "repeat": ("results", "repeat", "1"),
    "proxies": ("study", "proxies", "small"), "show_json": ("results", "show", "1", "--json"),
}  # fmt: skip
QUICK = tuple(COMMANDS)[:5]
FULL = os.environ.get("RESBENCH_FUZZ") == "full"  # else each row meets the quick commands and one of the others in turn
BIG = "'[' || hex(zeroblob(50000))"
# Commands that meet values of runs, of the study's spec, of recipe and data, of flags, of networks, of environments, of params.
RUNS = "top top_json show compare power md csv freeze report plot check unit repeat proxies show_json"
STUDY = "top top_json compare power md freeze report plot check unit repeat proxies"
BEHIND = "top top_json show compare power md freeze report plot check unit repeat proxies show_json"
FLAGS = "top top_json compare power md csv freeze report plot check unit proxies"
NETWORK = "show freeze report check repeat proxies show_json"
ENVIRONMENT = "show freeze report check repeat show_json"
PARAMS = "freeze report check"
# SQL that changes rows, and the commands that must refuse the database then (exit status 4); none of the others may.
ROWS: dict[str, tuple[str, str]] = {
    "a text as a seed": ("UPDATE rb_run SET seed = 'x' WHERE id = 1", RUNS),
    "an infinite error": ("UPDATE rb_run SET val_error_pct = 9e999", RUNS),
    "an infinite loss": ("UPDATE rb_run SET val_loss = -9e999; UPDATE rb_epoch SET val_loss = 9e999", RUNS),
    "a text as an error": ("UPDATE rb_run SET val_error_pct = 'low'; UPDATE rb_epoch SET val_error_pct = 'low'", RUNS),
    "an error below 0": ("UPDATE rb_run SET val_error_pct = -3", RUNS),
    "no error of a complete run": ("UPDATE rb_run SET status = 'diverged'; UPDATE rb_run SET val_error_pct = NULL", ""),
    "epochs that are not there": ("DELETE FROM rb_epoch", "check repeat"),
    "epochs without numbers": ("UPDATE rb_epoch SET val_error_pct = NULL, train_loss = NULL, lr = NULL", ""),
    "an epoch called by a text": (
        "UPDATE rb_epoch SET epoch = 'one'",
        "show freeze report plot check repeat show_json",
    ),
    "bytes as a name": ("UPDATE rb_trial SET name = x'00ff10'", RUNS),
    "a name of another script, long": ("UPDATE rb_trial SET name = replace(hex(zeroblob(500)), '0', 'ж') || id", ""),
    "an empty name": ("UPDATE rb_trial SET name = '' WHERE id = 1", ""),
    "one name for all": ("UPDATE rb_trial SET name = 'same'", ""),
    "no spec of a network": ("UPDATE rb_architecture SET spec = '{}'", "repeat proxies"),
    "a spec of a network that is a list": ("UPDATE rb_architecture SET spec = '[]'", NETWORK),
    "a spec of a network that ends too soon": ("UPDATE rb_architecture SET spec = substr(spec, 1, 100)", NETWORK),
    "a spec of a network with other types": ("UPDATE rb_architecture SET spec = replace(spec, '1', '\"1\"')", NETWORK),
    "params that are no object": ("UPDATE rb_trial SET params = '[1]'", PARAMS),
    "params that are no JSON": (f"UPDATE rb_trial SET params = {BIG}", PARAMS),
    "a study without anything": ("UPDATE rb_study SET spec = '{}'", "check"),
    "a study that is no JSON": ("UPDATE rb_study SET spec = 'x'", STUDY),
    "a study whose seeds are texts": ("UPDATE rb_study SET spec = json_set(spec, '$.seeds', json('[\"a\"]'))", STUDY),
    "a study whose units are numbers": ("UPDATE rb_study SET spec = json_set(spec, '$.units', json('[1, 2]'))", STUDY),
    "a study whose design is a text": ("UPDATE rb_study SET spec = json_set(spec, '$.fixed', 'x')", STUDY),
    "a study with another design": (
        "UPDATE rb_study SET spec = json_set(spec, '$.fixed.objectives', 7, '$.fixed.race', 'x')",
        STUDY,
    ),
    "a study with another search": ("UPDATE rb_study SET spec = json_set(spec, '$.fixed.search', json('[]'))", STUDY),
    "a recipe that is a list": ("UPDATE rb_recipe SET spec = '[]'", BEHIND),
    "a recipe that says nothing": ("UPDATE rb_recipe SET spec = '{}'", "check repeat proxies"),
    "a recipe with other types": (
        "UPDATE rb_recipe SET spec = json_set(spec, '$.epochs', 'x', '$.fail_above', 'y')",
        "top top_json compare power md report plot check unit repeat proxies",
    ),
    "a shape that is none": ("UPDATE rb_data SET input_shape = 'large'", "freeze check"),
    "no image to validate on": ("UPDATE rb_data SET n_val = 0", ""),
    "fewer images than none": ("UPDATE rb_data SET n_val = -5", BEHIND),
    "settings that are none": ("UPDATE rb_data SET settings = '3'", BEHIND),
    "plugins that are none": ("UPDATE rb_environment SET plugins = 'x'", ENVIRONMENT),
    "a plan that is none": ("UPDATE rb_run_plan SET plan = 'x'", "show report check repeat show_json"),
    "a plan with other types": ('UPDATE rb_run_plan SET plan = \'{"width": "x", "layout": 3}\'', ""),
    "costs that are texts": ("UPDATE rb_cost SET macs = 'many'", RUNS),
    "no costs": ("DELETE FROM rb_cost", ""),
    "times that are none": ("UPDATE rb_run SET created_at = 'yesterday'; UPDATE rb_study SET created_at = ''", ""),
    "seconds that are texts": ("UPDATE rb_run SET train_s = 'x', wall_s = x'00'", RUNS + " status"),
    "cells of other types": ("UPDATE rb_cell SET seeds = 'x', tags = '{}'", "check"),
    "attempts of other types": ("UPDATE rb_attempt SET kind = x'00', reached = 'x'", "check"),
    "workers of other types": ("UPDATE rb_worker SET tags = 'x', seen = 'x', ended_at = NULL", "status check"),
    "a row of every study gone": ("PRAGMA foreign_keys = OFF; DELETE FROM rb_architecture", "check"),
    "flags that are texts": ("UPDATE rb_trial SET active = 'yes'; UPDATE rb_study_run SET judges = 'no'", FLAGS),
    "flags that are other numbers": ("UPDATE rb_trial SET active = 2; UPDATE rb_study_run SET judges = -5", FLAGS),
    "a flag that is bytes": ("UPDATE rb_environment SET tf32 = x'00'", ENVIRONMENT),
    "a recipe with a number too large": (
        "UPDATE rb_recipe SET spec = json_set(spec, '$.lr', json('7')) || ' '; "
        "UPDATE rb_recipe SET spec = replace(spec, '\"lr\":7', '\"lr\":1e999')",
        BEHIND,
    ),
    "a study with a number too large": (
        "UPDATE rb_study SET spec = substr(spec, 1, length(spec) - 1) || ',\"more\":-1e999}'",
        STUDY,
    ),
    "params with a number too large": ("UPDATE rb_trial SET params = '{\"a\": 1e999}'", PARAMS),
    "plugins with a number too large": ("UPDATE rb_environment SET plugins = '{\"a\": [1e999]}'", ENVIRONMENT),
}


@pytest.fixture(scope="module")
def odd(ran_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    def make(sql: str) -> Path:
        folder = tmp_path_factory.mktemp("odd")
        copyfile(ran_once / "resbench.db", folder / "resbench.db")
        (folder / "small.csv").write_text("table,row,unit,params,error_pct\n", "utf-8")
        with closing(sqlite3.connect(folder / "resbench.db")) as connection:
            connection.executescript(sql)
        return folder

    return make


def ends_well(said: Said) -> bool:
    """In a message, never in a trace."""
    return (
        said.status in (0, 1, 2, 4)
        and "Traceback" not in said.err
        and (said.status in (0, 1) or bool(said.err.strip()))
    )


@pytest.mark.parametrize("row", every(3, ROWS))
def test_every_command_works_or_says_what_is_wrong(
    row: str, odd: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    sql, due = ROWS[row]
    folder, others = odd(sql), [name for name in COMMANDS if name not in QUICK]
    for name in COMMANDS if FULL else (*QUICK, others[list(ROWS).index(row) % len(others)]):
        said = say(COMMANDS[name], folder)
        assert ends_well(said), (name, said)
        assert (said.status == 4) == (name in due.split()), (name, said)
