"""The steps of a command: announced as they begin, timed, and logged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from threading import Lock

from claims_edit.log import LOGGER

Step = Callable[[str], AbstractContextManager[None]]
Announce = Callable[[str], None]


@dataclass
class Stopwatch:
    """Names each step as it first begins, and keeps how long it took, all times together: parts
    that are worked on at once are counted each."""

    announce: Announce
    seconds: dict[str, float] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done within. One that was done before, for other members, is not told of again."""
        again = name in self.seconds
        if not again:
            self.announce(name)
        begun = time.perf_counter()
        yield
        seconds = self._add(name, begun)
        if not again:
            LOGGER.info("%s done", name, extra={"step": name, "seconds": seconds})

    def within(self, step: str) -> Step:
        """Time what is done for a part of a step, quietly: as `step: part`."""

        @contextmanager
        def part(name: str) -> Iterator[None]:
            begun = time.perf_counter()
            yield
            self._add(f"{step}: {name}", begun)

        return part

    def _add(self, name: str, begun: float) -> float:
        seconds = time.perf_counter() - begun
        with self.lock:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + seconds, 3)
        return round(seconds, 3)
