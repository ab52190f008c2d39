"""A process that has imported everything but torch, and forks one fake study after another in milliseconds.

It reads one JSON line per wish: {"run": Fake, "env": {...}, "err": file} answers {"pid": n}; {"poll": pid} answers {"status": n}
or {"status": null}.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import optuna  # noqa: F401
from fake_study import Fake, run_fake

import resbench.workers.executors.local  # noqa: F401
from resbench import failpoints


def main() -> None:
    assert "torch" not in sys.modules, "a fork of a process with torch in it is slow, and not safe"
    statuses: dict[int, int] = {}
    for line in sys.stdin:
        wish = json.loads(line)
        if "run" in wish:
            answer: dict[str, Any] = {"pid": start(wish)}
        else:
            pid = wish["poll"]
            if pid not in statuses:
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    statuses[pid] = os.waitstatus_to_exitcode(status)
            answer = {"status": statuses.get(pid)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def start(wish: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
    err = os.open(wish["err"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(err, 2)
    os.dup2(err, 1)
    os.environ.update(wish["env"])
    failpoints.arm(wish["env"].get("RESBENCH_FAILPOINTS", ""))
    status = 99
    try:
        status = run_fake(Fake(**wish["run"]))
    except BaseException:
        traceback.print_exc()
        status = 98
    finally:
        sys.stderr.flush()
        import multiprocessing.util

        multiprocessing.util._exit_function()  # children end with it, as after sys.exit
        os._exit(status)


if __name__ == "__main__":
    main()
