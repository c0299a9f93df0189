"""Times whole processes: wall clock, processor time, and the peak of their own memory.

A process is started by a small one that does nothing else, since on Linux a child's peak begins with what
its parent holds. Several commands are timed by turns: A B C, A B C, and so on.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LONG_SECONDS = 60.0
LONG_ROUNDS = 3


@dataclass(frozen=True)
class Command:
    """A process to time; `before` makes room for it and is not counted."""

    name: str
    argv: Sequence[str | Path]
    before: Callable[[], None] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """One run of a command."""

    seconds: float
    processor_seconds: float
    peak_bytes: int
    printed: str


@dataclass(frozen=True)
class Spread:
    """The median of some figures, with the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """Of at least one."""
        return cls(statistics.median(figures), min(figures), max(figures))


@dataclass(frozen=True)
class Samples:
    """All timed runs of one command, in their order."""

    name: str
    of: tuple[Sample, ...]

    @property
    def seconds(self) -> Spread:
        return Spread.of([sample.seconds for sample in self.of])

    @property
    def cores(self) -> float:
        """How many cores were busy on average."""
        return statistics.median(s.processor_seconds / s.seconds for s in self.of)

    @property
    def peak_bytes(self) -> int:
        """The highest peak of all runs."""
        return max(sample.peak_bytes for sample in self.of)

    def ratio(self, other: Samples) -> Spread:
        """This one's seconds by the other's of the same round."""
        return Spread.of([a.seconds / b.seconds for a, b in zip(self.of, other.of, strict=False)])


def sample(command: Command) -> Sample:
    """Run a command once."""
    command.before()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.measure", *map(str, command.argv)],
        cwd=PROJECT,
        env={**os.environ, **command.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command.name} failed:\n{done.stderr[-2000:]}")
    *printed, figures = done.stdout.splitlines()
    return Sample(**json.loads(figures), printed="\n".join(printed))


def by_turns(
    commands: Sequence[Command], rounds: int, say: Callable[[str], None] = lambda _: None
) -> dict[str, Samples]:
    """Run all commands once uncounted, then by turns; what is long takes part in fewer rounds."""
    long = set()
    for command in commands:
        warm_up = sample(command)
        say(f"{command.name}: {warm_up.seconds:.2f} s to warm up")
        if warm_up.seconds > LONG_SECONDS:
            long.add(command.name)
    taken: dict[str, list[Sample]] = {command.name: [] for command in commands}
    for turn in range(rounds):
        for command in commands:
            if turn < LONG_ROUNDS or command.name not in long:
                taken[command.name].append(sample(command))
        last = ", ".join(f"{name} {samples[-1].seconds:.2f}" for name, samples in taken.items())
        say(f"round {turn + 1}: {last}")
    return {name: Samples(name, tuple(samples)) for name, samples in taken.items()}


def main() -> None:
    """Run the command line that is given, and print its figures after what it prints."""
    begun = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    figures = {
        "seconds": seconds,
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * 1024,
    }
    print(printed.rstrip("\n"), json.dumps(figures), sep="\n")
    raise SystemExit(process.returncode)


if __name__ == "__main__":
    main()
