"""A database whose name has signs that mean something in URLs: every command works on that file, and makes no other."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from command_line import Database, Rb

ODD = ("a%20b", "a?b", "a#b", "a b", "a%3Fmode=ro&b{0}é")
SEARCH = """study: searched
network: {use: resnet_cifar, depth: 8, width: 2}
units: [{use: exclusive_gating, gate_bias: {range: [-6, 0], step: 1}}]
data: digits
recipe: {use: he2016_small, epochs: 1, batch: 128, plan: {workers: 0}}
seeds: 1
search: {use: tpe, finalists: 1}
budget: {trials: 2}
"""


@pytest.mark.long
@pytest.mark.parametrize("stem", ODD)
def test_a_search_and_what_copies_it_keep_to_the_file_that_was_named(rb: Rb, small: Path, stem: str) -> None:
    here = small.parent
    (here / "searched.yaml").write_text(SEARCH, "utf-8")
    before = {path.name for path in here.iterdir()}
    name = f"{stem}.db"
    for words in (
        ("study", "run", "searched.yaml", "--db", name),
        ("study", "run", "small.yaml", "--db", name),
        ("db", "backup", f"{stem}-copy.db", "--db", name),
        ("db", "merge", name, f"{stem}-copy.db", "-o", f"{stem}-both.db"),
        ("db", "merge", name, f"{stem}-copy.db"),
        ("results", "freeze", "small", "-o", f"{stem}-frozen.db", "--db", name),
    ):
        said = rb(*words)
        assert said.status == 0, (words, said)
    made = {path.name for path in here.iterdir()} - before
    assert {made_name for made_name in made if not made_name.endswith(("-wal", "-shm"))} == {
        name, f"{stem}-copy.db", f"{stem}-both.db", f"{stem}-frozen.db",
    }  # fmt: skip
    assert {stat.S_IMODE((here / made_name).stat().st_mode) for made_name in made} == {0o600}
    assert Database(here / name).one("SELECT count(*) FROM trials") == 4  # of the search and of the grid


def test_a_picture_in_a_folder_that_no_system_would_look_at(rb: Rb, ran: None) -> None:
    said = rb("results", "top", "small", "--svg", f"{'a' * 300}/x.svg")
    assert (said.status, "there is no folder aaa" in said.err) == (2, True)
