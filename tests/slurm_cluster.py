"""Nothing -> a Slurm of one node of this test process's own, from the installed binaries; every port is on 127.0.0.1.

It pretends four cores and four GPUs, has a partition whose jobs are requeued for those of another, and dies with the process that
started it: munged, slurmctld and slurmd as its children, jobs by a guard that sees its pipe close.
"""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HOW = "Slurm is needed to test: `apt-get install slurm-wlm munge`"
_CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 CPUs=4 Gres=gpu:4
PartitionName=low Nodes=n1 Default=YES PriorityTier=1 PreemptMode=REQUEUE
PartitionName=high Nodes=n1 PriorityTier=10 PreemptMode=OFF
"""


@dataclass
class Slurm:
    """A cluster that runs. Ask it by `run("squeue", "-h")`."""

    folder: Path
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *command: str, env: Mapping[str, str] = {}) -> str:
        """One of Slurm's commands; what it says."""
        environment = os.environ | {"SLURM_CONF": str(self.folder / "slurm.conf")} | dict(env)
        ran = subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise RuntimeError(f"{' '.join(command)}: {ran.stderr}\n{self.logs()}")
        return ran.stdout

    def task(self, job: str) -> dict[str, str]:
        """What Slurm says of one task of an array, such as `3_1`: JobState, Restarts, ExitCode."""
        words = self.run("scontrol", "-o", "show", "job", job).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def wait_for(self, what: Callable[[], bool], told: Callable[[], str] = lambda: "") -> None:
        deadline = time.monotonic() + 1200
        while not what():
            assert time.monotonic() < deadline, f"{told()}\n{self.run('scontrol', 'show', 'job')}\n{self.logs()}"
            time.sleep(0.2)

    def logs(self) -> str:
        found = (self.folder / name for name in ("slurmctld.log", "slurmd.log", "munged.out"))
        return "\n".join(f"--- {path.name}\n{path.read_text()[-1500:]}" for path in found if path.exists())

    def start(self, *command: str) -> None:
        last = ["setpriv", "--pdeathsig=TERM", "--"] if shutil.which("setpriv") else []
        with (self.folder / f"{Path(command[0]).name}.out").open("w") as out:
            self.daemons.append(
                subprocess.Popen(
                    [*last, *command], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                    env=os.environ | {"SLURM_CONF": str(self.folder / "slurm.conf")},
                )
            )  # fmt: skip

    def stop(self) -> None:
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(60)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        end_jobs(self.folder)


def end_jobs(folder: Path) -> None:
    """End what slurmd leaves behind: whoever has this cluster's configuration in its environment."""
    mine = f"SLURM_CONF={folder}/slurm.conf".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mine in path.read_bytes().split(b"\0"):
                os.kill(int(path.parent.name), signal.SIGKILL)
        except OSError:  # it has ended, or is somebody else's
            continue


@contextmanager
def serve() -> Iterator[Slurm]:
    """Start, wait until it takes jobs, and end it behind. Raises RuntimeError, with what to install."""
    paths = [shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("munged", "slurmctld", "slurmd")]
    if None in paths:
        raise RuntimeError(HOW)
    munged, slurmctld, slurmd = map(str, paths)
    folder = Path(tempfile.mkdtemp(prefix="rb-slurm-", dir="/tmp"))
    folder.chmod(0o755)  # munged wants everybody to come to its socket
    slurm = Slurm(folder)
    guard = subprocess.Popen([sys.executable, __file__, folder], stdin=subprocess.PIPE, start_new_session=True)
    try:
        for name in ("state", "spool"):
            (folder / name).mkdir()
        (folder / "munge.key").write_bytes(secrets.token_bytes(128))
        (folder / "munge.key").chmod(0o400)
        for number in range(4):
            (folder / f"gpu{number}").touch()
        (folder / "gres.conf").write_text(f"Name=gpu File={folder}/gpu[0-3]\n")
        host, ports = socket.gethostname().partition(".")[0], _free_ports()
        settings = _CONFIGURATION.format(host=host, user=getpass.getuser(), folder=folder, ports=ports)
        (folder / "slurm.conf").write_text(settings)
        files = (
            "key-file=munge.key",
            "socket=munge.socket",
            "pid-file=munge.pid",
            "log-file=munge.log",
            "seed-file=munge.seed",
        )
        slurm.start(munged, "--foreground", *(f"--{word.replace('=', f'={folder}/', 1)}" for word in files))
        slurm.wait_for((folder / "munge.socket").exists)
        slurm.start(slurmctld, "-D", "-f", str(folder / "slurm.conf"))
        slurm.start(slurmd, "-D", "-f", str(folder / "slurm.conf"), "-N", "n1")
        slurm.wait_for(lambda: _takes_jobs(slurm))
        yield slurm
    finally:
        slurm.stop()
        guard.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def _takes_jobs(slurm: Slurm) -> bool:
    ended = [daemon.args for daemon in slurm.daemons if daemon.poll() is not None]
    if ended:
        raise RuntimeError(f"ended: {ended}\n{slurm.logs()}\n{HOW}")
    try:
        return slurm.run("sinfo", "-h", "-o", "%T", "-p", "low").strip() == "idle"
    except RuntimeError:  # the controller does not answer yet
        return False


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


if __name__ == "__main__":  # the guard
    sys.stdin.read()
    end_jobs(Path(sys.argv[1]))
