"""Nothing -> a Postgres server of this test process's own, from the installed binaries: a socket in a folder, no network.

It runs as an ordinary user (the server refuses root) and dies with the process that started it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

HOW = "Postgres is needed to test: `apt-get install postgresql`, or put pg_config, initdb and postgres on the PATH"
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "shared_buffers=16MB")
OWNER = "owner"  # not a superuser: it may make databases and roles, as who runs `resbench db upgrade` may


_EMPTY = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "DROP SCHEMA public CASCADE",
    "CREATE SCHEMA public AUTHORIZATION pg_database_owner",
    "GRANT USAGE ON SCHEMA public TO PUBLIC",
)


@dataclass
class Server:
    """A server that runs. A new database costs 0.1 s and 7 MB of small files, so most tests share one that is renewed."""

    folder: Path
    bin: Path
    user: pwd.struct_passwd | None = None
    settings: tuple[str, ...] = ()
    numbers: Iterator[int] = field(default_factory=count)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it answers."""
        settings = [word for setting in (*_FAST, "listen_addresses=", *self.settings) for word in ("-c", setting)]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [*as_user(self.user), self.bin / "postgres", "-D", self.folder / "data", "-k", self.folder, *settings],
                cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip
        _wait(self, self.process)

    def stop(self, by: int = signal.SIGQUIT) -> None:
        """SIGINT is a fast shutdown, SIGQUIT an immediate one, as if it had crashed."""
        if self.process is not None:
            self.process.send_signal(by)
            self.process.wait(20)
            self.process = None

    def url(self, database: str, user: str = OWNER) -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def new(self, owner: str = OWNER) -> str:
        """The URL of a new database."""
        name = f"test_{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template0 OWNER {owner} STRATEGY file_copy")
        return self.url(name, owner)

    def dump(self, url: str) -> str:
        """A database as SQL."""
        command = [self.bin / "pg_dump", "--inserts", self.url(name_in(url), "root")]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        return "\n".join(line for line in lines if not line.startswith("\\"))  # psql's own words

    def renew(self, url: str, dump: str) -> None:
        """Make a database hold what the dump says, and nothing else."""
        self.run(*_EMPTY, dump, database=name_in(url))

    def run(self, *statements: str, database: str = "postgres", user: str = "root") -> list[tuple[object, ...]]:
        """As a superuser, past resbench; the rows of the last statement."""
        with psycopg.connect(self.url(database, user), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def name_in(url: str) -> str:
    """The database's."""
    return url.partition("@/")[2].partition("?")[0]


def find_bin() -> Path:
    """The folder of initdb and postgres. Raises RuntimeError, with what to install."""
    told = shutil.which("pg_config")
    named = subprocess.run([told, "--bindir"], capture_output=True, text=True, check=False).stdout if told else ""
    on_path = Path(shutil.which("initdb") or "/nowhere/initdb").resolve().parent
    places = [
        on_path,
        Path(named.strip() or "/nowhere"),
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
    ]
    found = next((place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None)
    if found is None:
        raise RuntimeError(HOW)
    return found


@contextmanager
def serve(*settings: str) -> Iterator[Server]:
    """Start, wait until it answers, and end it behind. `settings`: such as `max_connections=20`."""
    bin_folder, folder = find_bin(), Path(tempfile.mkdtemp(prefix="rb-pg-", dir="/tmp"))
    user = _user()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    server = Server(folder, bin_folder, user, settings)
    try:
        options = ("-A", "trust", "-U", "root", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8", "--no-instructions")
        made = subprocess.run(
            [*as_user(user), bin_folder / "initdb", "-D", folder / "data", *options],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}\n{HOW}")
        server.start()
        server.run(f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE")
        yield server
    finally:
        server.stop()  # at once: nothing of it is kept
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> pwd.struct_passwd | None:
    """Whom to run as; None where this process is no superuser itself."""
    if os.getuid() != 0:
        return None
    return next(pwd.getpwnam(name) for name in ("postgres", "nobody") if any(u.pw_name == name for u in pwd.getpwall()))


def as_user(user: pwd.struct_passwd | None, ended_by: str = "QUIT") -> list[str]:
    """In front of a command: as that user, and ended with this process, however that ends."""
    if shutil.which("setpriv") is None:  # no Linux
        return []
    change = [] if user is None else [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *change, f"--pdeathsig={ended_by}", "--"]


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    for _ in range(6000):
        try:
            server.run("SELECT 1")
            return
        except psycopg.OperationalError:
            if process.poll() is not None:
                break
            time.sleep(0.02)
    raise RuntimeError(f"Postgres did not start: {(server.folder / 'log').read_text()[-2000:]}\n{HOW}")
