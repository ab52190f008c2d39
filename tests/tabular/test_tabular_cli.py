"""`resbench results freeze` on a study that ran, and units bound in its network."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

import pytest
from command_line import Database, Rb, say

from resbench.errors import BadInput, SpecError
from resbench.language.library.lookup import INSTALLED
from resbench.store.results.seal import unseal
from resbench.tabular import load


@pytest.fixture(scope="module")
def frozen_study(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "bench.db"
    said = say(["results", "freeze", "small", "-o", out, "--db", "resbench.db"], finished)
    assert (said.status, said.out) == (0, "")
    assert said.err == f"{out}: 3 units, 9 runs\n"
    return out


def test_a_file_that_is_merged_is_not_replaced(frozen_study: Path, rb: Rb, ran: None, tmp_path: Path) -> None:
    copyfile(frozen_study, tmp_path / "bench.db")
    before = (tmp_path / "bench.db").read_bytes()
    for words in (("small",), ()):
        said = rb("results", "freeze", *words, "-o", "bench.db", "--merge", "bench.db", "--force")
        assert said.status == 2
        assert said.err == "bench.db: is one of the files to be merged and was left as it is; give another name\n"
    assert (tmp_path / "bench.db").read_bytes() == before


def test_it_answers_what_the_ranking_says(frozen_study: Path, read: Rb) -> None:
    with load(frozen_study) as bench:
        for row in read("results", "top", "small", "--json").json:
            answer = bench.query(row["unit"])
            assert (answer.mean, answer.std) == pytest.approx((row["mean"], row["std"]))
            assert (answer.n, answer.missing, answer.digest) == (row["n"], row["missing"], row["digest"])
            assert (answer.params, answer.macs, answer.median) == (row["params"], row["macs"], row["median"])
            assert answer.train_s == pytest.approx(row["train_s"])


def test_a_unit_of_a_file_is_bound_in_the_network_of_the_study(frozen_study: Path, tmp_path: Path) -> None:
    path = next(INSTALLED.rglob("plain.yaml"))
    ops = [{"conv3x3": {"stride": "$stride"}}, "bn", "relu", "conv3x3", "bn", "relu"]
    twin = {
        "unit": "mine",
        "nodes": {"y": {"from": "x", "ops": ops}},
        "boundary": {"layers": 2, "after_stem": ["bn", "relu"]},
    }
    with load(frozen_study) as bench:
        assert bench.query(path, seed=0) == bench.query("plain", seed=0)
        assert bench.query(str(path), seed=0) == bench.query("plain", seed=0)
        assert bench.query(twin).digest == bench.query("plain").digest, "another file that means the same network"
        with pytest.raises(BadInput, match=r"rezero is not an architecture of this file \(its digest: a2_"):
            bench.query(twin | {"unit": "rezero", "boundary": {"layers": 2}})
        (tmp_path / "broken.yaml").write_text("unit: broken\nnodes: {y: {from: x, ops: [rleu]}}\n", "utf-8")
        with pytest.raises(SpecError, match="unknown op `rleu`"):
            bench.query(tmp_path / "broken.yaml")
        with pytest.raises(BadInput, match="no such file"):
            bench.query("gone.yaml")
        with pytest.raises(BadInput, match="`unit`: `no name` is not a legal name"):
            bench.query({"unit": "no name"})
        with pytest.raises(BadInput, match="`nonsense`: expected name=value after a unit's file"):
            bench.query(f"{path.name} nonsense")


def test_merging_is_an_option(rb: Rb, ran: None, frozen_study: Path) -> None:
    said = rb("results", "freeze", "small", "-o", "all.db", "--merge", frozen_study)
    assert (said.status, said.err) == (0, "all.db: 3 units, 9 runs\n")
    again = rb("results", "freeze", "-o", "copy.db", "--merge", frozen_study, "--merge", "all.db")
    assert (again.status, again.err) == (0, "copy.db: 3 units, 9 runs\n")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("small", "-o", "resbench.db"), 2, "resbench.db: is the database itself and was left as it is"),
        (("small", "-o", "gone/x.db"), 2, "gone/x.db: there is no folder gone"),
        (("smal", "-o", "x.db"), 2, "no study 'smal'"),
        (("-o", "x.db"), 2, "results freeze: expected STUDY, or frozen files with --merge"),
        (("-o", "x.db", "--merge", "small.yaml", "--with-test"), 2, "--with-test requires STUDY"),
        (("-o", "x.db", "--merge", "resbench.db"), 4, "is a database, but not a frozen benchmark"),
        (("small", "-o", "x.db", "--merge", "small.yaml"), 4, "small.yaml: is not a frozen benchmark"),
    ],
)
def test_what_is_refused(words: tuple[object, ...], status: int, told: str, rb: Rb, ran: None, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    said = rb("results", "freeze", *words)
    assert (said.status, said.out) == (status, "")
    assert told in said.err
    assert sorted(tmp_path.iterdir()) == before


def test_the_frozen_file_is_refused_by_every_command_that_takes_a_database(frozen_study: Path, rb: Rb) -> None:
    before = frozen_study.read_bytes()
    for words in (("results", "top", "small"), ("results", "list"), ("query", "SELECT 1")):
        said = rb(*words, "--db", frozen_study)
        assert (said.status, said.out) == (4, "")
        assert "is a frozen benchmark, made by `resbench results freeze`" in said.err
    assert frozen_study.read_bytes() == before


def test_test_scores_are_put_in_by_name_and_that_is_recorded(
    rb: Rb, ran: None, database: Database, tmp_path: Path
) -> None:
    assert rb("results", "freeze", "small", "-o", "sealed.db").status == 0
    assert database.one("SELECT COUNT(*) FROM rb_reveal") == 0
    assert rb("results", "freeze", "small", "-o", "open.db", "--with-test").status == 0
    assert database.one("SELECT revealed_by FROM rb_reveal").endswith(": resbench results freeze --with-test")
    scores = [unseal(score)[0] for (score,) in database.rows("SELECT sealed FROM rb_test_score")]
    with load(tmp_path / "open.db") as bench:
        assert sorted(s for unit in bench.units for _, s in bench.test(unit).scores) == sorted(scores)
