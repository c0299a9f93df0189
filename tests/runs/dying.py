"""Runs, each in a process of its own, that are killed at a moment, a step or a file operation.

The processes are forked of one that has imported the program, so that each begins at once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import TYPE_CHECKING, Any, TypeVar

from claims_edit import runs
from claims_edit.__main__ import outcome
from claims_edit.settings import RunSettings

if TYPE_CHECKING:
    from _typeshed import HasFileno

_T = TypeVar("_T")
_PRELOADED = [
    "hypothesis.strategies",
    "pyarrow.csv",
    "pytest",
    "claims_edit.report.metrics",
    "claims_edit.report.summary",
    __name__,
]
_OPERATIONS = ("os.rename", "os.mkdir", "os.chmod", "os.remove", "os.rmdir", "os.truncate")
_WRITES = os.O_WRONLY | os.O_RDWR
Announce = Callable[[str], None]
PATIENCE = 120


def die() -> None:
    """End this process as a machine that loses power does."""
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def process(target: Callable[..., None], *arguments: Any) -> Iterator[Running]:
    """A process, forked, that calls `target` with its end of a pipe; it is gone afterwards."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    ours, theirs = context.Pipe()
    running = Running(context.Process(target=target, args=(theirs, *arguments)), ours)
    running.process.start()
    theirs.close()
    try:
        yield running
    finally:
        running.kill()
        ours.close()


class Running:
    """A process that tells what it does."""

    def __init__(self, process: ForkServerProcess, told: Connection) -> None:
        self.process, self._told = process, told

    def hears(self, kind: type[_T]) -> _T:
        """The next thing it tells."""
        assert self._told.poll(PATIENCE)
        told = self._told.recv()
        assert isinstance(told, kind)
        return told

    def tell(self, what: object) -> None:
        self._told.send(what)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()

    def exit_code(self) -> int | None:
        """How it ended, below 0 when it was killed."""
        self.process.join(PATIENCE)
        return self.process.exitcode


# ---- what the processes do ------------------------------------------------------------------


def run_while(began: Callable[[], None], announce: Announce, arguments: list[str]) -> int:
    """Run the command; `began` is called as it begins to work, `announce` at every step."""
    run_in_full, announce_step = runs.run, announce

    def run(settings: RunSettings, announce: Announce = announce) -> runs.Published:
        began()
        return run_in_full(settings, announce_step)

    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    runs.run = run
    return outcome(arguments)


def run_to_the_end(told: Connection, arguments: list[str]) -> None:
    """Tells when it begins, and how many seconds it took."""
    begun = 0.0

    def began() -> None:
        nonlocal begun
        begun = time.perf_counter()
        told.send("begun")

    code = run_while(began, lambda _: None, arguments)
    told.send(time.perf_counter() - begun)
    sys.exit(code)


def die_at_step(_: Connection, step: str, arguments: list[str]) -> None:
    """Dies as the step is announced."""
    run_while(lambda: None, lambda name: die() if name == step else None, arguments)


def wait_at_step(told: Connection, step: str, arguments: list[str]) -> None:
    """Tells when the step is announced, and goes on when it is told to."""

    def announce(name: str) -> None:
        if name == step:
            told.send(os.getpid())
            told.recv()

    sys.exit(run_while(lambda: None, announce, arguments))


def die_before_operation(_: Connection, number: int, arguments: list[str]) -> None:
    """Dies before the file operation of that number."""
    ahead = number

    def operation() -> None:
        nonlocal ahead
        ahead -= 1
        if ahead == 0:
            die()

    run_while(lambda: at_every_operation(operation), lambda _: None, arguments)


def count_operations(told: Connection, step: str | None, arguments: list[str]) -> None:
    """Tells how many file operations there were: in all, or before a step, as which it dies."""
    count = 0

    def operation() -> None:
        nonlocal count
        count += 1

    def announce(name: str) -> None:
        if name == step:
            told.send(count)
            die()

    run_while(lambda: at_every_operation(operation), announce, arguments)
    told.send(count)


def at_every_operation(happens: Callable[[], None]) -> None:
    """Call `happens` before this process changes anything in a folder, and before every fsync."""
    fsync = os.fsync

    def counted(fd: int | HasFileno) -> None:
        happens()
        fsync(fd)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        opens_to_write = event == "open" and bool(arguments[2] & _WRITES)
        if event in _OPERATIONS or opens_to_write:
            happens()

    sys.dont_write_bytecode = True
    os.fsync = counted
    sys.addaudithook(hook)
