"""A standalone cluster of Spark on this machine: one master and two workers, on the loopback alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyspark

HOST = "127.0.0.1"
SECONDS = 60


@dataclass(frozen=True)
class Cluster:
    """Where its master is, and the processes of its workers with the folders they work in."""

    url: str
    workers: tuple[subprocess.Popen[bytes], ...]
    folders: tuple[Path, ...]

    def kill(self, number: int) -> int:
        """Kill a worker and all that it started, at once; how many processes that were."""
        worker = self.workers[number].pid
        doomed = [worker, *_below(worker)]
        for process in doomed:
            os.kill(process, signal.SIGKILL)
        return len(doomed)


def _below(process: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    threads = Path(f"/proc/{process}/task").glob("*/children")
    found = [int(child) for thread in threads for child in thread.read_text("utf-8").split()]
    return [*found, *(below for child in found for below in _below(child))]


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster, and stop it again."""
    port = _free_port()
    url = f"spark://{HOST}:{port}"
    started: list[subprocess.Popen[bytes]] = []
    try:
        ports = ("--port", str(port), "--webui-port", "0")
        started.append(_start(folder / "master", "master.Master", *ports))
        _wait(lambda: _answers(port), "the master of the cluster did not start")
        folders = tuple(folder / f"worker-{n}" for n in range(2))
        for work in folders:
            room = ("--cores", "1", "--memory", "1g", "--webui-port", "0", "--work-dir", str(work))
            started.append(_start(work, "worker.Worker", *room, url))
        yield Cluster(url, tuple(started[1:]), folders)
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(SECONDS)


def _start(folder: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True)
    home = Path(pyspark.__file__).parent
    command: list[str | Path] = [
        home / "bin" / "spark-class",
        f"org.apache.spark.deploy.{name}",
        "--host",
        HOST,
    ]
    environment = {
        "SPARK_LOCAL_IP": HOST,
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_DAEMON_MEMORY": "256m",
    }
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [*command, *arguments],
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex((HOST, port)) == 0


def _wait(until: object, otherwise: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.2)
