"""`rb("study", "run", "small.yaml")` -> Said: the command line in this process, in a folder of the test's own."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import node_packages as node
import pytest
from alembic.config import Config
from command_line import SMALL, Database, Rb, say
from language_server import LanguageServer, language_server
from postgres_server import Server, serve


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a Postgres server is for `make test-all`: `make test` needs Python alone."""
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.long)


def pytest_collection_finish() -> None:
    """Walking every object of torch and of all tests in search of garbage took a tenth of the time: do it seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)


@pytest.fixture(scope="session", autouse=True)
def _revisions_read_once() -> Iterator[None]:
    """Alembic executes every revision anew at each opening of a database, Optuna's thrice: files that never change."""
    from alembic.script import ScriptDirectory

    plain, read = ScriptDirectory.from_config, {}

    def once(config: Config) -> ScriptDirectory:
        place = config.get_main_option("script_location")
        if place not in read:
            read[place] = plain(config)
        return read[place]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptDirectory, "from_config", once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_cache_of_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What was found in images that were decoded is kept in a folder of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def rb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rb:
    """The command line in an empty folder, whose database is resbench.db there."""
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    return lambda *words: say(words, tmp_path)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A Postgres server, started when a test first wants one."""
    with serve() as server:
        yield server


@pytest.fixture(scope="session")
def shared(server: Server) -> tuple[str, str]:
    """A database on it that holds our schema and no rows: its URL, and all of it as SQL."""
    from resbench.store.open import open_store

    url = server.new()
    open_store(url, create=True).dispose()
    return url, server.dump(url)


@pytest.fixture
def postgres(server: Server, shared: tuple[str, str]) -> str:
    """The URL of a database that holds our schema and no rows; the next test gets the same one, renewed."""
    url, dump = shared
    server.renew(url, dump)
    return url


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The study `small` in that folder, not run yet."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, "utf-8")
    return path


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "resbench.db")


@pytest.fixture(scope="session")
def ran_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the study `small` ran: two units, two seeds."""
    folder = tmp_path_factory.mktemp("ran")
    (folder / "small.yaml").write_text(SMALL, "utf-8")
    said = say(["study", "run", "small.yaml", "--db", "resbench.db"], folder)
    assert said.status == 0, said.err
    return folder


@pytest.fixture
def ran(ran_once: Path, small: Path) -> None:
    """The same study, run, in the test's own folder."""
    copyfile(ran_once / "resbench.db", small.parent / "resbench.db")


@pytest.fixture(scope="session")
def finished(ran_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study of three units and three seeds that ran, for tests that only read."""
    folder = tmp_path_factory.mktemp("finished")
    for name in ("small.yaml", "resbench.db"):
        copyfile(ran_once / name, folder / name)
    said = say(["study", "run", "small.yaml", "units+=full_preactivation", "seeds=3", "--db", "resbench.db"], folder)
    assert said.status == 0, said.err
    return folder


@pytest.fixture
def read(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Rb:
    """The command line in the folder of the finished study."""
    monkeypatch.delenv("RESBENCH_DB", raising=False)
    return lambda *words: say(words, finished)


@pytest.fixture(scope="session")
def node_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of tests/node/package.json, for tests that run other people's JavaScript."""
    return node.install(tmp_path_factory.mktemp("node"))


@pytest.fixture(scope="session")
def editor(node_packages: Path) -> Iterator[LanguageServer]:
    """yaml-language-server, as an editor starts it."""
    with language_server(node_packages) as server:
        yield server
