"""A Postgres server -> PgBouncer before it, in transaction mode, on 127.0.0.1 alone, with three sessions for each database."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from postgres_server import OWNER, Server, as_user, name_in

HOW = "PgBouncer is needed to test: `apt-get install pgbouncer`"
_CONFIGURATION = """\
[databases]
* = host={folder} port=5432

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
"""


@dataclass(frozen=True)
class Pooler:
    server: Server
    port: int

    def url(self, direct: str, options: str = "") -> str:
        """The way to a database of the server's through the pooler. `options`: such as `?prepare_threshold=0`."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{name_in(direct)}{options}"


@contextmanager
def pool(server: Server) -> Iterator[Pooler]:
    """Start, wait until it answers, and end it behind. Raises RuntimeError, with what to install."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if found is None:
        raise RuntimeError(HOW)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    (server.folder / "pgbouncer.ini").write_text(_CONFIGURATION.format(folder=server.folder, port=port))
    (server.folder / "users.txt").write_text(f'"{OWNER}" ""\n"root" ""\n')
    log = server.folder / "pgbouncer.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [*as_user(server.user, ended_by="INT"), found, str(server.folder / "pgbouncer.ini")],
            stdout=out, stderr=out, cwd=server.folder,
        )  # fmt: skip
    try:
        pooler = Pooler(server, port)
        _wait(pooler, process, log)
        yield pooler
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def _wait(pooler: Pooler, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(3000):
        try:
            psycopg.connect(pooler.url(pooler.server.url("postgres"))).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None:
                break
            time.sleep(0.02)
    raise RuntimeError(f"PgBouncer did not start: {log.read_text()[-2000:]}\n{HOW}")
