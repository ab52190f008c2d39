"""The same through PgBouncer in transaction mode, which hands each transaction any session, and the limits on both ways."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from harness import Stage
from pgbouncer import Pooler, pool
from postgres_server import Server
from sqlalchemy import Engine, text
from test_reliability_faults import EPOCHS

from resbench.errors import DatabaseError, DatabaseUnavailable
from resbench.store.connection.location import locate
from resbench.store.connection.transaction import writing
from resbench.store.maintenance.check import check_database
from resbench.store.open import connect, open_store
from resbench.store.optuna.storage import optuna_storage
from resbench.store.query.query import query

SETTINGS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
ASKED = text(f"SELECT {', '.join(f'current_setting({name!r})' for name in SETTINGS)}")
Way = Callable[[str], str]


@pytest.fixture(scope="module")
def pooler(server: Server) -> Iterator[Pooler]:
    with pool(server) as made:
        yield made


@pytest.fixture(params=["plain", pytest.param("pooled", marks=pytest.mark.long)])
def way(request: pytest.FixtureRequest) -> Way:
    """From the URL of a database to the one that a user gives."""
    if request.param == "plain":
        return str
    way: Way = request.getfixturevalue("pooler").url
    return way


def open_engines(url: str) -> list[Engine]:
    """Ours and Optuna's."""
    return [open_store(url, create=True), optuna_storage(url).engine]


def test_every_transaction_has_its_limits(postgres: str, way: Way) -> None:
    for engine in open_engines(way(postgres)):
        for _ in range(8):  # more than what is prepared, and more than the sessions of the pool
            with engine.connect() as connection:
                for _ in range(2):
                    with connection.begin():
                        assert tuple(connection.execute(ASKED).one()) == ("1min", "10min", "20s")
        engine.dispose()


def test_limits_end_with_their_transaction(postgres: str, way: Way) -> None:
    """Of two clients that share sessions each has its own."""
    url = way(postgres)
    short, endless = (
        connect(locate(url), create=False, transaction_s=seconds, bulk=True) for seconds in (1500.0, math.inf)
    )
    for _ in range(4):
        for engine, wanted in ((short, "25min"), (endless, "0")):
            with engine.begin() as connection:
                assert tuple(connection.execute(ASKED).one()) == ("1min", wanted, wanted)
    short.dispose()
    endless.dispose()


def test_the_server_ends_what_goes_over_a_limit(postgres: str, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resbench.store.connection.postgres._LOCK_S", 0.2)
    monkeypatch.setattr("resbench.store.connection.postgres._IDLE_S", 0.2)
    engine = connect(locate(way(postgres)), create=False, transaction_s=0.5)
    with pytest.raises(DatabaseError, match=r"took over 0\.5 s, the limit of one transaction"), writing(engine) as one:
        one.execute(text("SELECT pg_sleep(60)"))
    with pytest.raises(DatabaseUnavailable):
        _idle_within_a_transaction(engine)
    patient = connect(locate(way(postgres)), create=False, transaction_s=600.0, bulk=True)
    with patient.connect() as holder, holder.begin():
        holder.execute(text("LOCK TABLE rb_recipe"))
        with pytest.raises(DatabaseUnavailable, match="lock timeout"), writing(engine) as one:
            one.execute(text("LOCK TABLE rb_recipe"))
    engine.dispose()
    patient.dispose()


def _idle_within_a_transaction(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("SELECT 1"))
        _wait_until_ended(engine)
        connection.execute(text("SELECT 1"))


def _wait_until_ended(engine: Engine) -> None:
    """Until no session of this database idles within a transaction."""
    with closing(engine.raw_connection()) as other:
        cursor = other.cursor()
        while True:
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database() "
                "AND pid <> pg_backend_pid()"
            )
            found = cursor.fetchall()
            other.rollback()
            if not found:
                return


@pytest.mark.parametrize(
    ("options", "plain", "pooled"),
    [("connect_timeout=20", 5, None), ("prepare_threshold=0", None, None), ("prepare_threshold=none", None, None),
     ("prepare_threshold=3", 3, 3)],
)  # fmt: skip
def test_statements_are_prepared_as_the_url_says_and_else_not_behind_a_pooler(
    postgres: str, way: Way, options: str, plain: int | None, pooled: int | None
) -> None:
    url = way(postgres)
    for engine in open_engines(f"{url}{'&' if '?' in url else '?'}{options}"):
        with closing(engine.raw_connection()) as connection:
            found = connection.driver_connection.prepare_threshold  # type: ignore[union-attr]
        assert found == (plain if url == postgres else pooled)
        engine.dispose()


@pytest.mark.long
def test_a_study_by_two_workers_through_a_pool_of_three(server: Server, pooler: Pooler, stage: Stage) -> None:
    direct = server.new()
    url = pooler.url(direct)
    scene = stage(url=url, width=2, seeds=3, step_s=0.02)
    runs = [scene.start() for _ in range(2)]
    assert [running.wait() for running in runs] == [0, 0], scene.told()
    assert scene.rows("SELECT MAX(token) FROM rb_cell") == [(1,)]
    assert scene.epochs_trained() == EPOCHS
    assert query(url, "SELECT COUNT(*) FROM v_runs", max_rows=1, timeout_s=10).rows == ((9,),)
    assert [one.wrong for one in check_database(url) if one.wrong] == []
    scene.engine.dispose()
    scene.fake = replace(scene.fake, url=direct)  # others that look need not know of the pooler
    del scene.engine
    scene.check()


def _ask_in_turns(*engines: Engine) -> None:
    for _ in range(8):
        for engine in engines:
            with writing(engine) as connection:
                connection.execute(text("SELECT 1"))


@pytest.mark.long
def test_what_a_pooler_refuses_is_told_at_once_with_what_to_do(postgres: str, pooler: Pooler) -> None:
    with pytest.raises(DatabaseError, match=r"a connection pooler in front of .* leave it out") as refused:
        open_store(pooler.url(postgres, "?options=-clock_timeout%3D1"), create=False)
    assert not isinstance(refused.value, DatabaseUnavailable)  # so nobody waits for it
    told = open_store(pooler.url(postgres, "?prepare_threshold=1"), create=False)
    other = open_store(pooler.url(postgres, "?prepare_threshold=1"), create=False)
    with pytest.raises(DatabaseError, match=re.escape("`?prepare_threshold=0` to the URL")):
        _ask_in_turns(told, other)
    told.dispose()
    other.dispose()
