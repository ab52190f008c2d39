"""A database whose rows are of a stranger's making: every command ends in its work or in a message, whatever a row holds."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import copyfile

import pytest
from command_line import Said, say

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("results", "list"), ("results", "top", "small"), ("results", "top", "small", "--json"), ("results", "show", "1"),
    ("results", "compare", "small", "plain", "original"), ("results", "power", "small", "--delta", "5"),
    ("results", "export", "small", "-o", "out.md"), ("results", "export", "small", "-o", "out.csv"),
    ("results", "freeze", "small", "-o", "bench.db"), ("report", "small", "-o", "out.html"),
    ("results", "plot", "small", "curves", "-o", "out.png"), ("study", "status", "small"), ("db", "check"),
    ("db", "backup", "copy.db"), ("query", "SELECT * FROM v_runs"), ("results", "unit", "small", "plain"),
    ("results", "agreement", "small", "small.csv"), ("results", "repeat", "1"), ("study", "proxies", "small"),
)  # fmt: skip
FULL = os.environ.get("RESBENCH_FUZZ") == "full"  # else each row meets the quick commands and one of the others in turn
BIG = "'[' || hex(zeroblob(50000))"
ROWS = {
    "a text as a seed": "UPDATE rb_run SET seed = 'x' WHERE id = 1",
    "an infinite error": "UPDATE rb_run SET val_error_pct = 9e999",
    "an infinite loss": "UPDATE rb_run SET val_loss = -9e999; UPDATE rb_epoch SET val_loss = 9e999",
    "a text as an error": "UPDATE rb_run SET val_error_pct = 'low'; UPDATE rb_epoch SET val_error_pct = 'low'",
    "an error below 0": "UPDATE rb_run SET val_error_pct = -3",
    "no error of a complete run": "UPDATE rb_run SET status = 'diverged'; UPDATE rb_run SET val_error_pct = NULL",
    "epochs that are not there": "DELETE FROM rb_epoch",
    "epochs without numbers": "UPDATE rb_epoch SET val_error_pct = NULL, train_loss = NULL, lr = NULL",
    "an epoch called by a text": "UPDATE rb_epoch SET epoch = 'one'",
    "bytes as a name": "UPDATE rb_trial SET name = x'00ff10'",
    "a name of another script, long": "UPDATE rb_trial SET name = replace(hex(zeroblob(500)), '0', 'ж') || id",
    "an empty name": "UPDATE rb_trial SET name = '' WHERE id = 1",
    "one name for all": "UPDATE rb_trial SET name = 'same'",
    "no spec of a network": "UPDATE rb_architecture SET spec = '{}'",
    "a spec of a network that is a list": "UPDATE rb_architecture SET spec = '[]'",
    "a spec of a network that ends too soon": "UPDATE rb_architecture SET spec = substr(spec, 1, 100)",
    "a spec of a network with other types": "UPDATE rb_architecture SET spec = replace(spec, '1', '\"1\"')",
    "params that are no object": "UPDATE rb_trial SET params = '[1]'",
    "params that are no JSON": f"UPDATE rb_trial SET params = {BIG}",
    "a study without anything": "UPDATE rb_study SET spec = '{}'",
    "a study that is no JSON": "UPDATE rb_study SET spec = 'x'",
    "a study whose seeds are texts": "UPDATE rb_study SET spec = json_set(spec, '$.seeds', json('[\"a\"]'))",
    "a study whose units are numbers": "UPDATE rb_study SET spec = json_set(spec, '$.units', json('[1, 2]'))",
    "a study whose design is a text": "UPDATE rb_study SET spec = json_set(spec, '$.fixed', 'x')",
    "a study with another design": "UPDATE rb_study SET spec = json_set(spec, '$.fixed.objectives', 7, '$.fixed.race', 'x')",
    "a study with another search": "UPDATE rb_study SET spec = json_set(spec, '$.fixed.search', json('[]'))",
    "a recipe that is a list": "UPDATE rb_recipe SET spec = '[]'",
    "a recipe that says nothing": "UPDATE rb_recipe SET spec = '{}'",
    "a recipe with other types": "UPDATE rb_recipe SET spec = json_set(spec, '$.epochs', 'x', '$.fail_above', 'y')",
    "a shape that is none": "UPDATE rb_data SET input_shape = 'large'",
    "no image to validate on": "UPDATE rb_data SET n_val = 0",
    "fewer images than none": "UPDATE rb_data SET n_val = -5",
    "settings that are none": "UPDATE rb_data SET settings = '3'",
    "plugins that are none": "UPDATE rb_environment SET plugins = 'x'",
    "a plan that is none": "UPDATE rb_run_plan SET plan = 'x'",
    "a plan with other types": 'UPDATE rb_run_plan SET plan = \'{"width": "x", "layout": 3}\'',
    "costs that are texts": "UPDATE rb_cost SET macs = 'many'",
    "no costs": "DELETE FROM rb_cost",
    "times that are none": "UPDATE rb_run SET created_at = 'yesterday'; UPDATE rb_study SET created_at = ''",
    "seconds that are texts": "UPDATE rb_run SET train_s = 'x', wall_s = x'00'",
    "cells of other types": "UPDATE rb_cell SET seeds = 'x', tags = '{}'",
    "attempts of other types": "UPDATE rb_attempt SET kind = x'00', reached = 'x'",
    "workers of other types": "UPDATE rb_worker SET tags = 'x', seen = 'x', ended_at = NULL",
    "a row of every study gone": "PRAGMA foreign_keys = OFF; DELETE FROM rb_architecture",
    "flags that are texts": "UPDATE rb_trial SET active = 'yes'; UPDATE rb_study_run SET judges = 'no'",
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
    return (
        said.status in (0, 1, 2, 4)
        and "Traceback" not in said.err
        and (said.status in (0, 1) or bool(said.err.strip()))
    )


@pytest.mark.parametrize("row", ROWS)
def test_every_command_works_or_says_what_is_wrong(
    row: str, odd: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    folder, number = odd(ROWS[row]), list(ROWS).index(row)
    for command in COMMANDS if FULL else (*COMMANDS[:5], COMMANDS[5 + number % (len(COMMANDS) - 5)]):
        said = say(command, folder)
        assert ends_well(said), (command, said)
