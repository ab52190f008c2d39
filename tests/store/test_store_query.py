"""A question goes to a process of its own: what it says comes back whole, and it ends when its time or memory does."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from store_sample import Sample

from resbench.errors import BadInput, DatabaseError
from resbench.store.edits.notes import NoteSubject, add_note
from resbench.store.query import query as readonly
from resbench.store.query.examples import QUESTIONS, Question
from resbench.store.query.query import QueryResult, ask, query

# One step of SQLite each: no look at the clock comes between.
_AAA = "replace(hex(zeroblob({})), '00', 'aa')"
ENDLESS_STEP = f"SELECT instr({_AAA.format(490_000)}, {_AAA.format(240_000)} || 'b')"
NESTED = f"SELECT ({ENDLESS_STEP}) FROM rb_run a, rb_run b, rb_run c"


def one(db: str, sql: str, timeout_s: float = 20) -> object:
    ((value,),) = query(db, sql, max_rows=10, timeout_s=timeout_s).rows
    return value


def test_both_databases_give_the_same_answers(full: str) -> None:
    result = query(full, "SELECT unit, active, n, mean, std, macs FROM v_leaderboard", max_rows=5, timeout_s=20)
    assert result == QueryResult(
        ("unit", "active", "n", "mean", "std", "macs"), (("pre", 1, 3, 6.0, 1.0, 5000),), False
    )
    cut = query(full, "SELECT seed, seed AS seed FROM rb_run ORDER BY seed", max_rows=2, timeout_s=20)
    assert cut == QueryResult(("seed", "seed"), ((0, 0), (1, 1)), truncated=True)
    assert query(full, "SELECT seed FROM rb_run WHERE 1 = 0", max_rows=2, timeout_s=20) == QueryResult(
        ("seed",), (), False
    )
    assert one(full, "SELECT 'rb_test_score ä %s \\ ''' || 'x'") == "rb_test_score ä %s \\ 'x"


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.asked)
def test_what_people_ask_is_answered(full: str, sample: Sample, question: Question) -> None:
    """On a study of three runs of one unit and a note, in the names that the questions use."""
    add_note(sample.engine, NoteSubject("s"), "a note", "ann")
    sql = question.sql.replace("'quickstart'", "'s'").replace("'identity_mappings'", "'s'").replace("'plain'", "'pre'")
    result = query(full, sql.replace("'a2_%'", "'a%'"), max_rows=100, timeout_s=20)
    assert len(set(result.columns)) == len(result.columns)
    if "diverge" in question.asked or "failed" in question.asked or "looked at" in question.asked:
        assert result.rows == ()
    else:
        assert result.rows


@pytest.mark.sqlite
def test_every_kind_of_value_comes_through(full: str) -> None:
    result = query(
        full, "SELECT x'00ff', 1e999, -9223372036854775808, NULL, 0.1, 'a' || char(0, 27, 10)", max_rows=1, timeout_s=20
    )
    assert result.rows == ((b"\x00\xff", float("inf"), -(2**63), None, 0.1, "a\0\x1b\n"),)


@pytest.mark.sqlite
@pytest.mark.parametrize("sql", [ENDLESS_STEP, NESTED])
def test_a_step_that_does_not_end_is_killed(full: str, sql: str) -> None:
    with pytest.raises(BadInput, match=r"took over 0\.2 s and was stopped"):  # it would never end
        query(full, sql, max_rows=1, timeout_s=0.2)


@pytest.mark.sqlite
@pytest.mark.long
def test_memory_ends(full: str) -> None:
    """A sort of all there is, in memory: more than a gigabyte."""
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, randomblob(900000) AS x FROM n ORDER BY x"
    with pytest.raises(BadInput, match=r"memory"):
        query(full, sql, max_rows=1, timeout_s=60)


def test_errors_are_told_as_they_are(full: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="SQL: "):
        query(full, "SELEC 1", max_rows=1, timeout_s=20)
    with pytest.raises(BadInput, match="`resbench results top STUDY --test` shows them"):
        query(full, "SELECT * FROM rb_test_score", max_rows=1, timeout_s=20)
    with pytest.raises(DatabaseError, match="no such database"):
        query(str(tmp_path / "gone.db"), "SELECT 1", max_rows=1, timeout_s=20)


@pytest.mark.sqlite
def test_a_process_that_dies_is_told(full: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readonly, "_CHILD", "import os; os.abort()")
    with pytest.raises(BadInput, match=r"process of the query died \(status -6\)"):
        query(full, "SELECT 1", max_rows=1, timeout_s=20)


@pytest.mark.sqlite
def test_no_process_is_left(full: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after an answer that was cut, nor where who asked is interrupted."""
    asked = ask(
        full,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
        max_rows=3,
        timeout_s=20,
    )
    assert asked.result().truncated
    assert asked._process.returncode is not None
    asked = ask(full, "SELECT 1", max_rows=3, timeout_s=20)
    monkeypatch.setattr(readonly, "_from_json", interrupt)
    with pytest.raises(KeyboardInterrupt):
        ask(full, "SELECT x'00'", max_rows=3, timeout_s=20).result()
    asked.result()


def interrupt(_said: object) -> object:
    raise KeyboardInterrupt


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep fewer of these limits")
@pytest.mark.parametrize(
    ("code", "told"),
    [
        # who asked was killed and cannot kill it any more
        pytest.param("while True: pass", (-signal.SIGXCPU, ""), marks=pytest.mark.long),
        ("try: bytes(2 << 30)\nexcept MemoryError: print('no room')", (0, "no room\n")),
    ],
)
def test_its_process_is_limited(code: str, told: tuple[int, str]) -> None:
    code = f"from resbench.store.query.child import _limit\n_limit(0.1)\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout) == told
